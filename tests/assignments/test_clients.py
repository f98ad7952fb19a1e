"""producer.assignments.clients: what keeps Kafka clients going, without one."""

import asyncio
from typing import NoReturn

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from producer.assignments import clients
from producer.assignments.clients import Broken, Kept, Stuck, Watchdog, asked, partitions
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


def test_a_bug_before_it_came_to_life_is_raised_where_it_is_waited_for() -> None:
    async def live() -> NoReturn:
        raise ZeroDivisionError

    async def main() -> None:
        kept = Kept("the list", live)
        task = asyncio.create_task(kept.run())
        try:
            await kept.started()
        finally:
            await asyncio.wait({task})
            task.exception()

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())


def test_what_a_client_raises_that_it_does_not_document_is_a_failure_of_kafkas() -> None:
    async def answer(error: Exception) -> NoReturn:
        raise error

    async def main(error: Exception) -> None:
        await asked(answer(error))

    with pytest.raises(Broken, match=r"aiokafka failed: UnicodeDecodeError\(.*") as broken:
        asyncio.run(main(UnicodeDecodeError("utf-8", b"\xff" * 10_000, 0, 1, "invalid")))
    with pytest.raises(KafkaConnectionError, match="no broker"):
        asyncio.run(main(KafkaConnectionError("no broker")))
    with pytest.raises(TimeoutError):
        asyncio.run(main(TimeoutError()))
    assert len(str(broken.value)) < 300


class Brokers:
    """A consumer whose brokers learn of a topic one after the other; each question goes to the next of them."""

    def __init__(self, known: list[set[str]], numbers: list[set[int] | None]) -> None:
        self._known = iter(known)
        self._numbers = iter(numbers)
        self.assigned: list[TopicPartition] = []

    async def topics(self) -> set[str]:
        return next(self._known)

    def assign(self, places: list[TopicPartition]) -> None:
        self.assigned = places

    def assignment(self) -> list[TopicPartition]:
        return self.assigned

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        return next(self._numbers)


def test_a_topic_is_asked_for_until_every_broker_that_is_asked_knows_it() -> None:
    brokers = Brokers([set(), {"list"}, {"list"}], [None, {1, 0}])

    found = asyncio.run(partitions(brokers, "list"))

    assert found == {"list": [TopicPartition("list", 0), TopicPartition("list", 1)]}


def test_a_topic_that_no_broker_comes_to_know_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "SPREAD_SECONDS", -1.0)

    with pytest.raises(
        StartRefused,
        match=r"^the topic list is missing; run `producer topics apply`, or correct PRODUCER_TOPIC_PREFIX$",
    ):
        asyncio.run(partitions(Brokers([set()], []), "list"))
    with pytest.raises(
        StartRefused, match=r"^topics are missing: a, b; run `producer topics apply`, or correct PRODUCER_TOPIC_PREFIX$"
    ):
        asyncio.run(partitions(Brokers([{"c"}], []), "b", "a", "c"))
