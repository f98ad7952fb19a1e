"""producer.answers: against a server of bare sockets, which says what no server should."""

import asyncio
import gc
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from traceback import format_exception

import httpx
import pytest
import websockets

from producer import answers
from producer.answers import Answer, NoAnswer
from producer.strangers import Unreadable

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\n"
CANARY = "yranac"[::-1]
"""A secret that stands in no line of the source, which tracebacks show."""


@asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[int]:
    """A server whose connections are served so; its port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has had enough, or the test is over
        finally:
            writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as listening:
        yield listening.sockets[0].getsockname()[1]


def ask(said: bytes, *, path: str = "/", seconds: float = 5.0, headers: dict[str, str] | None = None) -> Answer:
    """Ask a server that says this and closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        await writer.drain()

    async def main() -> Answer:
        async with server(serve) as port, answers.client(trust=False, at_once=1) as web:
            url = f"http://127.0.0.1:{port}{path}"
            return await answers.ask(web, "GET", url, most_bytes=1_000, seconds=seconds, headers=headers)

    return asyncio.run(main())


def test_a_whole_answer_is_its_status_headers_and_body() -> None:
    answer = ask(OK + b'Content-Length: 8\r\nDate: a\r\nDate: b\r\n\r\n{"a": 1}')

    assert (answer.status, answer.header("date"), answer.object()) == (200, "a", {"a": 1})
    assert ask(OK + b"\r\n[1]").object() is None
    assert ask(OK + b"\r\n" + b"[" * 900).object() is None


def test_a_redirect_is_not_followed_and_a_cookie_not_kept() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            asked.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(b"HTTP/1.1 302 x\r\nLocation: /there\r\nSet-Cookie: a=canary\r\nContent-Length: 0\r\n\r\n")

    async def main() -> list[int]:
        async with server(serve) as port, answers.client(trust=False, at_once=1) as web:
            url = f"http://127.0.0.1:{port}/"
            return [(await answers.ask(web, "GET", url, most_bytes=10, seconds=5)).status for _ in range(2)]

    asked: list[bytes] = []

    assert asyncio.run(main()) == [302, 302]
    assert all(head.startswith(b"GET / ") and b"canary" not in head for head in asked)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        OK + b"Content-Length: many\r\n\r\n",
        OK + b"Content-Length: 100\r\n\r\nshort",
        OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        OK + b"Not a header\r\n\r\n",
        OK + b"A: \x00\x1b[31m\r\n\r\n",
        OK + b"A: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
    ids=lambda said: repr(said[:40]),
)
def test_what_is_no_http_is_no_answer(said: bytes) -> None:
    with pytest.raises(NoAnswer) as refused:
        ask(said)

    assert str(refused.value).isprintable()


@pytest.mark.parametrize(
    ("encoding", "body", "says"),
    [
        ("gzip", b"nothing of the kind", "it is not gzip, though it says so"),
        ("gzip", gzip.compress(b"0" * 100_000), "it is longer than 1000 bytes"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"0" * 100_000_000)), "encoded in a way that was not asked for"),
        ("br", b"x", "encoded in a way that was not asked for"),
        ("", b"0" * 1_001, "it is longer than 1000 bytes"),
    ],
)
def test_a_body_that_is_too_much_or_in_no_encoding_of_ours_is_unreadable(encoding: str, body: bytes, says: str) -> None:
    with pytest.raises(Unreadable, match=says):
        ask(OK + b"Content-Encoding: %s\r\n\r\n" % encoding.encode() + body)


def test_an_answer_that_drips_has_a_deadline_as_a_whole() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            dripped.append(1)
            await asyncio.sleep(0.01)

    async def main() -> None:
        async with server(serve) as port, answers.client(trust=False, at_once=1) as web:
            with pytest.raises(NoAnswer, match=r"^no whole answer within 0\.3 s$"):
                await answers.ask(web, "GET", f"http://127.0.0.1:{port}", most_bytes=1_000_000, seconds=0.3)

    dripped: list[int] = []
    asyncio.run(main())

    assert len(dripped) > 1


