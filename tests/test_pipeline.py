"""producer.pipeline: what one frame brings, counted, and when all of it is safe."""

from collections.abc import Callable
from typing import Any, cast

from producer.dead_letters import Cap
from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.events.encoding import Record
from producer.events.event import Origin
from producer.events.streaks import Streaks
from producer.gift_lists import GiftLists
from producer.observability.metrics import Metrics
from producer.pipeline import Pipeline, Sink
from producer.webcast.frames import Fault, Refusal, Stage
from producer.webcast.protocol import Received
from producer.webcast.wire import Envelope
from tests.events.decoding import ENCODER
from tests.events.wire_writer import write

Settled = Callable[[], None]


class Shelf:
    """A publisher's place; records become safe when the test says so."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.settled: list[Settled | None] = []

    def publish(self, record: Record, settled: Settled | None = None) -> None:
        self.records.append(record)
        self.settled.append(settled)


class Given:
    """A pipeline and what is around it, at a clock that the test sets."""

    def __init__(self, cap: Cap | None = None) -> None:
        self.shelf, self.ledger, self.now = Shelf(), Ledger(), 1_700_000_000.0
        self.metrics = Metrics(topics=(), version="test")
        lists = GiftLists(self.metrics, refresh_seconds=60.0)
        sink = Sink(ENCODER, cast(Gate, self.shelf), self.ledger, self.metrics, lists, "dead", lambda: self.now)
        origin = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0")
        self.pipeline = Pipeline(sink, origin, Streaks(), cap or Cap(0), watched_before=False)

    def metric(self, name: str, **labels: Any) -> float | None:
        return self.metrics.registry.get_sample_value(f"tiktok_live_{name}", labels)


def chat(number: int) -> Envelope:
    payload = write({1: {2: number, 3: 7000000000000000001}, 2: {1: 5, 38: "someone.else"}, 3: "hello"})
    return Envelope(method="WebcastChatMessage", payload=payload, msg_id=number)


def broken(number: int) -> Envelope:
    return Envelope(method="WebcastChatMessage", payload=b"\x0a\x05cut", msg_id=number)


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
    given, safe = Given(Cap(3)), []

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
