"""producer.webcast.logins: what a session's file may hold, and what each door does with one."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from producer import strangers
from producer.errors import FailedConnection, FailedRoomPolling, InvalidSessionId, Reason
from producer.secret_files import SecretUnusable
from producer.webcast.doors.contract import Address, Door
from producer.webcast.doors.direct import Direct
from producer.webcast.doors.gateway import Gateway
from producer.webcast.doors.hall import Hall, Terms
from producer.webcast.doors.places import ANYBODY, Places, Rank
from producer.webcast.doors.queue import Queue
from producer.webcast.doors.sign import Signed
from producer.webcast.doors.visitor import Visitors
from producer.webcast.http import HTTP
from producer.webcast.logins import Login, Logins
from producer.webcast.room import RoomId, Rooms
from producer.webcast.upstream import Upstream
from producer.webcast.wire import FetchResult
from tests.webcast.answers import answer
from tests.webcast.test_hall import Given

ID = "c4n4ry00112233445566778899aabbcc"
LOGIN = Login(ID, "useast2a")
COOKIES = f"sessionid={ID}; sessionid_ss={ID}; sid_tt={ID}; tt-target-idc=useast2a"
PAIR = f"sessionid={ID}; tt-target-idc=useast2a"
ROOM = RoomId(7)
PUSH = "wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/ws_reuse_supplement/"


@pytest.mark.parametrize(
    "content",
    [
        PAIR.encode(),
        f"\ufefftt-target-idc=useast2a;sessionid={ID};\r\n".encode(),
        f"ttwid=1%7Cx; {COOKIES}; odd; store-idc=alisg\n".encode(),
        f"sessionid={ID}; sessionid={ID}; tt-target-idc=useast2a".encode(),
    ],
    ids=["pair", "bom", "pasted", "the same twice"],
)
def test_a_session_is_read_as_a_browser_shows_it(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "adults.one").write_bytes(content)

    assert Logins(tmp_path).read("adults.one") == LOGIN


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (ID.encode(), "has no sessionid"),
        (f"sessionid={ID}".encode(), "has no tt-target-idc"),
        (f"sessionid=; {PAIR}".encode(), "has sessionid more than once"),
        (b"sessionid=c4n4ry; tt-target-idc=useast2a", "has a sessionid that can be none"),
        (f"sessionid=c4n4ry c4n4ry; {PAIR[-22:]}".encode(), "has a sessionid that can be none"),
        (f"sessionid={ID}; tt-target-idc=US c4n4ry".encode(), "has a tt-target-idc that can be none"),
        (f"sessionid={ID}\ntt-target-idc=useast2a".encode(), "is a line break"),
        (f"{PAIR}; name=c4n4ry\u00e9".encode("latin-1"), "is not UTF-8"),
        (b"c4n4ry" * 11_000, "has more than 65536 bytes"),
    ],
)
def test_what_is_no_session_is_refused_by_its_file_and_not_quoted(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "adults").write_bytes(content)

    with pytest.raises(SecretUnusable) as refused:
        Logins(tmp_path).read("adults")

    assert says in str(refused.value)
    assert str(tmp_path / "adults") in str(refused.value)
    assert "c4n4ry" not in repr(refused.value)


def test_a_session_is_read_from_a_secret_as_kubernetes_mounts_it_and_swaps_it(tmp_path: Path) -> None:
    for number, session in enumerate((ID, "another0another0")):
        (tmp_path / f"..{number}").mkdir()
        (tmp_path / f"..{number}" / "adults").write_text(f"sessionid={session}; tt-target-idc=useast2a")
    (tmp_path / "..data").symlink_to("..0")
    (tmp_path / "adults").symlink_to("..data/adults")
    logins = Logins(tmp_path)

    before = logins.read("adults")
    (tmp_path / "fresh").symlink_to("..1")
    (tmp_path / "fresh").replace(tmp_path / "..data")

    assert (before.session_id, logins.read("adults").session_id) == (ID, "another0another0")


@pytest.mark.parametrize(("name", "says"), [("gone", "No such file"), ("pipe", "no regular file")])
def test_a_session_that_is_not_there_is_refused_at_once(tmp_path: Path, name: str, says: str) -> None:
    os.mkfifo(tmp_path / "pipe")

    with pytest.raises(SecretUnusable, match=says):
        Logins(tmp_path).read(name)
    with pytest.raises(SecretUnusable, match="PRODUCER_SESSIONS_DIRECTORY is not set"):
        Logins().read(name)


def test_a_session_is_in_no_repr(tmp_path: Path) -> None:
    address = ask(lambda web, key: Direct(Visitors(web, Upstream.tiktok(), clock=lambda: 0.0), Upstream.tiktok()))

    assert address.cookie.endswith(COOKIES)
    assert ID not in repr((LOGIN, Logins(tmp_path), address))


# ------------------------------------------------------------------------------------------- what is done with one


def ask(
    make: Callable[[HTTP, Path], Door], *, push: str = PUSH, login: Login | None = LOGIN, asked: Any = None
) -> Address:
    """What a door gives for a session, where every server answers as it should."""
    batch = FetchResult(cursor="c", push_server=push, route_params={"a": "b"}, internal_ext=b"e").SerializeToString()

    def serve(request: httpx.Request) -> httpx.Response:
        if asked is not None:
            asked.append(request)
        if request.url.path == "/webcast/fetch":
            return answer(batch, headers={"X-Set-TT-Cookie": "ttwid=signed"})
        return answer(b'{"status_code": 0}', headers={"Set-Cookie": "ttwid=visitor; Path=/"})

    async def main() -> Address:
        async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as client:
            return await make(HTTP(client, lambda *_: None), Path("/nowhere")).obtain(ROOM, "ann", login)

    return asyncio.run(main())


def signed(upstream: Upstream) -> Callable[[HTTP, Path], Door]:
    return lambda web, _: Signed(
        web,
        upstream,
        sign_url="https://sign.test",
        api_key_file=None,
        user_agent="Mozilla/5.0",
        queue=Queue(Places(60), clock=lambda: 0.0),
        clock=lambda: 0.0,
    )


def test_the_direct_door_shows_a_session_to_the_socket_and_not_to_who_registers_the_visitor() -> None:
    asked: list[httpx.Request] = []

    def direct(web: HTTP, _: Path) -> Door:
        return Direct(Visitors(web, Upstream.tiktok(), clock=lambda: 0.0), Upstream.tiktok())

    address = ask(direct, asked=asked)

    assert (address.cookie, address.logged_in) == (f"ttwid=visitor; {COOKIES}", True)
    assert ask(direct, login=None).cookie == "ttwid=visitor"
    assert [ID in str(request.headers) for request in asked] == [False]


@pytest.mark.parametrize(
    ("error", "lived", "again"),
    [
        (FailedConnection("415", reason=Reason.DEVICE_BLOCKED), 0.0, True),
        (FailedRoomPolling("1006", reason=Reason.CLOSED), 1.0, False),
    ],
)
def test_a_session_tells_against_the_visitor_where_the_device_is_meant(
    error: FailedConnection | FailedRoomPolling, lived: float, again: bool
) -> None:
    asked: list[httpx.Request] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(b'{"status_code": 0}', headers={"Set-Cookie": f"ttwid={len(asked)}; Path=/"})

    async def main() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as client:
            visitors = Visitors(HTTP(client, lambda *_: None), Upstream.tiktok(), clock=lambda: 0.0)
            door = Direct(visitors, Upstream.tiktok())
            door.told(await door.obtain(ROOM, "ann", LOGIN), error, lived_seconds=lived)
            await door.obtain(ROOM, "ann", LOGIN)

    asyncio.run(main())

    assert (len(asked) == 2) is again


def test_the_sign_door_has_the_address_signed_for_the_session_and_opens_it_with_it() -> None:
    asked: list[httpx.Request] = []

    address = ask(signed(Upstream.tiktok()), asked=asked)
    without = ask(signed(Upstream.tiktok()), asked=asked, login=None)

    assert [request.headers.get("X-Cookie-Header") for request in asked] == [PAIR, None]
    assert (address.cookie, address.logged_in) == (f"ttwid=signed; {COOKIES}", True)
    assert (without.cookie, without.logged_in) == ("ttwid=signed", False)


@pytest.mark.parametrize(
    "push",
    [
        "wss://ws-fallback.eulerstream.com/?token=x",
        "wss://tiktok.com.eulerstream.com/",
        "wss://sub.www.tiktok.com/",
        "wss://webcast16-ws-useast5.us.tiktok.com/",
    ],
)
def test_a_socket_elsewhere_is_shown_no_session_though_its_suffix_is_allowed(push: str) -> None:
    upstream = Upstream.tiktok(further_socket_suffixes=(".eulerstream.com",))

    with pytest.raises(FailedConnection, match="none of the hosts that are shown a session") as refused:
        ask(signed(upstream), push=push)

    assert refused.value.reason is Reason.LOGIN
    assert ask(signed(upstream), push=push, login=None).cookie == "ttwid=signed"


def test_the_gateway_is_told_a_session_in_its_query_and_no_cookie() -> None:
    def gateway(_: HTTP, __: Path) -> Door:
        return Gateway(
            url="wss://gateway.test",
            raw_option="features.rawMessages",
            key_file=None,
            jwt_file=None,
            said=lambda _: None,
            clock=lambda: 0.0,
        )

    address = ask(gateway)

    assert parse_qs(address.url.query)["xCookieHeader"] == [PAIR]
    assert (address.cookie, address.logged_in) == ("", True)
    assert "xCookieHeader" not in ask(gateway, login=None).url.query


def test_a_session_is_given_to_the_doors_that_may_carry_it_alone() -> None:
    given: dict[str, Login | None] = {}

    class Carried:
        def __init__(self, name: str) -> None:
            self.name = name

        async def obtain(
            self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY
        ) -> Address:
            given[self.name] = login
            raise FailedConnection("next", reason=Reason.HANDSHAKE)

        def told(self, address: Address, error: Exception, *, lived_seconds: float) -> None: ...

    doors = [Carried(name) for name in ("direct", "sign", "lease", "gateway")]
    hall = Hall(doors, Given(), clock=lambda: 0.0, wall_clock=lambda: 0.0)
    visit = hall.visit(ROOM, "ann")
    visit.terms = Terms(log_in=lambda: LOGIN, carriers=frozenset({"direct", "gateway"}))

    with pytest.raises(FailedConnection):
        asyncio.run(visit.obtain())

    assert given == {"direct": LOGIN, "sign": None, "lease": None, "gateway": LOGIN}


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://www.tiktok.com/@a/live", True),
        ("https://webcast.tiktok.com/webcast/room/info/", True),
        ("wss://webcast-ws.eu.tiktok.com:443/", True),
        ("ws://webcast-ws.tiktok.com/", False),
        ("wss://webcast-ws.tiktok.com:8443/", False),
        ("wss://tiktok.com/", False),
        ("wss://webcast-ws.tiktok.com.evil.example/", False),
        ("wss://ws-fallback.example.com/", False),
        ("http://127.0.0.1:8100/", False),
    ],
)
def test_a_session_is_for_tiktoks_own_hosts(url: str, own: bool) -> None:
    assert Upstream.tiktok(further_socket_suffixes=(".example.com",)).is_own(strangers.url(url)) is own


def test_a_simulators_own_host_is_its_own() -> None:
    simulator = Upstream.at("http://127.0.0.1:8100/")

    assert simulator.is_own(strangers.url("ws://127.0.0.1:8100/x"))
    assert not simulator.is_own(strangers.url("ws://127.0.0.1:8101/x"))


@pytest.mark.parametrize("code", [4003110, 10011, 20003])
@pytest.mark.parametrize(("login", "reason"), [(None, Reason.LOGIN), (LOGIN, Reason.CREDENTIALS)])
def test_a_look_up_that_wants_another_login_says_which(code: int, login: Login | None, reason: Reason) -> None:
    asked: list[str | None] = []

    def serve(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("Cookie"))
        return answer(f'{{"statusCode": {code}, "message": "no", "data": {{}}}}'.encode())

    async def main() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(serve)) as client:
            await Rooms(HTTP(client, lambda *_: None), Upstream.tiktok(), "Mozilla/5.0").resolve("ann", login)

    with pytest.raises(InvalidSessionId) as refused:
        asyncio.run(main())

    assert refused.value.reason is reason
    assert asked == [COOKIES if login else None] * 2