def test_a_header_that_cannot_be_one_is_not_quoted() -> None:
    with pytest.raises(NoAnswer) as refused:
        ask(OK, headers={"Authorization": f"Bearer {CANARY}\nX-More: 1"})

    assert CANARY not in "".join(format_exception(refused.value))


def test_a_name_that_is_internationalized_in_part_is_no_answer() -> None:
    async def main() -> None:
        async with answers.client(trust=False, at_once=1) as web:
            with pytest.raises(NoAnswer, match="InvalidCodepoint"):
                await answers.ask(web, "GET", "http://xn--localhost/", most_bytes=10, seconds=5)

    asyncio.run(main())


# ------------------------------------------------------------------------------------------------------ SOCKS proxies


@asynccontextmanager
async def socks(asked: list[bytes]) -> AsyncIterator[int]:
    """A SOCKS5 proxy (RFC 1928) without authentication, for CONNECT; notes the hosts that it was asked for."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        version, methods = await reader.readexactly(2)
        await reader.readexactly(methods)
        writer.write(bytes((version, 0)))
        *_, kind = await reader.readexactly(4)
        length = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        asked.append(await reader.readexactly(length))
        port = int.from_bytes(await reader.readexactly(2))
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        behind_reader, behind = await asyncio.open_connection("127.0.0.1", port)
        try:
            await asyncio.gather(_carry(reader, behind), _carry(behind_reader, writer))
        finally:
            behind.close()

    async with server(serve) as port:
        yield port


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


def test_http_and_websockets_go_through_a_socks_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"Content-Length: 2\r\n\r\n{}")
        await writer.drain()

    async def main() -> int:
        async with (
            server(serve) as web_port,
            websockets.serve(lambda socket: socket.send("hello"), "127.0.0.1", 0) as room,
            socks(asked) as proxy,
        ):
            for name in ("HTTP_PROXY", "HTTPS_PROXY"):
                monkeypatch.setenv(name, f"socks5h://127.0.0.1:{proxy}")
            async with answers.client(trust=False, at_once=1) as web:
                url = f"http://registry.test:{web_port}/"
                status = (await answers.ask(web, "GET", url, most_bytes=10, seconds=5)).status
            [listening] = room.sockets
            async with websockets.connect(f"ws://room.test:{listening.getsockname()[1]}/") as socket:
                assert await socket.recv() == "hello"
            return status

    asked: list[bytes] = []
    for name in ("NO_PROXY", "no_proxy", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)

    assert asyncio.run(main()) == 200
    assert asked == [b"registry.test", b"room.test"]


# httpcore leaves the connection to a proxy that says nonsense to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "said", [b"", b"\x05\xff", b"\x05\x00", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x05\x00\x05\x05\x00\x01"]
)
def test_a_socks_proxy_that_is_none_is_no_answer(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(3)
        writer.write(said)
        await writer.drain()

    async def main() -> None:
        async with server(serve) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"socks5://user:{CANARY}@127.0.0.1:{proxy}")
            monkeypatch.delenv("http_proxy", raising=False)
            async with answers.client(trust=False, at_once=1) as web:
                with pytest.raises(NoAnswer) as refused:
                    await answers.ask(web, "GET", "http://registry.test/", most_bytes=10, seconds=5)
                assert CANARY not in "".join(format_exception(refused.value))

    asyncio.run(main())
    gc.collect()


def test_a_connection_without_a_socket_is_no_answer() -> None:
    def without_a_socket(_: httpx.Request) -> httpx.Response:
        # As anyio does of one connection in thirty that are reset at once, on uvloop.
        raise AttributeError("'NoneType' object has no attribute 'getpeername'")

    async def main() -> None:
        async with answers.client(trust=False, at_once=1, transport=httpx.MockTransport(without_a_socket)) as web:
            await answers.ask(web, "GET", "http://somewhere.test/", most_bytes=1, seconds=60)

    with pytest.raises(NoAnswer, match="reset at once"):
        asyncio.run(main())
