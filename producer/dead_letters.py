"""What becomes of bytes that cannot be an event: a letter with the bytes and all that is known of them; pure.

Headers have the names that Kafka Connect gives its dead letters, so its users' tools find what they look for; what
Connect has no name for stands under `tiktok.`. A letter's reason is from a closed set.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from producer.events.encoding import Record
from producer.webcast.frames import Fault, Refusal, Stage

LONGEST_BYTES = 512 * 1024
"""A letter longer than this is cut, and says so: the brokers would refuse it too."""
LONGEST_HEADER = 500
CONNECT = "__connect.errors."
OURS = "tiktok."

ENCODE = "encode"
PUBLISH = "publish"
STAGES = (*Stage, ENCODE, PUBLISH)


class Reason(StrEnum):
    """Why something is a dead letter, beside the faults of what was received."""

    NOT_ENCODABLE = "not_encodable"
    """It does not fit its schema: our bug, or the protocol changed."""
    REFUSED_BY_BROKER = "refused_by_broker"
    """The brokers refuse the record itself, for its size or its time."""


REASONS: tuple[str, ...] = (*Fault, *Reason)


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose connection a letter is from."""

    streamer: str
    room_id: int
    worker: str


def of_refusal(
    refusal: Refusal, sender: Sender, *, topic: str, received_at: int, stage: str, reason: str, detail: str = ""
) -> Record:
    """The letter of what was received. `received_at` is epoch milliseconds."""
    headers = {
        CONNECT + "connector.name": "tiktok-live-producer",
        CONNECT + "task.id": sender.worker,
        CONNECT + "stage": stage.upper(),
        CONNECT + "exception.class.name": "MessageRefused" if reason != Reason.NOT_ENCODABLE else "NotEncodable",
        CONNECT + "exception.message": detail or f"{stage}: {reason}",
        OURS + "reason": reason,
        OURS + "streamer": sender.streamer,
        OURS + "room_id": str(sender.room_id),
        OURS + "message_id": str(refusal.message_id),
        OURS + "method": refusal.method or "",
        OURS + "received_at": str(received_at),
        OURS + "history": "true" if refusal.is_history else "false",
        OURS + "length": str(len(refusal.data)),
    }
    return _letter(topic, sender.streamer.encode(), refusal.data, headers)


def of_record(record: Record, label: str, *, topic: str, worker: str) -> Record:
    """The letter of a record that brokers refuse: an event as it was encoded, with where it should have gone.

    Of a letter that they refuse as well, one of half its bytes.
    """
    if record.topic == topic:
        return Record(topic, record.key, record.value[: len(record.value) // 2], record.headers)
    headers = {
        CONNECT + "topic": record.topic,
        CONNECT + "connector.name": "tiktok-live-producer",
        CONNECT + "task.id": worker,
        CONNECT + "stage": PUBLISH.upper(),
        CONNECT + "exception.class.name": "KafkaError",
        CONNECT + "exception.message": label,
        OURS + "reason": Reason.REFUSED_BY_BROKER.value,
        OURS + "streamer": record.key.decode("utf-8", "replace"),
        OURS + "length": str(len(record.value)),
    }
    return _letter(topic, record.key, record.value, headers)


def _letter(topic: str, key: bytes, data: bytes, headers: Mapping[str, str]) -> Record:
    bounded = tuple((name, value[:LONGEST_HEADER].encode("utf-8", "replace")) for name, value in headers.items())
    return Record(topic, key, data[:LONGEST_BYTES], bounded)


class Cap:
    """How many letters one room may send: a bucket that fills by so many a minute and holds as many."""

    def __init__(self, per_minute: float) -> None:
        """0: no cap."""
        self._per_minute = per_minute
        self._tokens = per_minute
        self._at: float | None = None
        self.capped = 0
        """Letters in all that were not sent."""

    def allows(self, now: float) -> bool:
        """Take one, at a time in seconds; count it as capped where there is none."""
        if not self._per_minute:
            return True
        if self._at is not None:
            self._tokens = min(self._per_minute, self._tokens + max(0.0, now - self._at) * self._per_minute / 60)
        self._at = now
        if self._tokens < 1:
            self.capped += 1
            return False
        self._tokens -= 1
        return True
