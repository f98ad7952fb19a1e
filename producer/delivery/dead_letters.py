"""What a dead letter is: the bytes that became no record, and all that is known of them in headers.

Where Kafka Connect has a header for a fact (its DeadLetterQueueReporter), that name is used, so that tools made for its
dead letters show ours; the rest stands under `producer.`. docs/dead-letters.md has the table.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from producer.events.encoding import Record
from producer.strangers import shown

BYTES_KEPT = 512 * 1024
"""Bytes past this are cut off, and the letter says so: the brokers would refuse the letter too."""
TEXT_KEPT = 500
"""The same of each header's text, in characters."""

CONNECTOR = "tiktok-live-producer"
LATEST = 253_402_300_799_999
"""The last millisecond of the year 9999, past which no calendar goes."""


class LetterReason(StrEnum):
    """Why bytes became no record: how far they came, and what was wrong with them there."""

    FRAME_MALFORMED = "frame_malformed"
    FRAME_NOT_BINARY = "frame_not_binary"
    FRAME_TOO_MANY = "frame_too_many"
    DECOMPRESS_MALFORMED = "decompress_malformed"
    DECOMPRESS_TOO_LARGE = "decompress_too_large"
    DECOMPRESS_UNKNOWN_COMPRESSION = "decompress_unknown_compression"
    BATCH_MALFORMED = "batch_malformed"
    BATCH_TOO_LARGE = "batch_too_large"
    BATCH_TOO_MANY = "batch_too_many"
    ENVELOPE_MALFORMED = "envelope_malformed"
    PAYLOAD_MALFORMED = "payload_malformed"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    PAYLOAD_TOO_MANY = "payload_too_many"
    PAYLOAD_BUG = "payload_bug"
    """A bug of ours: this version makes nothing of the message, and another may."""
    NOT_ENCODABLE = "not_encodable"
    """An event that does not fit its schema, or is larger than a record may be."""
    REFUSED_BY_BROKER = "refused_by_broker"
    """The brokers refuse the record itself, for its size or its time."""

    @property
    def stage(self) -> str:
        """How far the bytes came: one of Webcast's stages, `encode` or `publish`."""
        if self is LetterReason.NOT_ENCODABLE:
            return "encode"
        return "publish" if self is LetterReason.REFUSED_BY_BROKER else self.partition("_")[0]


class Header(StrEnum):
    """The headers of a letter. Those that do not apply to it are absent."""

    CONNECTOR = "__connect.errors.connector.name"
    TASK = "__connect.errors.task.id"
    STAGE = "__connect.errors.stage"
    ERROR = "__connect.errors.exception.class.name"
    PROBLEM = "__connect.errors.exception.message"
    REASON = "producer.reason"
    STREAMER = "producer.streamer"
    ROOM_ID = "producer.room_id"
    WORKER = "producer.worker"
    RECEIVED_AT = "producer.received_at"
    LENGTH = "producer.length"
    CUT = "producer.cut"
    METHOD = "producer.method"
    MESSAGE_ID = "producer.message_id"
    IS_HISTORY = "producer.is_history"
    ROOM_SEQUENCE = "producer.room_sequence"
    EVENT = "producer.event"
    TOPIC = "producer.topic"


class Cut(StrEnum):
    """What of a letter was too long and is not whole."""

    BYTES = "bytes"
    METHOD = "method"


@dataclass(frozen=True, slots=True)
class Sender:
    """Whose the bytes were: what the letters of one connection have in common."""

    streamer: str
    worker: str
    room_id: int | None
    """None for a record that a broker refused."""


