"""producer.entries: what the list says is told once, and again when it says something else."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from producer import entries as module
from producer.assignments.claims import Streamer, Wanted
from producer.entries import Entries
from producer.events.encoding import Record
from producer.turns import Turns
from tests.test_session import Full, sink

ANN, BO = Streamer("ann"), Streamer("bo")
AT = 1_790_000_000_000


class Kept(Full):
    """A publisher that keeps the records too, and has room for so many."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[Record] = []
        self.most = 100
        self.full = lambda: len(self.records) >= self.most

    def publish(self, *records: Record, settled: Callable[[], None] | None = None) -> None:
        self.records += records
        super().publish(*records, settled=settled)


class Fleet:
    """A worker's streamers, and what was told of them."""

    def __init__(self) -> None:
        self.held: list[Streamer] = [ANN]
        self.list: dict[Streamer, Wanted] = {}
        self.publisher = Kept()
        self.sink = sink(self.publisher)
        self.looks = 0

    def holding(self) -> list[Streamer]:
        self.looks += 1
        return self.held

    async def looked(self) -> None:
        """Wait until all that is held was looked at once more."""
        looks = self.looks
        while self.looks < looks + 2:
            await asyncio.sleep(0.001)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        entries = Entries(self.sink, "worker-0", lambda streamer: self.list.get(streamer, Wanted(streamer)))
        keeping = asyncio.create_task(entries.keep(self.holding))
        try:
            async with asyncio.timeout(60):
                yield
        finally:
            keeping.cancel()
            await asyncio.wait({keeping})


@pytest.fixture
def fleet(monkeypatch: pytest.MonkeyPatch) -> Fleet:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.001)
    return Fleet()


def test_a_streamer_that_is_taken_is_told_once_as_the_list_has_it(fleet: Fleet) -> None:
    fleet.list[ANN] = Wanted(ANN, priority=3, user_id=2**63 - 1, labels=(("team", "red"), ("tier", "gold")))

    async def main() -> None:
        async with fleet.kept():
            await fleet.looked()
            await fleet.looked()

    asyncio.run(main())

    [record], [told] = fleet.publisher.records, fleet.publisher.events
    assert (record.topic, record.key) == ("t.streamer.v1", b"ann")
    meta = told.pop("meta")
    assert told == {
        "name": "streamer",
        "unique_id": "ann",
        "user_id": "9223372036854775807",
        "labels": [{"name": "team", "value": "red"}, {"name": "tier", "value": "gold"}],
    }
    assert meta["event_id"] == f"ann:streamer:worker-0:{AT}"
    assert (meta["streamer"], meta["room_id"], meta["worker"]) == ("ann", "0", "worker-0")
    assert fleet.sink.ledger.own == 1


def test_what_changes_is_told_again_and_what_no_consumer_asked_for_is_not(fleet: Fleet) -> None:
    async def main() -> None:
        async with fleet.kept():
            await fleet.looked()
            fleet.list[ANN] = Wanted(ANN, priority=9, weight=2.0)
            await fleet.looked()
            fleet.list[ANN] = Wanted(ANN, labels=(("team", "red"),))
            await fleet.looked()
            fleet.list[ANN] = Wanted(ANN)
            await fleet.looked()

    asyncio.run(main())

    assert [[label["value"] for label in told["labels"]] for told in fleet.publisher.events] == [[], ["red"], []]


def test_a_streamer_that_comes_back_is_told_again_since_another_worker_may_have_told_meanwhile(fleet: Fleet) -> None:
    async def main() -> None:
        async with fleet.kept():
            await fleet.looked()
            fleet.held = [BO]
            await fleet.looked()
            fleet.held = [BO, ANN]
            await fleet.looked()

    asyncio.run(main())

    assert [told["unique_id"] for told in fleet.publisher.events] == ["ann", "bo", "ann"]


def test_where_kafka_has_no_room_the_rest_waits(fleet: Fleet) -> None:
    fleet.held = [ANN, BO]
    fleet.publisher.most = 1

    async def main() -> None:
        async with fleet.kept():
            while not fleet.publisher.records:
                await asyncio.sleep(0.001)
            for _ in range(20):
                await asyncio.sleep(0.001)
            assert len(fleet.publisher.records) == 1
            fleet.publisher.most = 100
            await fleet.looked()

    asyncio.run(main())

    assert [told["unique_id"] for told in fleet.publisher.events] == ["ann", "bo"]


def test_thousands_that_are_taken_at_once_leave_the_loop_its_turns(fleet: Fleet) -> None:
    """Each look at this clock takes a millisecond of it, and rooms and entries share five of a turn of the loop."""
    milliseconds = itertools.count()
    fleet.sink = replace(fleet.sink, turns=Turns(lambda: next(milliseconds) / 1000))
    fleet.held = [Streamer(f"s{number}") for number in range(200)]
    fleet.publisher.most = 1000
    in_turn: list[int] = []

    async def main() -> None:
        async with fleet.kept():
            while len(fleet.publisher.records) < 200:
                told = len(fleet.publisher.records)
                await asyncio.sleep(0)
                in_turn.append(len(fleet.publisher.records) - told)

    asyncio.run(main())

    assert sum(in_turn) == 200
    assert max(in_turn) <= 10
