"""Reading topics with librdkafka, which shares nothing with the client under test."""

from collections.abc import Iterator, Sequence
from typing import Any

from confluent_kafka import Consumer, TopicPartition


def read_topics(bootstrap_servers: str, topics: Sequence[str]) -> dict[str, list[Any]]:
    """Read every record that the topics hold now, by topic, in the order of each partition."""
    found: dict[str, list[Any]] = {topic: [] for topic in topics}
    for message in each_record(bootstrap_servers, topics):
        found[message.topic()].append(message)
    return found


def each_record(bootstrap_servers: str, topics: Sequence[str]) -> Iterator[Any]:
    """Read what the topics hold now, record by record; each partition in its order."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "tests", "enable.auto.commit": False})
    try:
        ends: dict[tuple[str, int], int] = {}
        for topic in topics:
            for partition in consumer.list_topics(topic, timeout=120).topics[topic].partitions:
                _, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=120)
                if end:
                    ends[topic, partition] = end
        consumer.assign([TopicPartition(topic, partition, 0) for topic, partition in ends])
        while ends:
            message: Any  # what a message without an error has, its type calls optional
            for message in consumer.consume(num_messages=1000, timeout=0.5):
                assert message.error() is None
                yield message
                place = (message.topic(), message.partition())
                if message.offset() + 1 >= ends.get(place, 0):
                    ends.pop(place, None)
    finally:
        consumer.close()
