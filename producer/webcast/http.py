"""HTTP towards TikTok and the sign server: bounded in size and time, never redirected to another host, translated.

Everything above sees `producer.errors` only.
"""

import asyncio
import importlib
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from ssl import SSLContext
from typing import Any

import httpx

from producer import answers, strangers
from producer.errors import FailedHTTPRequest, Reason
from producer.proxies import Proxy
from producer.strangers import Unreadable
from producer.webcast.route import ProxyFailed, Route

JSON_BYTES = 1024 * 1024
"""Of an answer in JSON or protobuf. A sign server's healthy one is about 43 KB (2026), a look-up's a few."""
ANSWER_SECONDS = 15.0
"""How long a whole answer may take, from the connection on."""
OK = frozenset({200})
AT_ONCE = 20
"""Requests that are made at a time. More wait their turn here, where waiting costs nothing and is no timeout: httpx's
pool looks at all that wait whenever one request ends, and counts their waiting as the other side's."""

SYSTEM_ERROR = "X-TT-System-Error"
"""Header of an answer that stands in for the one asked for: a challenge, which only a browser solves."""

UNSTATED_WAIT_SECONDS = 60.0
"""Assumed where a 429 does not say how long: a minute is the shortest quota that sign servers keep."""
LONGEST_WAIT_SECONDS = 3600.0
ENTITLEMENT_WAIT_SECONDS = 300.0
"""A plan that does not cover a request will not cover it in a second either."""


@dataclass(frozen=True, slots=True)
class Answer(answers.Answer):
    """A whole answer, as TikTok and those who help us in give it."""

    def header(self, name: str) -> str | None:
        """The first of a header's values; None where there is none."""
        return strangers.header(self.headers.get_list(name), most=16_384)

    def cookies(self) -> dict[str, str]:
        """The cookies that it sets."""
        return strangers.cookies(self.headers.get_list("set-cookie"))

    def json(self, error: type[FailedHTTPRequest], *, most_values: int = strangers.MOST_VALUES) -> dict[str, Any]:
        """Parse the body as a JSON object. Raises `error` where it is none: an HTML page here is a captcha."""
        try:
            return strangers.json_object(self.body, most_bytes=len(self.body), most_values=most_values)
        except Unreadable as cause:
            raise error(f"answered what cannot be read: {cause}", reason=Reason.MALFORMED) from cause


class HTTP:
    """One client for all rooms that go out by one route (a client each would cost every room 0.8 MiB).

    `requested(endpoint, code)` is called once a request, with the code's class: 2xx, 3xx, 4xx, 429, 5xx or error.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        requested: Callable[[str, str], None],
        *,
        route: Route | None = None,
        at_once: int = AT_ONCE,
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._client = client
        self._requested = requested
        self._route = route or Route()
        self._turns = asyncio.Semaphore(at_once)
        self._answer_seconds = answer_seconds

    async def get(
        self,
        endpoint: str,
        url: str,
        *,
        params: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        error: type[FailedHTTPRequest] = FailedHTTPRequest,
        most_bytes: int = JSON_BYTES,
    ) -> Answer:
        """Get `url`. Raises `error` for anything but a whole answer with status 200."""
        answer = await self.ask(
            endpoint, "GET", url, params=params, headers=headers, error=error, most_bytes=most_bytes, bodies_of=OK
        )
        refuse_status(endpoint, answer.status, answer.headers, error)
        return answer

    async def ask(
        self,
        endpoint: str,
        method: str,
        url: str,
        *,
        bodies_of: frozenset[int],
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        error: type[FailedHTTPRequest] = FailedHTTPRequest,
        most_bytes: int = JSON_BYTES,
    ) -> Answer:
        """Ask once, whatever the answer's status is; only those of `bodies_of` have a body. Raises `error`."""
        try:
            async with self._route.passage(self._turns) as passage:
                answer = await answers.ask(
                    self._client,
                    method,
                    url,
                    params=dict(params or {}),
                    headers=dict(headers or {}),
                    content=content,
                    extensions=passage.extensions,
                    most_bytes=most_bytes,
                    seconds=self._answer_seconds,
                    bodies_of=bodies_of,
                )
        except ProxyFailed as cause:
            self._requested(endpoint, "error")
            raise error(f"{endpoint}: {cause}", reason=Reason.PROXY, retry_after_seconds=0.0) from cause
        except Unreadable as cause:
            self._requested(endpoint, "error")
            raise error(f"{endpoint}: its answer cannot be read: {cause}", reason=Reason.MALFORMED) from cause
        except answers.NoAnswer as cause:
            self._requested(endpoint, "error")
            reason = Reason.TIMEOUT if cause.late else Reason.NETWORK
            raise error(f"{endpoint}: {cause}", reason=reason) from cause
        self._requested(endpoint, code_class(answer.status))
        return Answer(answer.status, answer.headers, answer.body)


with suppress(ImportError):
    # What httpx stands on would import this within the first request, which holds the loop for 25 ms.
    importlib.import_module("anyio._backends._asyncio")


def client(
    *, user_agent: str, trust_environment: bool, trust: SSLContext | bool = True, proxy: Proxy | None = None
) -> httpx.AsyncClient:
    """Make a client for one route."""
    return answers.client(
        trust=trust,
        at_once=AT_ONCE,
        headers={"User-Agent": user_agent},
        trust_environment=trust_environment,
        proxy=proxy,
    )


def code_class(status: int) -> str:
    """Collapse an HTTP status to the metrics' closed set."""
    if status == 429:
        return "429"
    return f"{status // 100}xx" if 200 <= status < 600 else "error"


def refuse_status(endpoint: str, status: int, headers: httpx.Headers, error: type[FailedHTTPRequest]) -> None:
    """Raise `error` with its reason unless the status is 200 (protocol sheet sections 2.4 and 4.2)."""
    if status == 200:
        return
    if status == 429:
        raise error(
            f"{endpoint}: rate limited",
            reason=Reason.RATE_LIMITED,
            retry_after_seconds=retry_after_seconds(headers.get_list),
        )
    if status in (401, 402) or (status == 403 and endpoint == "sign"):
        raise error(
            f"{endpoint}: answered {status}; the sign server's plan or key does not cover this request",
            reason=Reason.ENTITLEMENT,
            retry_after_seconds=ENTITLEMENT_WAIT_SECONDS,
        )
    reason = Reason.BLOCKED if status == 403 else Reason.STATUS
    raise error(f"{endpoint}: answered {status}", reason=reason)


def retry_after_seconds(values: Callable[[str], Iterable[str]]) -> float:
    """How long a 429 asks us to wait; a minute where it does not say. `values` gives those of a header by its name."""
    stated = stated_wait_seconds(values)
    return stated if stated is not None else UNSTATED_WAIT_SECONDS


def stated_wait_seconds(values: Callable[[str], Iterable[str]]) -> float | None:
    """How long a 429 asks us to wait, between one second and an hour; None where it does not say.

    Looks at Retry-After (seconds, or a date against the answer's own Date, so that our clock does not matter), then
    RateLimit-Reset (seconds). Of several the longest counts. RateLimit-Remaining is no time, though one client reads
    it as one and retries at once.
    """
    after, date, reset = (strangers.header(values(name)) for name in ("retry-after", "date", "ratelimit-reset"))
    waits = (
        strangers.decimal_seconds(after),
        strangers.seconds_between(after, date),
        strangers.decimal_seconds(reset),
    )
    stated = [wait for wait in waits if wait is not None]
    return min(LONGEST_WAIT_SECONDS, max(1.0, *stated)) if stated else None
