"""Who gave most in each room: `python leaderboard.py BROKERS REGISTRY tiktok.live.gift_finalized.v1 gifts.db`.

Ask `SELECT * FROM leaderboard` of gifts.db at any time.
"""

import io
import json
import sqlite3
import sys
from contextlib import closing
from functools import cache
from typing import Any
from urllib.request import urlopen

import fastavro
from confluent_kafka import Consumer, KafkaException

TABLES = """
CREATE TABLE IF NOT EXISTS gifts (
    event_id TEXT PRIMARY KEY, streamer TEXT, room TEXT, giver TEXT, name TEXT,
    gifts INTEGER, diamonds INTEGER, given_at INTEGER
);
-- With max(), SQLite takes the name from the row that has it: givers have the name that they had last.
CREATE VIEW IF NOT EXISTS leaderboard AS
SELECT streamer, room, rank() OVER (PARTITION BY room ORDER BY coalesce(sum(diamonds), 0) DESC) AS place, giver, name,
    sum(gifts) AS gifts, coalesce(sum(diamonds), 0) AS diamonds, datetime(max(given_at), 'unixepoch') AS last_gift
FROM gifts GROUP BY streamer, room, giver ORDER BY room, place, giver;
"""

brokers, registry, topic, file = sys.argv[1:]
settings = {"group.id": "leaderboard", "auto.offset.reset": "earliest", "enable.auto.commit": False}


@cache
def schema_of(schema_id: int) -> Any:
    with urlopen(f"{registry}/schemas/ids/{schema_id}") as answer:
        return fastavro.parse_schema(json.loads(json.load(answer)["schema"]))


def decode(value: bytes) -> Any:
    if value[0] != 0:
        raise ValueError(f"not the Confluent wire format: it begins with {value[0]}")
    return fastavro.schemaless_reader(io.BytesIO(value[5:]), schema_of(int.from_bytes(value[1:5], "big")), None)


with closing(sqlite3.connect(file)) as db, closing(Consumer({"bootstrap.servers": brokers, **settings})) as consumer:
    db.executescript(TABLES)
    consumer.subscribe([topic])
    while True:
        messages = consumer.consume(500, timeout=1.0)
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            gift = decode(message.value())
            meta, user = gift["meta"], gift["user"] or {}  # who gave need not be known
            row = (meta["event_id"], meta["streamer"], meta["room_id"], user.get("user_id_str") or "?")
            given_at = gift.get("last_message_at") or meta["received_at"]
            # What diamonds are unknown (None) adds nothing; a correction is one more row, and adds what it says.
            row += (user.get("uniqueId"), gift["count"], gift["diamonds"], int(given_at.timestamp()))
            db.execute("INSERT OR IGNORE INTO gifts VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        db.commit()
        if messages:
            consumer.commit(asynchronous=False)  # after the rows: what is read again has its event ids there
