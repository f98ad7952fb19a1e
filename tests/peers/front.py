"""TikTok's hosts for who goes to them through a proxy: TLS ends here, and what is asked there the simulator answers."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import trustme

HOSTS = ("www.tiktok.com", "webcast-ws.tiktok.com")


@asynccontextmanager
async def serve(port: int, authority: Path) -> AsyncIterator[str]:
    """Serve the simulator at a port as TikTok's hosts; give the proxy's URL, and write whom to trust there."""
    made = trustme.CA()
    made.cert_pem.write_to_path(authority)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    made.issue_cert(*HOSTS).configure_cert(tls)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
        await writer.start_tls(tls)
        answers, there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(_copy(reader, there), _copy(answers, writer))

    async with await asyncio.start_server(accept, "127.0.0.1") as server:
        yield "http://127.0.0.1:{1}".format(*server.sockets[0].getsockname())


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
