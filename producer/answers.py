"""One request over HTTP, and its answer, whole: bounded in time and in size."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from ssl import SSLContext
from typing import Any

import httpx
from socksio import SOCKSError

from producer import bodies, strangers
from producer.proxies import Proxy
from producer.strangers import Unreadable

CONNECT_SECONDS = 5.0
"""How long a connection may take, and once more its TLS."""
FAILURES = (httpx.HTTPError, httpx.InvalidURL, SOCKSError, UnicodeError)
"""What asking ends in, beside a deadline; what a SOCKS proxy says that is none comes through httpx as it is, and what
is wrong with an internationalized name too."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    headers: httpx.Headers
    body: bytes

    def object(self, *, most_values: int = strangers.MOST_VALUES) -> dict[str, Any] | None:
        """The JSON object in it; None where it is none."""
        try:
            return strangers.json_object(self.body, most_bytes=len(self.body), most_values=most_values)
        except Unreadable:
            return None

    def header(self, name: str) -> str | None:
        """The first of a header's values; None where there is none."""
        return strangers.header(self.headers.get_list(name))


class NoAnswer(Exception):
    """Nothing was answered that is HTTP, or not in time; the message quotes nothing of what was asked."""

    def __init__(self, message: str, *, late: bool = False) -> None:
        super().__init__(message)
        self.late = late
        """Whether it might still have come."""


class _NoCookies(CookieJar):
    """Keeps none: what one answer sets must not go out with another's request."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Take none."""


def client(
    *,
    trust: SSLContext | bool,
    at_once: int,
    headers: Mapping[str, str] | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    trust_environment: bool = True,
    proxy: Proxy | None = None,
) -> httpx.AsyncClient:
    """Make a client: it follows no redirect and keeps no cookies.

    `trust_environment`: whether it goes by the environment's proxies, where it is given none.
    """
    trust_proxy = trust if proxy is not None and proxy.is_https and isinstance(trust, SSLContext) else None
    return httpx.AsyncClient(
        verify=trust,
        transport=transport,
        proxy=httpx.Proxy(proxy.url, ssl_context=trust_proxy) if proxy is not None else None,
        cookies=_NoCookies(),
        headers={**(headers or {}), "Accept-Encoding": bodies.ACCEPTED},
        limits=httpx.Limits(max_connections=at_once),
        trust_env=trust_environment,
    )


async def ask(
    web: httpx.AsyncClient,
    method: str,
    url: str,
    *,
    most_bytes: int,
    seconds: float,
    bodies_of: frozenset[int] | None = None,
    auth: tuple[str, str] | None = None,
    **request: Any,
) -> Answer:
    """Ask once. Raises NoAnswer, and Unreadable for an answer that is longer or encoded otherwise than it may be.

    `seconds` is for the whole of it, and each step. `bodies_of`: the statuses whose bodies matter; the others' are left
    unread. `auth` is a name and its password; `request` is httpx's: headers, params, json, data.
    """
    timeout = httpx.Timeout(seconds, connect=min(seconds, CONNECT_SECONDS))
    try:
        async with (
            asyncio.timeout(seconds),
            _sent(web, web.build_request(method, url, timeout=timeout, **request), auth) as response,
        ):
            matters = bodies_of is None or response.status_code in bodies_of
            body = await bodies.read(response, most_bytes=most_bytes) if matters else b""
            return Answer(response.status_code, response.headers, body)
    except httpx.LocalProtocolError:
        raise NoAnswer("LocalProtocolError") from None  # it quotes the header that is not as it should be
    except TimeoutError:
        raise NoAnswer(f"no whole answer within {seconds:g} s", late=True) from None
    except FAILURES as cause:
        late = isinstance(cause, httpx.TimeoutException)
        raise NoAnswer(strangers.shown(f"{type(cause).__name__} {cause}".rstrip()), late=late) from cause


@asynccontextmanager
async def _sent(
    web: httpx.AsyncClient, request: httpx.Request, auth: tuple[str, str] | None
) -> AsyncIterator[httpx.Response]:
    try:
        response = await web.send(request, auth=auth, stream=True)
    except AttributeError as cause:
        # anyio's: it asks a connection of uvloop's that the other side has reset meanwhile for its socket.
        raise httpx.ConnectError("reset at once", request=request) from cause
    try:
        yield response
    finally:
        await response.aclose()
