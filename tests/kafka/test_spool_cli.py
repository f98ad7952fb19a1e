"""`producer spool`: as an operator uses it, against a real Kafka."""

import asyncio
import base64
import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from producer.delivery.spool import Entry, Spool
from producer.events.encoding import Record
from producer.local.kafka import Kafka
from producer.local.processes import LocalFailure
from producer.local.programs import command
from tests.kafka.reading import read_topics

prefixes = (f"spooled{number}" for number in count())
AT = 1_790_000_000_000


class Given:
    """A spool directory and its settings."""

    def __init__(self, folder: Path, bootstrap_servers: str = "127.0.0.1:9") -> None:
        self.prefix = next(prefixes)
        self.folder = folder
        self._environ = {
            "PRODUCER_UPSTREAM": "http://127.0.0.1:1",
            "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "PRODUCER_TOPIC_PREFIX": self.prefix,
            "PRODUCER_TOPIC_PARTITIONS": "2",
            "PRODUCER_TOPIC_REPLICATION_FACTOR": "1",
            "PRODUCER_ASSIGNMENTS_FILE": "list.yaml",
            "PRODUCER_SPOOL_DIRECTORY": str(folder),
        }

    def open(self) -> Spool:
        return Spool.open(self.folder, max_bytes=1 << 24, precious=frozenset())

    def fill(self, spool: Spool, numbers: range, *, event: str = "comment") -> None:
        topic, first = f"{self.prefix}.{event}.v1", spool.next_id
        records = [Record(topic, b"someone", b"%d" % number, (("h", b"\xff"),)) for number in numbers]
        spool.commit([(first + i, Entry(record, 1, AT + i)) for i, record in enumerate(records)], ())

    def run(self, *arguments: str, **more: str) -> str:
        return asyncio.run(command(*arguments, environ=self._environ | more))


def test_stat_shows_every_file_and_who_has_it(tmp_path: Path) -> None:
    given = Given(tmp_path)
    first, second = given.open(), given.open()
    given.fill(first, range(5))
    given.fill(second, range(3), event="gift")
    second.close()
    (tmp_path / "spool-2.db").write_bytes(b"no database" * 500)

    said: list[dict[str, Any]] = json.loads(given.run("spool", "stat", "--json"))
    text = given.run("spool", "stat")
    first.close()

    assert [(file["in_use"], file["records"], file["topics"]) for file in said] == [
        (True, 5, {f"{given.prefix}.comment.v1": 5}),
        (False, 3, {f"{given.prefix}.gift.v1": 3}),
        (False, 0, {}),
    ]
    assert said[2]["problem"] == "damaged or not readable: file is not a database"
    assert "spool-0.db  in use  5 records, " in text


def test_export_prints_everything_beside_a_worker(tmp_path: Path) -> None:
    given = Given(tmp_path)
    spool = given.open()
    given.fill(spool, range(3))

    lines = [json.loads(line) for line in given.run("spool", "export").splitlines()]
    others = given.run("spool", "export", "--topic", "another")
    spool.close()

    assert others == ""
    assert [base64.b64decode(line["value"]) for line in lines] == [b"0", b"1", b"2"]
    assert lines[1] == {
        "topic": f"{given.prefix}.comment.v1",
        "partition": 1,
        "timestamp_ms": AT + 1,
        "key": base64.b64encode(b"someone").decode(),
        "headers": {"h": base64.b64encode(b"\xff").decode()},
        "value": base64.b64encode(b"1").decode(),
    }


def test_drain_publishes_every_free_file_in_order_with_the_original_times(tmp_path: Path, kafka: Kafka) -> None:
    given = Given(tmp_path, kafka.bootstrap_servers)
    given.run("topics", "apply")
    first, second, taken = given.open(), given.open(), given.open()
    given.fill(first, range(100))
    given.fill(second, range(3), event="gift")
    given.fill(taken, range(1000, 1003))
    first.close()
    second.close()

    said = given.run("spool", "drain")
    held = taken.held_records
    taken.close()

    topics = [f"{given.prefix}.{event}.v1" for event in ("comment", "gift")]
    found = read_topics(kafka.bootstrap_servers, topics)
    assert [int(message.value()) for message in found[topics[0]]] == list(range(100))
    assert [message.timestamp()[1] for message in found[topics[0]]] == list(range(AT, AT + 100))
    assert {message.partition() for message in found[topics[0]]} == {1}
    assert [int(message.value()) for message in found[topics[1]]] == [0, 1, 2]
    assert "spool-0.db: 100 published, 0 left" in said
    assert held == 3


@pytest.mark.parametrize(
    ("directory", "sentence"),
    [("", "PRODUCER_SPOOL_DIRECTORY is not set"), ("/nowhere/at/all", "is not a directory")],
)
def test_without_a_directory_there_is_one_sentence(tmp_path: Path, directory: str, sentence: str) -> None:
    for what in ("stat", "export", "drain"):
        with pytest.raises(LocalFailure, match=sentence):
            Given(tmp_path).run("spool", what, PRODUCER_SPOOL_DIRECTORY=directory)


def test_a_drain_that_kafka_does_not_take_keeps_everything(tmp_path: Path) -> None:
    given = Given(tmp_path)
    spool = given.open()
    given.fill(spool, range(4))
    spool.close()

    with pytest.raises(LocalFailure, match=r"Kafka cannot be used: 127\.0\.0\.1:9 refuses connections"):
        given.run("spool", "drain")

    assert given.open().held_records == 4
