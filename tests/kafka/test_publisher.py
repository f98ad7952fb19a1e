"""producer.delivery against a real Kafka."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest

from producer.delivery import client, topics
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Publisher
from producer.errors import StartRefused
from producer.events.encoding import Record
from producer.local.kafka import Kafka
from producer.observability.metrics import Metrics
from producer.settings import Settings, from_environ
from tests.kafka.reading import read_topics

prefixes = (f"publisher{number}" for number in count())


def settings(kafka: Kafka, **more: str) -> Settings:
    least = {
        "PRODUCER_UPSTREAM": "http://127.0.0.1:1",
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "PRODUCER_TOPIC_PREFIX": next(prefixes),
        "PRODUCER_TOPIC_PARTITIONS": "3",
        "PRODUCER_TOPIC_REPLICATION_FACTOR": "1",
    }
    return from_environ(least | {f"PRODUCER_{name.upper()}": value for name, value in more.items()})


async def publish(chosen: Settings, act: Callable[[Publisher], Awaitable[None]]) -> Ledger:
    ledger = Ledger()

    names = topics.names(chosen.topic_prefix)
    async with Publisher(
        lambda: client.connect(chosen),
        partitions=await topics.partition_counts(chosen),
        dead_letter_topic=topics.dead_letter_topic(chosen.topic_prefix),
        ledger=ledger,
        metrics=Metrics(topics=names, version="test"),
        linger_seconds=0.005,
        max_in_flight=10_000,
        delivery_timeout_seconds=5.0,
        grace_seconds=30.0,
    ) as publisher:
        await act(publisher)
    return ledger


def test_topics_are_made_once_and_left_alone_after(kafka: Kafka) -> None:
    chosen = settings(kafka)

    async def main() -> tuple[topics.Applied, topics.Applied, dict[str, int]]:
        return await topics.apply(chosen), await topics.apply(chosen), await topics.partition_counts(chosen)

    first, second, counts = asyncio.run(main())

    assert len(first.created) == 14
    assert first.existing == ()
    assert (second.created, second.existing) == ((), first.created)
    assert counts == dict.fromkeys(first.created, 3)


def test_missing_topics_are_named(kafka: Kafka) -> None:
    chosen = settings(kafka)

    with pytest.raises(StartRefused) as refused:
        asyncio.run(topics.partition_counts(chosen))

    assert f"{chosen.topic_prefix}.comment.v1" in str(refused.value)
    assert "run `producer topics apply`" in str(refused.value)


def test_a_replication_factor_that_the_cluster_cannot_give_is_refused(kafka: Kafka) -> None:
    chosen = settings(kafka, topic_replication_factor="3")

    with pytest.raises(StartRefused, match=r"Kafka did not create .*: InvalidReplicationFactorError"):
        asyncio.run(topics.apply(chosen))


def test_a_broker_that_is_not_there_is_one_line() -> None:
    chosen = from_environ(
        {"PRODUCER_UPSTREAM": "http://127.0.0.1:1", "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    )

    with pytest.raises(StartRefused, match=r"^Kafka at 127\.0\.0\.1:9 cannot be used: .*$"):
        asyncio.run(topics.apply(chosen))


@pytest.mark.parametrize("compression", ["none", "gzip", "snappy", "lz4", "zstd"])
def test_records_arrive_whole_and_in_order_with_every_codec(kafka: Kafka, compression: str) -> None:
    chosen = settings(kafka, kafka_compression=compression)
    topic = f"{chosen.topic_prefix}.comment.v1"
    large = bytes(range(256)) * 2000

    async def main() -> Ledger:
        await topics.apply(chosen)

        async def act(publisher: Publisher) -> None:
            for number in range(500):
                publisher.publish(Record(topic, f"s{number % 5}".encode(), b"%d" % number, (("h", b"v"),)))
            publisher.publish(Record(topic, b"large", large))
            await publisher.room()

        return await publish(chosen, act)

    ledger = asyncio.run(main())

    found = read_topics(kafka.bootstrap_servers, [topic])[topic]
    assert ledger.acknowledged == len(found) == 501
    by_key: dict[bytes, list[int]] = {}
    for message in found:
        if message.key() == b"large":
            assert message.value() == large
            continue
        assert message.headers() == [("h", b"v")]
        by_key.setdefault(message.key(), []).append(int(message.value()))
    assert by_key == {f"s{key}".encode(): list(range(key, 500, 5)) for key in range(5)}


def test_a_broker_killed_under_load_loses_and_reorders_nothing(tmp_path: Path) -> None:
    async def main() -> None:
        async with Kafka(tmp_path) as kafka:
            chosen = settings(kafka)
            topic = f"{chosen.topic_prefix}.like.v1"
            await topics.apply(chosen)

            async def act(publisher: Publisher) -> None:
                for number in range(3000):
                    publisher.publish(Record(topic, b"s", b"%d" % number))
                    if number % 20 == 0:
                        await asyncio.sleep(0.001)
                        await publisher.room()
                    if number == 1000:
                        await kafka.kill(1)
                assert publisher.in_flight > 0, "the outage was not met"
                await kafka.start(1)

            ledger = await publish(chosen, act)
            found = await asyncio.to_thread(read_topics, kafka.bootstrap_servers, [topic])

        assert (ledger.acknowledged, ledger.lost) == (3000, 0)
        values = [int(message.value()) for message in found[topic]]
        # At least once: a batch whose acknowledgement was lost comes twice, and the first of each is in order.
        assert list(dict.fromkeys(values)) == list(range(3000))

    asyncio.run(main())
