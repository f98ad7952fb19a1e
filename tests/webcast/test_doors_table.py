"""What the program does about each failure of the unsigned door that is on record: the doors sheet's section 6, by row.

Rows of the sign server, of leases, gateways and of what comes on an open socket are left out.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from producer.errors import FailedConnection, ProducerError, Reason
from producer.simulator.server import Simulator
from producer.webcast import http
from producer.webcast.connection import Connection
from producer.webcast.doors.direct import Direct
from producer.webcast.doors.visitor import Visitors
from producer.webcast.opening import Opener
from producer.webcast.protocol import Protocol, RecentIds
from producer.webcast.room import RoomId, Rooms
from producer.webcast.upstream import USER_AGENT, Upstream
from tests.simulator.client import room_id, simulate
from tests.system.stranger import Front, Odd, answer

ENTERED = "entered"
PAGES = ("/", "/live", "/explore")
BLOCKED = FailedConnection("refused", reason=Reason.DEVICE_BLOCKED)


class Door:
    """The default way in, as a worker puts it together, at a clock of its own."""

    def __init__(self, url: str) -> None:
        self.now = 1000.0
        self.cookies: list[str] = []
        """With which a socket was tried, each."""
        self.agents: list[str] = []
        self._stack = AsyncExitStack()
        self._upstream = Upstream.at(url)
        self._web = http.client(user_agent=USER_AGENT, trust_environment=False)
        visitors = Visitors(
            http.HTTP(self._web, lambda *_: None), self._upstream, clock=lambda: self.now, sleep=self._sleep
        )
        self.direct = Direct(visitors, self._upstream)

    async def __aenter__(self) -> "Door":
        await self._stack.enter_async_context(self._web)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def attempt(self, room: int, *, listens: bool = False) -> str:
        """Try to enter a room, once; say how that ended. `listens`: until the socket is closed."""
        try:
            address = await self.direct.obtain(RoomId(room), "ann")
        except ProducerError as error:
            return _said(error)
        self.cookies.append(address.cookie)
        self.agents.append(address.headers["User-Agent"])
        try:
            async with Opener(
                USER_AGENT, self._upstream.web_url, ssl.create_default_context(), trust_environment=False
            ).open(
                address,
                turns=asyncio.Semaphore(1),
            ) as connection:
                await _hear(connection, room, listens=listens)
        except ProducerError as error:
            self.direct.told(address, error, lived_seconds=1.0 if listens else 0.0)
            return _said(error)
        return ENTERED

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds


async def _hear(connection: Connection, room: int, *, listens: bool) -> None:
    protocol = Protocol(room, now=asyncio.get_running_loop().time(), seen=RecentIds())
    while listens or not protocol.entered:
        await connection.exchange(protocol, lambda: asyncio.sleep(0))


def _said(error: ProducerError) -> str:
    wait = f" {error.retry_after_seconds:g}" if error.retry_after_seconds is not None else ""
    return f"{error.label} {error.reason}{wait}"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the sheet: what goes wrong, and how one room's attempts end, one after the other."""

    number: str
    faults: tuple[str, ...]
    outcomes: tuple[str, ...]
    registers: int = 1
    """Requests to register, of all these attempts."""
    pages: int = 0
    """Requests for pages, of all these attempts."""
    cookies: int = 1
    """Different cookies that were tried."""
    agents: int = 1
    listens: bool = False
    faults_fire: bool = True


