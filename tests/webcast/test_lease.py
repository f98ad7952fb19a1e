"""producer.webcast.doors.lease and broker: what a broker is asked, what may be in a lease, and how long it is used."""

import asyncio
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from producer.errors import FailedConnection, FailedHTTPRequest, ProducerError, Reason
from producer.webcast.doors.broker import read_broker_refusal, read_lease, request
from producer.webcast.doors.contract import Address
from producer.webcast.doors.lease import Leased
from producer.webcast.http import HTTP, Answer
from producer.webcast.room import RoomId
from producer.webcast.upstream import Upstream
from tests.json_schema import Contract
from tests.lease_broker import Broker, refusal
from tests.webcast.answers import answer as answered

ROOT = Path(__file__).resolve().parents[2]
schema_problems = Contract(ROOT / "docs/lease.schema.json").problems
ROOM, OTHER_ROOM = RoomId(7_300_000_000_000_000_001), RoomId(7_300_000_000_000_000_002)
NOW = 1_796_000_000.0
URL = "wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/ws_reuse_supplement/"
LEASE: dict[str, Any] = {
    "version": 1,
    "url": f"{URL}?device_id=7%2F9&room%5Fid=5&room_id=6&compress=gzip&internal_ext=x&cursor=3&a=b+c&empty=",
    "cookie": "ttwid=1%7Cabc",
    "user_agent": "Mozilla/5.0 (X11)",
    "issued_at_ms": 1_796_000_000_000,
    "expires_at_ms": 1_796_000_960_000,
}
SESSION = {
    "wsUrl": f"{URL}?device_id=7&room_id=6",
    "cookieHeader": "ttwid=1%7Cabc",
    "roomId": "6",
    "userAgent": "Mozilla/5.0 (X11)",
    "proxyHost": None,
    "capturedAt": 1_796_000_000_000,
}


class Asking:
    """A door at a broker that answers what it is told to, at a clock of its own."""

    def __init__(self, *answers: tuple[int, Any], headers: dict[str, str] | None = None, **settings: Any) -> None:
        self.now = 0.0
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)
        self._headers = headers or {}
        self._settings = {
            "contract": "lease",
            "token_file": None,
            "reuse_seconds": 600.0,
            "connects_per_hour": 12,
            "leases_per_hour": 8,
        } | settings
        self.door: Leased

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        status, said = self._answers[min(len(self.requests), len(self._answers)) - 1]
        return answered(json.dumps(said).encode(), status=status, headers=self._headers)

    def run(self, act: Callable[["Asking"], Any]) -> Any:
        async def main() -> Any:
            async with httpx.AsyncClient(transport=httpx.MockTransport(self)) as client:
                web = HTTP(client, lambda *_: None)
                self.door = Leased(
                    web,
                    Upstream.tiktok(),
                    url="https://broker.test/base/",
                    clock=lambda: self.now,
                    wall_clock=lambda: NOW + self.now,
                    **self._settings,
                )
                return await act(self)

        return asyncio.run(main())

    async def obtain(self, room: RoomId = ROOM, streamer: str = "ann") -> Address:
        return await self.door.obtain(room, streamer)

    async def outcome(self, room: RoomId = ROOM) -> str:
        try:
            await self.obtain(room)
        except ProducerError as error:
            return f"{error.reason} {error.retry_after_seconds or 0:g}"
        return f"{len(self.requests)}"


SHARED = LEASE | {"rooms": "any"}


