"""One client's socket: what it must say, what it is sent, and how it is mistreated. Protocol sheet section 5."""

import asyncio
import gzip
from collections.abc import Iterable
from random import Random

import websockets
from websockets.asyncio.server import ServerConnection

from producer.simulator.faults import IN_STREAM, Fault, Faults, bomb
from producer.simulator.truth import Truth
from producer.webcast.wire import DecodeError, Envelope, FetchResult, HeartBeat, ImEnterRoom, PushFrame, PushHeader

SERVICE, METHOD = 8888, 8
HEARTBEAT_SECONDS = 30.0
"""A client that sends no heartbeat for so long is closed. (How long TikTok waits is not known.)"""
QUIET_FRAMES = 5
"""A connection is left in peace for so many frames before it is mistreated."""
BOMB_BYTES = 10 * 1024**3


class Socket:
    """One open socket."""

    def __init__(
        self, websocket: ServerConnection, *, unique_id: str, room_id: int, gzipped: bool, faults: Faults, truth: Truth
    ) -> None:
        self.acknowledged = 0
        self.bad_acknowledgements = 0
        self.heartbeats = 0
        self.closed = asyncio.ensure_future(websocket.wait_closed())
        self._websocket = websocket
        self._unique_id = unique_id
        self._room_id = room_id
        self._gzipped = gzipped
        self._faults = faults
        self._truth = truth
        self._sequence = 0
        self._owed: dict[int, bytes] = {}
        self._silenced = False

    async def entered(self) -> bool:
        """Wait for the client to enter the room; say whether it did."""
        while True:
            frame = await self._receive()
            if frame is None:
                return False
            if frame.payload_type == "im_enter_room":
                await self._answer("im_enter_room_resp")
                return ImEnterRoom.FromString(frame.payload).room_id == self._room_id

    async def listen(self) -> None:
        """Take heartbeats and acknowledgements until the socket is closed."""
        while (frame := await self._receive()) is not None:
            if frame.payload_type == "hb":
                self.heartbeats += 1
                beat = HeartBeat.FromString(frame.payload)
                if beat.room_id != self._room_id:
                    self.bad_acknowledgements += 1
                await self._answer("hb")
            elif frame.payload_type == "ack":
                if self._owed.pop(frame.log_id, None) == frame.payload:
                    self.acknowledged += 1
                else:
                    self.bad_acknowledgements += 1

    async def send(self, envelopes: list[Envelope]) -> bool:
        """Send a batch, and what is to go wrong around it; say whether the client can have it."""
        if self._silenced:
            return False
        try:
            await self._send_batch([envelope.SerializeToString() for envelope in envelopes])
            if self._sequence > QUIET_FRAMES:
                await self._misbehave(envelopes)
        except websockets.ConnectionClosed:
            return False
        return True

    async def send_history(self, envelopes: Iterable[Envelope]) -> None:
        """Send what was said before the client came."""
        marked = []
        for envelope in envelopes:
            copy = Envelope()
            copy.CopyFrom(envelope)
            copy.is_history = True
            marked.append(copy.SerializeToString())
        if marked:
            await self._send_batch(marked)

    async def close(self, code: int) -> None:
        """Close the socket."""
        await self._websocket.close(code)

    async def _misbehave(self, envelopes: list[Envelope]) -> None:
        fault = next((fault for fault in IN_STREAM if self._faults.fires(fault, self._unique_id)), None)
        if fault is None:
            return
        self._truth.write("fault", self._unique_id, self._room_id, name=fault.value)
        chance = Random(self._sequence)
        chat = Envelope(method="WebcastChatMessage", payload=b"\x1a\x02ok", msg_id=self._room_id - 1 - self._sequence)
        match fault:
            case Fault.DROP:
                self._websocket.transport.abort()
            case Fault.CLOSE_INTERNAL:
                await self._websocket.close(1011)
            case Fault.SILENCE:
                self._silenced = True
            case Fault.DUPLICATE:
                await self._send_batch([envelopes[-1].SerializeToString()])
            case Fault.TRUNCATED_FRAME:
                whole = self._frame(FetchResult(messages=[chat.SerializeToString()]))
                await self._websocket.send(whole[: len(whole) // 2])
            case Fault.RANDOM_FRAME:
                await self._websocket.send(chance.randbytes(200))
            case Fault.TEXT_FRAME:
                await self._websocket.send("not protobuf at all")
            case Fault.GZIP_BOMB:
                await self._raw(await asyncio.to_thread(bomb, inflated_bytes=BOMB_BYTES), "gzip")
            case Fault.GZIP_GARBAGE:
                await self._raw(b"\x1f\x8b\x08" + chance.randbytes(100), "gzip")
            case Fault.UNKNOWN_COMPRESSION:
                await self._raw(chance.randbytes(100), "br")
            case Fault.EMPTY_BATCH:
                await self._send_batch([])
            case Fault.CUT_PAYLOAD:
                chat.payload = b"\x0a\x05\x0a\x7fcut"
                await self._send_batch([chat.SerializeToString()])
            case Fault.CUT_ENVELOPE:
                await self._send_batch([chat.SerializeToString()[:-4]])
            case Fault.UNKNOWN_METHOD:
                unknown = Envelope(
                    method=f"WebcastNew{chance.randrange(1000)}Message", payload=b"\x08\x01", msg_id=chat.msg_id
                )
                await self._send_batch([unknown.SerializeToString()])

    async def _send_batch(self, messages: list[bytes]) -> None:
        await self._websocket.send(self._frame(FetchResult(messages=messages)))

    def _frame(self, batch: FetchResult) -> bytes:
        self._sequence += 1
        log_id = self._room_id + self._sequence
        batch.cursor = f"{log_id}_1_1_0_0"
        batch.internal_ext = f"ext-{self._sequence}".encode()
        batch.need_ack = True
        self._owed[log_id] = batch.internal_ext
        payload = batch.SerializeToString()
        if self._gzipped:
            payload = gzip.compress(payload, 6, mtime=0)
        return self._push(payload, "gzip" if self._gzipped else "none", log_id)

    async def _raw(self, payload: bytes, compression: str) -> None:
        self._sequence += 1
        await self._websocket.send(self._push(payload, compression, self._room_id + self._sequence))

    def _push(self, payload: bytes, compression: str, log_id: int) -> bytes:
        frame = PushFrame(
            seq_id=self._sequence,
            log_id=log_id,
            service=SERVICE,
            method=METHOD,
            headers=[PushHeader(key="compress_type", value=compression)],
            payload_encoding="pb",
            payload_type="msg",
            payload=payload,
        )
        return frame.SerializeToString()

    async def _answer(self, payload_type: str) -> None:
        await self._websocket.send(PushFrame(payload_encoding="pb", payload_type=payload_type).SerializeToString())

    async def _receive(self) -> PushFrame | None:
        """The client's next frame, or None when the socket is closed."""
        try:
            async with asyncio.timeout(HEARTBEAT_SECONDS):
                data = await self._websocket.recv()
            return PushFrame.FromString(data if isinstance(data, bytes) else data.encode())
        except TimeoutError:
            self._truth.write("heartbeat_missed", self._unique_id, self._room_id)
            await self._websocket.close(1000)
        except (websockets.ConnectionClosed, DecodeError):
            await self._websocket.close(1000)
        return None
