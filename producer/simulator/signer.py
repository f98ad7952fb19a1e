"""The sign server: signed sockets, signed URLs, and what is on record of how it refuses them.

Facts: protocol sheet section 4; doors sheet sections 1b and 6, rows 21 to 24.
"""

import json
import time
from collections.abc import Callable
from email.utils import formatdate

from websockets.datastructures import Headers

from producer.simulator import pages, posts
from producer.simulator.faults import Fault
from producer.simulator.pages import Page
from producer.simulator.quota import Quota
from producer.simulator.room import Room
from producer.simulator.truth import Truth

SIGN_PATHS = frozenset({"/webcast/sign_url", "/tiktok/sign_url"})
QUOTA_SECONDS = 2
REFUSALS = {
    Fault.SIGN_ERROR: pages.sign_refused(500, "A 403 error occurred whilst fetching the webcast URL."),
    Fault.SIGN_EMPTY_RESPONSE: pages.sign_refused(500, "Empty response payload received! (Internal Code: 200)"),
    Fault.SIGN_NOT_READY: pages.sign_refused(503, "API is not ready for connections yet."),
    Fault.SIGN_OFFLINE: pages.of_json({"error": "Offline due to DDoS attack."}, 420),
    Fault.SIGN_BLOCKED: pages.sign_refused(403, "This ISP is blocked from using the sign server."),
    Fault.SIGN_EMPTY: Page(200, b"", "application/protobuf", {"X-Set-TT-Cookie": "ttwid=1"}),
    Fault.SIGN_STUB: pages.sign_stub(),
}
"""How a room is refused, whoever asks."""


class Signer:
    """What a client asks for an address."""

    def __init__(self, fires: Callable[[Fault, str], bool], truth: Truth, quota: Quota | None = None) -> None:
        self._fires = fires
        self._quota = quota
        self._truth = truth

    def connect(self, room: Room | None, push_server: str) -> Page:
        """The answer to who asks for a room's socket; None is a room that is not live."""
        if room is None:
            return pages.sign_refused(500, "the webcast URL could not be fetched")
        if self._quota is not None:
            wait = self._quota.called(time.monotonic())
            self._truth.write("called", room.unique_id, room.last_room_id, refused=wait is not None)
            if wait is not None:
                return self._quota.page(wait, wall=time.time())
        if (limited := self._limited(room.unique_id)) is not None:
            return limited
        if (fault := next((each for each in REFUSALS if self._fires(each, room.unique_id)), None)) is not None:
            return REFUSALS[fault]
        cookie = not self._fires(Fault.SIGN_NO_COOKIE, room.unique_id)
        history = [message.envelope(history=True) for message in room.history]
        if cookie:  # or the client cannot use what comes with it
            for message in room.history:
                self._truth.message(room.unique_id, room.last_room_id, message, sockets=1, history=True)
        return pages.signed(push_server, room.last_room_id, history, now=int(time.time() * 1000), cookie=cookie)

    def _limited(self, unique_id: str) -> Page | None:
        now = time.time()
        if self._fires(Fault.SIGN_RATE_LIMITED, unique_id):
            said = {"message": "Too many connections", "limit_label": "minute"}
            return pages.of_json(said, 429, Retry_After=str(QUOTA_SECONDS), RateLimit_Remaining="0")
        if self._fires(Fault.SIGN_RATE_LIMITED_IN_BODY, unique_id):
            return pages.quota_used_up(now=formatdate(now, usegmt=True), reset_at=now + QUOTA_SECONDS)
        if self._fires(Fault.SIGN_SHEDS_LOAD, unique_id):
            return pages.sheds_load()
        return None


def sign_url(headers: Headers) -> Page:
    """The answer to who wants a URL signed, in either of the two forms that clients ask in."""
    try:
        asked = json.loads(posts.body(headers))
        url = asked["url"]
    except (KeyError, TypeError, ValueError):
        url = None
    if posts.method(headers) != "POST" or not isinstance(url, str):
        return pages.of_json({"code": 400, "message": "no URL to sign"}, 400)
    return pages.signed_url(url, str(asked.get("userAgent", "")))