def test_the_broker_is_asked_for_a_room_with_the_token_of_the_moment(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    asking = Asking((200, LEASE), token_file=token)

    address = asking.run(lambda each: each.obtain())

    [asked] = asking.requests
    assert (asked.method, str(asked.url)) == ("POST", "https://broker.test/base/v1/lease")
    assert asked.headers["Authorization"] == "Bearer s3cret"
    assert json.loads(asked.content) == {"version": 1, "room_id": str(ROOM), "unique_id": "ann"}
    assert (address.door, address.cookie) == ("lease", "ttwid=1%7Cabc")
    assert address.headers == {"User-Agent": "Mozilla/5.0 (X11)"}
    assert "ttwid" not in repr(address)


def test_a_lease_goes_out_by_one_egress_alone() -> None:
    other = SHARED | {"cookie": "ttwid=other"}
    asking = Asking((200, SHARED), (200, other), egress={"ann": "a:1", "ben": "b:2", "cay": "a:1"}.__getitem__)

    async def act(each: Asking) -> list[str]:
        return [
            (await each.obtain(room, name)).cookie for name, room in (("ann", ROOM), ("ben", ROOM), ("cay", OTHER_ROOM))
        ]

    assert asking.run(act) == ["ttwid=1%7Cabc", "ttwid=other", "ttwid=1%7Cabc"]


def test_all_of_a_leased_query_is_kept_as_it_is_spelt_but_what_is_about_the_room() -> None:
    address = Asking((200, LEASE)).run(lambda each: each.obtain())

    assert address.url.text == f"{URL}?device_id=7%2F9&a=b+c&empty=&room_id={ROOM}&cursor=0"


def test_a_session_of_the_other_contract_is_used_for_any_room() -> None:
    asking = Asking((200, SESSION), contract="session")

    async def act(each: Asking) -> list[Address]:
        return [await each.obtain(), await each.obtain(OTHER_ROOM)]

    first, second = asking.run(act)

    [asked] = asking.requests
    assert (asked.method, str(asked.url)) == ("GET", "https://broker.test/base/v1/session")
    assert first.url.text == f"{URL}?device_id=7&room_id={ROOM}&cursor=0"
    assert second.url.text == f"{URL}?device_id=7&room_id={OTHER_ROOM}&cursor=0"
    assert second.headers == {"User-Agent": "Mozilla/5.0 (X11)"}


@pytest.mark.parametrize(
    ("lease", "asked"),
    [
        (LEASE, ["1", "1", "2"]),  # it is the one room's
        (LEASE | {"rooms": "any"}, ["1", "1", "1"]),
    ],
)
def test_a_lease_is_used_again_for_whom_it_is_good(lease: dict[str, Any], asked: list[str]) -> None:
    async def act(each: Asking) -> list[str]:
        return [await each.outcome(), await each.outcome(), await each.outcome(OTHER_ROOM)]

    assert Asking((200, lease)).run(act) == asked


@pytest.mark.parametrize(
    ("issued_ms_ago", "expires_in_ms", "used_for"),
    [(0, 960_000, 600), (200_000, 960_000, 400), (0, 300_000, 300), (-50_000, 960_000, 600)],
    ids=["its window", "an older one", "it expires", "issued by a clock ahead of ours"],
)
def test_a_lease_is_used_until_its_window_is_over_or_it_expires(
    issued_ms_ago: int, expires_in_ms: int, used_for: int
) -> None:
    times = {"issued_at_ms": int(NOW * 1000) - issued_ms_ago, "expires_at_ms": int(NOW * 1000) + expires_in_ms}

    async def act(each: Asking) -> list[str]:
        found = [await each.outcome()]
        each.now = used_for - 1.0
        found.append(await each.outcome())
        each.now = float(used_for)
        await each.outcome()
        return [*found, str(len(each.requests))]

    assert Asking((200, LEASE | times)).run(act) == ["1", "1", "2"]


def test_a_lease_is_timed_by_the_brokers_clock_where_it_tells_the_time() -> None:
    issued_ms = 1_795_953_600_000
    lease = LEASE | {"issued_at_ms": issued_ms, "expires_at_ms": issued_ms + 900_000}  # half a day ago, by our clock

    async def act(each: Asking) -> list[str]:
        return [await each.outcome(), await each.outcome()]

    assert Asking((200, lease), headers={"Date": "Sun, 29 Nov 2026 12:00:00 GMT"}).run(act) == ["1", "1"]
    assert Asking((200, lease)).run(act) == ["incomplete 0", "incomplete 30"]


def test_an_hour_has_so_many_sockets() -> None:
    async def act(each: Asking) -> list[str]:
        found = []
        for each.now in (0.0, 1.0, 2.0, 3599.0, 3600.0):
            found.append(await each.outcome())
        return found

    lease = SHARED | {"expires_at_ms": int((NOW + 7200) * 1000)}
    asking = Asking((200, lease), connects_per_hour=3, reuse_seconds=7200.0)
    assert asking.run(act) == ["1", "1", "1", "rate_limited 1", "1"]


def test_an_hour_has_so_many_leases() -> None:
    rooms = [RoomId(ROOM + number) for number in range(3)]

    async def act(each: Asking) -> list[str]:
        found = []
        for each.now, room in zip((0.0, 100.0, 200.0), rooms, strict=True):
            found.append(await each.outcome(room))
        found.append(await each.outcome(rooms[0]))  # which has one
        each.now = 3600.0
        late = {"issued_at_ms": int((NOW + 3600) * 1000), "expires_at_ms": int((NOW + 4000) * 1000)}
        each._answers = [(200, LEASE | late)]
        return [*found, await each.outcome(rooms[2])]

    assert Asking((200, LEASE), leases_per_hour=2).run(act) == ["1", "2", "rate_limited 3400", "2", "3"]


@pytest.mark.parametrize("reason", [Reason.HANDSHAKE, Reason.UNSIGNED, Reason.BLOCKED])
def test_a_lease_whose_socket_was_refused_is_used_no_more(reason: Reason) -> None:
    async def act(each: Asking) -> list[str]:
        address = await each.obtain()
        each.door.told(address, FailedConnection("refused", reason=Reason.NETWORK), lived_seconds=0.0)
        kept = await each.outcome()
        each.door.told(address, FailedConnection("refused", reason=reason), lived_seconds=0.0)
        return [kept, await each.outcome()]

    assert Asking((200, SHARED)).run(act) == ["1", "2"]


def test_a_refusal_holds_the_broker_for_every_room_and_for_as_long_as_it_says() -> None:
    async def act(each: Asking) -> list[str]:
        found = []
        for each.now, room in ((0.0, ROOM), (44.0, OTHER_ROOM), (45.0, ROOM)):
            found.append(await each.outcome(room))
        return [*found, str(len(each.requests))]

    cold = refusal("no_warm_session", retryable=True, retry_after_ms=45_000)
    assert Asking((503, cold), (200, LEASE)).run(act) == ["status 45", "status 1", "2", "2"]


def test_a_room_that_is_offline_says_nothing_of_others() -> None:
    async def act(each: Asking) -> list[str]:
        return [await each.outcome(), await each.outcome(OTHER_ROOM)]

    offline = refusal("room_offline", retryable=True)
    assert Asking((409, offline), (200, LEASE)).run(act) == ["offline 0", "2"]


@pytest.mark.parametrize(
    ("status", "said", "reason", "wait"),
    [
        (503, {"error": "no_warm_session"}, Reason.STATUS, 30.0),
        (503, refusal("no_warm_session", retryable=True), Reason.STATUS, 30.0),
        (429, refusal("rate_limited", retryable=True, retry_after_ms=7_000), Reason.RATE_LIMITED, 7.0),
        (429, {}, Reason.RATE_LIMITED, 30.0),
        (401, {}, Reason.CREDENTIALS, 300.0),
        (404, {}, Reason.CREDENTIALS, 300.0),
        (400, refusal("bad_request", retryable=False), Reason.CREDENTIALS, 300.0),
        (503, refusal("x", retryable=True, retry_after_ms=10**12), Reason.STATUS, 3600.0),
        (500, [], Reason.STATUS, 30.0),
    ],
)
def test_a_refusal_has_its_reason_and_its_wait(status: int, said: Any, reason: Reason, wait: float) -> None:
    with pytest.raises(FailedHTTPRequest) as refused:
        read_broker_refusal(Answer(status, httpx.Headers(), json.dumps(said).encode()))

    assert (refused.value.reason, refused.value.retry_after_seconds) == (reason, wait)


@pytest.mark.parametrize("url", ["wss://evil.test/?a=b", "ws://webcast-ws.tiktok.com/", "wss://10.0.0.1/"])
def test_a_lease_that_leads_elsewhere_is_refused_and_not_asked_for_again_at_once(url: str) -> None:
    async def act(each: Asking) -> list[str]:
        return [await each.outcome(), await each.outcome(), str(len(each.requests))]

    assert Asking((200, LEASE | {"url": url})).run(act) == ["host_refused 0", "host_refused 30", "1"]


def test_a_lease_that_is_too_old_is_refused() -> None:
    old = LEASE | {"issued_at_ms": int((NOW - 600) * 1000)}

    assert Asking((200, old)).run(lambda each: each.outcome()) == "incomplete 0"


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": 2},
        {"version": True},
        {"url": 7},
        {"url": "https://webcast-ws.tiktok.com/"},
        {"cookie": ""},
        {"cookie": None},
        {"user_agent": ""},
        {"issued_at_ms": -1},
        {"issued_at_ms": 1.5},
        {"expires_at_ms": "soon"},
        {"rooms": "some"},
        {"speech": "client"},
        {"speech": {"enters": False}},
        {"speech": {"heartbeats": 0}},
        {"speech": {"acknowledges": None}},
        {"headers": []},
        {"headers": {"X-A": ""}},
        {"headers": {f"X-{number}": "a" for number in range(21)}},
    ],
    ids=str,
)
def test_what_the_schema_forbids_is_refused(wrong: dict[str, Any]) -> None:
    assert schema_problems("lease", LEASE | wrong) != []
    with pytest.raises(FailedConnection) as refused:
        read_lease(json.dumps(LEASE | wrong).encode())
    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("name", ["version", "url", "user_agent", "issued_at_ms", "expires_at_ms"])
