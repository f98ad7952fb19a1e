"""The door of a sign server: it signs an address, and sends a room's first messages along.

Facts: protocol sheet sections 4 (sign server), 5.1 (URL); doors sheet sections 1b and 6, rows 21 to 24.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from producer import secret_files, strangers
from producer.errors import FailedConnection, FailedHTTPRequest, ProducerError, Reason
from producer.strangers import Unreadable
from producer.webcast import frames
from producer.webcast.doors.contract import Address
from producer.webcast.doors.hold import Hold
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.doors.queue import Queue
from producer.webcast.http import (
    HTTP,
    LONGEST_WAIT_SECONDS,
    UNSTATED_WAIT_SECONDS,
    Answer,
    refuse_status,
    stated_wait_seconds,
)
from producer.webcast.logins import Login
from producer.webcast.room import RoomId
from producer.webcast.upstream import Upstream, socket_parameters

BODIES_OF = frozenset({200, 403, 420, 429, 500, 503})
"""Statuses whose bodies say what is meant."""
KNOWN = (
    ("API is not ready for connections yet", Reason.SWITCHED_OFF, 60.0),
    ("Offline due to", Reason.SWITCHED_OFF, 300.0),
    ("This ISP is blocked", Reason.BLOCKED, LONGEST_WAIT_SECONDS),
    ("A 403 error occurred", Reason.STATUS, None),
    ("Empty response payload received", Reason.INCOMPLETE, None),
)
"""Words of the refusals on record, what each means, and how long nobody asks again; None: this room alone backs off."""
WINDOWS = ("minute", "hour", "day")
"""Those that a quota has."""
FALLBACK = "ws-fallback."
"""How the host begins that a sign server names while it has nothing signed to give: a proxy of its own."""


class Signed:
    """Ask a sign server for a signed socket and the first batch (GET {sign}/webcast/fetch)."""

    name = "sign"

    def __init__(
        self,
        http: HTTP,
        upstream: Upstream,
        *,
        sign_url: str,
        api_key_file: Path | None,
        user_agent: str,
        queue: Queue,
        clock: Callable[[], float],
    ) -> None:
        """`queue`: where rooms wait, one for the whole worker, since a 429 is about the key and not about a room."""
        self._http = http
        self._upstream = upstream
        self._sign_url = sign_url.rstrip("/")
        self._api_key_file = api_key_file
        self._user_agent = user_agent
        self._queue = queue
        self._clock = clock
        self._hold = Hold()
        """While the sign server asked to be left alone, or does not take the key."""
        self._refused_key: str | None = None

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        """Obtain a signed address. What is signed for a session is refused without it.

        Raises FailedHTTPRequest, FailedConnection where the answer lacks a part or leads elsewhere, or SecretUnusable.
        """
        self._check_hold(self._key())
        async with self._queue.turn(rank):
            key = self._key()  # each time, since it rotates
            answer = await self._call(room_id, key, login)
            self._heed(answer, key)
        address = read_sign_answer(answer.body, answer.header("x-set-tt-cookie"), room_id, self._user_agent)
        self._check(address)
        return address if login is None else self._logged_in(address, login)

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None:
        """Nothing follows for the next address: each is signed anew."""

    def _key(self) -> str | None:
        return secret_files.read(self._api_key_file) if self._api_key_file else None

    async def _call(self, room_id: RoomId, key: str | None, login: Login | None) -> Answer:
        return await self._http.ask(
            "sign",
            "GET",
            f"{self._sign_url}/webcast/fetch",
            params={
                "client": "tiktok-live-producer",
                "client_enter": "true",
                "platform": "web",
                "room_id": str(room_id),
                "user_agent": self._user_agent,
            },
            headers=({"X-Api-Key": key} if key else {}) | ({"X-Cookie-Header": login.pair} if login else {}),
            bodies_of=BODIES_OF,
        )

    def _heed(self, answer: Answer, key: str | None) -> None:
        """Raise what a refusal means, once it holds all whom it is about: before the next one may call."""
        try:
            read_sign_refusal(answer)
        except FailedHTTPRequest as refusal:
            if (wait := refusal.retry_after_seconds) is not None:
                self._hold.begin(refusal, wait, self._clock())
                if refusal.reason is Reason.ENTITLEMENT:
                    self._refused_key, refusal.retry_after_seconds = key, None
                else:
                    self._queue.hold(wait)
            raise

    def _check_hold(self, key: str | None) -> None:
        """Raise what holds us back. Another key than the one that was refused is tried at once."""
        refusal = self._hold.refusal(self._clock())
        if refusal is not None and refusal.reason is Reason.ENTITLEMENT:
            if key != self._refused_key:
                self._hold.end()
                return
            refusal.retry_after_seconds = None  # whoever tries the door in a minute has the key looked at again
        if refusal is not None:
            raise refusal

    def _logged_in(self, address: Address, login: Login) -> Address:
        if not self._upstream.is_own(address.url):
            problem = f"the sign server names {address.url.host!r}, which is none of the hosts that are shown a session"
            raise FailedConnection(problem, reason=Reason.LOGIN)
        return replace(address, cookie=f"{address.cookie}; {login.cookie}", logged_in=True)

    def _check(self, address: Address) -> None:
        try:
            self._upstream.check_socket(address.url)
        except FailedConnection as refused:
            if not address.url.host.startswith(FALLBACK):
                raise
            raise FailedConnection(
                f"the sign server has nothing signed to give: it names its fallback, {address.url.host!r}, which is "
                "not on the allow-list",
                reason=refused.reason,
            ) from None


def read_sign_refusal(answer: Answer) -> None:
    """Raise FailedHTTPRequest unless an answer's status is 200; its reason is what the sign server means."""
    if answer.status == 200:
        return
    said = answer.object() or {}
    words = strangers.text(said.get("message")) or strangers.text(said.get("error")) or ""
    detail = f": {strangers.shown(words, most=80)}" if words else ""
    if answer.status == 429:
        shedding = " (load shedding)" if strangers.at(said, "load_shedding") else ""
        raise FailedHTTPRequest(
            f"sign: rate limited{shedding}{detail}",
            reason=Reason.RATE_LIMITED,
            retry_after_seconds=_quota_wait_seconds(answer, said),
        )
    for known, reason, wait in KNOWN:
        if known in words:
            problem = f"sign: answered {answer.status}{detail}"
            raise FailedHTTPRequest(problem, reason=reason, retry_after_seconds=wait)
    refuse_status("sign", answer.status, answer.headers, FailedHTTPRequest)


