"""One topic in trouble on a real Kafka: it is named, it waits, and the others go on."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from producer import backoff
from producer.delivery import client, topic_plan, topics
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Bounds, Publisher
from producer.delivery.spool_folder import SpoolFolder
from producer.events.encoding import Record
from producer.local.kafka import Kafka
from producer.observability.metrics import Metrics
from producer.settings import Settings
from tests.kafka.reading import read_topics
from tests.kafka.test_publisher import settings
from tests.patience import HANGS_SECONDS


class Given:
    """A publisher with a spool, and what it counts."""

    def __init__(self, chosen: Settings, folder: Path) -> None:
        self.chosen = chosen
        self.ledger = Ledger()
        self.metrics = Metrics(topics=topic_plan.names(chosen.topic_prefix), version="test")
        self.dead = topic_plan.dead_letter_topic(chosen.topic_prefix)
        self._folder = folder

    def topic(self, event: str) -> str:
        return f"{self.chosen.topic_prefix}.{event}.v1"

    async def publisher(self, *, delivery_seconds: float = 3.0) -> Publisher:
        return Publisher(
            lambda: client.connect(self.chosen),
            partitions=await topics.partition_counts(self.chosen),
            dead_letter_topic=self.dead,
            dead_letter=lambda record, error: Record(self.dead, record.key, type(error).__name__.encode()),
            ledger=self.ledger,
            metrics=self.metrics,
            spool=SpoolFolder(self._folder, max_bytes=1 << 24),
            bounds=Bounds(linger_seconds=0.005, delivery_seconds=delivery_seconds, grace_seconds=20.0),
        )

    def published(self, topic: str) -> float:
        name = "tiktok_live_records_published_total"
        return self.metrics.registry.get_sample_value(name, {"topic": topic}) or 0.0

    def failures(self, *, topic: str | None = None, error: str | None = None) -> float:
        name = "publish_error_topics_total" if topic else "publish_errors_total"
        labels = {"topic": topic} if topic else {"error": error or ""}
        return self.metrics.registry.get_sample_value(f"tiktok_live_{name}", labels) or 0.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(HANGS_SECONDS):
        while not condition():
            await asyncio.sleep(0.01)


async def admin(chosen: Settings, act: Callable[[AIOKafkaAdminClient], Awaitable[object]]) -> None:
    of_kafka = AIOKafkaAdminClient(bootstrap_servers=chosen.kafka_bootstrap_servers)
    await of_kafka.start()
    try:
        await act(of_kafka)
    finally:
        await of_kafka.close()


def numbers(kafka: Kafka, topic: str) -> list[int]:
    return [int(message.value().split()[0]) for message in read_topics(kafka.bootstrap_servers, [topic])[topic]]


def test_a_topic_that_is_deleted_is_named_and_the_others_go_on(
    tmp_path: Path, kafka: Kafka, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.01)
    given = Given(settings(kafka), tmp_path)
    gone, stays = given.topic("like"), given.topic("comment")
    failures: dict[str, float] = {}

    async def main() -> int:
        await topics.apply(given.chosen)
        sent = 1
        async with await given.publisher(delivery_seconds=1.5) as publisher:
            for topic in (gone, stays):
                publisher.publish(Record(topic, b"s", b"0"))
            await until(lambda: given.ledger.acknowledged == 2)
            await admin(given.chosen, lambda of_kafka: of_kafka.delete_topics([gone]))
            async with asyncio.timeout(HANGS_SECONDS):
                while given.failures(topic=gone) < 4 or not given.failures(error="unknown_topic"):
                    for topic in (gone, stays):
                        publisher.publish(Record(topic, b"s", b"%d" % sent))
                    sent += 1
                    await asyncio.sleep(0.01)
            await until(lambda: given.published(stays) == sent)  # while the trouble lasts
            failures.update({topic: given.failures(topic=topic) for topic in (gone, stays)})
            await topics.apply(given.chosen)
            await until(lambda: given.ledger.acknowledged == 2 * sent)
        return sent

    sent = asyncio.run(main())

    # At least once: a batch that was under way when the client was replaced may come twice.
    assert list(dict.fromkeys(numbers(kafka, stays))) == list(range(sent))
    found = list(dict.fromkeys(numbers(kafka, gone)))
    # A broker goes on acknowledging for some moments into a topic that is being deleted.
    assert found == list(range(found[0], sent))
    assert (given.ledger.lost, given.ledger.spooled) == (0, 0)
    lines = capsys.readouterr().out.splitlines()
    replaced = [line for line in lines if "kafka client replaced" in line and "apart=False" in line]
    # The client that both shared was replaced, once. Were it shared for ever, it would be so each time.
    assert 2 * len(replaced) <= failures[gone]
    assert 2 * failures[stays] <= failures[gone]
    said = [line for line in lines if "error=unknown_topic" in line]
    assert said
    assert gone in said[0]
    assert "run `producer topics apply`" in said[0]


def test_a_record_above_the_topics_limit_becomes_a_dead_letter_and_its_neighbours_arrive(
    tmp_path: Path, kafka: Kafka
) -> None:
    given = Given(settings(kafka), tmp_path)
    topic = given.topic("comment")

    async def main() -> None:
        # From its beginning: a broker takes its time to heed what is changed later.
        limited = NewTopic(topic, 1, 1, config={"max.message.bytes": "20000"})
        creating = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
        await asyncio.to_thread(creating.create_topics([limited])[topic].result)
        await topics.apply(given.chosen)
        async with await given.publisher() as publisher:
            for number in range(50):
                # Digits that do not compress, since brokers look at the compressed size.
                digits = b" " + Random(number).randbytes(30_000).hex().encode() if number == 25 else b""
                publisher.publish(Record(topic, b"s", b"%d" % number + digits))
            await until(lambda: given.ledger.acknowledged + given.ledger.dead_lettered == 50)

    asyncio.run(main())

    assert list(dict.fromkeys(numbers(kafka, topic))) == [number for number in range(50) if number != 25]
    [letter] = read_topics(kafka.bootstrap_servers, [given.dead])[given.dead]
    assert letter.value() == b"MessageSizeTooLargeError"
    assert (given.ledger.acknowledged, given.ledger.dead_lettered) == (49, 1)