ROWS = (
    Row("1", ("site_challenge:8",), (ENTERED,), faults_fire=False),  # no page is asked for
    Row(
        "1 and no cookie from registering",
        ("register_challenge", "site_challenge:8"),
        ("FailedConnection captcha 60", "FailedConnection captcha 60"),
        pages=8,
        cookies=0,
        agents=0,
    ),
    Row("1 and 2, seven times", ("register_no_cookie", "site_challenge:3", "site_no_cookie:4"), (ENTERED,), pages=8),
    Row("2", ("register_no_cookie", "site_no_cookie:1"), (ENTERED,), pages=2),
    Row("3", ("register_no_cookie",), (ENTERED,), pages=1),
    Row("3 as a redirect", ("register_no_cookie", "site_redirect"), (ENTERED,), pages=1),
    Row(
        "4",
        ("register_refused",),
        ("FailedConnection blocked 300", "FailedConnection blocked 300"),
        cookies=0,
        agents=0,
    ),
    Row(
        "5",
        ("register_rate_limited",),
        ("FailedHTTPRequest rate_limited 2", "FailedHTTPRequest rate_limited 2"),
        cookies=0,
        agents=0,
    ),
    Row(
        "5 untold",
        ("register_rate_limited_untold",),
        ("FailedHTTPRequest rate_limited 60", "FailedHTTPRequest rate_limited 60"),
        cookies=0,
        agents=0,
    ),
    Row(
        "5 by a page",
        ("register_no_cookie", "site_rate_limited"),
        ("FailedHTTPRequest rate_limited 60",),
        pages=1,
        cookies=0,
        agents=0,
    ),
    Row("6", ("handshake_no_cookie",), ("FailedConnection no_cookie", ENTERED), registers=2, cookies=2, agents=2),
    Row(
        "7",
        ("handshake_device_blocked",),
        ("FailedConnection device_blocked", ENTERED),
        registers=2,
        cookies=2,
        agents=2,
    ),
    Row(
        "7 again and again",
        ("handshake_device_blocked:4",),
        ("FailedConnection device_blocked",) * 4,
        registers=2,
        cookies=2,
        agents=2,
    ),
    Row("8", ("handshake_rejected:2",), ("FailedConnection unsigned",) * 2),
    Row("9", ("handshake_illegal_app",), ("FailedConnection app_id", ENTERED)),
    Row("10", ("handshake_flap:2",), ("FailedConnection handshake", "FailedConnection handshake", ENTERED)),
    Row("11", ("handshake_bad_request",), ("FailedConnection handshake", ENTERED)),
    Row("12 forbidden", ("handshake_forbidden",), ("FailedConnection blocked 300",)),
    Row("12 too many", ("handshake_rate_limited",), ("FailedConnection rate_limited 15",)),
    Row("13", ("handshake_dictates",), ("FailedConnection handshake 2",)),
    Row(
        "19",
        ("close_internal:2",),
        ("FailedRoomPolling closed", "FailedRoomPolling closed"),
        registers=2,
        cookies=2,
        agents=2,
        listens=True,
    ),
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.number)
def test_a_failure_on_record_is_answered_as_the_sheet_asks(row: Row) -> None:
    met: list[str] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with Door(simulator.url) as door:
            for _ in row.outcomes:
                met.append(await door.attempt(room, listens=row.listens))
            assert simulator.requests["/ttwid/register/"] == row.registers
            assert sum(simulator.requests[page] for page in PAGES) == row.pages
            assert (len(set(door.cookies)), len(set(door.agents))) == (row.cookies, row.agents)

    truth = simulate(act, *row.faults)

    assert tuple(met) == row.outcomes
    fired = Counter(line["name"] for line in truth if line["kind"] == "fault")
    named = (fault.partition(":") for fault in row.faults if row.faults_fire)
    assert fired == {name: int(times or 1) for name, _, times in named}


@pytest.mark.parametrize(
    ("faults", "outcome"),
    [
        (("api_user_not_found",), "live"),
        (("api_empty",), "live"),
        (("api_no_body",), "live"),
        (("api_challenge",), "live"),
        (("api_other_user",), "live"),
        (("api_restricted",), "live"),
        (("api_parameters",), "live"),
        (("api_user_not_found", "page_captcha"), "FailedFetchRoomInfo captcha"),
        (("api_empty", "page_captcha"), "FailedFetchRoomInfo blocked"),
        (("api_no_body", "page_captcha"), "FailedFetchRoomInfo blocked"),
        (("api_challenge", "page_captcha"), "FailedFetchRoomInfo captcha"),
        (("api_other_user", "page_captcha"), "FailedFetchRoomInfo malformed"),
        (("api_restricted", "page_captcha"), "InvalidSessionId login"),
        (("api_parameters", "page_captcha"), "InvalidSessionId login"),
        (("api_restricted", "page_not_found"), "InvalidSessionId login"),
        (("api_user_not_found", "page_not_found"), "LiveNotFound elsewhere"),
    ],
    ids=[
        *("29", "30 empty", "30 no body", "34", "31", "32", "32b"),
        *(f"{row}, no page" for row in (29, 30, "30b", 34, 31, 32, "32b")),
        "32, nor by page",
        "29, nor by page",
    ],
)
def test_a_look_up_that_cannot_tell_never_says_offline(faults: tuple[str, ...], outcome: str) -> None:
    met: list[str] = []

    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with http.client(user_agent=USER_AGENT, trust_environment=False) as web:
            rooms = Rooms(http.HTTP(web, lambda *_: None), Upstream.at(simulator.url), USER_AGENT)
            try:
                met.append("live" if (await rooms.resolve("sim_room_01")).room_id == room else "another room")
            except ProducerError as error:
                met.append(_said(error))

    truth = simulate(act, *faults)

    assert met == [outcome]
    assert [line["name"] for line in truth if line["kind"] == "fault"] == list(faults)


