"""producer.pipeline: what one frame brings, when all of it is safe, and which letters are written."""

from collections.abc import Callable
from typing import Any, cast

import pytest

from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.delivery.letter_cap import Cap
from producer.delivery.letterbox import Letterbox
from producer.errors import Fault
from producer.events.encoding import Record
from producer.events.event import Origin
from producer.events.streaks import Streaks
from producer.gift_lists import GiftLists
from producer.observability.metrics import Metrics
from producer.pipeline import Pipeline, Sink
from producer.webcast.frames import Refusal, Stage
from producer.webcast.protocol import Received
from producer.webcast.wire import Envelope
from tests.events.decoding import ENCODER
from tests.events.wire_writer import write

Settled = Callable[[], None]

CUT_SHORT = b"\x1a\x10Hal"
"""A field that says it has sixteen bytes and has three."""


class Shelf:
    """A publisher's place; records become safe when the test says so."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.settled: list[Settled | None] = []

    def publish(self, record: Record, settled: Settled | None = None) -> None:
        self.records.append(record)
        self.settled.append(settled)

    def letters(self) -> list[tuple[bytes, dict[str, str]]]:
        """The bytes and headers of each dead letter."""
        letters = [record for record in self.records if record.topic == "dead"]
        return [(letter.value, {name: value.decode() for name, value in letter.headers}) for letter in letters]


class Given:
    """A pipeline and what is around it, at a clock that the test sets."""

    def __init__(self, *, per_minute: int = 0) -> None:
        self.shelf, self.ledger, self.now = Shelf(), Ledger(), 1_700_000_000.0
        self.metrics = Metrics(topics=(), version="test")
        lists = GiftLists(self.metrics, refresh_seconds=60.0)
        cap = Cap(per_minute=per_minute)
        letterbox = Letterbox(topic="dead", cap=cap, ledger=self.ledger, metrics=self.metrics)
        gate = cast(Gate, self.shelf)
        sink = Sink(ENCODER, gate, letterbox, self.ledger, self.metrics, lists, lambda: self.now)
        origin = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0")
        self.pipeline = Pipeline(sink, origin, Streaks(), watched_before=False)

    def metric(self, name: str, **labels: Any) -> float | None:
        return self.metrics.registry.get_sample_value(f"tiktok_live_{name}", labels)


def chat(number: int, text: str = "hello") -> Envelope:
    payload = write({1: {2: number, 3: 7000000000000000001}, 2: {1: 5, 38: "someone.else"}, 3: text})
    return Envelope(method="WebcastChatMessage", payload=payload, msg_id=number)


def broken(number: int, *, is_history: bool = False) -> Envelope:
    return Envelope(method="WebcastChatMessage", payload=CUT_SHORT, msg_id=number, is_history=is_history)


def test_a_frame_is_safe_once_all_that_it_brought_is() -> None:
    given, safe = Given(), []

    given.pipeline.deliver(
        Received(messages=[chat(1), broken(2)], refusals=[Refusal(Stage.ENVELOPE, Fault.MALFORMED, b"x")]),
        lambda: safe.append(True),
    )
    for settled in given.shelf.settled:
        assert safe == []
        assert settled is not None
        settled()

    assert len(given.shelf.records) == 3
    assert safe == [True]


def test_a_frame_that_brought_nothing_is_safe_at_once() -> None:
    given, safe = Given(), []

    given.pipeline.deliver(Received(), lambda: safe.append(True))

    assert safe == [True]


def test_what_no_frame_brought_waits_for_nobody() -> None:
    given = Given()

    given.pipeline.connected()

    assert given.shelf.settled == [None]


def test_a_broken_room_is_capped_and_every_refusal_is_counted() -> None:
    given, safe = Given(per_minute=3), []

    given.pipeline.deliver(Received(messages=[broken(number) for number in range(1, 11)]), lambda: safe.append(True))
    letters = len(given.shelf.records)
    given.now += 60
    given.pipeline.deliver(Received(messages=[broken(number) for number in range(11, 15)]))
    for settled in given.shelf.settled:
        if settled is not None:
            settled()

    assert letters == 3
    assert len(given.shelf.records) == 6
    assert (given.ledger.received, given.ledger.refused, given.ledger.capped) == (14, 14, 8)
    assert given.ledger.balances(in_flight=6)
    assert given.metric("events_dropped_total", reason="dead_letter_cap") == 8
    assert given.metric("decode_errors_total", stage="payload", fault="malformed") == 14
    assert safe == [True]


def test_a_message_that_cannot_be_read_is_a_letter_with_its_place_and_its_neighbours_are_records() -> None:
    given = Given()

    given.pipeline.deliver(Received(messages=[chat(11), broken(12, is_history=True)]))

    [(data, headers)] = given.shelf.letters()
    assert data == CUT_SHORT
    assert headers["producer.reason"] == "payload_malformed"
    assert headers["producer.method"] == "WebcastChatMessage"
    assert headers["producer.message_id"] == "12"
    assert headers["producer.is_history"] == "true"
    assert headers["producer.room_sequence"] == "2"
    assert headers["producer.received_at"] == "1700000000000"
    assert headers["producer.room_id"] == "7000000000000000001"
    assert headers["producer.streamer"] == "someone"
    assert headers["producer.worker"] == "worker-0"
    assert headers["__connect.errors.exception.class.name"] == "producer.errors.MessageRefused"
    assert (given.ledger.received, given.ledger.mapped, given.ledger.refused) == (2, 1, 1)
    assert given.ledger.balances(in_flight=len(given.shelf.records))


def test_a_frame_that_cannot_be_read_is_a_letter_of_no_message() -> None:
    given = Given()

    given.pipeline.deliver(Received(refusals=[Refusal(Stage.DECOMPRESS, Fault.TOO_LARGE, b"frame")]))

    [(data, headers)] = given.shelf.letters()
    assert (data, headers["producer.reason"]) == (b"frame", "decompress_too_large")
    assert headers["__connect.errors.stage"] == "decompress"
    assert headers["__connect.errors.exception.class.name"] == "producer.webcast.frames.FrameRefused"
    assert "producer.method" not in headers
    assert given.ledger.balances(in_flight=1)


def test_an_event_larger_than_a_record_is_a_letter_that_names_it() -> None:
    given = Given()
    payload = write({2: "x" * 510_000})  # in the record twice: its text, and its bytes

    given.pipeline.deliver(Received(messages=[Envelope(method="WebcastRoomMessage", payload=payload, msg_id=11)]))

    [(data, headers)] = given.shelf.letters()
    assert headers["producer.reason"] == "not_encodable"
    assert (headers["producer.event"], headers["producer.message_id"]) == ("room", "11")
    assert (data, "producer.cut" in headers) == (payload, False)
    assert given.ledger.balances(in_flight=1)


@pytest.mark.parametrize(
    ("message", "fault", "length", "kept"),
    [
        (chat(11, "x" * 1_000_000), "too_large", "1000037", 524_288),
        (
            Envelope(method="WebcastRankUpdateMessage", payload=b"\x12\x00" * 5_001, msg_id=11),
            "too_many",
            "10002",
            10_002,
        ),
    ],
    ids=["bytes", "fields"],
)
def test_a_message_past_its_bounds_is_a_letter_that_says_which(
    message: Envelope, fault: str, length: str, kept: int
) -> None:
    given = Given()

    given.pipeline.deliver(Received(messages=[message, chat(12)]))

    [(data, headers)] = given.shelf.letters()
    assert (headers["producer.reason"], headers["__connect.errors.stage"]) == (f"payload_{fault}", "payload")
    assert (len(data), headers["producer.length"], "producer.cut" in headers) == (kept, length, kept < int(length))
    assert given.metric("decode_errors_total", stage="payload", fault=fault) == 1
    assert (given.ledger.received, given.ledger.mapped, given.ledger.refused) == (2, 1, 1)
    assert given.ledger.balances(in_flight=len(given.shelf.records))