def _quota_wait_seconds(answer: Answer, said: dict[str, Any]) -> float:
    """How long a 429 asks us to wait.

    By its usual headers; else by the moment when the quota is renewed, in a header, or in the body for each window that
    is used up.
    """
    stated = stated_wait_seconds(answer.headers.get_list)
    if stated is not None:
        return stated
    windows = [strangers.at(said, name) for name in WINDOWS]
    moments = [
        answer.header("x-ratelimit-reset"),
        *(each.get("reset_at") for each in windows if not each.get("remaining")),
    ]
    waits = [strangers.seconds_after(answer.header("date"), moment) for moment in moments]
    known = [wait for wait in waits if wait is not None]
    return min(LONGEST_WAIT_SECONDS, max(1.0, *known)) if known else UNSTATED_WAIT_SECONDS


def read_sign_answer(body: bytes, cookie: str | None, room_id: RoomId, user_agent: str) -> Address:
    """Make an address out of a sign server's answer. Raises FailedConnection naming the part that is missing."""
    try:
        batch = frames.parse_batch(body)
    except frames.FrameRefused as refused:
        raise FailedConnection("the sign server's answer is not a batch", reason=Reason.MALFORMED) from refused
    cookie = strangers.cookie_header(cookie)
    try:
        server = strangers.url(batch.push_server) if batch.push_server else None
    except Unreadable as cause:
        raise _no_url(cause) from cause
    fallback = server is not None and server.host.startswith(FALLBACK)
    parts = {
        "cookie (X-Set-TT-Cookie)": cookie,
        "cursor": batch.cursor,
        "push server": batch.push_server,
        "route parameters": batch.route_params,
    }
    missing = [name for name, value in parts.items() if not value and not fallback]
    if server is None or missing:
        raise FailedConnection(f"the sign server's answer lacks: {', '.join(missing)}", reason=Reason.INCOMPLETE)
    parameters = (
        socket_parameters(room_id, user_agent)
        | {
            "cursor": batch.cursor,
            "internal_ext": batch.internal_ext.decode(errors="replace"),
            "ws_direct": "0",
        }
        | dict(batch.route_params)
    )
    # A blank as %20: a plus sign is one only to who reads the query as a form.
    query = urlencode(parameters, quote_via=quote)
    try:
        url = strangers.url(f"{server.text}{'&' if server.query else '?'}{query}")
    except Unreadable as cause:
        raise _no_url(cause) from cause
    # The fallback's answer carries a note about itself, and nothing of the room.
    first_batch = None if fallback else batch
    return Address(url, cookie=cookie or "", door=Signed.name, cursor=batch.cursor, first_batch=first_batch)


def _no_url(cause: Unreadable) -> FailedConnection:
    problem = f"the sign server's push server is no URL to follow: {cause}"
    return FailedConnection(problem, reason=Reason.MALFORMED)
