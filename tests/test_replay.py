"""producer.replay: letters by hand, and the events that their messages are."""

from dataclasses import replace

import pytest

from producer.delivery.dead_letters import (
    Cut,
    Letter,
    LetterReason,
    MessageHead,
    Sender,
    letter,
    read_letter,
    refused_record,
)
from producer.errors import NotEncodable, ProducerError
from producer.events import mapping, schemas
from producer.events.encoding import Encoder, Record
from producer.events.event import Payloads
from producer.replay import Mapped, NotReplayable, Outcome, StillRefused, replay
from tests.events.decoding import ENCODER, PREFIX_BYTES, decode
from tests.events.wire_writer import write

AT = 1_700_000_000_123
SENDER = Sender("ann", "worker-7", 7300000000000000001)


def refused(method: str, payload: bytes, *, message_id: int = 11) -> Letter:
    head = MessageHead(method, message_id, is_history=True, room_sequence=3)
    return letter(LetterReason.PAYLOAD_MALFORMED, ProducerError("then"), payload, SENDER, received_at=AT, message=head)


def replayed(given: Letter, payloads: Payloads = Payloads.NONE) -> Outcome:
    return replay(given, ENCODER, payloads=payloads)


def test_what_maps_now_is_the_event_that_it_would_have_been() -> None:
    outcome = replayed(refused("WebcastChatMessage", write({1: {4: 1_699_999_999_000}, 3: "Hi"})))

    assert isinstance(outcome, Mapped)
    assert (outcome.event, outcome.event_id) == ("comment", "7300000000000000001:11")
    assert (outcome.record.topic, outcome.record.key) == ("tiktok.live.comment.v1", b"ann")
    value = decode("comment", outcome.record.value[PREFIX_BYTES:])
    assert value["comment"] == "Hi"
    assert value["meta"] == {
        "event_id": "7300000000000000001:11",
        "streamer": "ann",
        "room_id": "7300000000000000001",
        "message_id": "11",
        "method": "WebcastChatMessage",
        "created_at": 1_699_999_999_000,
        "received_at": AT,
        "room_sequence": 3,
        "is_history": True,
        "worker": "worker-7",
        "streak_id": None,
        "payload": None,
        "text_repaired": False,
        "streamer_id": None,
        "connection": None,
    }


def test_payloads_are_carried_as_the_settings_say_now() -> None:
    payload = write({3: "Hi"})

    outcome = replayed(refused("WebcastChatMessage", payload), Payloads.ALL)

    assert isinstance(outcome, Mapped)
    assert decode("comment", outcome.record.value[PREFIX_BYTES:])["meta"]["payload"] == payload


def test_a_kind_that_nobody_knows_keeps_its_bytes() -> None:
    outcome = replayed(refused("WebcastNewMessage", b"\xff\xff", message_id=0))

    assert isinstance(outcome, Mapped)
    value = decode("unknown", outcome.record.value[PREFIX_BYTES:])
    assert (value["method"], value["payload"]) == ("WebcastNewMessage", b"\xff\xff")
    # blake2b, 8 bytes, of the method, a zero byte and the payload, by Python's hashlib.
    assert outcome.event_id == "7300000000000000001:blake2b-abc0ec2b2b140918"


def test_what_is_still_broken_is_refused_with_todays_reason() -> None:
    outcome = replayed(refused("WebcastChatMessage", b"\x1a\x10Hal"))

    assert outcome == StillRefused(LetterReason.PAYLOAD_MALFORMED, "WebcastChatMessage is not valid protobuf")
    assert str(outcome) == "still refused (payload_malformed): WebcastChatMessage is not valid protobuf"


def test_what_has_too_many_fields_is_refused_with_todays_reason() -> None:
    outcome = replayed(refused("WebcastRankUpdateMessage", b"\x12\x00" * 5_001))

    assert isinstance(outcome, StillRefused)
    assert outcome.reason is LetterReason.PAYLOAD_TOO_MANY


def test_what_is_still_too_large_is_refused_with_todays_reason() -> None:
    small = Encoder(schemas.events(), topic_prefix="t", schema_ids=None, max_bytes=100)

    outcome = replay(refused("WebcastChatMessage", write({3: "x" * 500})), small, payloads=Payloads.NONE)

    assert isinstance(outcome, StillRefused)
    assert outcome.reason is LetterReason.NOT_ENCODABLE


def test_what_this_version_has_a_bug_with_too_is_said_and_ends_no_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    def planted(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr(mapping, "to_event", planted)

    assert (
        str(replayed(refused("WebcastChatMessage", b""))) == "still refused (payload_bug): ZeroDivisionError: planted"
    )


BY_BROKER = refused_record(
    Record("t.comment.v1", b"ann", b"v"), ProducerError(""), topic="t.dlq.v1", worker="w", received_at=AT
)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (
            letter(LetterReason.FRAME_MALFORMED, ProducerError(""), b"frame", SENDER, received_at=AT),
            "the bytes are no message's",
        ),
        (
            letter(LetterReason.NOT_ENCODABLE, NotEncodable(""), b"{}", SENDER, received_at=AT, event="gift_finalized"),
            "the bytes are no message's",
        ),
        (
            read_letter(BY_BROKER.headers, BY_BROKER.value),
            "the bytes are no message's",
        ),
        (replace(refused("WebcastChatMessage", b""), sender=Sender("ann", "w", None)), "the bytes are no message's"),
        (replace(refused("WebcastChatMessage", b""), cut=frozenset({Cut.BYTES})), "cut (bytes)"),
        (replace(refused("Web", b""), cut=frozenset({Cut.BYTES, Cut.METHOD})), "cut (bytes, method)"),
    ],
    ids=["frame", "total", "record", "no room", "cut bytes", "cut method"],
)
def test_what_holds_no_whole_message_is_not_replayed(given: Letter, why: str) -> None:
    assert replayed(given) == NotReplayable(why)
