"""Drives a Protocol over one WebSocket."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from math import ceil

import websockets
from websockets.http11 import Response

from producer.errors import FailedRoomPolling, ProducerError, Reason
from producer.webcast import handshake
from producer.webcast.client import Client
from producer.webcast.doors.contract import Between
from producer.webcast.protocol import Protocol, Received

SEND_SECONDS = 10.0
TICKS = 20
"""Times at which rooms do what is due, of a heartbeat's interval: together they take half of what each takes alone."""
READ = Response(HTTPStatus.SWITCHING_PROTOCOLS.value, "", websockets.Headers())
"""In the place of an answer that was read: the library takes what comes before any for one."""
TOGETHER_FRAMES, TOGETHER_BYTES = 8, 256 * 1024
"""So many frames, or so many bytes of messages and one frame more, are taken together."""


class Connection:
    """An open socket to a room."""

    def __init__(self, websocket: Client, between: Between | None = None) -> None:
        """`between`: who passes the frames on, and says things of their own meanwhile."""
        self.waits = asyncio.Event()
        """Set while the next frame is waited for; whether the server has one under way is not known."""
        self.frames = 0
        """How many came."""
        response = websocket.response
        options = handshake.said(response.headers, "Handshake-Options") if response else ""
        self.heartbeat_seconds = handshake.read_heartbeat_seconds(options)
        """The interval that the server dictates, or the usual one."""
        self.greeting = handshake.greeting(response)
        """What the handshake was answered, as it may be shown."""
        websocket.request, websocket.response = None, READ  # some kilobytes a room
        self._websocket = websocket
        self._between = between
        self._unheard = 0
        """Frames that nobody was told of, since nothing was in them."""
        self._sends_soon = False
        self._alarm: asyncio.TimerHandle | None = None
        self._waiting: asyncio.Timeout | None = None
        self._over: ProducerError | None = None
        """What ended the conversation, in a frame that came with others."""

    async def exchange(
        self,
        protocol: Protocol,
        turn: Callable[[], Awaitable[None]],
        *,
        more: Callable[[], bool] = lambda: False,
        quiet: Callable[[], bool] = lambda: False,
    ) -> Received | None:
        """Send what is due, wait for a frame, take it, send what it asks for; None when only time passed.

        `turn` is waited for before the frame is read, which may take long. `more`: whether there is time for another,
        which is taken with it where it is there already: what both ask for is sent in one piece. `quiet`: whether
        nobody has anything to do when only time passes: then heartbeats leave, and are answered, without a word.
        Who is cancelled before its turn leaves the frame, as it leaves those that the socket has in store.
        Acknowledgements and heartbeats leave before this returns, so that a slow Kafka does not delay them. Raises
        FailedRoomPolling when the socket is lost or the room has fallen silent, and what whoever is between means by
        closing it.
        """
        loop = asyncio.get_running_loop()
        if self._over is not None:
            raise self._over
        while True:
            await self._send(protocol)
            data = await self._next(protocol, quiet)
            if data is None:
                protocol.tick(loop.time())
                return None
            await turn()
            had_entered = protocol.entered
            received = self._take(protocol, data, loop.time())
            if received is None or received or protocol.entered != had_entered or not quiet():
                break
            self._unheard += received.frames  # it answers a heartbeat
        if received is not None:
            received.frames += self._unheard
            self._unheard = 0
        while received is not None and _is_little(received, protocol) and more() and self._websocket.has_message():
            data = await self._websocket.recv()  # it is there: nobody waits, and can be cancelled
            try:
                later = self._take(protocol, data, loop.time())
            except ProducerError as over:
                self._over = over  # told once what came before it is delivered
                break
            if later is not None:
                received.add(later)
        await self._send(protocol)
        return received

    async def _next(self, protocol: Protocol, quiet: Callable[[], bool]) -> bytes | str | None:
        """Wait for a frame, or until there is something to do because of the time alone: then None."""
        if self._alarm is None:
            self._set_alarm(protocol, quiet)
        self.waits.set()
        try:
            if self._websocket.has_message():
                return await self._websocket.recv()  # which nobody waits for
            async with asyncio.timeout(None) as self._waiting:
                return await self._websocket.recv()
        except TimeoutError:
            return None
        except websockets.ConnectionClosed as cause:
            raise _lost(cause, self._between) from cause
        finally:
            self._waiting = None
            self.waits.clear()

    def _set_alarm(self, protocol: Protocol, quiet: Callable[[], bool]) -> None:
        """See to what the time brings. One alarm a socket, which looks again: most frames only put it off."""
        loop = asyncio.get_running_loop()
        step = protocol.heartbeat_seconds / TICKS

        def wait(until: float) -> None:
            # Other rooms' alarms ring then, too. Never before it is due, if by a rounding: it would ring for ever.
            at = max(until, ceil(until / step - 1e-6) * step)
            self._alarm = loop.call_at(at, ring, at)

        def ring(at: float) -> None:
            self._alarm = None
            now = loop.time()
            held_up = self._waiting is None  # by Kafka, say: what the server answers is read later
            if self._waiting is not None and (now >= protocol.lost_at or (at >= protocol.beats_at and not quiet())):
                self._waiting.reschedule(now)
                return
            protocol.beat(at)
            self._send_due(protocol)
            wait(protocol.beats_at if held_up else protocol.deadline)

        wait(protocol.deadline)

    def acknowledge(self, protocol: Protocol, received: Received) -> None:
        """Acknowledge frames as the protocol does, before this turn of the loop ends, with what else is due by then."""
        protocol.acknowledge(received)
        if not self._sends_soon:
            self._sends_soon = True
            asyncio.get_running_loop().call_soon(self._send_due, protocol)

    def _send_due(self, protocol: Protocol) -> None:
        self._sends_soon = False
        if frames := protocol.frames_to_send():
            self._websocket.send_together(frames)

    def close(self) -> None:
        """Let the time pass."""
        if self._alarm is not None:
            self._alarm.cancel()

    def _take(self, protocol: Protocol, data: bytes | str, now: float) -> Received | None:
        self.frames += 1
        if self._between is not None and not self._between.passes(data):
            protocol.tick(now)
            return None
        return protocol.receive(data, now)

    async def _send(self, protocol: Protocol) -> None:
        """Send what is due, in one piece; on a socket that is closing, nothing: `recv` says when it is over."""
        frames = protocol.frames_to_send()
        if not frames or not self._websocket.send_together(frames):
            return
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self._websocket.drain()
        except TimeoutError as cause:
            raise FailedRoomPolling("the server stopped reading", reason=Reason.TIMEOUT) from cause


def _is_little(received: Received, protocol: Protocol) -> bool:
    """Whether another frame may be taken together with what came; not behind one that says it is over."""
    goes_on = not protocol.ended and protocol.barred is None
    size = sum([len(message.payload) for message in received.messages])
    size += sum([len(refusal.data) for refusal in received.refusals])
    return goes_on and received.frames < TOGETHER_FRAMES and size < TOGETHER_BYTES


def _lost(cause: websockets.ConnectionClosed, between: Between | None) -> ProducerError:
    close = cause.rcvd
    if close and between is not None and (meant := between.closing(close.code)) is not None:
        return meant
    code = f"with code {close.code}" if close else "without a closing handshake"
    return FailedRoomPolling(f"the socket was closed {code}", reason=Reason.CLOSED)
