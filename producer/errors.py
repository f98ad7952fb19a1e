"""What can go wrong, under the documented names, each with what to do about it.

The eleven documented errors (TikTokLive 0.8.9) keep their names, bases and meanings. Every error carries its metric
label, a reason from a closed set and its recovery, so a caller reads one attribute instead of testing types.
"""

from collections.abc import Sequence
from enum import Enum, StrEnum
from typing import ClassVar

MOST_TOPICS = 5
"""How many missing topics are named: a fresh cluster lacks all."""


class Recovery(Enum):
    """What an error asks of the one who meets it."""

    RETRY = "try again after a back-off"
    WAIT = "nothing is broken: look again later"
    DROP = "set this one thing aside and go on"
    LATER = "somebody must change something: try again in an hour"
    STOP = "end this streamer's session; somebody must change something"
    EXIT = "end the process"


class Reason(StrEnum):
    """Why it happened, more finely than the documented class says; the metrics' `reason` label."""

    APP_ID = "app_id"
    BLOCKED = "blocked"
    CAPTCHA = "captcha"
    CLOSED = "closed"
    CREDENTIALS = "credentials"
    DEVICE_BLOCKED = "device_blocked"
    ELSEWHERE = "elsewhere"
    ENTITLEMENT = "entitlement"
    HANDSHAKE = "handshake"
    HOST_REFUSED = "host_refused"
    INCOMPLETE = "incomplete"
    LOGIN = "login"
    MALFORMED = "malformed"
    NETWORK = "network"
    NO_COOKIE = "no_cookie"
    NO_DOOR = "no_door"
    OFFLINE = "offline"
    OTHER = "other"
    PROXY = "proxy"
    RATE_LIMITED = "rate_limited"
    SILENCE = "silence"
    STATUS = "status"
    SWITCHED_OFF = "switched_off"
    TIMEOUT = "timeout"
    UNSIGNED = "unsigned"


class Fault(StrEnum):
    """What was wrong with bytes that could not be read; the metrics' `fault` label."""

    MALFORMED = "malformed"
    NOT_BINARY = "not_binary"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    UNKNOWN_COMPRESSION = "unknown_compression"


class ProducerError(RuntimeError):
    """The root of all our errors."""

    label: ClassVar[str] = "Other"
    recovery: ClassVar[Recovery] = Recovery.RETRY

    def __init__(
        self, message: str = "", *, reason: Reason = Reason.OTHER, retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])
        self.reason = reason
        self.retry_after_seconds = retry_after_seconds
        """How long the other side asked us to wait; None where it did not say."""


class AlreadyConnected(ProducerError):
    """A session was started for a streamer whose room is connected."""

    label = "AlreadyConnected"
    recovery = Recovery.DROP


class AlreadyConnecting(ProducerError):
    """A session was started for a streamer that is being connected."""

    label = "AlreadyConnecting"
    recovery = Recovery.DROP


class FailedConnection(ProducerError):
    """The connection to a room could not be opened."""

    label = "FailedConnection"


class FailedHTTPRequest(ProducerError):
    """An HTTP request failed."""

    label = "FailedHTTPRequest"


class FailedFetchRoomInfo(FailedHTTPRequest):
    """What a room is, or whether it is live, could not be learnt."""

    label = "FailedFetchRoomInfo"


class FailedFetchGifts(FailedHTTPRequest):
    """The gift list could not be fetched; events flow without it."""

    label = "FailedFetchGifts"
    recovery = Recovery.DROP


class FailedRoomPolling(FailedHTTPRequest):
    """An open connection was lost, fell silent, or sent what cannot be read."""

    label = "FailedRoomPolling"


class InvalidSessionId(ProducerError):
    """The session id is missing or has expired."""

    label = "InvalidSessionId"
    recovery = Recovery.LATER


class LiveNotFound(ProducerError):
    """The streamer is offline or does not exist."""

    label = "LiveNotFound"
    recovery = Recovery.WAIT


class LiveEnded(LiveNotFound):
    """The live that was watched has ended: whoever passes it on says so."""


class ChatMessageSendFailure(ProducerError):
    """Sending a chat message failed. For the hierarchy's sake: a producer sends none, so nothing raises it."""

    label = "ChatMessageSendFailure"
    recovery = Recovery.DROP


class ChatMessageRepeat(ChatMessageSendFailure):
    """A chat message was repeated. For the hierarchy's sake: a producer sends none, so nothing raises it."""

    label = "ChatMessageRepeat"


DOCUMENTED: tuple[type[ProducerError], ...] = (
    AlreadyConnected,
    AlreadyConnecting,
    ChatMessageRepeat,
    ChatMessageSendFailure,
    FailedConnection,
    FailedFetchGifts,
    FailedFetchRoomInfo,
    FailedHTTPRequest,
    FailedRoomPolling,
    InvalidSessionId,
    LiveNotFound,
)


class StartRefused(ProducerError):
    """The process cannot start as it is set up; the message says what to change."""

    recovery = Recovery.EXIT


class TopicsMissing(StartRefused):
    """Topics that are needed are not there."""

    def __init__(self, names: Sequence[str]) -> None:
        more = f" and {len(names) - MOST_TOPICS} more" if len(names) > MOST_TOPICS else ""
        some = f"topics are missing: {', '.join(names[:MOST_TOPICS])}{more}"
        said = f"the topic {names[0]} is missing" if len(names) == 1 else some
        super().__init__(f"{said}; run `producer topics apply`, or correct PRODUCER_TOPIC_PREFIX")


class NotEncodable(ProducerError):
    """A value does not fit its schema; it is refused whole and never coerced."""

    recovery = Recovery.DROP


class MessageRefused(ProducerError):
    """A message does not say what its kind promises, or too much; it is refused whole and kept as a dead letter."""

    recovery = Recovery.DROP

    def __init__(self, message: str, *, fault: Fault = Fault.MALFORMED) -> None:
        super().__init__(message, reason=Reason.MALFORMED)
        self.fault = fault