@dataclass(frozen=True, slots=True)
class MessageHead:
    """A Webcast message without its payload: with a letter's bytes, it is the message as it was received."""

    method: str
    message_id: int
    """0 where it had none."""
    is_history: bool
    room_sequence: int
    """Its place among the messages of its connection."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter."""

    reason: LetterReason
    error: str
    """The class of the error, with its module."""
    problem: str
    """The error's sentence."""
    data: bytes
    """A message's payload, or a whole frame or envelope, as received; for a total of gifts that fits no schema, its
    text; for a record that a broker refused, its value."""
    length: int
    """How many bytes those were before any were cut off."""
    sender: Sender
    received_at: int
    """In ms since 1970."""
    message: MessageHead | None = None
    """None where the bytes are no message's payload."""
    event: str | None = None
    """The event that did not fit its schema."""
    topic: str | None = None
    """The topic whose broker refused the record."""
    cut: frozenset[Cut] = frozenset()
    is_sealed: bool = False
    """Whether the data only stands for the bytes, which may name viewers."""

    def record(self, topic: str) -> Record:
        """The letter as a record of the dead-letter topic; what is too long is cut."""
        data = self.data[:BYTES_KEPT]
        cut = {Cut.BYTES} if len(data) < self.length or self.is_sealed else set()
        fields: dict[Header, object] = {
            Header.CONNECTOR: CONNECTOR,
            Header.TASK: self.sender.worker,
            Header.STAGE: self.reason.stage,
            Header.ERROR: self.error,
            Header.PROBLEM: self.problem,
            Header.REASON: self.reason,
            Header.STREAMER: self.sender.streamer,
            Header.ROOM_ID: self.sender.room_id,
            Header.WORKER: self.sender.worker,
            Header.RECEIVED_AT: self.received_at,
            Header.LENGTH: self.length,
            Header.EVENT: self.event,
            Header.TOPIC: self.topic,
        }
        if self.message is not None:
            fields[Header.METHOD] = self.message.method
            fields[Header.MESSAGE_ID] = self.message.message_id
            fields[Header.IS_HISTORY] = str(self.message.is_history).lower()
            fields[Header.ROOM_SEQUENCE] = self.message.room_sequence
            if len(self.message.method) > TEXT_KEPT:
                cut.add(Cut.METHOD)
        fields[Header.CUT] = ",".join(sorted(cut)) or None
        headers = tuple(
            (name.value, str(value)[:TEXT_KEPT].encode("utf-8", "replace"))
            for name, value in fields.items()
            if value is not None
        )
        return Record(topic, self.sender.streamer.encode(), data, headers)


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where on its topic a letter is; written `partition:offset`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"


def letter(
    reason: LetterReason,
    error: BaseException,
    data: bytes,
    sender: Sender,
    *,
    received_at: int,
    message: MessageHead | None = None,
    event: str | None = None,
) -> Letter:
    """Make the letter of what an error refused; `received_at` is in ms since 1970."""
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    return Letter(reason, name, str(error), data, len(data), sender, received_at, message, event)


def refused_record(record: Record, error: BaseException, *, topic: str, worker: str, received_at: int) -> Record:
    """Make the record of the dead-letter topic for one that brokers refuse; the record's key is the streamer.

    Of a letter that they refuse as well: the same with half its bytes.
    """
    if record.topic == topic:
        return Record(topic, record.key, record.value[: len(record.value) // 2], record.headers)
    sender = Sender(record.key.decode("utf-8", "replace"), worker, room_id=None)
    refused = letter(LetterReason.REFUSED_BY_BROKER, error, record.value, sender, received_at=received_at)
    return replace(refused, topic=record.topic).record(topic)


def read_letter(headers: Iterable[tuple[str, bytes]], data: bytes) -> Letter:
    """Read what `Letter.record` wrote. Raises ValueError, which says what is not as we write it."""
    fields = {name: value[: 4 * TEXT_KEPT].decode("utf-8", "replace") for name, value in headers}
    return Letter(
        LetterReason(_text(fields, Header.REASON)),
        _text(fields, Header.ERROR),
        _text(fields, Header.PROBLEM),
        data=data,
        length=_number(fields, Header.LENGTH),
        sender=Sender(
            _text(fields, Header.STREAMER),
            _text(fields, Header.WORKER),
            room_id=_number(fields, Header.ROOM_ID) if Header.ROOM_ID in fields else None,
        ),
        received_at=_number(fields, Header.RECEIVED_AT, most=LATEST),
        message=_message(fields) if Header.METHOD in fields else None,
        event=fields.get(Header.EVENT),
        topic=fields.get(Header.TOPIC),
        cut=frozenset(Cut(part) for part in fields.get(Header.CUT, "").split(",") if part),
    )


def _message(fields: Mapping[str, str]) -> MessageHead:
    return MessageHead(
        method=_text(fields, Header.METHOD),
        message_id=_number(fields, Header.MESSAGE_ID, least=-(2**63)),
        is_history=_text(fields, Header.IS_HISTORY) == "true",
        room_sequence=_number(fields, Header.ROOM_SEQUENCE),
    )


def _text(fields: Mapping[str, str], name: Header) -> str:
    if name not in fields:
        raise ValueError(f"the header {name} is missing")
    return fields[name]


def _number(fields: Mapping[str, str], name: Header, *, least: int = 0, most: int = 2**63 - 1) -> int:
    text = _text(fields, name)
    with suppress(ValueError):
        number = int(text)
        if least <= number <= most:
            return number
    raise ValueError(f"the header {name} is {shown(text)!r}, which is no number from {least} to {most}")
