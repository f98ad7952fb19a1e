"""The programs of docs/consume.md that keep what they read in SQLite: what they make of records of a real Kafka."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from producer.delivery.registry import Registry
from producer.events import schemas
from producer.events.encoding import Encoder
from producer.events.event import Event
from producer.local.kafka import Kafka
from producer.local.registry import Registry as Apicurio
from tests.consumers.test_consumers import ROOT, environment
from tests.consumers.test_programs import PAGE, PATIENCE_SECONDS, PROGRAMS

RATES_TOPICS = (
    *("comment", "follow", "gift", "join", "like", "share"),
    *("connect", "disconnect", "live_end", "live_start", "viewer_count_update"),
)


class Topics:
    """Topics of one partition each, and our own encoder's way to them."""

    def __init__(self, kafka: Kafka, registry: Apicurio, prefix: str, *events: str) -> None:
        self.prefix = prefix
        self._servers: dict[str, Any] = {"bootstrap.servers": kafka.bootstrap_servers}
        known = {event: schemas.events()[event] for event in events}
        self._encoder = Encoder(known, topic_prefix=prefix, schema_ids=asyncio.run(self._register(registry, known)))
        admin = AdminClient(self._servers)
        for done in admin.create_topics([NewTopic(schema.topic(prefix), 1, 1) for schema in known.values()]).values():
            done.result()

    async def _register(self, registry: Apicurio, known: Mapping[str, schemas.Schema]) -> Mapping[str, int]:
        async with Registry(registry.url) as ours:
            return {name: (await ours.register(each, each.topic(self.prefix))).id for name, each in known.items()}

    def publish(self, events: Iterable[Event]) -> None:
        producer = Producer(self._servers)
        for event in events:
            record = self._encoder.encode(event, key=event.value["meta"]["streamer"])
            producer.produce(record.topic, key=record.key, value=record.value)
        assert producer.flush(120) == 0


def event(name: str, meta: Mapping[str, Any], **fields: Any) -> Event:
    """A golden record in which little is said but these fields."""
    file = json.loads((ROOT / "golden" / f"{name}.json").read_text("ascii"))
    value = deepcopy(file["examples"][1]["value"]) | fields
    value["meta"] |= meta
    return Event(name, value)


@contextmanager
def running(program: str, *arguments: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A program that never ends by itself; it is interrupted at the end, and leaves its group."""
    with (folder / f"{program}.stderr").open("w+") as stderr:
        process = subprocess.Popen(
            (sys.executable, str(PROGRAMS / program), *arguments),
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            # A shell has what it runs in the background ignore SIGINT, and Python leaves that as it finds it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
        watchdog.start()
        try:
            yield process
            assert process.poll() is None, (folder / f"{program}.stderr").read_text()
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate()
            watchdog.cancel()


def rows(process: subprocess.Popen[str], file: Path, table: str, count: int, view: str) -> list[tuple[Any, ...]]:
    """The columns and rows of a view of a program's file, once a table has so many; the program is still at it."""
    while process.poll() is None:
        if file.exists():
            with closing(sqlite3.connect(file)) as db, closing(db.cursor()) as cursor:
                has = cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (view,)).fetchone()[0]
                if has and cursor.execute(f"SELECT count(*) FROM {table}").fetchone()[0] >= count:
                    found = cursor.execute(f"SELECT * FROM {view}").fetchall()
                    return [tuple(column for column, *_ in cursor.description), *found]
        time.sleep(0.2)
    pytest.fail(f"{process.args!r} ended")


def shown(found: list[tuple[Any, ...]]) -> str:
    """As `sqlite3 -header` prints them."""
    return "".join("|".join("" if cell is None else str(cell) for cell in row) + "\n" for row in found)


# ------------------------------------------------------------------------------------------------------ leaderboard

ANN, BEN = 7312345678901234847, 7412345678901234849
NOON = 1_767_268_800_000
"""2026-01-01 12:00:00 UTC, in ms."""

