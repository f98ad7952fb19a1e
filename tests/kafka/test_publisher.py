"""producer.delivery against a real Kafka."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from producer.delivery import client, topic_plan, topics
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Bounds, Publisher
from producer.delivery.topic_plan import Change, Create
from producer.errors import StartRefused
from producer.events.encoding import Record
from producer.local.kafka import Kafka
from producer.observability.metrics import Metrics
from producer.settings import Settings, from_environ
from tests import published
from tests.kafka.reading import read_topics

prefixes = (f"publisher{number}" for number in count())


def settings(kafka: Kafka, **more: str) -> Settings:
    least = {
        "PRODUCER_UPSTREAM": "http://127.0.0.1:1",
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "PRODUCER_TOPIC_PREFIX": next(prefixes),
        "PRODUCER_TOPIC_PARTITIONS": "3",
        "PRODUCER_TOPIC_REPLICATION_FACTOR": "1",
        "PRODUCER_ASSIGNMENTS_FILE": "list.yaml",
    }
    return from_environ(least | {f"PRODUCER_{name.upper()}": value for name, value in more.items()})


async def publish(chosen: Settings, act: Callable[[Publisher], Awaitable[None]]) -> Ledger:
    ledger = Ledger()

    names = topic_plan.names(chosen.topic_prefix)
    async with Publisher(
        lambda: client.connect(chosen),
        partitions=await topics.partition_counts(chosen),
        dead_letter_topic=topic_plan.dead_letter_topic(chosen.topic_prefix),
        ledger=ledger,
        metrics=Metrics(topics=names, version="test"),
        dead_letter=lambda record, _: Record(topic_plan.dead_letter_topic(chosen.topic_prefix), record.key, b""),
        bounds=Bounds(linger_seconds=0.005, most_records=10_000, delivery_seconds=5.0, grace_seconds=30.0),
    ) as publisher:
        await act(publisher)
    return ledger


def test_topics_are_made_once_and_left_alone_after(kafka: Kafka) -> None:
    chosen = settings(kafka)

    async def main() -> tuple[list[Change], list[Change], dict[str, int]]:
        return await topics.apply(chosen), await topics.apply(chosen), await topics.partition_counts(chosen)

    first, second, counts = asyncio.run(main())

    assert [type(change) for change in first] == [Create] * (len(published.EVENTS) + 1)
    assert second == []
    assert counts == dict.fromkeys(topic_plan.names(chosen.topic_prefix), 3)


def test_a_plan_names_what_differs_and_nothing_else_and_apply_mends_it(kafka: Kafka) -> None:
    chosen = settings(kafka)
    names = topic_plan.names(chosen.topic_prefix)
    comment, gift, like = (f"{chosen.topic_prefix}.{event}.v1" for event in ("comment", "gift", "like"))

    async def main() -> tuple[list[Change], list[Change], dict[str, int]]:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        await admin.start()
        try:
            shape = topic_plan.Shape(3, 1, event_retention_days=30, dead_letter_retention_days=14, slots=None)
            right = {topic.name: topic for topic in topic_plan.wanted(chosen.topic_prefix, shape)}
            new = [
                NewTopic(n, 2 if n == gift else 3, 1, topic_configs=dict(right[n].configs)) for n in names if n != like
            ]
            await admin.create_topics(new)
            wrong = {**right[comment].configs, "retention.ms": "1000", "max.message.bytes": "2000000"}
            while len([t for t in await admin.describe_topics(list(names)) if t["partitions"]]) < len(published.EVENTS):
                await asyncio.sleep(0.1)
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, comment, wrong)])
            async with asyncio.timeout(120):  # brokers learn of a change a moment later
                while len(found := await topics.plan(chosen)) < 3:
                    await asyncio.sleep(0.1)
            await topics.apply(chosen)
            kept = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, comment)])
            values = {entry[0]: entry[1] for entry in kept[0].resources[0][4]}
            return found, await topics.plan(chosen), {"kept": int(values["max.message.bytes"])}
        finally:
            await admin.close()

    found, after, kept = asyncio.run(main())

    assert sorted(str(change) for change in found) == [
        f"add partitions to {gift}: 2 to 3 (streamers change partition)",
        f"configure {comment}: retention.ms=2592000000 (was 1000)",
        f"create {like}: 3 partitions, replication factor 1, cleanup.policy=delete, compression.type=producer, "
        "min.insync.replicas=1, retention.ms=2592000000",
    ]
    assert after == []
    assert kept == {"kept": 2_000_000}


def test_missing_topics_are_named(kafka: Kafka) -> None:
    chosen = settings(kafka)

    with pytest.raises(StartRefused) as refused:
        asyncio.run(topics.partition_counts(chosen))

    assert f"topics are missing: {chosen.topic_prefix}.access_control.v1, " in str(refused.value)
    assert "run `producer topics apply`" in str(refused.value)


def test_a_replication_factor_that_the_cluster_cannot_give_is_refused(kafka: Kafka) -> None:
    chosen = settings(kafka, topic_replication_factor="3")

    with pytest.raises(StartRefused) as refused:
        asyncio.run(topics.apply(chosen))

    assert str(refused.value) == (
        "PRODUCER_TOPIC_REPLICATION_FACTOR=3 is more than Kafka has, which is one broker: set it to 1, or add brokers"
    )


def test_a_broker_that_is_not_there_is_one_line() -> None:
    chosen = from_environ(
        {"PRODUCER_UPSTREAM": "http://127.0.0.1:1", "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    )

    with pytest.raises(StartRefused, match=r"^Kafka cannot be used: 127\.0\.0\.1:9 refuses connections.*$"):
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
