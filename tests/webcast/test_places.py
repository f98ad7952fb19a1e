"""producer.webcast.doors.places and queue: who calls at a door next, and when."""

import asyncio
from collections.abc import Sequence
from random import Random

from producer.webcast.doors.places import Places, Rank, per_minute
from producer.webcast.doors.queue import Queue


def calls(places: Places, ranks: Sequence[Rank], *, at: float = 0.0) -> list[tuple[int, float]]:
    """Who of some that come at once calls when, by ticket; each call is answered at once."""
    for rank in ranks:
        places.wait(rank)
    called = []
    now = at
    while len(places):
        found = places.next(now)
        if isinstance(found, int):
            called.append((found, now))
            places.answered(now)
        else:
            now = found
    return called


def test_calls_are_spread_over_the_minute() -> None:
    assert calls(Places(10), [Rank()] * 4) == [(1, 0.0), (2, 6.0), (3, 12.0), (4, 18.0)]


def test_who_was_heard_goes_first_then_by_priority_then_by_age() -> None:
    ranks = [Rank(since=1.0), Rank(since=0.0), Rank(priority=5, since=9.0), Rank(was_heard=True, priority=-1)]

    order = [ticket for ticket, _ in calls(Places(60), ranks)]

    assert order == [4, 3, 2, 1]


def test_no_minute_has_more_calls_than_places_whenever_each_arrives() -> None:
    chance = Random(1)
    places, now, arrived = Places(10), 0.0, []
    for _ in range(200):
        places.wait(Rank())
    while len(places):
        found = places.next(now)
        if isinstance(found, int):
            answered = now + chance.uniform(0.0, 20.0)
            arrived.append(chance.uniform(now, answered))
            places.answered(answered)
        else:
            now = max(found, now + chance.uniform(0.0, 1.0))
    arrived.sort()

    assert max(sum(1 for each in arrived if begin <= each < begin + 60) for begin in arrived) <= 10


def test_a_hold_holds_all_who_wait_already() -> None:
    places = Places(60)
    places.wait(Rank(was_heard=True))

    places.hold(50.0)

    assert places.next(0.0) == 50.0
    assert places.next(49.9) == 50.0
    assert places.next(50.0) == 1


def test_who_leaves_gives_its_place_to_whoever_is_behind() -> None:
    places = Places(10)
    tickets = [places.wait(Rank()) for _ in range(40)]
    for ticket in tickets[::2]:
        places.leave(ticket)

    now, last = 0.0, 0.0
    while len(places):
        found = places.next(now)
        if isinstance(found, int):
            last = now
            places.answered(now)
        else:
            now = found

    assert last == 19 * 6.0, "the half that stays is through as if the other had never come"


def test_a_smaller_share_counts_at_once_and_calls_that_were_made_keep_their_places() -> None:
    places = Places(10)
    first = calls(places, [Rank()] * 6)
    assert first[-1] == (6, 30.0)

    places.allow(2)
    [(_, next_at)] = calls(places, [Rank()], at=30.0)

    assert places.taken(next_at - 0.1) == 2
    assert next_at == 84.0, "when the fifth's minute is over, only the sixth's call counts"


def test_without_a_share_nobody_calls() -> None:
    places = Places(0)
    places.wait(Rank())

    assert places.next(0.0) == float("inf")


def test_a_call_that_was_not_made_takes_no_place() -> None:
    places = Places(1)
    places.wait(Rank())
    assert places.next(0.0) == 1

    places.give_back()

    assert places.taken(0.0) == 0


def test_less_than_one_call_a_minute_is_one_in_so_long() -> None:
    assert per_minute(10.0) == (10, 60.0)
    assert per_minute(2.5) == (2, 60.0)
    assert per_minute(0.5) == (1, 120.0)


def test_a_cancelled_half_gives_its_places_back_and_leaves_nothing_behind() -> None:
    async def main() -> tuple[list[int], int, int]:
        now = [0.0]
        places = Places(6000)
        queue = Queue(places, clock=lambda: now[0])
        places.hold(1.0)
        called: list[int] = []

        async def call(number: int) -> None:
            async with queue.turn(Rank()):
                called.append(number)

        tasks = [asyncio.create_task(call(number)) for number in range(10)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        await asyncio.sleep(0)
        waiting = queue.waiting
        for now[0] in range(1, 20):
            queue.allow(6000)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        return called, waiting, queue.taken

    called, waiting, taken = asyncio.run(main())

    assert waiting == 5
    assert called == [1, 3, 5, 7, 9]
    assert taken == 5


def test_who_is_cancelled_at_the_moment_of_its_turn_gives_the_place_back() -> None:
    async def main() -> tuple[int, list[str]]:
        now = [0.0]
        queue = Queue(Places(1), clock=lambda: now[0])
        queue.learn_hold(1.0)
        called: list[str] = []

        async def call(name: str) -> None:
            async with queue.turn(Rank()):
                called.append(name)

        task = asyncio.create_task(call("first"))
        await asyncio.sleep(0)
        now[0] = 1.0
        queue.allow(1)  # its turn has come, and it does not know yet
        assert queue.waiting == 0
        task.cancel()
        await asyncio.wait({task})
        return queue.taken, called

    assert asyncio.run(main()) == (0, [])