BOARD = """\
streamer|room|place|giver|name|gifts|diamonds|last_gift
alice|7301|1|7412345678901234849|ben|1|1000|2026-01-01 12:00:09
alice|7301|2|7312345678901234847|ann.new|7|7|2026-01-01 12:00:40
alice|7301|3|?||1|0|2026-01-01 12:00:41
bob|7302|1|7312345678901234847|ann.new|1|1|2026-01-01 12:00:50
"""
BOARD_AFTERWARDS = BOARD.replace(
    "bob|7302|1|7312345678901234847|ann.new|1|1|2026-01-01 12:00:50\n",
    "bob|7302|1|7412345678901234849|ben|3|3|2026-01-01 12:01:00\n"
    "bob|7302|2|7312345678901234847|ann.new|1|1|2026-01-01 12:00:50\n",
)


def given(
    number: int, streamer: str, room: str, giver: tuple[int, str] | None, count: int, diamonds: int | None, second: int
) -> Event:
    meta = {"streamer": streamer, "room_id": room, "event_id": f"{room}:gift_finalized:{number}"}
    at = NOON + second * 1000
    said = event("gift_finalized", meta, count=count, diamonds=diamonds, last_message_at=at)
    if giver is None:
        said.value["user"] = None
    else:
        said.value["user"] |= {"userId": giver[0], "user_id_str": str(giver[0]), "uniqueId": giver[1]}
    return said


GIFTS = (
    given(1, "alice", "7301", (ANN, "ann"), 5, 5, 5),
    given(1, "alice", "7301", (ANN, "ann"), 5, 5, 5),
    given(2, "alice", "7301", (BEN, "ben"), 1, 1000, 9),
    given(3, "alice", "7301", (ANN, "ann.new"), 2, 2, 40),
    given(4, "alice", "7301", None, 1, None, 41),
    given(2, "alice", "7301", (BEN, "ben"), 1, 1000, 9),
    given(5, "bob", "7302", (ANN, "ann.new"), 1, 1, 50),
)


def test_the_leaderboard_has_each_gift_once_also_after_a_restart(
    kafka: Kafka, registry: Apicurio, tmp_path: Path
) -> None:
    topics = Topics(kafka, registry, "leaderboard", "gift_finalized")
    arguments = (kafka.bootstrap_servers, registry.url, "leaderboard.gift_finalized.v1", str(tmp_path / "gifts.db"))

    topics.publish(GIFTS)
    with running("leaderboard.py", *arguments, folder=tmp_path) as process:
        first = rows(process, tmp_path / "gifts.db", "gifts", 5, "leaderboard")
    topics.publish((*GIFTS, given(6, "bob", "7302", (BEN, "ben"), 3, 3, 60)))
    with running("leaderboard.py", *arguments, folder=tmp_path) as process:
        second = rows(process, tmp_path / "gifts.db", "gifts", 6, "leaderboard")

    assert shown(first) == BOARD
    assert shown(second) == BOARD_AFTERWARDS


# ------------------------------------------------------------------------------------------------------------ rates

RATES = """\
room|minute|events|viewers|seconds_heard
7301|2026-01-01 11:58:00|||0
7301|2026-01-01 11:59:00|||0
7301|2026-01-01 12:00:00|2|12|30
7301|2026-01-01 12:01:00|1|15|30
7301|2026-01-01 12:02:00|||0
7301|2026-01-01 12:03:00|1||45
7301|2026-01-01 12:04:00|1||30
7301|2026-01-01 12:05:00|0|20|30
"""
"""Of the live below, worked out by hand.

Connection a was heard from 12:00:30 to 12:01:30; nothing until b, from 12:03:15 to its last event at 12:04:10, for its
worker was killed, and c, all of it beside b; then d from 12:04:40 to 12:05:30.
"""


