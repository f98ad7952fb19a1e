"""Says who went live, once a room: `python went_live.py BROKERS REGISTRY tiktok.live.live_start.v1 told.db`."""

import io
import json
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.request import urlopen

import fastavro
from confluent_kafka import Consumer, KafkaException

NEWS = timedelta(minutes=10)
"""What was found longer ago, while this program or Kafka was away, is no news any more."""

brokers, registry, topic, file = sys.argv[1:]
settings = {"group.id": "went-live", "auto.offset.reset": "earliest", "enable.auto.commit": False}


@cache
def schema_of(schema_id: int) -> Any:
    with urlopen(f"{registry}/schemas/ids/{schema_id}") as answer:
        return fastavro.parse_schema(json.loads(json.load(answer)["schema"]))


def decode(value: bytes) -> Any:
    if value[0] != 0:
        raise ValueError(f"not the Confluent wire format: it begins with {value[0]}")
    return fastavro.schemaless_reader(io.BytesIO(value[5:]), schema_of(int.from_bytes(value[1:5], "big")), None)


def alert(text: str) -> None:
    print(text, flush=True)  # or send it to where it is read


with closing(sqlite3.connect(file)) as db, closing(Consumer({"bootstrap.servers": brokers, **settings})) as consumer:
    db.execute("CREATE TABLE IF NOT EXISTS told (room TEXT PRIMARY KEY)")
    consumer.subscribe([topic])
    while True:
        message = consumer.poll(1.0)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        start = decode(message.value())
        meta, title = start["meta"], (start["room"] or {}).get("title") or "no title"

        is_new = db.execute("INSERT OR IGNORE INTO told VALUES (?)", (meta["room_id"],)).rowcount
        db.commit()  # before it is said: whoever is killed in between has not said it, and never says it twice
        if is_new and datetime.now(UTC) - meta["received_at"] < NEWS:
            name = start["renamed_to"] or meta["streamer"]
            alert(f"{meta['streamer']} went live: {title}, https://www.tiktok.com/@{name}/live")
        consumer.commit(message, asynchronous=False)
