"""What each streamer or guest was given: `python with_registry.py BROKERS REGISTRY tiktok.live.gift_finalized.v1`."""

import sys
from collections import Counter
from contextlib import closing

from confluent_kafka import Consumer, KafkaException
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext

REMEMBERED = 100_000

brokers, registry, topic = sys.argv[1:]
deserialize = AvroDeserializer(SchemaRegistryClient({"url": registry}))
# The sums are kept in memory, so each start reads from the beginning and commits nothing.
settings = {"group.id": "gifts-python", "auto.offset.reset": "earliest", "enable.auto.commit": False}
diamonds: Counter[str] = Counter()
seen: dict[str, None] = {}

with closing(Consumer({"bootstrap.servers": brokers, **settings})) as consumer:
    consumer.subscribe([topic])
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        gift = deserialize(message.value(), SerializationContext(topic, MessageField.VALUE))

        if gift["meta"]["event_id"] in seen:
            continue
        seen[gift["meta"]["event_id"]] = None
        if len(seen) > REMEMBERED:
            del seen[next(iter(seen))]  # the oldest: a dict keeps the order of insertion

        streamer = message.key().decode()
        receiver = gift.get("receiver_id") or streamer  # a guest, or the streamer by number; None is not said
        diamonds[receiver] += gift["diamonds"] or 0  # None is unknown
        user = gift["user"]["userId"] if gift["user"] else None
        print(
            f"{streamer}: {gift['count']} {gift['gift_name']} from {user or '?'}, {receiver} has {diamonds[receiver]}",
            flush=True,
        )
