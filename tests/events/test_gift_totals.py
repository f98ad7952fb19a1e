"""Gifts as strangers may send them, through the pipeline to their totals: nothing raises, and the ledger balances."""

from typing import cast

import pytest

from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Publisher
from producer.events.encoding import Record
from producer.events.event import Origin
from producer.events.streaks import Streaks
from producer.observability.metrics import Metrics
from producer.pipeline import Pipeline, Sink
from producer.webcast.protocol import Received
from producer.webcast.wire import Envelope
from tests.events.decoding import ENCODER
from tests.events.wire_writer import Fields, write

LARGEST = 2**31 - 1


class Shelf:
    """A publisher's place, where records stay."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def publish(self, record: Record) -> None:
        self.records.append(record)


def gift(msg_id: int, fields: Fields) -> Envelope:
    payload = write({2: 5655, 11: 1_699_999_000_000, **fields})
    return Envelope(method="WebcastGiftMessage", payload=payload, msg_id=msg_id)


@pytest.mark.parametrize(
    "gifts",
    [
        pytest.param([gift(1, {5: 3, 7: {1: 9}, 15: {11: 1, 12: 5}})], id="one streak"),
        pytest.param(
            [
                gift(2, {3: 1, 5: LARGEST, 7: {1: 9}, 15: {11: 1, 12: LARGEST}}),
                gift(1, {3: LARGEST, 5: -(2**31), 7: {1: 9}, 15: {11: 1, 12: 1}}),
            ],
            id="a total past 64 bits",
        ),
        pytest.param(
            [gift(1, {5: 1, 7: {1: 6800000000000000001, 3: "x" * 999_800}, 15: {11: 1, 12: 1}})],
            id="a total larger than its message's own record",
        ),
    ],
)
def test_whatever_gifts_say_their_totals_do_not_end_the_session(gifts: list[Envelope]) -> None:
    shelf = Shelf()
    ledger = Ledger()
    metrics = Metrics(topics=(), version="test")
    sink = Sink(ENCODER, cast(Publisher, shelf), ledger, metrics, "dead", wall_clock=lambda: 1_700_000_000.0)
    pipeline = Pipeline(sink, Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0"), Streaks())

    pipeline.deliver(Received(messages=gifts))
    pipeline.finish()

    assert ledger.balances(in_flight=len(shelf.records))
