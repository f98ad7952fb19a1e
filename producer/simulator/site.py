"""The web site, which makes visitors of whoever comes, and the handshakes that turn visitors away.

Facts: doors sheet sections 0 (2 to 5), 1a, and 6, rows 1 to 13.
"""

import json
import re
import time
from collections.abc import Callable

from websockets.datastructures import Headers

from producer.simulator import pages, posts
from producer.simulator.faults import Fault
from producer.simulator.pages import Page

PAGES = re.compile(r"/(live|explore|en/|@[^/]+)?")
"""Those that make a visitor of whoever comes."""
REGISTER_PATH = "/ttwid/register/"
FORM = "application/x-www-form-urlencoded"
TTWID = re.compile(r"(?:^|;\s*)ttwid=[^;\s]")
HANDSHAKES = {
    Fault.HANDSHAKE_DEVICE_BLOCKED: pages.refused(415, "DEVICE_BLOCKED"),
    Fault.HANDSHAKE_REJECTED: pages.refused(417, "illegal secret key"),
    Fault.HANDSHAKE_NO_COOKIE: pages.refused(417, "http: named cookie not present"),
    Fault.HANDSHAKE_ILLEGAL_APP: pages.refused(417, "illegal app_id"),
    Fault.HANDSHAKE_FLAP: Page(200, b"", "text/plain"),
    Fault.HANDSHAKE_BAD_REQUEST: Page(400, b"", "text/plain"),
    Fault.HANDSHAKE_FORBIDDEN: Page(403, b"", "text/plain"),
    Fault.HANDSHAKE_RATE_LIMITED: Page(429, b"", "text/plain", {"Retry-After": "15"}),
    Fault.HANDSHAKE_DICTATES: Page(511, b"", "text/plain", {"Handshake-Options": "reconnect-interval=2"}),
}
"""How a handshake is refused."""


class Site:
    """What of the service knows no streamer."""

    def __init__(self, fires: Callable[[Fault], bool]) -> None:
        self._fires = fires
        self._visitors = 0
        """Cookies that were issued."""

    def page(self) -> Page:
        """One of its pages."""
        if self._fires(Fault.SITE_CHALLENGE):
            return pages.challenge()
        if self._fires(Fault.SITE_NO_COOKIE):
            return pages.site_without_cookie()
        if self._fires(Fault.SITE_RATE_LIMITED):
            return pages.too_many()
        if self._fires(Fault.SITE_REDIRECT):
            return pages.site_redirect(self._next(), now=int(time.time()))
        return pages.site(self._next(), now=int(time.time()))

    def register(self, headers: Headers) -> Page:
        """The answer to who registers as a visitor."""
        if self._fires(Fault.REGISTER_RATE_LIMITED):
            return pages.too_many(Retry_After="2")
        if self._fires(Fault.REGISTER_RATE_LIMITED_UNTOLD):
            return pages.too_many()
        if self._fires(Fault.REGISTER_CHALLENGE):
            return pages.challenge()
        if self._fires(Fault.REGISTER_REFUSED) or not _registers(headers):
            return pages.not_registered()
        if self._fires(Fault.REGISTER_NO_COOKIE):
            return pages.registered()
        return pages.registered(pages.ttwid(self._next(), now=int(time.time())))

    def _next(self) -> int:
        self._visitors += 1
        return self._visitors


def handshake(headers: Headers, fires: Callable[[Fault], bool]) -> Page | None:
    """The refusal of a socket to a room that is live; None lets it open."""
    if not headers.get("User-Agent"):
        return HANDSHAKES[Fault.HANDSHAKE_DEVICE_BLOCKED]
    if not TTWID.search(headers.get("Cookie", "")):
        return HANDSHAKES[Fault.HANDSHAKE_NO_COOKIE]
    return next((page for fault, page in HANDSHAKES.items() if fires(fault)), None)


def _registers(headers: Headers) -> bool:
    """Whether a request to register is as a browser makes it."""
    if posts.method(headers) != "POST" or headers.get("Content-Type") != FORM:
        return False
    try:
        said = json.loads(posts.body(headers))
    except ValueError:
        return False
    return bool(headers.get("User-Agent")) and bool(headers.get("Origin")) and said == pages.REGISTRATION
