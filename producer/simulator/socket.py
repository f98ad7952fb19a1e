"""One client's socket: what it must say, what it is sent, and how it is mistreated. Protocol sheet section 5."""

import asyncio
import gzip
from collections.abc import Iterable, Sequence
from contextlib import suppress
from random import Random

import websockets
from websockets.asyncio.server import ServerConnection
from websockets.protocol import State

from producer.simulator.faults import AT_ENTRY, IN_STREAM, Fault, Faults, bomb
from producer.simulator.messages import Message
from producer.simulator.truth import Truth
from producer.webcast.wire import (
    AccessControl,
    AnyMessage,
    DecodeError,
    Envelope,
    FetchResult,
    HeartBeat,
    ImEnterRoom,
    PushFrame,
    PushHeader,
    RoomVerification,
)

SERVICE, METHOD = 8888, 8
SLOW_SECONDS = 10.0
"""A client that takes nothing for so long is cut off: the world does not wait for it."""
QUIET_FRAMES = 5
"""A connection is left in peace for so many frames before it is mistreated."""
OWED = 10_000
"""How many acknowledgements are remembered as outstanding."""
BOMB_BYTES = 1024 * 1024 * 1024
NORMAL, PROTOCOL_ERROR = 1000, 1002
CODES = {Fault.CLOSE_INTERNAL: 1011, Fault.CLOSE_SERVER: 4001, Fault.CLOSE_SERVER_ERROR: 4003}
"""With which a fault closes the socket. Those above 4000 are of the web player's own list."""
GOOD_BYES = {Fault.CLOSE_FRAME: "room_migrated", Fault.CLOSE_FRAME_NO_DIRECT: "disable_web_direct"}
"""What a frame of type `close` gives for its reason; only the latter is on record."""


class _Gone(Exception):
    """The client is no longer there."""


