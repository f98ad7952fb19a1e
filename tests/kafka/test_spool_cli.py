"""`producer spool`: as an operator uses it, against a real Kafka."""

import asyncio
import base64
import json
import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Publisher
from producer.delivery.spool import Entry, Spool
from producer.delivery.spool_folder import SpoolFolder
from producer.events.encoding import Record
from producer.local.kafka import Kafka
from producer.local.processes import LocalFailure
from producer.local.programs import command
from tests.delivery import running
from tests.delivery.cluster import Cluster
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
        return SpoolFolder(self.folder, max_bytes=1 << 24).own()

    def fill(self, spool: Spool, numbers: range, *, event: str = "comment") -> None:
        topic, first = f"{self.prefix}.{event}.v1", spool.next_id
        records = [Record(topic, b"someone", b"%d" % number, (("h", b"\xff"),)) for number in numbers]
        spool.commit([(first + i, Entry(record, AT + i)) for i, record in enumerate(records)], ())

    def run(self, *arguments: str, **more: str) -> str:
        return asyncio.run(command(*arguments, environ=self._environ | more))

    def fails(self, *arguments: str) -> str:
        """What a command printed that ended with status 1."""
        with pytest.raises(LocalFailure) as failure:
            self.run(*arguments)
        return str(failure.value).partition("failed: ")[2]


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
    assert len({message.partition() for message in found[topics[0]]}) == 1
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


@pytest.mark.parametrize("partitions", [1, 5])
def test_what_was_spooled_at_two_partitions_is_drained_into_as_many_as_there_are(
    partitions: int, tmp_path: Path, kafka: Kafka
) -> None:
    given = Given(tmp_path, kafka.bootstrap_servers)
    topic = f"{given.prefix}.comment.v1"

    async def fill(publisher: Publisher, ledger: Ledger) -> None:
        running.outage(cluster)
        for number in range(2000):
            publisher.publish(Record(topic, b"%d" % (number % 10), b"%d" % number))
        await running.until(lambda: ledger.spooled == 2000)

    cluster = Cluster()
    running.run(tmp_path, cluster, fill, partitions={topic: 2}, most_records=5000)
    given.run("topics", "apply", PRODUCER_TOPIC_PARTITIONS=str(partitions))

    said = given.run("spool", "drain")

    found = read_topics(kafka.bootstrap_servers, [topic])[topic]
    by_key: dict[bytes, list[tuple[int, int]]] = {}
    for message in found:
        by_key.setdefault(message.key(), []).append((message.partition(), int(message.value())))
    assert "spool-0.db: 2000 published, 0 left" in said
    assert {key: [number for _, number in each] for key, each in by_key.items()} == {
        b"%d" % key: list(range(key, 2000, 10)) for key in range(10)
    }
    assert all(len({partition for partition, _ in each}) == 1 for each in by_key.values())
    assert len({message.partition() for message in found}) == (5 if partitions == 5 else 1)


def test_records_of_a_topic_that_is_gone_are_left_named_and_counted_until_it_is_there_again(
    tmp_path: Path, kafka: Kafka
) -> None:
    given = Given(tmp_path, kafka.bootstrap_servers)
    given.run("topics", "apply")
    spool = given.open()
    given.fill(spool, range(5), event="like")
    given.fill(spool, range(100, 107))
    spool.close()
    gone, there = f"{given.prefix}.like.v1", f"{given.prefix}.comment.v1"

    async def delete() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
        await admin.start()
        try:
            await admin.delete_topics([gone])
            while gone in await admin.list_topics():
                await asyncio.sleep(0.05)
        finally:
            await admin.close()

    asyncio.run(delete())
    said = given.fails("spool", "drain")
    given.run("topics", "apply")
    fifo, link = planted(tmp_path)
    in_the_end = given.fails("spool", "drain")

    found = read_topics(kafka.bootstrap_servers, [gone, there])
    assert "spool-0.db: 7 published, 5 left" in said
    assert f"{gone:<40}         5" in said
    assert "5 records are left" in said
    assert "spool-0.db: 5 published, 0 left" in in_the_end
    assert_refused(in_the_end, fifo, link)
    assert [int(message.value()) for message in found[there]] == list(range(100, 107))
    assert [int(message.value()) for message in found[gone]] == list(range(5))


def test_looking_refuses_what_is_no_regular_file_and_prints_nothing_that_moves_the_cursor(tmp_path: Path) -> None:
    given = Given(tmp_path)
    spool = given.open()
    record = Record(
        "\x1b]0;x\x07\x9b31m\u202e\r\x00.comment",
        b"\x1b[31m\r\x00\xed\xa0\x80",
        b"\x1b[0m",
        (("\x1b]0;\x07\r\x00", b"\x07"),),
    )
    spool.commit([(spool.next_id, Entry(record, AT))], ())
    spool.close()
    fifo, link = planted(tmp_path)

    said = given.run("spool", "stat")
    export = given.fails("spool", "export")

    assert f"{fifo}  free  is a FIFO, and no regular file" in said.splitlines()
    assert f"{link}  free  is a symbolic link, and no regular file" in said.splitlines()
    assert_refused(export, fifo, link)
    for text in (said, export):
        assert ".comment" in text
        assert [letter for letter in text if not letter.isprintable() and letter != "\n"] == []


def planted(folder: Path) -> tuple[Path, Path]:
    """Put a FIFO and a symbolic link where files of a spool would be."""
    fifo, link = folder / "spool-8.db", folder / "spool-9.db"
    os.mkfifo(fifo)
    (folder / "precious").write_text("precious")
    link.symlink_to(folder / "precious")
    return fifo, link


def assert_refused(text: str, fifo: Path, link: Path) -> None:
    lines = text.splitlines()
    assert lines.count(f"{fifo} is a FIFO, and no regular file: left alone") == 1
    assert lines.count(f"{link} is a symbolic link, and no regular file: left alone") == 1
    assert "producer: 2 files were left alone" in lines
    assert link.read_text() == "precious"