def test_what_the_schema_requires_must_be_there(name: str) -> None:
    lease = {key: value for key, value in LEASE.items() if key != name}

    assert schema_problems("lease", lease) == ["$ required"]
    with pytest.raises(FailedConnection, match=f"it has no {name}$"):
        read_lease(json.dumps(lease).encode())


@pytest.mark.parametrize("name", ["Host", "cookie", "User-Agent", "Sec-WebSocket-Key", "Proxy-Authorization", "a b"])
def test_a_header_of_the_connection_itself_is_not_the_brokers(name: str) -> None:
    with pytest.raises(FailedConnection):
        read_lease(json.dumps(LEASE | {"headers": {name: "x"}}).encode())


def test_further_headers_go_along() -> None:
    lease = read_lease(json.dumps(LEASE | {"headers": {"Accept-Language": "en"}}).encode())

    assert lease.headers == {"Accept-Language": "en", "User-Agent": "Mozilla/5.0 (X11)"}


def test_what_we_ask_and_what_the_example_broker_says_is_as_the_schema_says() -> None:
    broker, cold = (Broker("http://127.0.0.1:1", token="right", cold=number) for number in (0, 1))
    status, lease = broker.answer("Bearer right", "/v1/lease")
    refused = [broker.answer("Bearer wrong", "/v1/lease")[1], broker.answer(None, "/elsewhere")[1]]
    refused.append(cold.answer("Bearer right", "/v1/lease")[1])

    assert status == 200
    assert schema_problems("lease", lease) == []
    assert [schema_problems("refusal", each) for each in refused] == [[], [], []]
    assert schema_problems("request", json.loads(request(ROOM, "ann"))) == []
    assert schema_problems("lease", LEASE) == []


def test_the_examples_of_the_documentation_are_as_the_schema_says() -> None:
    page = (ROOT / "docs/doors.md").read_text("utf-8")
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL)]

    asked, lease, refused = examples

    assert schema_problems("request", asked) == []
    assert schema_problems("lease", lease) == []
    assert schema_problems("refusal", refused) == []
    assert read_lease(json.dumps(lease).encode()).any_room
