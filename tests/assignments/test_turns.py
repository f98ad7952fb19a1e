"""What a word costs where thousands are held or handed over: counted in steps of the interpreter, not in time.

What sets do within one step is not counted.
"""

import asyncio
from typing import Any

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.holding import Holding
from producer.assignments.interface import Said
from producer.assignments.kafka import KafkaAssignments
from producer.assignments.membership import Assigned
from producer.assignments.table import Status, Table, encode_row, slot_of
from tests.steps import steps

SLOTS = 16
NOW = 1000.0


def names(number: int) -> list[Streamer]:
    return [Streamer(f"s{each:05}") for each in range(number)]


def write(table: Table, streamer: Streamer, *, offset: int, enabled: bool = True) -> None:
    table.apply(slot_of(streamer, SLOTS), offset, *encode_row(Wanted(streamer, enabled)))


def listed(number: int) -> Table:
    table = Table(SLOTS)
    for offset, streamer in enumerate(names(number)):
        write(table, streamer, offset=offset)
    return table


def unstarted(**more: Any) -> KafkaAssignments:
    """A source that has no clients."""
    topics: dict[str, Any] = {"list_topic": "l", "status_topic": "s", "group": "g"}
    return KafkaAssignments(dict, worker="me", max_streams=100_000, slots=SLOTS, **topics, **more)


def handing_over(number: int) -> tuple[Holding, Table]:
    """So many connected streamers, all of them another's now."""
    holding, table = Holding(worker="me", max_streams=100_000, handover_seconds=20.0), listed(number)
    holding.assigned(frozenset(range(SLOTS)), 1, table, evicted=False, now=NOW)
    holding.show()
    for streamer in names(number):
        holding.reported(streamer, "connected")
    holding.assigned(frozenset(), 2, table, evicted=False, now=NOW)
    holding.show()
    assert len(holding.bridged) == number
    return holding, table


def test_what_one_word_about_a_bridge_costs_does_not_depend_on_how_many_there_are() -> None:
    def word(holding: Holding, table: Table, state: str) -> int:
        def act() -> None:
            holding.heard(Streamer("s00007"), Status("other", 2, state, 0))
            holding.settle(table, NOW + 1.0)
            holding.next_deadline()
            holding.show()

        return steps(act)

    few, many = handing_over(20), handing_over(2_000)

    for state in ("resolving", "connecting", "connected", "offline"):
        # A heap's depth is the one thing that grows.
        assert word(*many, state) < word(*few, state) + 200


def test_the_end_of_one_bridge_is_found_without_a_look_at_the_others() -> None:
    def end(number: int) -> int:
        holding, table = handing_over(number)
        holding.heard(Streamer("s00007"), Status("other", 2, "connected", 0))
        holding.settle(table, NOW)
        done = steps(lambda: holding.settle(table, NOW + 0.5))
        assert len(holding.bridged) == number - 1
        return done

    assert end(2_000) < end(20) + 200


def test_what_one_edit_costs_does_not_depend_on_how_long_the_list_is() -> None:
    def edit(number: int) -> int:
        told: list[int | None] = []
        source = unstarted(list_read=told.append)
        source._follower.table = listed(number)
        source._assigned(Assigned(frozenset(range(SLOTS)), 1, evicted=False, stalled=False))
        assert len(source._holding.show()) == number
        write(source._follower.table, Streamer("s00007"), offset=number, enabled=False)
        done = steps(lambda: source.list_changed({Streamer("s00007")}))
        assert told == [number - 1]
        assert len(source._holding.show()) == number - 1
        return done

    assert edit(2_000) < edit(20) + 200


def test_words_that_come_in_one_turn_are_settled_in_one() -> None:
    class Counted(Holding):
        settled = 0

        def settle(self, table: Table, now: float) -> None:
            self.settled += 1
            super().settle(table, now)

    async def main() -> int:
        source = unstarted()
        source._follower.table = listed(500)
        source._holding = holding = Counted(worker="me", max_streams=100_000, handover_seconds=20.0)
        source._assigned(Assigned(frozenset(range(SLOTS)), 1, evicted=False, stalled=False))
        changes = source.changes()
        await anext(changes)
        for streamer in names(500):
            source.report(streamer, Said("connected"))
        source._assigned(Assigned(frozenset(), 2, evicted=False, stalled=False))
        following = asyncio.ensure_future(anext(changes))
        await asyncio.sleep(0)
        before = holding.settled
        for streamer in names(500):
            source.heard(streamer, Status("other", 2, "connecting", 0))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        following.cancel()
        return holding.settled - before

    assert asyncio.run(main()) == 1
