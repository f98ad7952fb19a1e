"""producer.webcast.http: against httpx's own mock transport, since no server answers all of this on demand."""

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

from producer.errors import FailedFetchRoomInfo, FailedHTTPRequest, Reason
from producer.webcast import http
from producer.webcast.http import retry_after_seconds
from tests.webcast.answers import Pieces
from tests.webcast.answers import answer as answered

DATE = "Mon, 23 Nov 2026 06:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"Retry-After": " 30 "}, 30.0),
        ({"Retry-After": "0"}, 1.0),
        ({"Retry-After": "-5"}, 60.0),
        ({"Retry-After": "1e9"}, 60.0),
        ({"Retry-After": "86400"}, 3600.0),
        ({"Retry-After": "soon"}, 60.0),
        ({"Retry-After": ""}, 60.0),
        ({"Retry-After": "Mon, 23 Nov 2026 06:02:00 GMT", "Date": DATE}, 120.0),
        ({"Retry-After": "Mon, 23 Nov 2026 05:00:00 GMT", "Date": DATE}, 1.0),
        ({"Retry-After": "Mon, 23 Nov 2026 06:02:00 GMT"}, 60.0),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:00 +99999999999999999999", "Date": DATE}, 60.0),
        ({"RateLimit-Reset": "45"}, 45.0),
        ({"Retry-After": "5", "RateLimit-Reset": "45"}, 45.0),
        ({"RateLimit-Remaining": "0"}, 60.0),
        ({"RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795413600"}, 60.0),
        ({}, 60.0),
    ],
)
def test_the_wait_that_a_429_asks_for(headers: dict[str, str], expected: float) -> None:
    assert retry_after_seconds(httpx.Headers(headers).get_list) == expected


def get(handler: Callable[[httpx.Request], httpx.Response], endpoint: str = "room_id") -> tuple[object, list[str]]:
    """Get through a transport of ours; return the answer or the error, and what was counted."""
    counted: list[str] = []

    async def main() -> object:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler), follow_redirects=False) as client:
            web = http.HTTP(client, lambda endpoint, code: counted.append(f"{endpoint} {code}"))
            try:
                return await web.get(endpoint, "http://room.test/", params={"a": "b"}, error=FailedFetchRoomInfo)
            except FailedHTTPRequest as error:
                return error

    return asyncio.run(main()), counted


def test_an_answer_is_whole_and_counted() -> None:
    answer, counted = get(lambda request: answered(str(request.url).encode()))

    assert isinstance(answer, http.Answer)
    assert answer.body == b"http://room.test/?a=b"
    assert counted == ["room_id 2xx"]


@pytest.mark.parametrize(
    ("status", "endpoint", "reason", "counted"),
    [
        (429, "room_id", Reason.RATE_LIMITED, "429"),
        (403, "room_id", Reason.BLOCKED, "4xx"),
        (403, "sign", Reason.ENTITLEMENT, "4xx"),
        (402, "sign", Reason.ENTITLEMENT, "4xx"),
        (500, "room_id", Reason.STATUS, "5xx"),
        (302, "room_id", Reason.STATUS, "3xx"),
    ],
)
def test_any_other_status_is_the_error_of_its_endpoint(
    status: int, endpoint: str, reason: Reason, counted: str
) -> None:
    error, counts = get(lambda _: answered(status=status, headers={"Location": "http://elsewhere.test/"}), endpoint)

    assert isinstance(error, FailedFetchRoomInfo)
    assert error.reason is reason
    assert counts == [f"{endpoint} {counted}"]


def test_a_rate_limit_says_how_long() -> None:
    error, _ = get(lambda _: answered(status=429, headers={"Retry-After": "7"}))

    assert isinstance(error, FailedFetchRoomInfo)
    assert error.retry_after_seconds == 7.0


@pytest.mark.parametrize(
    ("failure", "reason"),
    [(httpx.ConnectError("refused"), Reason.NETWORK), (httpx.ReadTimeout("late"), Reason.TIMEOUT)],
)
def test_foreign_exceptions_are_translated(failure: httpx.HTTPError, reason: Reason) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise failure

    error, counted = get(fail)

    assert isinstance(error, FailedFetchRoomInfo)
    assert error.reason is reason
    assert str(failure) in str(error)
    assert counted == ["room_id error"]


@pytest.mark.parametrize(("more", "readable"), [(0, True), (1, False)])
def test_an_answer_within_its_bound_is_read_and_a_longer_one_is_cut_off(more: int, readable: bool) -> None:
    answer, _ = get(lambda _: answered(bytes(http.JSON_BYTES + more)))

    assert isinstance(answer, http.Answer) is readable
    if not readable:
        assert isinstance(answer, FailedFetchRoomInfo)
        assert answer.reason is Reason.MALFORMED


def test_an_answer_that_never_ends_is_left() -> None:
    pieces = Pieces(bytes(1024) for _ in iter(int, 1))

    error, _ = get(lambda _: httpx.Response(200, stream=pieces))

    assert isinstance(error, FailedFetchRoomInfo)
    assert pieces.taken <= http.JSON_BYTES + 1024


def test_a_refusal_is_told_by_its_status_however_long_its_page_is() -> None:
    pieces = Pieces(bytes(1024) for _ in iter(int, 1))

    error, counts = get(lambda _: httpx.Response(403, stream=pieces))

    assert isinstance(error, FailedFetchRoomInfo)
    assert error.reason is Reason.BLOCKED
    assert counts == ["room_id 4xx"]
    assert pieces.taken == 0


def test_an_answer_that_drips_has_a_deadline_as_a_whole() -> None:
    class Drip(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                await asyncio.sleep(0.001)
                yield b" "

    async def main() -> object:
        transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=Drip()))
        async with httpx.AsyncClient(transport=transport) as client:
            web = http.HTTP(client, lambda *_: None, answer_seconds=0.05)
            try:
                return await web.get("room_id", "http://room.test/", params={})
            except FailedHTTPRequest as error:
                return error

    error = asyncio.run(main())

    assert isinstance(error, FailedHTTPRequest)
    assert error.reason is Reason.TIMEOUT


def test_only_so_many_are_asked_at_a_time() -> None:
    under_way, most = 0, 0

    async def handler(_: httpx.Request) -> httpx.Response:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return answered(b"{}")

    async def main() -> None:
        async with httpx.AsyncClient(transport=httpx.MockTransport(handler)) as client:
            web = http.HTTP(client, lambda *_: None, at_once=3)
            await asyncio.gather(*(web.get("room_id", "http://room.test/", params={}) for _ in range(30)))

    asyncio.run(main())

    assert most == 3


def test_no_cookie_is_kept() -> None:
    seen: list[str | None] = []

    def handler(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie"))
        return answered(headers=[("Set-Cookie", "lang=\u00e9; Path=/"), ("Set-Cookie", "a=1; Path=/")])

    async def main() -> None:
        async with http.client(user_agent="x", trust_environment=False) as client:
            client._transport = httpx.MockTransport(handler)
            web = http.HTTP(client, lambda *_: None)
            for _ in range(2):
                await web.get("room_id", "http://room.test/", params={})

    asyncio.run(main())

    assert seen == [None, None]


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff", b"", DEEP, b'{"a": ' + b"9" * 5_000 + b"}"], ids=range(6))
def test_json_that_is_no_object_is_the_endpoints_error(body: bytes) -> None:
    with pytest.raises(FailedFetchRoomInfo) as failure:
        http.Answer(200, httpx.Headers(), body).json(FailedFetchRoomInfo)

    assert failure.value.reason is Reason.MALFORMED
