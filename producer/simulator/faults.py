"""Named misbehaviours, each counting how often it happened; pure."""

import re
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

SPEC = re.compile(r"(?P<name>\w+)(?:/(?P<door>\w+))?(?:@(?P<room>[\w.]+))?(?::(?P<times>\d+))?")


class Fault(StrEnum):
    """What can be made to go wrong."""

    SITE_CHALLENGE = "site_challenge"
    SITE_NO_COOKIE = "site_no_cookie"
    SITE_REDIRECT = "site_redirect"
    SITE_RATE_LIMITED = "site_rate_limited"
    REGISTER_REFUSED = "register_refused"
    REGISTER_RATE_LIMITED = "register_rate_limited"
    REGISTER_RATE_LIMITED_UNTOLD = "register_rate_limited_untold"
    REGISTER_NO_COOKIE = "register_no_cookie"
    REGISTER_CHALLENGE = "register_challenge"
    PAGE_CAPTCHA = "page_captcha"
    PAGE_NOT_JSON = "page_not_json"
    PAGE_NOT_FOUND = "page_not_found"
    API_USER_NOT_FOUND = "api_user_not_found"
    API_BLOCKED = "api_blocked"
    API_EMPTY = "api_empty"
    API_NO_BODY = "api_no_body"
    API_CHALLENGE = "api_challenge"
    API_RESTRICTED = "api_restricted"
    API_PARAMETERS = "api_parameters"
    API_OTHER_USER = "api_other_user"
    RENAMED = "renamed"
    SIGN_RATE_LIMITED = "sign_rate_limited"
    SIGN_NO_COOKIE = "sign_no_cookie"
    SIGN_EMPTY = "sign_empty"
    SIGN_ERROR = "sign_error"
    SIGN_RATE_LIMITED_IN_BODY = "sign_rate_limited_in_body"
    SIGN_SHEDS_LOAD = "sign_sheds_load"
    SIGN_STUB = "sign_stub"
    SIGN_EMPTY_RESPONSE = "sign_empty_response"
    SIGN_NOT_READY = "sign_not_ready"
    SIGN_OFFLINE = "sign_offline"
    SIGN_BLOCKED = "sign_blocked"
    HANDSHAKE_DEVICE_BLOCKED = "handshake_device_blocked"
    HANDSHAKE_REJECTED = "handshake_rejected"
    HANDSHAKE_NO_COOKIE = "handshake_no_cookie"
    HANDSHAKE_ILLEGAL_APP = "handshake_illegal_app"
    HANDSHAKE_FLAP = "handshake_flap"
    HANDSHAKE_BAD_REQUEST = "handshake_bad_request"
    HANDSHAKE_FORBIDDEN = "handshake_forbidden"
    HANDSHAKE_RATE_LIMITED = "handshake_rate_limited"
    HANDSHAKE_DICTATES = "handshake_dictates"
    GATEWAY_INTERNAL = "gateway_internal"
    GATEWAY_OPTIONS = "gateway_options"
    GATEWAY_CREDENTIALS = "gateway_credentials"
    GATEWAY_OTHER_STREAMERS = "gateway_other_streamers"
    GATEWAY_OFFLINE = "gateway_offline"
    GATEWAY_TOO_MANY = "gateway_too_many"
    GATEWAY_FETCH_FAILED = "gateway_fetch_failed"
    GATEWAY_ROOM_INFO_FAILED = "gateway_room_info_failed"
    GATEWAY_ENDED = "gateway_ended"
    GATEWAY_SILENT = "gateway_silent"
    GATEWAY_UPSTREAM_CLOSED = "gateway_upstream_closed"
    GATEWAY_LIFETIME = "gateway_lifetime"
    ENTER_DEAD = "enter_dead"
    ENTER_DEAF = "enter_deaf"
    ENTER_MESSAGES = "enter_messages"
    ENTER_NO_DIRECT = "enter_no_direct"
    ENTER_NO_ECHOES = "enter_no_echoes"
    DROP = "drop"
    CLOSE_INTERNAL = "close_internal"
    CLOSE_SERVER = "close_server"
    CLOSE_SERVER_ERROR = "close_server_error"
    CLOSE_FRAME = "close_frame"
    CLOSE_FRAME_NO_DIRECT = "close_frame_no_direct"
    ACCESS_CONTROL = "access_control"
    ROOM_VERIFY = "room_verify"
    OTHER_ROOM = "other_room"
    SILENCE = "silence"
    DUPLICATE = "duplicate"
    TRUNCATED_FRAME = "truncated_frame"
    RANDOM_FRAME = "random_frame"
    TEXT_FRAME = "text_frame"
    GZIP_BOMB = "gzip_bomb"
    GZIP_GARBAGE = "gzip_garbage"
    UNKNOWN_COMPRESSION = "unknown_compression"
    EMPTY_BATCH = "empty_batch"
    CUT_PAYLOAD = "cut_payload"
    CUT_ENVELOPE = "cut_envelope"
    UNKNOWN_METHOD = "unknown_method"


AT_ENTRY = tuple(fault for fault in Fault if fault.name.startswith("ENTER_"))
"""Those that befall a socket from its first frame on."""
IN_STREAM = tuple(Fault)[list(Fault).index(Fault.DROP) :]
"""Those that happen to an open socket."""


@dataclass(slots=True)
class _Plan:
    fault: Fault
    door: str | None
    room: str | None
    left: int


class Faults:
    """What is to go wrong, where, and how many times more."""

    def __init__(self, specs: Iterable[str] = ()) -> None:
        """Each spec is NAME, and behind it /DOOR, @STREAMER and :TIMES, each optional. Raises ValueError."""
        self.fired: Counter[Fault] = Counter()
        self.plan(specs)

    def plan(self, specs: Iterable[str]) -> None:
        """Let these go wrong, in the place of what was planned. Raises ValueError, and changes nothing then."""
        self._plans = [_parse(spec) for spec in specs]

    def fires(self, fault: Fault, room: str, door: str | None = None) -> bool:
        """Whether a fault is due in a room now, and at a door; if so it counts as having happened."""
        for plan in self._plans:
            if plan.fault is fault and plan.left and plan.room in (None, room) and plan.door in (None, door):
                plan.left -= 1
                self.fired[fault] += 1
                return True
        return False


def _parse(spec: str) -> _Plan:
    match = SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(f"{spec!r} is no fault: write NAME, or NAME/DOOR@STREAMER:TIMES without some of these")
    if match["name"] not in tuple(Fault):
        raise ValueError(f"{match['name']!r} is no fault; there are {', '.join(Fault)}")
    return _Plan(Fault(match["name"]), match["door"], match["room"], int(match["times"] or 1))


def bomb(*, inflated_bytes: int) -> bytes:
    """A gzip stream, about a thousandth of what it inflates to: one block of zeros, flushed so that it can be repeated.

    It lacks its trailer, which whoever bounds the output never comes to.
    """
    block = bytes(64 * 1024 * 1024)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    first = deflate.compress(block) + deflate.flush(zlib.Z_FULL_FLUSH)
    times = -(-inflated_bytes // len(block))
    return b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff" + first * times
