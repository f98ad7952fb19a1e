"""Gifts as strangers may send them, through the pipeline to their totals: nothing raises, and the ledger balances."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import pytest

from producer.delivery.gate import Gate
from producer.delivery.ledger import Ledger
from producer.delivery.letter_cap import Cap
from producer.delivery.letterbox import Letterbox
from producer.events.encoding import Record
from producer.events.event import Origin
from producer.events.streaks import Streaks
from producer.gift_lists import GiftLists
from producer.observability.metrics import Metrics
from producer.pipeline import Pipeline, Sink
from producer.turns import Turns
from producer.webcast.protocol import Received
from producer.webcast.wire import Envelope
from tests.events.decoding import ENCODER, PREFIX_BYTES, decode
from tests.events.wire_writer import Fields, write

LARGEST = 2**31 - 1


class Shelf:
    """A publisher's place, where records stay."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    def publish(self, *records: Record, settled: object = None) -> None:
        self.records += records


def gift(msg_id: int, fields: Fields, *, is_history: bool = False) -> Envelope:
    payload = write({2: 5655, 11: 1_699_999_000_000, **fields})
    return Envelope(method="WebcastGiftMessage", payload=payload, msg_id=msg_id, is_history=is_history)


def room(
    shelf: Shelf, *, watched_before: bool = False, shared: Callable[[], bool] = lambda: False
) -> tuple[Pipeline, Ledger]:
    metrics = Metrics(topics=(), version="test")
    lists = GiftLists(metrics, refresh_seconds=60.0)
    ledger = Ledger()
    letterbox = Letterbox(topic="dead", cap=Cap(per_minute=0), ledger=ledger, metrics=metrics)

    def still() -> float:
        return 0.0

    sink = Sink(
        ENCODER, cast(Gate, shelf), letterbox, ledger, metrics, lists, lambda: 1_700_000_000.0, still, Turns(still)
    )
    origin = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0")
    return Pipeline(sink, origin, Streaks(), watched_before=watched_before, shared=shared), ledger


def totals(shelf: Shelf) -> list[Any]:
    bodies = [record.value[PREFIX_BYTES:] for record in shelf.records if "gift_finalized" in record.topic]
    return [decode("gift_finalized", body) for body in bodies]


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
    pipeline, ledger = room(shelf)

    asyncio.run(pipeline.deliver(Received(messages=gifts)))
    asyncio.run(pipeline.finish())

    assert ledger.balances(in_flight=len(shelf.records))


ROSE: Fields = {11: 1, 12: 3}


def test_a_correction_names_the_total_that_it_adds_to() -> None:
    shelf = Shelf()
    pipeline, _ = room(shelf)
    last, end, late = (
        gift(12, {3: 3, 5: 2, 7: {1: 9}, 15: ROSE}),
        gift(13, {5: 2, 7: {1: 9}, 9: 1, 15: ROSE}),
        gift(11, {3: 3, 5: 1, 7: {1: 9}, 15: ROSE}),
    )

    asyncio.run(pipeline.deliver(Received(messages=[last, end, late])))
    asyncio.run(pipeline.finish())

    first, correction = totals(shelf)
    stem = "7000000000000000001:gift_finalized:9:5655:1699999000000:0"
    assert (first["meta"]["event_id"], first["corrects"]) == (f"{stem}:1-2", None)
    assert (correction["meta"]["event_id"], correction["corrects"]) == (f"{stem}:0-2", f"{stem}:1-2")
    assert (first["count"], first["diamonds"], first["diamonds_source"]) == (1, 3, "message")
    assert (correction["count"], correction["diamonds"]) == (1, 3)


@pytest.mark.parametrize(("watched_before", "counted"), [(False, 0), (True, 1)])
def test_gifts_of_a_rooms_history_count_only_for_who_watched_it_before(watched_before: bool, counted: int) -> None:
    shelf = Shelf()
    pipeline, _ = room(shelf, watched_before=watched_before)

    asyncio.run(
        pipeline.deliver(Received(messages=[gift(1, {3: 99, 5: 1, 7: {1: 9}, 15: {11: 2, 12: 99}}, is_history=True)]))
    )
    asyncio.run(pipeline.finish())

    assert [total["diamonds"] for total in totals(shelf)] == [99] * counted
    assert sum(record.topic.endswith(".gift.v1") for record in shelf.records) == 1


def taps(first: int, last: int, *, end: bool = False) -> list[Envelope]:
    """Messages of one streak, each of one tap more, of a gift of 1 diamond; and its closing message."""
    gifts = [gift(n, {3: 1, 5: n, 7: {1: 9}, 11: 1, 15: {11: 1, 12: 1}}) for n in range(first, last + 1)]
    return [*gifts, gift(last + 1, {5: last, 7: {1: 9}, 9: 1, 11: 1, 15: {11: 1, 12: 1}})] if end else gifts


@pytest.mark.parametrize("heard_to", [6, 8, 10])
def test_a_streak_that_is_handed_over_while_both_hear_it_is_counted_once(heard_to: int) -> None:
    """The new worker hears taps from the sixth on; the old one knows that, and hears on for some of them."""
    crossed = False
    old_shelf, new_shelf = Shelf(), Shelf()
    old, _ = room(old_shelf, shared=lambda: crossed)
    new, _ = room(new_shelf)

    asyncio.run(old.deliver(Received(messages=taps(1, 5))))
    crossed = True
    asyncio.run(old.deliver(Received(messages=taps(6, heard_to, end=heard_to == 10))))
    asyncio.run(old.finish())
    asyncio.run(new.deliver(Received(messages=taps(6, 10, end=True))))
    asyncio.run(new.finish())

    assert [total["count"] for total in totals(old_shelf)] == [5]
    assert [total["count"] for total in totals(new_shelf)] == [5]


def test_a_streak_that_comes_back_to_who_handed_it_over_is_not_counted_twice() -> None:
    crossed = False
    shelf = Shelf()
    pipeline, _ = room(shelf, shared=lambda: crossed)

    asyncio.run(pipeline.deliver(Received(messages=taps(1, 3))))
    crossed = True
    asyncio.run(pipeline.deliver(Received(messages=taps(4, 7))))
    crossed = False
    asyncio.run(pipeline.deliver(Received(messages=taps(8, 10, end=True))))

    assert [(total["count"], total["total"]) for total in totals(shelf)] == [(3, 3), (3, 10)]


def test_gifts_without_streaks_are_given_out_by_both_and_under_one_id() -> None:
    shelves = [Shelf(), Shelf()]
    for shelf, crossed in zip(shelves, (True, False), strict=True):
        pipeline, _ = room(shelf, shared=partial(bool, crossed))
        asyncio.run(pipeline.deliver(Received(messages=[gift(1, {5: 1, 7: {1: 9}, 15: {11: 2, 12: 1}})])))

    [one], [other] = map(totals, shelves)
    assert one["meta"]["event_id"] == other["meta"]["event_id"]
