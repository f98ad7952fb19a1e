"""producer.webcast.route: look-ups and sockets through real proxies of each kind, and whose failure a failure is."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
import trustme
from websockets.asyncio.server import ServerConnection, serve
from websockets.http11 import Request, Response

from producer import strangers
from producer.errors import ProducerError, Reason
from producer.local.processes import free_ports
from producer.proxies import Proxy, read_list
from producer.webcast import http, opening, route
from producer.webcast.doors.contract import Address
from producer.webcast.doors.visitor import Visitors
from producer.webcast.opening import Opener
from producer.webcast.room import Rooms
from producer.webcast.route import Route
from producer.webcast.upstream import Upstream
from tests.forward_proxy import PASSWORD, ForwardProxy

AUTHORITY = trustme.CA()
TRUST = ssl.create_default_context()
AUTHORITY.configure_trust(TRUST)
THEIRS = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
AUTHORITY.issue_cert("127.0.0.1").configure_cert(THEIRS)
SCHEMES = ("http", "https", "socks5")


@dataclass
class Origin:
    """A site that answers each request with a status, or never, and takes sockets."""

    status: int = 200
    hangs: bool = False
    port: int = 0
    came: int = 0
    hanging: asyncio.Event = field(default_factory=asyncio.Event)

    async def process(self, connection: ServerConnection, request: Request) -> Response | None:
        self.came += 1
        if self.hangs:
            self.hanging.set()
            await asyncio.get_running_loop().create_future()
        if self.status == 200 and request.path == "/socket":
            return None
        return connection.respond(self.status, "{}")

    @asynccontextmanager
    async def serve(self, *, tls: bool) -> AsyncIterator["Origin"]:
        async with serve(
            lambda socket: socket.wait_closed(),
            "127.0.0.1",
            0,
            process_request=self.process,
            open_timeout=3.0,
            ssl=THEIRS if tls else None,
        ) as server:
            self.port = next(iter(server.sockets)).getsockname()[1]
            self.place = f"{'s' if tls else ''}://127.0.0.1:{self.port}"
            yield self
            server.close(close_connections=True)


class Out:
    """One route, and what is told of it."""

    def __init__(self, proxy: Proxy) -> None:
        self.failures: list[str] = []
        self.route = Route(proxy.name, proxy, lambda name, detail: self.failures.append(f"{name}: {detail}"))
        self.turns = asyncio.Semaphore(20)
        self.answer_seconds = http.ANSWER_SECONDS

    async def look_up(self, origin: Origin) -> None:
        assert self.route.proxy is not None
        async with http.client(user_agent="us", trust_environment=False, trust=TRUST, proxy=self.route.proxy) as client:
            web = http.HTTP(client, lambda *_: None, route=self.route, answer_seconds=self.answer_seconds)
            await web.get("room_id", f"http{origin.place}/look-up", params={})

    async def socket(self, origin: Origin) -> None:
        address = Address(strangers.url(f"ws{origin.place}/socket"), cookie="", door="direct")
        async with Opener("us", "https://www.tiktok.com", TRUST, trust_environment=False).open(
            address,
            turns=self.turns,
            route=self.route,
        ):
            pass


Ask = Callable[[Out, Origin], Awaitable[None]]
ASKS = (Out.look_up, Out.socket)


async def refused(asked: Awaitable[object]) -> ProducerError:
    with pytest.raises(ProducerError) as refusal:
        await asked
    assert PASSWORD not in f"{refusal.value!r}{refusal.getrepr()}"
    return refusal.value


def proxy_of(scheme: str, password: str | None = PASSWORD) -> ForwardProxy:
    return ForwardProxy(scheme, trust=THEIRS if scheme == "https" else None, password=password)


def only(url: str) -> Proxy:
    [proxy] = read_list(url)
    return proxy


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("password", [None, PASSWORD], ids=["anybody", "user"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_kind_of_proxy_carries_look_ups_and_sockets(
    scheme: str, password: str | None, tls: bool, ask: Ask
) -> None:
    async def main() -> None:
        async with Origin().serve(tls=tls) as origin, proxy_of(scheme, password).serve() as proxy:
            out = Out(only(proxy.url))

            await ask(out, origin)

            assert proxy.targets == {f"127.0.0.1:{origin.port}": 1}
            assert origin.came == 1
            assert out.failures == []

    asyncio.run(main())


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("wrong", ["dead", "mute", "password", "refuses", "talks nonsense", "hangs up"])
def test_what_a_proxy_fails_at_is_the_proxys(
    monkeypatch: pytest.MonkeyPatch, scheme: str, wrong: str, tls: bool, ask: Ask
) -> None:
    if (wrong, scheme, tls, ask) in PASSED_ON:
        pytest.skip("a request that is passed on as it is has one answer, be it whose it may")
    monkeypatch.setattr(route, "PROXY_SECONDS", 0.3 if wrong == "mute" else 60.0)

    async def main() -> None:
        async with Origin().serve(tls=tls) as origin, proxy_of(scheme).serve() as proxy:
            url = proxy.url
            if wrong == "dead":
                url = url.replace(proxy.name, f"127.0.0.1:{free_ports(1)[0]}")
            elif wrong == "password":
                url = url.replace(PASSWORD, f"{PASSWORD}-of-old")
            proxy.mute = wrong == "mute"
            proxy.refuses = {
                "refuses": b"\x05\x01\x00\x01" + bytes(6) if scheme == "socks5" else b"HTTP/1.1 502 No\r\n\r\n",
                "talks nonsense": b"\x00nonsense\r\n\r\n",
                "hangs up": b"",
            }.get(wrong)
            out = Out(only(url))

            refusal = await refused(ask(out, origin))

            assert (refusal.reason, refusal.retry_after_seconds) == (Reason.PROXY, 0.0)
            assert len(out.failures) == 1
            assert out.failures[0].startswith(f"{out.route.name}: ")
            assert PASSWORD not in out.failures[0]
            assert origin.came == 0

    asyncio.run(main())


PASSED_ON = {("refuses", scheme, False, Out.look_up) for scheme in ("http", "https")}


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize(
    ("status", "reason"), [(403, Reason.BLOCKED), (429, Reason.RATE_LIMITED), (502, None)], ids=str
)
def test_what_is_refused_behind_a_proxy_is_not_the_proxys(
    scheme: str, status: int, reason: Reason | None, tls: bool, ask: Ask
) -> None:
    async def main() -> None:
        async with Origin(status=status).serve(tls=tls) as origin, proxy_of(scheme).serve() as proxy:
            out = Out(only(proxy.url))

            refusal = await refused(ask(out, origin))

            assert refusal.reason == (reason or (Reason.STATUS if ask is Out.look_up else Reason.HANDSHAKE))
            assert out.failures == []

    asyncio.run(main())


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("ask", ASKS)
def test_silence_behind_a_proxy_is_not_the_proxys(monkeypatch: pytest.MonkeyPatch, scheme: str, ask: Ask) -> None:
    monkeypatch.setattr(route, "PROXY_SECONDS", 5.0)
    monkeypatch.setattr(opening, "OPEN_SECONDS", 1.0)

    async def main() -> None:
        async with Origin(hangs=True).serve(tls=True) as origin, proxy_of(scheme).serve() as proxy:
            out = Out(only(proxy.url))
            out.answer_seconds = 1.0

            refusal = await refused(ask(out, origin))

            assert refusal.reason is Reason.TIMEOUT
            assert origin.hanging.is_set()
            assert out.failures == []

    asyncio.run(main())


@pytest.mark.parametrize("ask", ASKS)
def test_a_certificate_that_is_not_trusted_is_the_proxys_where_it_is_the_proxys(ask: Ask) -> None:
    strange = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(strange)

    async def main() -> None:
        async with Origin().serve(tls=True) as origin, ForwardProxy("https", trust=strange).serve() as proxy:
            out = Out(only(proxy.url))

            refusal = await refused(ask(out, origin))

            assert refusal.reason is Reason.PROXY
            assert "certificate" in out.failures[0]
            assert proxy.targets.total() == 0

    asyncio.run(main())


def test_who_waited_for_a_turn_meanwhile_does_not_try_a_proxy_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route, "PROXY_SECONDS", 0.5)

    async def main() -> None:
        async with Origin().serve(tls=False) as origin, proxy_of("socks5").serve() as proxy:
            proxy.mute = True
            out = Out(only(proxy.url))
            out.turns = asyncio.Semaphore(2)

            refusals = await asyncio.gather(*(refused(out.socket(origin)) for _ in range(50)))

            assert {refusal.reason for refusal in refusals} == {Reason.PROXY}
            assert proxy.knocks == 2
            assert len(out.failures) == 2

    asyncio.run(main())


def test_an_idle_connection_through_a_proxy_that_died_costs_one_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is blamed by whoever knocks there next."""
    monkeypatch.setattr(route, "PROXY_SECONDS", 60.0)

    async def main() -> None:
        proxy = proxy_of("http")
        async with Origin().serve(tls=True) as origin:
            async with proxy.serve():
                out = Out(only(proxy.url))
                assert out.route.proxy is not None
                client = http.client(user_agent="us", trust_environment=False, trust=TRUST, proxy=out.route.proxy)
                web = http.HTTP(client, lambda *_: None, route=out.route)
                await web.get("room_id", f"http{origin.place}/look-up", params={})
            reasons = [
                (await refused(web.get("room_id", f"http{origin.place}/look-up", params={}))).reason for _ in range(2)
            ]
            await client.aclose()

            assert reasons[-1] is Reason.PROXY

    asyncio.run(main())


def test_where_the_proxy_lets_nobody_through_a_room_is_looked_up_once_and_a_visitor_asked_for_once() -> None:
    async def main() -> None:
        async with proxy_of("http").serve() as proxy:
            proxy.refuses = b""
            out = Out(only(proxy.url))
            upstream = Upstream.at("http://127.0.0.1:9")
            async with http.client(user_agent="us", trust_environment=False, proxy=out.route.proxy) as client:
                web = http.HTTP(client, lambda *_: None, route=out.route)
                visitors = Visitors(web, upstream, clock=lambda: 0.0)

                look_up = await refused(Rooms(web, upstream, "us").resolve("ann"))
                knocks = proxy.knocks
                asks = await asyncio.gather(*(refused(visitors.visitor()) for _ in range(10)))

            assert look_up.reason is Reason.PROXY
            assert {ask.reason for ask in asks} == {Reason.PROXY}
            assert (knocks, proxy.knocks) == (1, 2)

    asyncio.run(main())
