"""producer.webcast.doors.sign: what a sign server answers, and what must be in it."""

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from producer import strangers
from producer.errors import FailedConnection, FailedHTTPRequest, Reason, Recovery
from producer.secret_files import SecretUnusable
from producer.webcast.doors.contract import Address
from producer.webcast.doors.places import Places
from producer.webcast.doors.queue import Queue
from producer.webcast.doors.sign import Signed, read_sign_answer, read_sign_refusal
from producer.webcast.http import HTTP, Answer
from producer.webcast.room import RoomId
from producer.webcast.upstream import USER_AGENT, Upstream
from producer.webcast.wire import FetchResult
from tests.webcast.answers import answer as answered

ROOM = RoomId(7_300_000_000_000_000_001)
COOKIE = "ttwid=abc"
PUSH = "wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/ws_reuse_supplement/"


def answer(cursor: str = "c1", push_server: str = PUSH, route_params: dict[str, str] | None = None) -> bytes:
    return FetchResult(
        cursor=cursor,
        push_server=push_server,
        route_params={"imprp": "x/y"} if route_params is None else route_params,
        internal_ext=b"ext",
        is_first=True,
    ).SerializeToString()


def test_a_signed_address_carries_cursor_route_parameters_and_room() -> None:
    address = read_sign_answer(answer(), COOKIE, ROOM, USER_AGENT)

    query = parse_qs(urlsplit(address.url.text).query)
    assert address.url.text.startswith(PUSH + "?")
    assert query["cursor"] == ["c1"]
    assert query["internal_ext"] == ["ext"]
    assert query["imprp"] == ["x/y"]
    assert query["room_id"] == [str(ROOM)]
    assert query["compress"] == ["gzip"]
    assert (address.cookie, address.cursor) == (COOKIE, "c1")
    assert address.first_batch is not None
    assert address.first_batch.is_first


@pytest.mark.parametrize(
    ("body", "cookie", "missing"),
    [
        (answer(), None, "cookie"),
        (answer(cursor=""), COOKIE, "cursor"),
        (answer(push_server=""), COOKIE, "push server"),
        (answer(route_params={}), COOKIE, "route parameters"),
        (b"", COOKIE, "cursor, push server, route parameters"),
    ],
)
def test_an_answer_that_lacks_a_part_is_refused_by_its_name(body: bytes, cookie: str | None, missing: str) -> None:
    with pytest.raises(FailedConnection) as refused:
        read_sign_answer(body, cookie, ROOM, USER_AGENT)

    assert refused.value.reason is Reason.INCOMPLETE
    assert missing in str(refused.value)


def test_an_answer_that_is_no_batch_is_refused() -> None:
    with pytest.raises(FailedConnection) as refused:
        read_sign_answer(b"<html>", COOKIE, ROOM, USER_AGENT)

    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "push_server",
    [
        "wss://[bad",
        "wss://[::1",
        "wss://a.tiktok.com:99999/",
        "wss://a.tiktok.com:abc/",
        "wss://.tiktok.com/",
        "wss://" + "a" * 70 + ".tiktok.com/",
        "WSS://a.tiktok.com/",
        "wss://u@a.tiktok.com/",
        "wss://a.tiktok.com/#frag",
        "wss://a\x00.tiktok.com/",
        "wss://\u2100.tiktok.com/",
    ],
)
def test_a_push_server_that_is_no_url_to_follow_is_refused(push_server: str) -> None:
    with pytest.raises(FailedConnection) as refused:
        read_sign_answer(answer(push_server=push_server), COOKIE, ROOM, USER_AGENT)

    assert refused.value.reason is Reason.MALFORMED


def test_an_address_that_is_longer_than_any_server_takes_is_refused() -> None:
    with pytest.raises(FailedConnection) as refused:
        read_sign_answer(answer(route_params={"imprp": "x" * 10_000}), COOKIE, ROOM, USER_AGENT)

    assert refused.value.reason is Reason.MALFORMED


@pytest.mark.parametrize("cookie", ["ttwid=\u00e9", "ttwid=1\r\nHost: x", "ttwid=\x00"])
def test_a_cookie_that_no_request_can_carry_is_as_none(cookie: str) -> None:
    with pytest.raises(FailedConnection) as refused:
        read_sign_answer(answer(), cookie, ROOM, USER_AGENT)

    assert refused.value.reason is Reason.INCOMPLETE


def test_nothing_secret_is_in_an_addresss_repr() -> None:
    assert "abc" not in repr(Address(strangers.url("wss://x/?signature=abc"), cookie="ttwid=abc", door="sign"))


