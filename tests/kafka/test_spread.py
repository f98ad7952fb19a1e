"""A broker that has not heard yet of what the others know: every command waits for it, and says so where that ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count

import pytest

from producer.checks import topics as check_topics
from producer.delivery import topics
from producer.delivery.letter_reader import LetterReader
from producer.errors import StartRefused
from producer.kafka import spread
from producer.local.kafka import Kafka
from producer.settings import Settings
from tests.kafka.proxy import Fault, Proxy
from tests.kafka.test_publisher import settings

prefixes = (f"spread{number}" for number in count())


@asynccontextmanager
async def two_brokers(kafka: Kafka) -> AsyncIterator[tuple[Settings, Proxy]]:
    """Topics on a cluster that looks like two brokers, and the second of them, which may be told to lag."""
    async with Proxy(kafka.bootstrap_servers) as first, Proxy(kafka.bootstrap_servers) as second:
        brokers = {1: first, 2: second}
        for proxy in brokers.values():
            proxy.stand_for(brokers)
        chosen = settings(kafka).model_copy(
            update={"topic_prefix": next(prefixes), "kafka_bootstrap_servers": f"{first.address},{second.address}"}
        )
        yield chosen, second


def lag(proxy: Proxy, topic: str, times: int | None = 3) -> list[Fault]:
    """Let a broker not have heard of a topic, so many times it is asked."""
    return [proxy.without_topic(topic, times=times), proxy.without_configs(topic, times=times)]


async def apply(chosen: Settings) -> None:
    await topics.apply(chosen)


async def plan(chosen: Settings) -> None:
    assert await topics.plan(chosen) == []


async def start(chosen: Settings) -> None:
    assert (await topics.partition_counts(chosen))[f"{chosen.topic_prefix}.gift.v1"] == 3


async def check(chosen: Settings) -> None:
    [verdict] = await check_topics.there(chosen)
    assert verdict.state == "ok"
    assert [verdict.state for verdict in await check_topics.shape(chosen)] == ["ok"]
    await check_topics.replication(chosen)


async def letters(chosen: Settings) -> None:
    assert [found async for found in LetterReader(chosen).since(None)] == []


@pytest.mark.parametrize(
    ("event", "command", "asked"),
    [("gift", apply, 2), ("gift", plan, 2), ("gift", start, 1), ("gift", check, 2), ("dlq", letters, 1)],
    ids=["apply", "plan", "start", "check", "dlq"],
)
def test_what_one_broker_has_not_heard_of_is_waited_for(
    kafka: Kafka, event: str, command: Callable[[Settings], Awaitable[None]], asked: int
) -> None:
    async def main() -> list[int]:
        async with two_brokers(kafka) as (chosen, second):
            if command is not apply:
                await topics.apply(chosen)
            faults = lag(second, f"{chosen.topic_prefix}.{event}.v1")
            await command(chosen)
            return [fault.fired for fault in faults]

    assert asyncio.run(main())[:asked] == [3] * asked


@pytest.mark.parametrize("command", [topics.plan, topics.partition_counts])
def test_a_broker_that_never_hears_of_it_is_said_in_a_sentence(
    kafka: Kafka, command: Callable[[Settings], Awaitable[object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> int:
        async with two_brokers(kafka) as (chosen, second):
            await topics.apply(chosen)
            monkeypatch.setattr(spread, "SPREAD_SECONDS", 0.3)
            unheard, _ = lag(second, f"{chosen.topic_prefix}.gift.v1", times=None)
            with pytest.raises(
                StartRefused, match=r"^Kafka cannot be used: its brokers do not agree on topics, for 0.3 s now: "
            ):
                await command(chosen)
            return unheard.fired

    assert asyncio.run(main()) >= 1  # one look may take all of that time


def test_a_broker_that_cannot_be_reached_is_left_out(kafka: Kafka) -> None:
    async def main() -> None:
        async with two_brokers(kafka) as (chosen, second):
            await second.go_down()
            await apply(chosen)
            await plan(chosen)
            await check(chosen)

    asyncio.run(main())


def test_topics_that_cannot_be_made_yet_are_made_once_they_can(kafka: Kafka) -> None:
    async def main() -> int:
        async with Proxy(kafka.bootstrap_servers) as proxy:
            chosen = settings(kafka).model_copy(update={"kafka_bootstrap_servers": proxy.address})
            refused = proxy.refuse_creation("REQUEST_TIMED_OUT", times=2)
            await apply(chosen)
            await plan(chosen)
            return refused.fired

    assert asyncio.run(main()) == 2


def test_brokers_enough_that_are_not_all_there_are_said_in_kafkas_words(kafka: Kafka) -> None:
    async def main() -> None:
        async with two_brokers(kafka) as (chosen, _):
            with pytest.raises(StartRefused, match=r"^Kafka refuses PRODUCER_TOPIC_REPLICATION_FACTOR=2: .*1 broker"):
                await topics.apply(chosen.model_copy(update={"topic_replication_factor": 2}))

    asyncio.run(main())
