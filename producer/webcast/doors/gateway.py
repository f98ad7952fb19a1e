"""The door of a gateway: somebody watches the room, and passes TikTok's frames on to us as they are.

Facts: doors sheet section 1e, and section 6, rows 27 and 28. It signs and acknowledges by itself, so nothing is sent to
it but the streamer's name and the key, and the streamer's session where the operator says so.
"""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from urllib.parse import urlencode

from producer import logs, secret_files, strangers
from producer.errors import FailedConnection, FailedRoomPolling, LiveEnded, LiveNotFound, ProducerError, Reason
from producer.strangers import Unreadable
from producer.webcast.doors.contract import Address, Manners
from producer.webcast.doors.hold import Hold
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.logins import Login
from producer.webcast.room import RoomId

MANNERS = Manners(enters=False, heartbeats=False, acknowledges=False)
HOLD_SECONDS = 60.0
"""How long nobody asks again after "too many", or "too fast": it does not say how long."""
SAID_BYTES = 256 * 1024
SAID_VALUES = 20_000
"""Of what it says of its own; anything longer is told apart no further."""


class Aside(StrEnum):
    """What it says of its own; the metrics' `kind` label."""

    WORKER_INFO = "worker_info"
    ROOM_INFO = "room_info"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    DECODED = "decoded"
    """A message of the room that it has read itself, as JSON."""
    ENVELOPE = "envelope"
    """An envelope of its own, in protobuf."""
    OTHER = "other"


KINDS = {
    "workerInfo": Aside.WORKER_INFO,
    "roomInfo": Aside.ROOM_INFO,
    "tiktok.connect": Aside.CONNECTED,
    "tiktok.disconnect": Aside.DISCONNECTED,
    "tiktok.rawBytes": Aside.DECODED,
}
ENVELOPE_BEGINS = (b"\x0a", b"\x12", b"\x1a", b"\x22")
"""Fields 1 to 4 with a length: all parts of an envelope are messages, and in a frame of TikTok's these are numbers."""
CREDENTIALS = {
    4400: "it takes an option for wrong",
    4401: "it does not know the key",
    4403: "the token is not for this streamer",
}
FAILED = {
    1011: "it failed",
    4556: "it was given no way into the room",
    4557: "it could not look the room up",
}


class Gateway:
    """Ask for a streamer's frames by name."""

    name = "gateway"

    def __init__(
        self,
        *,
        url: str,
        raw_option: str,
        key_file: Path | None,
        jwt_file: Path | None,
        said: Callable[[str], None],
        clock: Callable[[], float],
    ) -> None:
        """`url` is the operator's word, so it is followed wherever it leads; `said` is told each kind of aside."""
        base = strangers.url(url).text.rstrip("/")
        self._url = base if base.count("/") > 2 else f"{base}/"
        self._raw_option = raw_option
        self._key_file = key_file
        self._jwt_file = jwt_file
        self._said = said
        self._clock = clock
        self._hold = Hold()
        self._warned = False

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        """Make an address. Raises SecretUnusable, or FailedConnection while the gateway holds us back."""
        self._hold.check(self._clock())
        session = {} if login is None else {"xCookieHeader": login.pair}
        query = urlencode({"uniqueId": streamer, **self._secret(), self._raw_option: "true", **session})
        try:
            url = strangers.url(f"{self._url}?{query}")
        except Unreadable:  # not as the cause: nothing of the URL may be shown
            raise FailedConnection("the gateway's key makes no URL", reason=Reason.CREDENTIALS) from None
        logged_in = login is not None
        return Address(url, cookie="", door=self.name, logged_in=logged_in, manners=MANNERS, between=self)

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None:
        """Let no room ask for a while once one was too many."""
        if error.reason is Reason.RATE_LIMITED:
            wait = HOLD_SECONDS if error.retry_after_seconds is None else error.retry_after_seconds
            problem = "the gateway has too many sockets of ours, or they came too fast"
            self._hold.begin(FailedConnection(problem, reason=Reason.RATE_LIMITED), wait, self._clock())

    def passes(self, data: bytes | str) -> bool:
        """Whether a WebSocket message is a frame of TikTok's; what is the gateway's own is counted here."""
        asides = read_asides(data)
        for aside in asides:
            self._said(aside)
        if not self._warned and not {Aside.DECODED, Aside.ENVELOPE}.isdisjoint(asides):
            self._warned = True
            logs.get().warning("gateway passes no frames on", option=self._raw_option)
        return not asides

    def closing(self, code: int) -> ProducerError | None:
        """What the gateway means by a close code."""
        return read_closing(code)

    def _secret(self) -> dict[str, str]:
        # Read each time, so that a rotated one needs no restart.
        if self._jwt_file is not None:
            return {"jwtKey": secret_files.read(self._jwt_file)}
        return {"apiKey": secret_files.read(self._key_file)} if self._key_file is not None else {}


def read_asides(data: bytes | str) -> tuple[Aside, ...]:
    """What a WebSocket message says that is the gateway's own; nothing where it is a frame of TikTok's."""
    if isinstance(data, bytes) and not data.startswith(b"{"):
        return (Aside.ENVELOPE,) if data.startswith(ENVELOPE_BEGINS) else ()
    try:
        said = strangers.json_object(data, most_bytes=SAID_BYTES, most_values=SAID_VALUES)
    except Unreadable:
        return (Aside.OTHER,)
    messages = said.get("messages")
    return tuple(map(_aside, messages if isinstance(messages, list) else [said])) or (Aside.OTHER,)


def read_closing(code: int) -> ProducerError | None:
    """What a close code means; None where it means that the socket is closed, and it may be opened again."""
    if (problem := CREDENTIALS.get(code)) is not None:
        return FailedConnection(f"the gateway closed with code {code}: {problem}", reason=Reason.CREDENTIALS)
    if (problem := FAILED.get(code)) is not None:
        return FailedConnection(f"the gateway closed with code {code}: {problem}", reason=Reason.STATUS)
    match code:
        case 4005:
            return LiveEnded("the gateway says that the live has ended", reason=Reason.OFFLINE)
        case 4006:
            return FailedRoomPolling("the gateway heard nothing of the room (code 4006)", reason=Reason.SILENCE)
        case 4404:
            return LiveNotFound("the gateway says that there is no live", reason=Reason.OFFLINE)
        case 4429:
            problem = "the gateway closed with code 4429: too many sockets, or too fast"
            return FailedConnection(problem, reason=Reason.RATE_LIMITED, retry_after_seconds=HOLD_SECONDS)
        case 4555:
            problem = "the gateway closed with code 4555: its sockets live no longer"
            return FailedRoomPolling(problem, reason=Reason.CLOSED, retry_after_seconds=0.0)
    return None


def _aside(message: object) -> Aside:
    kind = strangers.text(strangers.at(message).get("type")) or ""
    return KINDS.get(kind, Aside.DECODED if kind.startswith("Webcast") else Aside.OTHER)