class Asked:
    """A server that remembers its requests."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.requests: list[httpx.Request] = []
        self._answers = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answers[min(len(self.requests), len(self._answers)) - 1]


def sign(server: Asked, *, upstream: Upstream, key: Path | None = None, places: Places | None = None) -> Address:
    async def main() -> Address:
        async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as client:
            source = Signed(
                HTTP(client, lambda *_: None),
                upstream,
                sign_url="https://sign.test/",
                api_key_file=key,
                user_agent=USER_AGENT,
                queue=Queue(Places(60) if places is None else places, clock=lambda: 1000.0),
                clock=lambda: 1000.0,
            )
            return await source.obtain(ROOM, "ann")

    return asyncio.run(main())


def test_the_sign_server_is_asked_as_it_expects(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("s3cret\n")
    server = Asked(answered(answer(), headers={"X-Set-TT-Cookie": COOKIE}))

    sign(server, upstream=Upstream.tiktok(), key=key)

    [request] = server.requests
    assert request.url.path == "/webcast/fetch"
    assert request.url.params["room_id"] == str(ROOM)
    assert request.headers["X-Api-Key"] == "s3cret"
    assert "sessionid" not in str(request.headers).lower()


@pytest.mark.parametrize("content", [None, b"canary\nX: 1", "canary\u00e9".encode("latin-1"), b"canary\x00"])
def test_a_key_that_cannot_be_used_just_now_is_an_error_that_does_not_tell_it(
    tmp_path: Path, content: bytes | None
) -> None:
    key = tmp_path / "key"
    if content is not None:
        key.write_bytes(content)

    with pytest.raises(SecretUnusable) as refused:
        sign(Asked(answered()), upstream=Upstream.tiktok(), key=key)

    assert refused.value.recovery is Recovery.RETRY
    assert refused.value.reason is Reason.CREDENTIALS
    assert "canary" not in str(refused.value)


def test_a_push_server_off_the_allow_list_is_refused() -> None:
    body = answer(push_server="wss://10.0.0.1/x")

    with pytest.raises(FailedConnection) as refused:
        sign(Asked(answered(body, headers={"X-Set-TT-Cookie": COOKIE})), upstream=Upstream.tiktok())

    assert refused.value.reason is Reason.HOST_REFUSED


def test_a_rate_limit_of_the_sign_server_holds_whoever_waits() -> None:
    places = Places(60)

    with pytest.raises(FailedHTTPRequest) as limited:
        sign(Asked(answered(status=429, headers={"Retry-After": "40"})), upstream=Upstream.tiktok(), places=places)

    assert limited.value.reason is Reason.RATE_LIMITED
    assert limited.value.retry_after_seconds == 40.0
    assert places.held_until == 1040.0


STUB = FetchResult(
    messages=[b"\x0a\x14WebcastSystemMessage"],
    push_server="wss://ws-fallback.eulerstream.com/?token=abc",
    route_params={"user_agent": "Mozilla/5.0 (Windows NT 10.0)"},
    is_first=True,
).SerializeToString()


def test_the_fallback_of_a_sign_server_is_refused_by_its_name() -> None:
    with pytest.raises(FailedConnection) as refused:
        sign(Asked(answered(STUB)), upstream=Upstream.tiktok())

    assert refused.value.reason is Reason.HOST_REFUSED
    assert "nothing signed to give: it names its fallback, 'ws-fallback.eulerstream.com'" in str(refused.value)
    assert "abc" not in str(refused.value)


def test_the_fallback_is_used_where_its_host_is_allowed_and_its_note_is_no_message_of_the_room() -> None:
    address = sign(Asked(answered(STUB)), upstream=Upstream.tiktok(further_socket_suffixes=(".eulerstream.com",)))

    query = parse_qs(urlsplit(address.url.text).query)
    assert address.url.text.startswith("wss://ws-fallback.eulerstream.com/?token=abc&")
    assert query["room_id"] == [str(ROOM)]
    assert address.first_batch is None


def test_what_a_sign_server_names_goes_into_the_url_percent_encoded() -> None:
    body = answer(route_params={"user_agent": "Mozilla/5.0 (X; é)"})

    address = read_sign_answer(body, COOKIE, ROOM, USER_AGENT)

    assert "&user_agent=Mozilla%2F5.0%20%28X%3B%20%C3%A9%29" in address.url.text


NOW = {"Date": "Sun, 29 Nov 2026 12:00:00 GMT"}
USED = '{"max": 5, "remaining": 0, "reset_at": "2026-11-29T12:00:40Z"}'
LEFT = '{"max": 30, "remaining": 9, "reset_at": "2026-11-29T12:59:00Z"}'


@pytest.mark.parametrize(
    ("headers", "body", "wait"),
    [
        ({"Retry-After": "7", "RateLimit-Reset": "9"}, "{}", 9.0),
        ({"Retry-After": "7", "X-RateLimit-Reset": "1795953660"} | NOW, "{}", 7.0),
        ({"X-RateLimit-Reset": "1795953660"} | NOW, '{"message": "Too many"}', 60.0),
        ({"X-RateLimit-Reset": "1795953660"}, "{}", 60.0),
        (NOW, f'{{"minute": {USED}, "hour": {LEFT}}}', 40.0),
        (NOW, '{"minute": {"remaining": 0, "reset_at": 1795953620}}', 20.0),
        (NOW, '{"day": {"remaining": 0, "reset_at": "2026-11-30T00:00:00+00:00"}}', 3600.0),
        (NOW, '{"minute": {"remaining": 0, "reset_at": "2026-11-29T11:00:00Z"}}', 1.0),
        (NOW, '{"minute": {"remaining": 0, "reset_at": "2026-11-29T12:00:40"}}', 60.0),
        (NOW, '{"minute": {"remaining": 0, "reset_at": null}, "load_shedding": {"at": 0.8, "chance": 0.25}}', 60.0),
        (NOW, "<html>", 60.0),
        ({}, "", 60.0),
    ],
)
def test_a_quota_that_is_used_up_says_when_it_is_renewed(headers: dict[str, str], body: str, wait: float) -> None:
    with pytest.raises(FailedHTTPRequest) as refused:
        read_sign_refusal(Answer(429, httpx.Headers(headers), body.encode()))

    assert (refused.value.reason, refused.value.retry_after_seconds) == (Reason.RATE_LIMITED, wait)


def test_a_call_that_is_dropped_below_the_quota_is_named() -> None:
    body = b'{"minute": {"remaining": 4, "reset_at": null}, "load_shedding": {"at": 0.8, "chance": 0.25}}'

    with pytest.raises(FailedHTTPRequest, match="load shedding"):
        read_sign_refusal(Answer(429, httpx.Headers(), body))


def test_while_the_sign_server_holds_us_back_rooms_are_refused_at_once_and_nobody_asks() -> None:
    server = Asked(
        answered(status=429, headers={"Retry-After": "40"}), answered(answer(), headers={"X-Set-TT-Cookie": COOKIE})
    )
    now = [1000.0]

    async def main() -> list[str]:
        said = []
        async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as client:
            door = Signed(
                HTTP(client, lambda *_: None),
                Upstream.tiktok(),
                sign_url="https://sign.test",
                api_key_file=None,
                user_agent=USER_AGENT,
                queue=Queue(Places(6000), clock=lambda: now[0]),
                clock=lambda: now[0],
            )
            for now[0] in (1000.0, 1039.0, 1040.0):
                try:
                    said.append((await door.obtain(ROOM, "ann")).door)
                except FailedHTTPRequest as error:
                    said.append(f"{error.reason} {error.retry_after_seconds}")
        return said

    assert asyncio.run(main()) == ["rate_limited 40.0", "rate_limited 1.0", "sign"]
    assert len(server.requests) == 2


def test_a_key_that_is_not_taken_holds_the_door_until_the_file_has_another(tmp_path: Path) -> None:
    key = tmp_path / "key"
    server = Asked(answered(status=403), answered(status=403), answered(answer(), headers={"X-Set-TT-Cookie": COOKIE}))
    now = [1000.0]

    async def main() -> list[str]:
        said = []
        async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as client:
            door = Signed(
                HTTP(client, lambda *_: None),
                Upstream.tiktok(),
                sign_url="https://sign.test",
                api_key_file=key,
                user_agent=USER_AGENT,
                queue=Queue(Places(6000), clock=lambda: now[0]),
                clock=lambda: now[0],
            )
            for now[0], content in ((1000.0, "old"), (1060.0, "old"), (1300.0, "old"), (1360.0, "new")):
                key.write_text(content)
                try:
                    said.append((await door.obtain(ROOM, "ann")).door)
                except FailedHTTPRequest as error:
                    said.append(f"{error.reason} {error.retry_after_seconds}")
        return said

    assert asyncio.run(main()) == ["entitlement None", "entitlement None", "entitlement None", "sign"]
    assert [request.headers["X-Api-Key"] for request in server.requests] == ["old", "old", "new"]


def test_nobody_who_waits_calls_behind_a_rate_limit() -> None:
    server = Asked(answered(status=429, headers={"Retry-After": "50"}))
    now = [1000.0]

    async def main() -> tuple[int, int]:
        async with httpx.AsyncClient(transport=httpx.MockTransport(server)) as client:
            queue = Queue(Places(2, period=0.0), clock=lambda: now[0])
            door = Signed(
                HTTP(client, lambda *_: None),
                Upstream.tiktok(),
                sign_url="https://sign.test",
                api_key_file=None,
                user_agent=USER_AGENT,
                queue=queue,
                clock=lambda: now[0],
            )
            queue.learn_hold(1.0)
            rooms = [asyncio.create_task(door.obtain(ROOM, name)) for name in ("ann", "bob", "cay")]
            await asyncio.sleep(0)
            now[0] = 1001.0
            queue.allow(1)  # one at a time, and the next as soon as it is answered
            await asyncio.wait(rooms, return_when=asyncio.FIRST_COMPLETED)
            for _ in range(20):
                await asyncio.sleep(0)
            waiting = queue.waiting
            for room in rooms:
                room.cancel()
            await asyncio.wait(rooms)
            return len(server.requests), waiting

    assert asyncio.run(main()) == (1, 2)
