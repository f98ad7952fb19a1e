"""What a broker of sockets says, in either of two contracts: a lease, or why there is none; pure.

Ours is docs/lease.schema.json. The other is that of a browser farm on record. Facts: doors sheet section 1d.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from producer import strangers
from producer.errors import FailedConnection, FailedHTTPRequest, Reason
from producer.strangers import URL, Unreadable
from producer.webcast.http import ENTITLEMENT_WAIT_SECONDS, LONGEST_WAIT_SECONDS, Answer, stated_wait_seconds
from producer.webcast.room import RoomId

NONE_WARM_SECONDS = 30.0
"""How long a broker without a socket to give is left alone, where it does not say."""
TARGET = frozenset({"compress", "cursor", "internal_ext", "room_id"})
"""What of a leased URL's query is about the room that it was made for. The rest is who one is: without it TikTok
refuses."""
SPEECH = ("enters", "heartbeats", "acknowledges")
"""What we do on a socket. A broker can say of each that it is waited for; we know no way to leave one out."""
MOST_HEADERS = 20
OURS = frozenset(
    {"connection", "content-length", "cookie", "host", "origin", "transfer-encoding", "upgrade", "user-agent"}
)
"""Headers of the handshake that are not the broker's to add."""
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_VALUE = re.compile(r"[\x21-\x7E]([\x20-\x7E]{0,998}[\x21-\x7E])?")


@dataclass(frozen=True, slots=True)
class Lease:
    """Somebody's way to a socket."""

    url: URL
    cookie: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    """Further headers of the handshake, the user agent among them."""
    issued_at: float | None
    """Seconds since 1970; None where the broker does not say."""
    expires_at: float | None
    any_room: bool
    """Whether it opens sockets to any room, or to the one that was asked for alone."""


def request(room_id: RoomId, unique_id: str) -> bytes:
    """What a broker is asked, in our contract."""
    return json.dumps({"version": 1, "room_id": str(room_id), "unique_id": unique_id}).encode()


def read_lease(body: bytes) -> Lease:
    """Read a lease in our contract. Raises FailedConnection naming what is wrong with it."""
    said = _object(body, "version", "url", "user_agent", "issued_at_ms", "expires_at_ms")
    if strangers.integer(said["version"]) != 1:
        raise _refused("its version is not 1")
    speech = said.get("speech", {})
    if not isinstance(speech, dict) or any(speech.get(each, True) is not True for each in SPEECH):
        raise _refused("its speech is not that of a client, which is the one we know")
    rooms = said.get("rooms", "one")
    if rooms not in ("one", "any"):
        raise _refused("its rooms are neither 'one' nor 'any'")
    return Lease(
        _url(said["url"]),
        cookie=_cookie(said["cookie"]) if "cookie" in said else "",
        headers=_headers(said.get("headers", {})) | {"User-Agent": _value(said["user_agent"], "user_agent")},
        issued_at=_seconds(said["issued_at_ms"], "issued_at_ms"),
        expires_at=_seconds(said["expires_at_ms"], "expires_at_ms"),
        any_room=rooms == "any",
    )


def read_session(body: bytes) -> Lease:
    """Read a lease in the contract of `GET /v1/session`. Raises FailedConnection naming what is wrong with it."""
    said = _object(body, "wsUrl", "cookieHeader", "userAgent")
    captured = said.get("capturedAt")
    return Lease(
        _url(said["wsUrl"]),
        cookie=_cookie(said["cookieHeader"]),
        headers={"User-Agent": _value(said["userAgent"], "userAgent")},
        issued_at=_seconds(captured, "capturedAt") if captured is not None else None,
        expires_at=None,
        any_room=True,
    )


def read_broker_refusal(answer: Answer) -> None:
    """Raise FailedHTTPRequest unless an answer's status is 200; its reason is what the broker means."""
    if answer.status == 200:
        return
    error = (answer.object() or {}).get("error")
    said = strangers.at(error)
    code = strangers.text(error if isinstance(error, str) else said.get("code")) or ""
    words = ": ".join(filter(None, (code, strangers.text(said.get("message")))))
    problem = f"lease: the broker answered {answer.status}" + (f" ({strangers.shown(words, most=80)})" if words else "")
    asked_ms = strangers.integer(said.get("retry_after_ms"), least=1)
    wait = asked_ms / 1000 if asked_ms is not None else stated_wait_seconds(answer.headers.get_list)
    if code == "room_offline":
        raise FailedHTTPRequest(problem, reason=Reason.OFFLINE)
    if answer.status in (401, 403, 404) or said.get("retryable") is False:
        reason, usual = Reason.CREDENTIALS, ENTITLEMENT_WAIT_SECONDS
        problem += "; look at PRODUCER_LEASE_URL, PRODUCER_LEASE_CONTRACT and PRODUCER_LEASE_TOKEN_FILE"
    else:
        reason = Reason.RATE_LIMITED if answer.status == 429 else Reason.STATUS
        usual = NONE_WARM_SECONDS
    seconds = min(LONGEST_WAIT_SECONDS, max(1.0, wait if wait is not None else usual))
    raise FailedHTTPRequest(problem, reason=reason, retry_after_seconds=seconds)


def socket_url(lease: Lease, room_id: RoomId) -> URL:
    """A lease's URL for a room. Raises FailedConnection where it would be too long.

    What is kept of the query stays as it is spelt: it may be signed.
    """
    base, _, query = lease.url.text.partition("?")
    kept = [each for each in query.split("&") if each and unquote(each.partition("=")[0]) not in TARGET]
    try:
        return strangers.url("?".join((base, "&".join((*kept, f"room_id={room_id}", "cursor=0")))))
    except Unreadable as cause:
        raise _refused(f"its URL: {cause}") from cause


def _object(body: bytes, *required: str) -> dict[str, Any]:
    try:
        said = strangers.json_object(body, most_bytes=len(body))
    except Unreadable as cause:
        raise _refused(str(cause)) from cause
    if missing := [name for name in required if name not in said]:
        raise _refused(f"it has no {', '.join(missing)}")
    return said


def _url(value: object) -> URL:
    try:
        url = strangers.url(value)
    except Unreadable as cause:
        raise _refused(f"its URL: {cause}") from cause
    if url.scheme not in ("ws", "wss"):
        raise _refused("its URL is none of a WebSocket")
    return url


def _cookie(value: object) -> str:
    cookie = strangers.cookie_header(value) if isinstance(value, str) else None
    if cookie is None:
        raise _refused("its cookie can be no header's value")
    return cookie


def _value(value: object, name: str) -> str:
    if not isinstance(value, str) or not _VALUE.fullmatch(value):
        raise _refused(f"its {name} can be no header's value")
    return value


def _headers(value: object) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > MOST_HEADERS:
        raise _refused(f"its headers are no object of at most {MOST_HEADERS}")
    for name in value:
        if not _NAME.fullmatch(name) or name.lower() in OURS or name.lower().startswith(("proxy-", "sec-")):
            raise _refused("it has a header that is not for a broker to set")
    return {name: _value(text, "header") for name, text in value.items()}


def _seconds(value: object, name: str) -> float:
    milliseconds = strangers.integer(value, least=0)
    if milliseconds is None:
        raise _refused(f"its {name} is no time in milliseconds since 1970")
    return milliseconds / 1000


def _refused(problem: str) -> FailedConnection:
    return FailedConnection(f"the broker's lease cannot be used: {problem}", reason=Reason.MALFORMED)