def told(name: str, second: int, connection: str | None, *, is_history: bool = False, **fields: Any) -> Event:
    """An event of a room, so many seconds after noon."""
    meta = {"room_id": "7301", "event_id": f"7301:{name}:{connection}:{second}", "connection": connection}
    return event(name, {**meta, "received_at": NOON + second * 1000, "is_history": is_history}, **fields)


BEGAN = NOON - 90_000
LIVE = (
    told("live_start", 20, None, started_at=BEGAN),
    told("connect", 30, "a", started_at=BEGAN),
    told("comment", 31, "a", is_history=True),
    told("comment", 40, "a"),
    told("comment", 45, "a"),
    told("viewer_count_update", 50, "a", viewerCount=12),
    told("like", 70, "a"),
    told("viewer_count_update", 80, "a", viewerCount=15),
    told("disconnect", 90, "a"),
    told("connect", 195, "b", started_at=BEGAN),
    told("comment", 196, "b", is_history=True),
    told("gift", 225, "b"),
    told("connect", 245, "c", started_at=BEGAN),
    told("disconnect", 248, "c"),
    told("join", 250, "b"),
    told("connect", 280, "d", started_at=BEGAN),
    told("viewer_count_update", 305, "d", viewerCount=20),
    told("live_end", 330, "d", started_at=BEGAN),
    told("disconnect", 330, "d"),
)


def test_rates_leave_out_history_and_duplicates_and_tell_a_gap_from_silence(
    kafka: Kafka, registry: Apicurio, tmp_path: Path
) -> None:
    topics = Topics(kafka, registry, "rates", *RATES_TOPICS)
    topics.publish((*LIVE, *LIVE))
    arguments = (kafka.bootstrap_servers, registry.url, "rates", str(tmp_path / "rates.db"))

    with running("rates.py", *arguments, folder=tmp_path) as process:
        found = rows(process, tmp_path / "rates.db", "events", 17, "rates")

    assert shown(found) == RATES


# -------------------------------------------------------------------------------------------------------- went live


def started(streamer: str, room_id: str, ago_seconds: int = 0, **fields: Any) -> Event:
    """A live that was found so long ago."""
    meta = {"streamer": streamer, "room_id": room_id, "event_id": f"{room_id}:live_start"}
    received_at = round((time.time() - ago_seconds) * 1000)
    return event("live_start", {**meta, "received_at": received_at}, **fields)


def test_who_goes_live_is_told_once_a_room_also_after_a_restart_and_not_when_it_is_old(
    kafka: Kafka, registry: Apicurio, tmp_path: Path
) -> None:
    topics = Topics(kafka, registry, "went-live", "live_start")
    arguments = (kafka.bootstrap_servers, registry.url, "went-live.live_start.v1", str(tmp_path / "told.db"))
    alice = started("alice", "7301")
    alice.value["room"]["title"] = "Cooking 🍜"
    late, renamed = started("carol", "7309", ago_seconds=3600), started("bob", "7302", renamed_to="bob.new", room=None)
    starts = (alice, alice, late, renamed)

    topics.publish((*starts, started("alice", "7303")))
    with running("went_live.py", *arguments, folder=tmp_path) as process:
        assert process.stdout is not None
        first = list(islice(process.stdout, 3))
    topics.publish((*starts, started("dora", "7304")))
    with running("went_live.py", *arguments, folder=tmp_path) as process:
        assert process.stdout is not None
        second = list(islice(process.stdout, 1))

    assert first == [
        "alice went live: Cooking 🍜, https://www.tiktok.com/@alice/live\n",
        "bob went live: no title, https://www.tiktok.com/@bob.new/live\n",
        "alice went live: no title, https://www.tiktok.com/@alice/live\n",
    ]
    assert second == ["dora went live: no title, https://www.tiktok.com/@dora/live\n"]


def test_the_page_shows_what_the_programs_keep() -> None:
    page = PAGE.read_text("utf-8")

    assert f"\n{BOARD}```\n" in page
    assert f"\n{RATES}```\n" in page
