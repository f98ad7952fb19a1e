"""producer.turns: rooms that have work without end, on a loop that somebody else needs as well."""

import asyncio
import itertools

import pytest

from producer.turns import Turns

WORK_SECONDS = 0.002


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def worked(rooms: int, pieces: int, *, cancelled: int | None = None) -> tuple[list[int], list[int]]:
    """Let rooms do so many pieces of work each; tell who did each, and how many were done in each turn of the loop."""
    clock = Clock()
    turns = Turns(clock)
    done: list[int] = []
    at: list[int] = [0]

    async def room(number: int) -> None:
        for _ in range(pieces):
            await turns.mine()
            done.append(number)
            clock.now += WORK_SECONDS

    async def main() -> None:
        tasks = [asyncio.create_task(room(number)) for number in range(rooms)]
        async with asyncio.timeout(60):
            while not all(task.done() for task in tasks):
                await asyncio.sleep(0)
                at.append(len(done))
                if cancelled is not None and len(done) > rooms:
                    tasks[cancelled].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    return done, [after - before for before, after in itertools.pairwise(at)]


@pytest.mark.parametrize("rooms", [1, 2, 100])
def test_all_rooms_together_take_no_more_of_a_turn_than_one_may(rooms: int) -> None:
    done, in_a_turn = worked(rooms, 5)

    assert len(done) == 5 * rooms
    # Of 2 ms each: two and a half make 5 ms.
    assert max(in_a_turn) == 3


def test_rooms_have_their_turns_in_order() -> None:
    done, _ = worked(10, 30)

    counted = [done[: 10 * 9].count(number) for number in range(10)]

    assert max(counted) - min(counted) <= 6  # two turns


def test_who_comes_later_waits_behind_those_that_wait() -> None:
    clock = Clock()
    turns = Turns(clock)
    done: list[int] = []

    async def room(number: int) -> None:
        for _ in range(20):
            await turns.mine()
            done.append(number)
            clock.now += WORK_SECONDS

    async def main() -> int:
        tasks = [asyncio.create_task(room(number)) for number in range(10)]
        while len(done) < 30:
            await asyncio.sleep(0)
        late = asyncio.create_task(room(10))
        before = len(done)
        async with asyncio.timeout(60):
            await asyncio.gather(*tasks, late)
        return len(set(done[before : done.index(10)]))

    assert asyncio.run(main()) >= 9


def test_who_is_cancelled_while_it_waits_keeps_nobody_from_its_turn() -> None:
    done, _ = worked(10, 30, cancelled=4)

    assert [done.count(number) for number in range(10) if number != 4] == [30] * 9
    assert done.count(4) < 30


def test_little_work_waits_for_nothing() -> None:
    done, in_a_turn = worked(2, 1)

    assert done == [0, 1]
    assert max(in_a_turn) == 2