class Socket:
    """One open socket."""

    def __init__(
        self,
        websocket: ServerConnection,
        *,
        unique_id: str,
        room_id: int,
        door: str,
        gzipped: bool,
        faults: Faults,
        truth: Truth,
        heartbeat_seconds: float | None,
    ) -> None:
        """`heartbeat_seconds`: a client that sends no heartbeat for so long is closed; None waits for none."""
        self.acknowledged = 0
        self.bad_acknowledgements = 0
        self.heartbeats = 0
        self.bad_heartbeats = 0
        """Heartbeats that name another room. One without a payload is fine: older clients send nothing else."""
        self.silenced = False
        """It hears answers, and no batch any more."""
        self.fate: Fault | None = None
        """What befalls it from its first frame on."""
        self._met = False
        self.closed = asyncio.ensure_future(websocket.wait_closed())
        self._websocket = websocket
        self._unique_id = unique_id
        self._room_id = room_id
        self._door = door
        self._gzipped = gzipped
        self._faults = faults
        self._truth = truth
        self._heartbeat_seconds = heartbeat_seconds
        self._heartbeat_by: float | None = None
        self._beaten()
        self._sequence = 0
        self._owed: dict[int, tuple[bytes, Sequence[Message]]] = {}

    async def entered(self) -> bool:
        """Wait for the client to enter the room; say whether it did. It may send heartbeats first."""
        while (frame := await self._receive()) is not None:
            if frame.payload_type == "im_enter_room":
                return ImEnterRoom.FromString(frame.payload).room_id == self._room_id
        return False

    async def listen(self) -> None:
        """Take heartbeats and acknowledgements until the socket is closed."""
        while (frame := await self._receive()) is not None:
            if frame.payload_type == "ack":
                ext, _ = self._owed.pop(frame.log_id, (None, ()))
                if ext == frame.payload:
                    self.acknowledged += 1
                else:
                    self.bad_acknowledgements += 1

    async def send(self, messages: Sequence[Message]) -> bool:
        """Send a batch, and what is to go wrong around it; say whether the client can have it."""
        if self.silenced or self._websocket.state is not State.OPEN:
            return False
        fault = self._due()
        batch = [message.envelope() for message in messages]
        if fault in (Fault.CUT_PAYLOAD, Fault.CUT_ENVELOPE):
            # Among real ones, which a client must not lose by it.
            batch.insert(len(batch) // 2, self._damaged(fault))
        try:
            await self._send_batch(batch, messages)
        except _Gone:
            return False
        if fault is not None:
            with suppress(_Gone):  # the batch itself had been sent
                await self._misbehave(fault, messages)
        return True

    async def send_history(self, messages: Iterable[Message]) -> None:
        """Send what was said before the client came."""
        history = list(messages)
        if self.silenced or not history:
            return
        try:
            await self._send_batch([message.envelope(history=True) for message in history])
        except _Gone:
            return
        for message in history:
            self._truth.message(self._unique_id, self._room_id, message, sockets=1, history=True)

    def unacknowledged(self) -> list[Message]:
        """What was sent and not acknowledged, oldest first."""
        return [message for _, messages in self._owed.values() for message in messages]

    async def send_again(self, messages: Sequence[Message]) -> None:
        """Send what another socket had not acknowledged when it closed."""
        if not messages:
            return
        try:
            await self._send_batch([message.envelope() for message in messages], messages)
        except _Gone:
            return
        for message in messages:
            self._truth.message(self._unique_id, self._room_id, message, sockets=1, duplicate=True)

    async def bar(self) -> None:
        """Say that nobody may stay who is not logged in, and nothing more."""
        with suppress(_Gone):
            await self._misbehave(Fault.ACCESS_CONTROL, ())
        self.silenced = True

    async def close(self, code: int) -> None:
        """Close the socket."""
        await self._websocket.close(code)

    async def _sent(self, data: bytes | str) -> bool:
        """Send one message; say whether the client is there."""
        try:
            await self._write(data)
        except _Gone:
            return False
        return True

    def _beaten(self) -> None:
        if self._heartbeat_seconds is not None:
            self._heartbeat_by = asyncio.get_running_loop().time() + self._heartbeat_seconds

    def _due(self) -> Fault | None:
        if self._sequence < QUIET_FRAMES:
            return None
        due = next((fault for fault in IN_STREAM if self._faults.fires(fault, self._unique_id, self._door)), None)
        if due is not None:
            self._truth.write("fault", self._unique_id, self._room_id, name=due.value, door=self._door)
        return due

    def _bogus_id(self) -> int:
        """A message id that no real message has, and that no other bogus one has: a client drops what it knows."""
        return self._room_id - 1000 - self._faults.fired.total()

    def _damaged(self, fault: Fault) -> bytes:
        chat = Envelope(method="WebcastChatMessage", payload=b"\x0a\x05\x0a\x7fcut", msg_id=self._bogus_id())
        whole = chat.SerializeToString()
        return whole if fault is Fault.CUT_PAYLOAD else whole[:-4]

    async def _misbehave(self, fault: Fault, messages: Sequence[Message]) -> None:
        chance = Random(self._sequence)
        match fault:
            case Fault.DROP:
                self._websocket.transport.abort()
            case Fault.CLOSE_INTERNAL | Fault.CLOSE_SERVER | Fault.CLOSE_SERVER_ERROR:
                await self._websocket.close(CODES[fault])
            case Fault.CLOSE_FRAME | Fault.CLOSE_FRAME_NO_DIRECT:
                await self._say_good_bye(GOOD_BYES[fault])
            case Fault.ACCESS_CONTROL:
                await self._send_message("WebcastAccessControlMessage", AccessControl(captcha=b"").SerializeToString())
            case Fault.ROOM_VERIFY:
                closes = RoomVerification(close_room=True).SerializeToString()
                await self._send_message("WebcastRoomVerifyMessage", closes)
            case Fault.OTHER_ROOM:
                message = AnyMessage.FromString(messages[-1].payload)
                message.common.room_id = self._room_id + 1
                await self._send_message(messages[-1].method, message.SerializeToString())
            case Fault.SILENCE:
                self.silenced = True
            case Fault.DUPLICATE:
                await self._send_batch([messages[-1].envelope()])
                self._truth.message(self._unique_id, self._room_id, messages[-1], sockets=1, duplicate=True)
            case Fault.TRUNCATED_FRAME:
                whole = self._push(b"\x0a\x08" + bytes(60), "none", 0)
                await self._write(whole[: len(whole) // 2])
            case Fault.RANDOM_FRAME:
                await self._write(chance.randbytes(200))
            case Fault.TEXT_FRAME:
                await self._write("not protobuf at all")
            case Fault.GZIP_BOMB:
                await self._raw(await asyncio.to_thread(bomb, inflated_bytes=BOMB_BYTES), "gzip")
            case Fault.GZIP_GARBAGE:
                await self._raw(b"\x1f\x8b\x08" + chance.randbytes(100), "gzip")
            case Fault.UNKNOWN_COMPRESSION:
                await self._raw(chance.randbytes(100), "br")
            case Fault.EMPTY_BATCH:
                await self._send_batch([])
            case Fault.UNKNOWN_METHOD:
                await self._send_message(f"WebcastNew{chance.randrange(1000)}Message", b"\x08\x01")

    async def _send_message(self, method: str, payload: bytes, *, payload_type: str = "msg") -> None:
        """Send a batch with a message that is none of the room's own."""
        envelope = Envelope(method=method, payload=payload, msg_id=self._bogus_id())
        self._truth.write("odd", self._unique_id, self._room_id, message_id=str(envelope.msg_id), method=method)
        await self._send_batch([envelope.SerializeToString()], payload_type=payload_type)

    async def _send_batch(
        self, messages: list[bytes], made_of: Sequence[Message] = (), *, payload_type: str = "msg"
    ) -> None:
        self._sequence += 1
        log_id = self._room_id + self._sequence
        batch = FetchResult(
            messages=messages,
            cursor=f"{log_id}_1_1_0_0",
            fetch_type=1,
            internal_ext=f"ext-{self._sequence}".encode(),
            need_ack=True,
        )
        self._owed[log_id] = batch.internal_ext, made_of
        if len(self._owed) > OWED:
            del self._owed[next(iter(self._owed))]
        payload = batch.SerializeToString()
        if self._gzipped:
            payload = gzip.compress(payload, 6, mtime=0)
        await self._write(self._push(payload, "gzip" if self._gzipped else "none", log_id, payload_type))

    async def _raw(self, payload: bytes, compression: str) -> None:
        self._sequence += 1
        await self._write(self._push(payload, compression, self._room_id + self._sequence))

    def _push(self, payload: bytes, compression: str, log_id: int, payload_type: str = "msg") -> bytes:
        frame = PushFrame(
            seq_id=self._sequence,
            log_id=log_id,
            service=SERVICE,
            method=METHOD,
            headers=[PushHeader(key="compress_type", value=compression)],
            payload_encoding="pb",
            payload_type=payload_type,
            payload=payload,
        )
        return frame.SerializeToString()

    async def _write(self, data: bytes | str) -> None:
        try:
            async with asyncio.timeout(SLOW_SECONDS):
                await self._websocket.send(data)
        except TimeoutError:
            self._truth.write("stopped_reading", self._unique_id, self._room_id)
            self._websocket.transport.abort()
            raise _Gone from None
        except websockets.ConnectionClosed:
            raise _Gone from None

    async def _receive(self) -> PushFrame | None:
        """The client's next frame, answered where it asks for an answer; None when the socket is closed."""
        try:
            # Only a heartbeat moves the deadline: a client may acknowledge for hours and still forget to beat.
            async with asyncio.timeout_at(self._heartbeat_by):
                data = await self._websocket.recv()
            frame = PushFrame.FromString(data if isinstance(data, bytes) else data.encode())
            await self._take(frame)
        except TimeoutError:
            self._truth.write("heartbeat_missed", self._unique_id, self._room_id)
            await self._websocket.close(NORMAL)
        except DecodeError:
            self._truth.write("bad_frame", self._unique_id, self._room_id)
            await self._websocket.close(PROTOCOL_ERROR)
        except (websockets.ConnectionClosed, _Gone):
            pass
        else:
            return frame
        return None

    async def _take(self, frame: PushFrame) -> None:
        if not self._met:
            self._met = True
            self._draw_fate()
        match frame.payload_type:
            case "hb":
                self.heartbeats += 1
                self._beaten()
                if HeartBeat.FromString(frame.payload).room_id not in (self._room_id, 0):
                    self.bad_heartbeats += 1
                if self.fate not in (Fault.ENTER_DEAD, Fault.ENTER_NO_ECHOES):
                    await self._answer("hb")
            case "im_enter_room":
                ImEnterRoom.FromString(frame.payload)
                if self.fate is Fault.ENTER_MESSAGES:
                    await self._send_message("WebcastNewEntryMessage", b"\x08\x01", payload_type="im_enter_room_resp")
                elif self.fate is Fault.ENTER_NO_DIRECT:
                    await self._say_good_bye(GOOD_BYES[Fault.CLOSE_FRAME_NO_DIRECT])
                elif not self.silenced:
                    await self._answer("im_enter_room_resp")

    def _draw_fate(self) -> None:
        self.fate = next((fault for fault in AT_ENTRY if self._faults.fires(fault, self._unique_id, self._door)), None)
        if self.fate is not None:
            self._truth.write("fault", self._unique_id, self._room_id, name=self.fate.value, door=self._door)
            self.silenced = self.fate in (Fault.ENTER_DEAD, Fault.ENTER_DEAF, Fault.ENTER_NO_DIRECT)

    async def _say_good_bye(self, reason: str) -> None:
        headers = [PushHeader(key="close_reason", value=reason)]
        await self._write(PushFrame(headers=headers, payload_type="close").SerializeToString())

    async def _answer(self, payload_type: str) -> None:
        await self._write(PushFrame(payload_encoding="pb", payload_type=payload_type).SerializeToString())
