"""One request over HTTP to a server that an operator named, and its answer, whole: bounded in time and in size."""

import asyncio
from dataclasses import dataclass
from http.cookiejar import CookieJar
from ssl import SSLContext
from typing import Any

import httpx
from socksio import SOCKSError

from producer import bodies, strangers
from producer.strangers import Unreadable

FAILURES = (httpx.HTTPError, httpx.InvalidURL, SOCKSError)
"""What asking ends in, beside a deadline; what a SOCKS proxy says that is none comes through httpx as it is."""


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


class _NoCookies(CookieJar):
    """Keeps none."""

    def extract_cookies(self, response: object, request: object) -> None:
        """Take none."""


def client(
    *, trust: SSLContext | bool, at_once: int, transport: httpx.AsyncBaseTransport | None = None, **more: Any
) -> httpx.AsyncClient:
    """Make a client: it follows no redirect, keeps no cookies, and goes by the environment's proxies."""
    return httpx.AsyncClient(
        verify=trust,
        transport=transport,
        cookies=_NoCookies(),
        headers={"Accept-Encoding": bodies.ACCEPTED},
        limits=httpx.Limits(max_connections=at_once),
        **more,
    )


async def ask(
    web: httpx.AsyncClient, method: str, url: str, *, most_bytes: int, seconds: float, **request: Any
) -> Answer:
    """Ask once. Raises NoAnswer, and Unreadable for an answer that is longer or encoded otherwise than it may be.

    `seconds` is for the whole of it, and each step; `request` is httpx's: headers, json, data, auth.
    """
    try:
        async with (
            asyncio.timeout(seconds),
            web.stream(method, url, timeout=seconds, **request) as response,
        ):
            return Answer(response.status_code, response.headers, await bodies.read(response, most_bytes=most_bytes))
    except httpx.LocalProtocolError:
        raise NoAnswer("LocalProtocolError") from None  # it quotes the header that is not as it should be
    except TimeoutError:
        raise NoAnswer(f"no whole answer within {seconds:g} s") from None
    except FAILURES as cause:
        raise NoAnswer(strangers.shown(f"{type(cause).__name__} {cause}".rstrip())) from cause
