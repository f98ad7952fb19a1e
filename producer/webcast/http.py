"""HTTP towards TikTok and the sign server: bounded in size and time, never redirected to another host, translated.

Everything above sees `producer.errors` only.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import httpx

from producer.errors import FailedHTTPRequest, Reason

BODY_BYTES = 8 * 1024 * 1024
TIMEOUT_SECONDS = 10.0

UNSTATED_WAIT_SECONDS = 60.0
"""Assumed where a 429 does not say how long: a minute is the shortest quota that sign servers keep."""
LONGEST_WAIT_SECONDS = 3600.0
ENTITLEMENT_WAIT_SECONDS = 300.0
"""A plan that does not cover a request will not cover it in a second either."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer with status 200."""

    headers: Mapping[str, str]
    body: bytes

    def json(self, error: type[FailedHTTPRequest]) -> dict[str, object]:
        """Parse the body as a JSON object. Raises `error` where it is none: an HTML page here is a captcha."""
        try:
            value = json.loads(self.body)
        except ValueError as cause:
            raise error("answered something that is not JSON", reason=Reason.MALFORMED) from cause
        if not isinstance(value, dict):
            raise error("answered JSON that is not an object", reason=Reason.MALFORMED)
        return value


class HTTP:
    """One client for the whole worker (a client each would cost every room 0.8 MiB).

    `requested(endpoint, code)` is called once a request, with the code's class: 2xx, 3xx, 4xx, 429, 5xx or error.
    """

    def __init__(self, client: httpx.AsyncClient, requested: Callable[[str, str], None]) -> None:
        self._client = client
        self._requested = requested

    async def get(
        self,
        endpoint: str,
        url: str,
        *,
        params: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        error: type[FailedHTTPRequest] = FailedHTTPRequest,
    ) -> Answer:
        """Get `url`. Raises `error` for anything but a whole answer with status 200."""
        try:
            async with self._client.stream("GET", url, params=dict(params), headers=dict(headers or {})) as response:
                self._requested(endpoint, code_class(response.status_code))
                refuse_status(endpoint, response.status_code, response.headers, error)
                return Answer(response.headers, await _bounded(endpoint, response, error))
        except httpx.HTTPError as cause:
            self._requested(endpoint, "error")
            late = isinstance(cause, httpx.TimeoutException)
            reason = Reason.TIMEOUT if late else Reason.NETWORK
            raise error(f"{endpoint}: {type(cause).__name__} ({cause or 'no detail'})", reason=reason) from cause


async def _bounded(endpoint: str, response: httpx.Response, error: type[FailedHTTPRequest]) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > BODY_BYTES:
            raise error(f"{endpoint}: answered more than {BODY_BYTES} bytes", reason=Reason.MALFORMED)
    return bytes(body)


def client(*, user_agent: str, trust_environment: bool) -> httpx.AsyncClient:
    """Make the worker's client. It keeps no cookies: each room carries its own."""
    return httpx.AsyncClient(
        follow_redirects=False,
        timeout=TIMEOUT_SECONDS,
        limits=httpx.Limits(max_connections=50, max_keepalive_connections=20),
        headers={"User-Agent": user_agent},
        trust_env=trust_environment,
    )


def code_class(status: int) -> str:
    """Collapse an HTTP status to the metrics' closed set."""
    if status == 429:
        return "429"
    return f"{status // 100}xx" if 200 <= status < 600 else "error"


def refuse_status(endpoint: str, status: int, headers: Mapping[str, str], error: type[FailedHTTPRequest]) -> None:
    """Raise `error` with its reason unless the status is 200 (protocol sheet sections 2.4 and 4.2)."""
    if status == 200:
        return
    if status == 429:
        raise error(
            f"{endpoint}: rate limited",
            reason=Reason.RATE_LIMITED,
            retry_after_seconds=retry_after_seconds(headers),
        )
    if status in (401, 402) or (status == 403 and endpoint == "sign"):
        raise error(
            f"{endpoint}: answered {status}; the sign server's plan or key does not cover this request",
            reason=Reason.ENTITLEMENT,
            retry_after_seconds=ENTITLEMENT_WAIT_SECONDS,
        )
    reason = Reason.BLOCKED if status == 403 else Reason.STATUS
    raise error(f"{endpoint}: answered {status}", reason=reason)


def retry_after_seconds(headers: Mapping[str, str]) -> float:
    """How long a 429 asks us to wait, between one second and an hour.

    Looks at Retry-After (seconds, or a date against the answer's own Date, so that our clock does not matter), then
    RateLimit-Reset (seconds). Of several the longest counts. RateLimit-Remaining is no time, though one client reads
    it as one and retries at once.
    """
    waits = [
        _seconds(headers.get("retry-after"), headers.get("date")),
        _seconds(headers.get("ratelimit-reset")),
    ]
    stated = [wait for wait in waits if wait is not None]
    return min(LONGEST_WAIT_SECONDS, max(1.0, *stated)) if stated else UNSTATED_WAIT_SECONDS


def _seconds(value: str | None, answered_at: str | None = None) -> float | None:
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return (parsedate_to_datetime(value) - parsedate_to_datetime(answered_at or "")).total_seconds()
    except (TypeError, ValueError):
        return None