def test_what_holds_the_door_is_over_in_its_time() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with Door(simulator.url) as door:
            assert await door.attempt(room) == "FailedConnection blocked 300"
            door.now += 299.0
            assert await door.attempt(room) == "FailedConnection blocked 1"
            door.now += 1.0
            assert await door.attempt(room) == ENTERED
            assert simulator.requests["/ttwid/register/"] == 2

    simulate(act, "register_refused")


TTWID = ("Set-Cookie", "ttwid=1%7Cab%7C1790000001%7Cff; Domain=.tiktok.com; Path=/; Max-Age=31536000; HttpOnly; Secure")
CSRF = ("Set-Cookie", "tt_csrf_token=abc-def; Path=/; Secure; HttpOnly; SameSite=Lax")
BOT = ("Set-Cookie", "ak_bmsc=0~A~B; Domain=.tiktok.com; Path=/; Expires=Sun, 29 Nov 2026 14:00:00 GMT; HttpOnly")
LOCATION = ("Location", "https://elsewhere.test/")
HTML = "<!DOCTYPE html><html></html>"
CHALLENGE = answer(
    f"<!DOCTYPE html><title>Please wait...</title>{'.' * 1400}",
    headers=[("X-TT-System-Error", "3"), BOT],
    content_type="text/html",
)
UNAVAILABLE = answer(HTML, status=503, content_type="text/html")
REGISTERED = answer('{"status_code":0,"status_msg":""}', headers=[TTWID])


def page(*headers: tuple[str, str], status: int = 200) -> bytes:
    return answer(HTML, status=status, headers=headers, content_type="text/html")


@pytest.mark.parametrize(
    ("register", "home"),
    [
        (UNAVAILABLE, page(TTWID)),
        (UNAVAILABLE, page(CSRF, TTWID)),
        (UNAVAILABLE, page(BOT, CSRF, TTWID)),
        (UNAVAILABLE, page(LOCATION, BOT, TTWID, status=302)),
        (CHALLENGE, page(BOT, TTWID)),
        (REGISTERED, page()),
        (REGISTERED, CHALLENGE),
        (REGISTERED, UNAVAILABLE),
    ],
    ids=[
        "one cookie",
        "two, csrf first",
        "an Expires first",
        "a redirect with it",
        "registering is challenged",
        "without a cookie",
        "challenge",
        "register only",
    ],
)
def test_the_default_way_in_copes_with_every_front_on_record(register: bytes, home: bytes) -> None:
    async def act(front: Front, door: Door, room: int) -> None:
        front.poison("", Odd("register", ("register",), register))
        front.poison("", Odd("home", ("home",), home))
        assert await door.attempt(room) == ENTERED
        assert door.cookies == ["ttwid=1%7Cab%7C1790000001%7Cff"]
        assert front.fired == {"register": 1} | ({} if register == REGISTERED else {"home": 1})

    at_front(act)


@pytest.mark.parametrize("home", [page(), page(CSRF), CHALLENGE, UNAVAILABLE], ids=["none", "csrf", "challenge", "503"])
def test_a_front_that_gives_no_cookie_at_all_is_left_alone_for_a_minute(home: bytes) -> None:
    async def act(front: Front, door: Door, room: int) -> None:
        front.poison("", Odd("register", ("register",), UNAVAILABLE))
        front.poison("", Odd("home", ("home",), home))
        outcomes = [await door.attempt(room) for _ in range(20)]
        assert len(set(outcomes)) == 1
        assert outcomes[0].endswith(" 60")
        assert front.fired == {"register": 1, "home": 8}

    at_front(act)


def at_front(act: Callable[[Front, Door, int], Awaitable[None]]) -> None:
    """Act at a front before a simulator with one room that is live."""

    async def main(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with Front(simulator.url).serve() as front, Door(front.url) as door:
            await act(front, door, room)

    simulate(main)


def test_a_thousand_rooms_cause_three_requests_at_most_though_each_is_refused() -> None:
    async def act(simulator: Simulator) -> None:
        room = await room_id(simulator)
        async with Door(simulator.url) as door:
            before = await asyncio.gather(*(door.direct.obtain(RoomId(room + number), "ann") for number in range(1000)))
            refused = await door.attempt(room)
            for address in before:
                door.direct.told(address, BLOCKED, lived_seconds=0.0)
            after = await asyncio.gather(*(door.direct.obtain(RoomId(room + number), "ann") for number in range(1000)))
            for address in after:
                door.direct.told(address, BLOCKED, lived_seconds=0.0)
            assert await door.attempt(room) == ENTERED
            assert refused == "FailedConnection device_blocked"
            assert [len({address.cookie for address in each}) for each in (before, after)] == [1, 1]
            assert simulator.requests["/ttwid/register/"] == 2
            assert sum(simulator.requests[each] for each in PAGES) == 0

    simulate(act, "handshake_device_blocked")
