"""What a handshake is answered with: TikTok says all of it in headers."""

import re

from websockets.datastructures import Headers
from websockets.http11 import Response

from producer import strangers
from producer.errors import FailedConnection, Reason
from producer.webcast.http import LONGEST_WAIT_SECONDS, retry_after_seconds

REFUSALS = (
    ("DEVICE_BLOCKED", Reason.DEVICE_BLOCKED),
    ("named cookie not present", Reason.NO_COOKIE),
    ("illegal secret key", Reason.UNSIGNED),
    ("illegal app_id", Reason.APP_ID),
)
"""What a refused handshake says, and what of it is meant. Its status is 200, whatever it says."""
BLOCKED_SECONDS = 300.0
DICTATES = frozenset({414, 511, 512})
"""Statuses beside which Handshake-Options says when to come back."""

DEFAULT_HEARTBEAT_SECONDS = 5.0
LONGEST_HEARTBEAT_SECONDS = 60.0


def greeting(response: Response | None) -> str:
    """An accepted handshake, as it may be shown."""
    headers = response.headers if response else Headers()
    answers = ((name, said(headers, name)) for name in ("Handshake-Msg", "Handshake-Options"))
    words = [strangers.shown(f"{name}: {value}") for name, value in answers if value]
    return "; ".join([str(response.status_code if response else 101), *words])


def handshake_refused(status: int, headers: Headers) -> FailedConnection:
    """Read the refusal of a handshake (protocol sheet section 5.2): TikTok says 200 and puts the cause in headers."""
    why = said(headers, "Handshake-Msg")
    words = " ".join(filter(None, (said(headers, "Handshake-Status"), why)))
    detail = f" ({strangers.shown(words, most=80)})" if words else ""
    reason, wait = next((reason for known, reason in REFUSALS if known in why), Reason.HANDSHAKE), None
    if status == 403:
        reason, wait = Reason.BLOCKED, BLOCKED_SECONDS
    elif status == 429:
        reason, wait = Reason.RATE_LIMITED, retry_after_seconds(headers.get_all)
    elif status in DICTATES:
        wait = _read_seconds(said(headers, "Handshake-Options"), "reconnect-interval", most=LONGEST_WAIT_SECONDS)
    message = f"the handshake was answered with {status}{detail}"
    return FailedConnection(message, reason=reason, retry_after_seconds=wait)


def said(headers: Headers, name: str) -> str:
    """The first of a header's values, or nothing; the library's own access raises where it comes twice."""
    return strangers.header(headers.get_all(name)) or ""


def read_heartbeat_seconds(options: str) -> float:
    """Read `ping-interval` out of a Handshake-Options header, in seconds; the default where it makes no sense."""
    return _read_seconds(options, "ping-interval", most=LONGEST_HEARTBEAT_SECONDS) or DEFAULT_HEARTBEAT_SECONDS


def _read_seconds(options: str, wanted: str, *, most: float) -> float | None:
    """Read an interval out of a Handshake-Options header, at least a second; None where it makes no sense."""
    pairs = (option.partition("=") for option in options.split(";"))
    stated = next((value.strip() for name, _, value in pairs if name.strip() == wanted), "")
    seconds = float(stated) if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,5})?", stated) else 0.0
    return seconds if 1.0 <= seconds <= most else None
