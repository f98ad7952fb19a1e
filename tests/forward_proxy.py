"""Proxies as strangers run them: CONNECT over TCP or TLS, requests passed on, SOCKS5; with a user or without.

They run in the loop of their test, and count what they carried.
"""

import asyncio
import base64
import ipaddress
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

USER, PASSWORD = "me", "c4n4ry-proxy"


class ForwardProxy:
    """One proxy. Use `serve`."""

    def __init__(self, scheme: str, *, trust: ssl.SSLContext | None = None, password: str | None = None) -> None:
        """`scheme` is http, https or socks5; `trust` is an https one's certificate, `password` is asked for."""
        self.scheme = scheme
        self.targets: Counter[str] = Counter()
        """Tunnels and requests by host and port."""
        self.knocks = 0
        """Connections that were accepted."""
        self.refuses: bytes | None = None
        """What is said to whoever asks for anything, where it carries nobody."""
        self.mute = False
        self.leads: dict[str, tuple[str, int]] = {}
        """Where a target is, by host and port, if it is elsewhere than it says; nobody else need know that."""
        self.knocked = asyncio.Event()
        self._trust = trust
        self._password = password
        self._tasks: set[asyncio.Task[None]] = set()
        self._port = 0

    @property
    def url(self) -> str:
        """Its URL, with a user where it asks for one."""
        user = f"{USER}:{self._password}@" if self._password is not None else ""
        return f"{self.scheme}://{user}{self.name}"

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self._port}"

    @asynccontextmanager
    async def serve(self) -> AsyncIterator["ForwardProxy"]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", self._port, ssl=self._trust)
        self._port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.hang_up()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def hang_up(self) -> None:
        """End all that it carries."""
        for task in self._tasks:
            task.cancel()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.knocks += 1
        self.knocked.set()
        try:
            if self.mute:
                await asyncio.get_running_loop().create_future()
            await (self._socks if self.scheme.startswith("socks5") else self._http)(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # somebody left, or the test is over; streams would complain of a task that was cancelled
        finally:
            writer.close()

    async def _http(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        method, target, _ = head.split(b" ", 2)
        wanted = base64.b64encode(f"{USER}:{self._password}".encode())
        if self._password is not None and b"\r\nProxy-Authorization: Basic " + wanted + b"\r\n" not in head:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif self.refuses is not None:
            writer.write(self.refuses)
        elif method == b"CONNECT":
            host, _, port = target.decode().rpartition(":")

            async def answer(_: asyncio.StreamWriter) -> None:
                writer.write(b"HTTP/1.1 200 Connection established\r\nVia: us\r\n\r\n")

            await self._carry(host, int(port), reader, writer, answer)
        else:
            url = urlsplit(target.decode())
            line = head.replace(target, f"{url.path or '/'}{'?' if url.query else ''}{url.query}".encode(), 1)
            lines = [each for each in line.split(b"\r\n") if not each.lower().startswith((b"proxy-", b"connection:"))]
            asked = b"\r\n".join([*lines[:-2], b"Connection: close", b"", b""])

            async def forward(there: asyncio.StreamWriter) -> None:
                there.write(asked)

            await self._carry(url.hostname or "", url.port or 80, reader, writer, forward)

    async def _socks(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, count = await reader.readexactly(2)
        method = 2 if self._password is not None else 0
        if method not in await reader.readexactly(count):
            writer.write(b"\x05\xff")
            return
        writer.write(bytes([5, method]))
        if self._password is not None:
            _, length = await reader.readexactly(2)
            user = await reader.readexactly(length)
            [length] = await reader.readexactly(1)
            known = (user, await reader.readexactly(length)) == (USER.encode(), self._password.encode())
            writer.write(b"\x01\x00" if known else b"\x01\x01")
            if not known:
                return
        _, _, _, kind = await reader.readexactly(4)
        if kind == 3:
            [length] = await reader.readexactly(1)
            host = (await reader.readexactly(length)).decode()
        else:
            host = str(ipaddress.ip_address(await reader.readexactly(4 if kind == 1 else 16)))
        port = int.from_bytes(await reader.readexactly(2))
        if self.refuses is not None:
            writer.write(self.refuses)
            return

        async def answer(_: asyncio.StreamWriter) -> None:
            writer.write(b"\x05\x00\x00\x01" + bytes(6))

        await self._carry(host, port, reader, writer, answer)

    async def _carry(
        self,
        host: str,
        port: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        begin: Callable[[asyncio.StreamWriter], Awaitable[None]],
    ) -> None:
        self.targets[f"{host}:{port}"] += 1
        there_reader, there = await asyncio.open_connection(*self.leads.get(f"{host}:{port}", (host, port)))
        try:
            await begin(there)
            await pipes((reader, there), (there_reader, writer))
        finally:
            there.close()


async def pipes(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Carry both ways until one side is done; close what is written to."""
    tasks = [asyncio.ensure_future(_pipe(*way)) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for _, writer in ways:
            writer.close()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(64 * 1024):
            writer.write(data)
            await writer.drain()
