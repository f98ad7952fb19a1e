"""Reading topics with librdkafka, which shares nothing with the client under test."""

from collections.abc import Iterator, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

ELECTING = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE})
"""Where a broker that led a partition is gone, and the client asks it, or nobody, for a moment."""


def read_topics(bootstrap_servers: str, topics: Sequence[str]) -> dict[str, list[Any]]:
    """Read every record that the topics hold now, by topic, in the order of each partition."""
    found: dict[str, list[Any]] = {topic: [] for topic in topics}
    for message in each_record(bootstrap_servers, topics):
        found[message.topic()].append(message)
    return found


def _end(consumer: Consumer, place: TopicPartition) -> int:
    """The end of a partition, whoever leads it by now."""
    while True:
        try:
            return int(consumer.get_watermark_offsets(place, timeout=120)[1])
        except KafkaException as failure:
            if failure.args[0].code() not in ELECTING:
                raise
            consumer.list_topics(place.topic, timeout=120)


def each_record(bootstrap_servers: str, topics: Sequence[str]) -> Iterator[Any]:
    """Read what the topics hold now, record by record; each partition in its order."""
    consumer = Consumer({"bootstrap.servers": bootstrap_servers, "group.id": "tests", "enable.auto.commit": False})
    try:
        ends: dict[tuple[str, int], int] = {}
        for topic in topics:
            for partition in consumer.list_topics(topic, timeout=120).topics[topic].partitions:
                if end := _end(consumer, TopicPartition(topic, partition)):
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
