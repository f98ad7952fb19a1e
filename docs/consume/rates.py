"""Events and viewers a minute in each room: `python rates.py BROKERS REGISTRY tiktok.live rates.db`.

Ask `SELECT * FROM rates` of rates.db at any time.
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

COUNTED = ("comment", "follow", "gift", "join", "like", "share")
OTHERS = ("connect", "disconnect", "live_end", "live_start", "viewer_count_update")
TABLES = f"""
CREATE TABLE IF NOT EXISTS events (
    event_id TEXT PRIMARY KEY, room TEXT, connection TEXT, name TEXT, at INTEGER, started_at INTEGER, viewers INTEGER
);
-- A connection is heard from its connect to its disconnect, or to its last event if its worker was killed. Where two
-- overlap, as at a hand-over, the later one begins where the earlier ends.
CREATE VIEW IF NOT EXISTS heard AS
SELECT room, max(first, coalesce(max(last) OVER earlier, first)) AS first, last
FROM (SELECT room, min(at) AS first, max(at) AS last FROM events WHERE connection NOT NULL GROUP BY room, connection)
WINDOW earlier AS (PARTITION BY room ORDER BY first, last ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING);
-- Each minute from when the live began. events is NULL, not 0, in a minute of which nothing was heard.
CREATE VIEW IF NOT EXISTS rates AS
WITH RECURSIVE minutes AS (
    SELECT room, min(coalesce(started_at, at)) / 60000 AS minute, max(at) / 60000 AS final FROM events GROUP BY room
    UNION ALL SELECT room, minute + 1, final FROM minutes WHERE minute < final
), counts AS (
    SELECT room, at / 60000 AS minute, sum(name IN {COUNTED}) AS events, max(viewers) AS viewers
    FROM events GROUP BY room, at / 60000
), heard_ms AS (
    SELECT room, minute, sum(max(0, min(last, minute * 60000 + 60000) - max(first, minute * 60000))) AS heard
    FROM minutes JOIN heard USING (room) GROUP BY room, minute
)
SELECT room, datetime(minute * 60, 'unixepoch') AS minute, CASE WHEN heard > 0 THEN coalesce(events, 0) END AS events,
    viewers, coalesce(heard, 0) / 1000 AS seconds_heard
FROM minutes LEFT JOIN counts USING (room, minute) LEFT JOIN heard_ms USING (room, minute) ORDER BY room, minute;
"""

brokers, registry, prefix, file = sys.argv[1:]
settings = {"group.id": "rates", "auto.offset.reset": "earliest", "enable.auto.commit": False}


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
    consumer.subscribe([f"{prefix}.{name}.v1" for name in COUNTED + OTHERS])
    while True:
        messages = consumer.consume(500, timeout=1.0)
        for message in messages:
            if message.error():
                raise KafkaException(message.error())
            event = decode(message.value())
            meta = event["meta"]
            if meta["is_history"]:
                continue  # it was sent before the connection, so it says nothing of the minute it was received in
            times = [at and round(at.timestamp() * 1000) for at in (meta["received_at"], event.get("started_at"))]
            row = (meta["event_id"], meta["room_id"], meta.get("connection"), event["name"], *times)
            db.execute("INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, event.get("viewerCount")))
        db.commit()
        if messages:
            consumer.commit(asynchronous=False)  # after the rows: what is read again has its event ids there
