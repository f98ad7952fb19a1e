"""producer.delivery.dead_letters: a letter's headers, written and read, as docs/dead-letters.md says they are."""

import re
from pathlib import Path

import pytest

from producer.delivery.dead_letters import (
    Cut,
    Header,
    Letter,
    LetterReason,
    MessageHead,
    Sender,
    letter,
    read_letter,
    refused_record,
)
from producer.errors import MessageRefused, NotEncodable
from producer.events.encoding import Record

ROOT = Path(__file__).resolve().parents[2]
SENDER = Sender("ann", "worker-0", 7300000000000000001)
HEAD = MessageHead("WebcastChatMessage", 11, is_history=True, room_sequence=3)
AT = 1_700_000_000_123


def refused(data: bytes = b"\x0a\x05abc", head: MessageHead | None = HEAD) -> Letter:
    problem = MessageRefused("WebcastChatMessage is not valid protobuf")
    return letter(LetterReason.PAYLOAD_MALFORMED, problem, data, SENDER, received_at=AT, message=head)


def headers(record: Record) -> dict[str, str]:
    assert len(dict(record.headers)) == len(record.headers)
    return {name: value.decode() for name, value in record.headers}


def test_a_letter_of_a_message_says_all_that_a_replay_needs() -> None:
    record = refused().record("t.dlq.v1")

    assert (record.topic, record.key, record.value) == ("t.dlq.v1", b"ann", b"\x0a\x05abc")
    assert headers(record) == {
        "__connect.errors.connector.name": "tiktok-live-producer",
        "__connect.errors.task.id": "worker-0",
        "__connect.errors.stage": "payload",
        "__connect.errors.exception.class.name": "producer.errors.MessageRefused",
        "__connect.errors.exception.message": "WebcastChatMessage is not valid protobuf",
        "producer.reason": "payload_malformed",
        "producer.streamer": "ann",
        "producer.room_id": "7300000000000000001",
        "producer.worker": "worker-0",
        "producer.received_at": "1700000000123",
        "producer.length": "5",
        "producer.method": "WebcastChatMessage",
        "producer.message_id": "11",
        "producer.is_history": "true",
        "producer.room_sequence": "3",
    }


def test_a_letter_of_a_record_that_a_broker_refused_names_its_topic() -> None:
    record = Record("t.comment.v1", b"ann", b"\0\0\0\0\1rest")

    written = refused_record(record, ValueError("too large"), topic="t.dlq.v1", worker="worker-0", received_at=AT)

    assert (written.key, written.value) == (b"ann", b"\0\0\0\0\1rest")
    assert headers(written) == {
        "__connect.errors.connector.name": "tiktok-live-producer",
        "__connect.errors.task.id": "worker-0",
        "__connect.errors.stage": "publish",
        "__connect.errors.exception.class.name": "builtins.ValueError",
        "__connect.errors.exception.message": "too large",
        "producer.reason": "refused_by_broker",
        "producer.streamer": "ann",
        "producer.worker": "worker-0",
        "producer.received_at": "1700000000123",
        "producer.length": "9",
        "producer.topic": "t.comment.v1",
    }


def test_a_letter_that_a_broker_refuses_is_halved_until_it_does_not() -> None:
    subject = refused(b"0123456789").record("t.dlq.v1")

    halved = refused_record(subject, ValueError("too large"), topic="t.dlq.v1", worker="w", received_at=AT)
    nothing = refused_record(
        Record("t.dlq.v1", b"ann", b"x"), ValueError(""), topic="t.dlq.v1", worker="w", received_at=AT
    )

    assert (halved.value, halved.headers) == (b"01234", subject.headers)
    assert nothing.value == b""


def test_what_is_too_long_is_cut_and_the_letter_says_what() -> None:
    head = MessageHead("W" * 501, 11, is_history=False, room_sequence=3)
    text = NotEncodable("é" * 10_000)
    long = letter(LetterReason.NOT_ENCODABLE, text, b"x" * 524_289, SENDER, received_at=AT, message=head)

    record = long.record("t.dlq.v1")

    assert len(record.value) == 524_288
    assert headers(record)["producer.cut"] == "bytes,method"
    assert headers(record)["producer.length"] == "524289"
    assert headers(record)["producer.method"] == "W" * 500
    assert headers(record)["__connect.errors.exception.message"] == "é" * 500
    assert read_letter(record.headers, record.value).cut == {Cut.BYTES, Cut.METHOD}


def test_what_just_fits_is_whole() -> None:
    head = MessageHead("W" * 500, 11, is_history=False, room_sequence=3)

    assert "producer.cut" not in headers(refused(b"x" * 524_288, head).record("t.dlq.v1"))


@pytest.mark.parametrize(
    "written",
    [
        refused(),
        refused(b"", MessageHead("", -5, is_history=False, room_sequence=1)),
        refused(head=None),
        letter(LetterReason.NOT_ENCODABLE, NotEncodable("no"), b"{}", SENDER, received_at=0, event="gift_finalized"),
    ],
    ids=["message", "empty", "frame", "total"],
)
def test_a_letter_is_read_as_it_was_written(written: Letter) -> None:
    record = written.record("t.dlq.v1")

    assert read_letter(record.headers, record.value) == written


@pytest.mark.parametrize(
    ("header", "value", "problem"),
    [
        ("producer.reason", None, "the header producer.reason is missing"),
        ("producer.reason", b"tired", "'tired' is not a valid LetterReason"),
        ("producer.streamer", None, "the header producer.streamer is missing"),
        ("producer.received_at", b"soon", "the header producer.received_at is 'soon', which is no number from 0 to "),
        ("producer.received_at", b"253402300800000", "no number from 0 to 253402300799999"),
        ("producer.message_id", b"9223372036854775808", "no number from -9223372036854775808 to 9223372036854775807"),
        ("producer.cut", b"ears", "'ears' is not a valid Cut"),
    ],
)
def test_what_is_no_letter_of_ours_is_said(header: str, value: bytes | None, problem: str) -> None:
    given = dict(refused().record("t.dlq.v1").headers)
    if value is None:
        del given[header]
    else:
        given[header] = value

    with pytest.raises(ValueError, match=re.escape(problem)):
        read_letter(given.items(), b"")


def test_there_is_a_reason_for_each_fault_that_reading_can_find() -> None:
    """Where the code that reads names a stage and a fault side by side, a letter must have a word for the two."""
    sources = [path.read_text("utf-8") for path in (ROOT / "producer" / "webcast").glob("*.py")]

    found = {match for source in sources for match in re.findall(r"Stage\.(\w+), Fault\.(\w+)", source)}

    assert len(found) == 10
    assert {f"{stage}_{fault}".lower() for stage, fault in found} <= set(LetterReason)


def test_every_header_and_reason_is_documented() -> None:
    page = (ROOT / "docs" / "dead-letters.md").read_text("utf-8")

    documented = set(re.findall(r"`([^`]+)`", page))
    assert documented >= {*Header, *LetterReason, *(reason.stage for reason in LetterReason), *Cut}
