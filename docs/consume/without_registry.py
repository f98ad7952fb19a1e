"""The same without a registry: `python without_registry.py BROKERS tiktok.live.gift_finalized.v1 FILE.avsc ...`.

The files are self-contained schemas of GiftFinalizedEvent, one for each version that wrote to the topic, today's last.
"""

import io
import json
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path

import fastavro
from confluent_kafka import Consumer, KafkaException
from fastavro.schema import fingerprint, to_parsing_canonical_form

REMEMBERED = 100_000

brokers, topic, *files = sys.argv[1:]
schemas = {}
for file in files:
    today = fastavro.parse_schema(json.loads(Path(file).read_text("utf-8")))
    schemas[bytes.fromhex(fingerprint(to_parsing_canonical_form(today), "CRC-64-AVRO"))] = today
settings = {"group.id": "gifts-fastavro", "auto.offset.reset": "earliest", "enable.auto.commit": False}
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
        value = message.value()
        if value[:2] != b"\xc3\x01":
            raise ValueError(f"not Avro single-object encoding: it begins with {value[:2].hex()}")
        # The writer's schema, and today's for what to make of it: fields that it lacked have their defaults.
        gift = fastavro.schemaless_reader(io.BytesIO(value[10:]), schemas[value[2:10]], today)

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
