"""producer.webcast.http: against httpx's own mock transport, since no server answers all of this on demand."""

import asyncio
from collections.abc import Callable

import httpx
import pytest

from producer.errors import FailedFetchRoomInfo, FailedHTTPRequest, Reason
from producer.webcast import http
from producer.webcast.http import retry_after_seconds

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
        ({"RateLimit-Reset": "45"}, 45.0),
        ({"Retry-After": "5", "RateLimit-Reset": "45"}, 45.0),
        ({"RateLimit-Remaining": "0"}, 60.0),
        ({"RateLimit-Remaining": "0", "X-RateLimit-Reset": "1795413600"}, 60.0),
        ({}, 60.0),
    ],
)
def test_the_wait_that_a_429_asks_for(headers: dict[str, str], expected: float) -> None:
    assert retry_after_seconds(httpx.Headers(headers)) == expected


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
    answer, counted = get(lambda request: httpx.Response(200, content=str(request.url).encode()))

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
    error, counts = get(lambda _: httpx.Response(status, headers={"Location": "http://elsewhere.test/"}), endpoint)

    assert isinstance(error, FailedFetchRoomInfo)
    assert error.reason is reason
    assert counts == [f"{endpoint} {counted}"]


def test_a_rate_limit_says_how_long() -> None:
    error, _ = get(lambda _: httpx.Response(429, headers={"Retry-After": "7"}))

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
    assert error.__cause__ is failure
    assert counted == ["room_id error"]


def test_an_endless_answer_is_cut_off() -> None:
    error, _ = get(lambda _: httpx.Response(200, content=bytes(http.BODY_BYTES + 1)))

    assert isinstance(error, FailedFetchRoomInfo)
    assert error.reason is Reason.MALFORMED


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"\xff", b""])
def test_json_that_is_no_object_is_the_endpoints_error(body: bytes) -> None:
    with pytest.raises(FailedFetchRoomInfo):
        http.Answer({}, body).json(FailedFetchRoomInfo)
