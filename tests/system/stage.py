"""A Webcast of the test's own: its streamers are live, and their rooms send the bytes that a test says."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from ssl import SSLContext
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from producer.simulator import posts
from producer.webcast.upstream import SOCKET_PATH
from producer.webcast.wire import Envelope, FetchResult, PushFrame
from tests.webcast.bombs import field, message, plain

FIRST_ROOM = 7_400_000_000_000_001_000


def chats(first: int, count: int) -> bytes:
    """A frame of so many comments."""
    said = field(2, b"\x08\x07" + field(3, b"somebody") + field(38, b"some_body")) + field(3, b"so they say " * 8)
    return plain(b"".join(message("WebcastChatMessage", said, number=first + n) for n in range(count)))


def asking(log_id: int) -> bytes:
    """A frame that is to be acknowledged."""
    chat = Envelope(method="WebcastChatMessage", msg_id=log_id).SerializeToString()
    batch = FetchResult(messages=[chat], need_ack=True, internal_ext=b"x").SerializeToString()
    return PushFrame(log_id=log_id, payload_type="msg", payload=batch).SerializeToString()


class Stage:
    """The rooms of these streamers. Use `serve`."""

    def __init__(self, streamers: Sequence[str]) -> None:
        self._rooms = {name: FIRST_ROOM + number for number, name in enumerate(streamers)}
        self._names = {str(room_id): name for name, room_id in self._rooms.items()}
        self._sockets: dict[str, ServerConnection] = {}
        self._heard = asyncio.Condition()
        self._acknowledged: Counter[tuple[str, int]] = Counter()
        self.opened: Counter[str] = Counter()
        """How many sockets each streamer's room had."""
        self.url = ""

    def room_id(self, streamer: str) -> str:
        return str(self._rooms[streamer])

    @asynccontextmanager
    async def serve(self, ssl: SSLContext | None = None) -> AsyncIterator["Stage"]:
        """Serve on a port of this machine; with a context, over TLS."""
        async with serve(
            self._converse,
            "127.0.0.1",
            0,
            process_request=self._process,
            create_connection=posts.Connection,
            compression=None,
            ssl=ssl,
            ping_interval=None,
            write_limit=64 * 1024 * 1024,  # a burst waits in this process or in the system, and holds up no other room
        ) as server:
            self.url = f"http{'s' if ssl else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield self

    async def entered(self, streamers: Iterable[str]) -> None:
        """Wait until each of these rooms has a socket that entered it."""
        wanted = set(streamers)
        async with self._heard:
            await self._heard.wait_for(lambda: wanted <= self._sockets.keys())

    async def entered_again(self, streamer: str) -> None:
        """Wait until a room that lost its socket has another."""
        async with self._heard:
            await self._heard.wait_for(lambda: self.opened[streamer] > 1)

    async def acknowledged(self, streamer: str, log_id: int) -> None:
        """Wait until a frame is acknowledged."""
        async with self._heard:
            await self._heard.wait_for(lambda: self._acknowledged[streamer, log_id] > 0)

    def write(self, streamer: str, data: bytes, *, deaf: bool = False) -> None:
        """Write bytes that need not be a whole message of the WebSocket protocol; if `deaf`, read nothing any more."""
        transport = self._sockets[streamer].transport
        if deaf:
            transport.pause_reading()
        transport.write(data)

    async def send(self, frames: Mapping[str, Sequence[bytes]]) -> None:
        """Send frames to the rooms; what a room's client does not take waits, and what nobody is there for is lost."""
        for streamer, several in frames.items():
            with suppress(ConnectionClosed):
                for frame in several:
                    await self._sockets[streamer].send(frame)

    async def _process(self, _: ServerConnection, request: Request) -> Response | None:
        parts = urlsplit(request.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        match parts.path:
            case "/ttwid/register/":
                return _response(b'{"status_code": 0}', [("Set-Cookie", "ttwid=1; Path=/")])
            case "/api-live/user/room/" if (name := query.get("uniqueId", "")) in self._rooms:
                user = {"roomId": self.room_id(name), "status": 2}
                said = {"statusCode": 0, "data": {"user": user, "liveRoom": {"status": 2}}}
                return _response(json.dumps(said).encode())
            case "/webcast/room/check_alive/":
                return _response(b'{"data": [{"alive": true}]}')
            case "/webcast/gift/list/":
                return _response(b'{"data": {"gifts": []}, "status_code": 0}')
            case path if path == SOCKET_PATH:
                return None
        return _response(b"{}")

    async def _converse(self, websocket: ServerConnection) -> None:
        assert websocket.request is not None
        [room_id] = parse_qs(urlsplit(websocket.request.path).query)["room_id"]
        streamer = self._names[room_id]
        with suppress(ConnectionClosed):
            async for data in websocket:  # the first is the request to enter the room, or a heartbeat
                assert isinstance(data, bytes)
                said = PushFrame.FromString(data)
                if self._sockets.get(streamer) is not websocket:
                    self.opened[streamer] += 1
                    self._sockets[streamer] = websocket
                if said.payload_type == "ack":
                    self._acknowledged[streamer, said.log_id] += 1
                async with self._heard:
                    self._heard.notify_all()


def _response(body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Response:
    usual = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
    return Response(HTTPStatus.OK.value, HTTPStatus.OK.phrase, Headers([*usual, *headers]), body)
