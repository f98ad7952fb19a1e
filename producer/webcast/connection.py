"""Drives a Protocol over one WebSocket."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http import HTTPStatus
from math import ceil
from ssl import SSLContext
from typing import Any, cast

import websockets
from websockets.asyncio.client import ClientConnection, connect
from websockets.frames import Opcode
from websockets.http11 import Response
from websockets.protocol import State

from producer import strangers
from producer.errors import FailedConnection, FailedRoomPolling, ProducerError, Reason
from producer.webcast import handshake
from producer.webcast.doors.contract import Address, Between
from producer.webcast.protocol import Protocol, Received
from producer.webcast.route import ProxyFailed, Route

OPEN_SECONDS = 10.0
SEND_SECONDS = 10.0
CLOSE_SECONDS = 2.0
AT_ONCE = 20
"""Sockets that are opened at a time, so that the time a thousand take is none of the server's."""
FRAME_BYTES = 4 * 1024 * 1024
"""Of a WebSocket message. What is longer has a batch that would not be read, and it is copied several times."""
RECEIVE_BYTES = 16 * 1024
"""Of what the system keeps for us (Linux takes it twice). What is there is read in one piece, whoever else waits."""
PIECE_BYTES = 4 * 1024
UNREAD_BYTES = 256 * 1024
"""Of what waits to be sent. Our own frames wait long before."""

TICKS = 20
"""Times at which rooms do what is due, of a heartbeat's interval: together they take half of what each takes alone."""
READ = Response(HTTPStatus.SWITCHING_PROTOCOLS.value, "", websockets.Headers())
"""In the place of an answer that was read: the library takes what comes before any for one."""
TOGETHER_FRAMES, TOGETHER_BYTES = 8, 256 * 1024
"""So many frames, or so many bytes of messages and one frame more, are taken together."""


class Connection:
    """An open socket to a room."""

    def __init__(self, websocket: "_Client", between: Between | None = None) -> None:
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


class _Client(ClientConnection):
    """Takes what came piece by piece, one in a turn of the loop: a frame may be two bytes long, and each takes 10 us.

    Who has time for more takes it himself. It answers pings, and gives up a server that sends them and does not read
    what it is answered.
    """

    _store = b""
    _takes_soon = False

    def has_message(self) -> bool:
        """Whether `recv` has a binary message to give, whole, without waiting; what came is taken until it has."""
        queue = self.recv_messages.frames.queue
        while self._store and not queue:
            self._take_piece()
        return bool(queue) and queue[0].opcode is Opcode.BINARY and queue[0].fin

    def send_together(self, messages: Sequence[bytes]) -> bool:
        """Send binary messages in one piece, without waiting; say whether the server lags behind in reading.

        The library's `send` makes a piece of each. On a socket that is closing nothing is sent.
        """
        if self.protocol.state is not State.OPEN or self.transport.is_closing():
            return False
        for message in messages:
            self.protocol.send_binary(message)
        self.transport.write(b"".join(self.protocol.data_to_send()))
        return self.paused

    def data_received(self, data: bytes) -> None:
        self._store += data
        if not self._takes_soon:
            self._take()

    def eof_received(self) -> None:
        self._take_all()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._take_all()
        super().connection_lost(exc)

    def _take(self) -> None:
        self._takes_soon = False
        if self._store:
            self._take_piece()
        elif self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > UNREAD_BYTES:
            self.transport.abort()
        elif self._store:
            self._takes_soon = True
            self.transport.pause_reading()
            self.loop.call_soon(self._take)
        elif not self.recv_messages.paused:
            self.transport.resume_reading()

    def _take_piece(self) -> None:
        piece, self._store = self._store[:PIECE_BYTES], self._store[PIECE_BYTES:]
        super().data_received(piece)

    def _take_all(self) -> None:
        while self._store:
            self._take_piece()


class _Connect(connect):
    """A client that goes nowhere but where it was sent."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


@asynccontextmanager
async def open_connection(
    address: Address,
    *,
    user_agent: str,
    origin: str,
    ssl: SSLContext,
    trust_environment: bool,
    turns: AbstractAsyncContextManager[None],
    route: Route | None = None,
) -> AsyncIterator[Connection]:
    """Open the socket at an address, in its turn; close it, normally, on the way out. Raises FailedConnection.

    `origin` is the web page that a browser would have it opened by; it is said to TikTok alone. `trust_environment`:
    whether the environment's proxies are used where the route has none.
    """
    websocket = await _open(
        address,
        user_agent=user_agent,
        origin=origin,
        ssl=ssl,
        trust_environment=trust_environment,
        turns=turns,
        route=route or Route(),
    )
    websocket.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    connection = Connection(websocket, address.between)
    try:
        yield connection
    finally:
        connection.close()
        await websocket.close()


async def _open(
    address: Address,
    *,
    user_agent: str,
    origin: str,
    ssl: SSLContext,
    trust_environment: bool,
    turns: AbstractAsyncContextManager[None],
    route: Route,
) -> _Client:
    """A function of its own, so that nothing of how a socket was opened stays in memory for as long as it is open."""
    to_proxy: dict[str, Any] = {"proxy_ssl": ssl} if route.proxy is not None and route.proxy.is_https else {}
    try:
        async with route.passage(turns) as passage:

            def client(*arguments: Any, **named: Any) -> _Client:
                passage.passed()  # it is made once there is a connection, behind the proxy where there is one
                return _Client(*arguments, **named)

            opening = _Connect(
                address.url.text,
                create_connection=cast(type[ClientConnection], client),
                additional_headers={**({"Cookie": address.cookie} if address.cookie else {}), **address.headers},
                user_agent_header=user_agent,
                origin=websockets.Origin(origin) if address.between is None else None,
                compression=None,  # batches are gzipped already, and a deflate context costs 64 KiB a room
                ping_interval=None,  # TikTok answers no pings, so the library's keepalive would close a healthy socket
                open_timeout=OPEN_SECONDS,
                close_timeout=CLOSE_SECONDS,
                max_size=FRAME_BYTES,
                max_queue=4,
                proxy=route.proxy.url if route.proxy is not None else True if trust_environment else None,
                ssl=ssl if address.url.scheme == "wss" else None,
                **to_proxy,
            )
            passage.begin()
            return cast(_Client, await opening)
    except ProxyFailed as cause:
        raise FailedConnection(str(cause), reason=Reason.PROXY, retry_after_seconds=0.0) from cause
    except websockets.InvalidStatus as cause:
        raise handshake.handshake_refused(cause.response.status_code, cause.response.headers) from cause
    except TimeoutError as cause:
        raise FailedConnection(f"no handshake within {OPEN_SECONDS:g} s", reason=Reason.TIMEOUT) from cause
    except (OSError, websockets.WebSocketException) as cause:
        # The library quotes a URL that it cannot use; its query may be a secret.
        detail = "its URL is none" if isinstance(cause, websockets.InvalidURI) else strangers.shown(str(cause))
        raise FailedConnection(f"the socket did not open: {detail}", reason=Reason.NETWORK) from cause


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
