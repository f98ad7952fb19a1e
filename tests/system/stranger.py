"""A front before the simulator that answers for single streamers as strangers do, byte by byte, and counts it."""

import asyncio
import gzip
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlsplit

Endpoint = Literal["home", "register", "api_live", "page", "check_alive", "sign", "handshake", "gift_list"]
ENDPOINTS: tuple[tuple[Endpoint, re.Pattern[str]], ...] = (
    ("home", re.compile(r"/|/live|/explore")),
    ("register", re.compile(r"/ttwid/register/")),
    ("api_live", re.compile(r"/api-live/user/room/")),
    ("page", re.compile(r"/@[^/]+/live")),
    ("check_alive", re.compile(r"/webcast/room/check_alive/")),
    ("sign", re.compile(r"/webcast/fetch")),
    ("handshake", re.compile(r"/webcast/im/ws_proxy/ws_reuse_supplement/")),
    ("gift_list", re.compile(r"/webcast/gift/list/")),
)
Write = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Odd:
    """An answer of a stranger's: what is written in place of the simulator's, after which the connection is closed."""

    name: str
    endpoints: tuple[Endpoint, ...]
    write: bytes | Write


def answer(
    body: bytes | str = b"",
    *,
    status: int = 200,
    headers: Sequence[tuple[str, str]] = (),
    content_type: str = "application/json",
) -> bytes:
    """The bytes of an answer; header values are written as Latin-1, as they come."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {content_type}", f"Content-Length: {len(data)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join((*lines, "Connection: close", "", "")).encode("latin-1") + data


async def drip(writer: asyncio.StreamWriter) -> None:
    """A byte a second, without end."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    with suppress(ConnectionError):
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(1.0)


def twice_gzipped(megabytes: int = 256) -> bytes:
    """An answer of some kilobytes that would inflate to so many megabytes."""
    bomb = gzip.compress(gzip.compress(bytes(megabytes * 1024 * 1024), 9), 9)
    return answer(bomb, headers=[("Content-Encoding", "gzip, gzip")])


class Front:
    """The simulator's address to the workers. Use `serve`."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = parts.hostname, parts.port
        self._odd: dict[tuple[str, Endpoint], Odd] = {}
        self._names: dict[str, str] = {}
        """Streamers by room id."""
        self._tasks: set[asyncio.Task[None]] = set()
        self.fired: Counter[str] = Counter()
        """How often each odd answer was given."""
        self.url = ""

    def poison(self, streamer: str, odd: Odd, *, room_id: str = "") -> None:
        """Answer a streamer's requests at some endpoints so; those about `room_id` are this streamer's."""
        self._names[room_id] = streamer
        for endpoint in odd.endpoints:
            self._odd[streamer, endpoint] = odd

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["Front"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the worker left, or the test is over; streams would complain of a task that was cancelled
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        target = head.split(b" ", 2)[1].decode()
        endpoint, streamer = self._place(target)
        if endpoint is not None and (odd := self._odd.get((streamer, endpoint))):
            self.fired[odd.name] += 1
            if length := re.search(rb"\r\nContent-Length: ([0-9]+)\r\n", head, re.IGNORECASE):
                await reader.readexactly(int(length[1]))  # or the kernel resets what is closed with it unread
            if callable(odd.write):
                await odd.write(writer)
            else:
                writer.write(odd.write)
            await writer.drain()
            return
        there_reader, there_writer = await asyncio.open_connection(*self._upstream)
        there_writer.write(head)
        try:
            await _both(_pipe(reader, there_writer), _pipe(there_reader, writer))
        finally:
            there_writer.close()

    def _place(self, target: str) -> tuple[Endpoint | None, str]:
        """Which endpoint is asked, and about whom."""
        parts = urlsplit(target)
        endpoint = next((name for name, path in ENDPOINTS if path.fullmatch(parts.path)), None)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if endpoint == "page":
            return endpoint, parts.path.split("/")[1].removeprefix("@")
        if endpoint == "api_live":
            return endpoint, query.get("uniqueId", "")
        room_id = query.get("room_id") or query.get("room_ids", "")
        return endpoint, self._names.get(room_id, "")


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(64 * 1024):
        writer.write(data)
        await writer.drain()


async def _both(*directions: Awaitable[None]) -> None:
    """Carry both ways until one side is done."""
    tasks = [asyncio.ensure_future(direction) for direction in directions]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
