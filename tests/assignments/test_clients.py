"""producer.assignments.clients: what keeps Kafka clients going, without one."""

import asyncio
from typing import NoReturn

import pytest
from aiokafka.errors import KafkaConnectionError

from producer.assignments import clients
from producer.assignments.clients import Kept, Stuck, Watchdog
from producer.errors import StartRefused


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_watchdog_notices_silence_and_not_before() -> None:
    clock = Clock()
    watchdog = Watchdog("the group g", seconds=10.0, clock=clock)
    for _ in range(10):
        clock.now += 1.0
        watchdog.look()

    clock.now += 1.0
    with pytest.raises(Stuck, match="the group g has not answered for 10 seconds"):
        watchdog.look()


def test_a_sign_of_life_begins_the_silence_anew() -> None:
    clock = Clock()
    watchdog = Watchdog("it", seconds=10.0, clock=clock)
    for _ in range(30):
        clock.now += 1.0
        watchdog.alive()
        watchdog.look()


def test_time_in_which_we_stood_still_is_not_the_others_silence() -> None:
    clock = Clock()
    watchdog = Watchdog("it", seconds=10.0, clock=clock)

    clock.now += 3600.0

    watchdog.look()


def test_what_never_came_to_life_is_a_start_refused() -> None:
    async def live() -> NoReturn:
        raise KafkaConnectionError("no broker")

    async def main() -> None:
        kept = Kept("the list", live)
        task = asyncio.create_task(kept.run())
        await kept.started()
        await task

    with pytest.raises(StartRefused, match=r"the list cannot be had from Kafka: .*no broker"):
        asyncio.run(main())


def test_what_came_to_life_is_begun_anew_when_it_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "RETRY_SECONDS", 0)
    third = asyncio.Event()
    lives = 0

    async def live() -> NoReturn:
        nonlocal lives
        lives += 1
        kept.alive()
        if lives == 3:
            third.set()
            await asyncio.get_running_loop().create_future()
        raise (KafkaConnectionError("gone"), StartRefused("the topic is gone"))[lives - 1]

    kept = Kept("the list", live)

    async def main() -> None:
        task = asyncio.create_task(kept.run())
        await asyncio.wait_for(third.wait(), 120)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())

    assert kept.rebuilds == 2


def test_a_bug_of_ours_is_not_repaired() -> None:
    async def live() -> NoReturn:
        kept.alive()
        raise ZeroDivisionError

    kept = Kept("the list", live)

    with pytest.raises(ZeroDivisionError):
        asyncio.run(kept.run())
