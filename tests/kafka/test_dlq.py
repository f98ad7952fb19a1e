"""`producer dlq` against a real Kafka: letters written by hand with another client, read and replayed by ours."""

import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any

import avro.io
import avro.schema
import pytest
from confluent_kafka import Producer

from producer.events import schemas
from producer.local.kafka import Kafka
from producer.local.programs import without_settings
from tests.events.wire_writer import write
from tests.kafka.reading import read_topics

prefixes = (f"dlq{number}" for number in count())

ROOM = "7300000000000000001"
NOW = int(time.time() * 1000)
HOUR = 3_600_000
COMMENT = write({3: "Hi there"})
BROKEN = b"\x1a\x10Hal"


class Cluster:
    """A prefix of its own on the real Kafka, and the command line with its settings."""

    def __init__(self, kafka: Kafka) -> None:
        self.prefix = next(prefixes)
        self.topic = f"{self.prefix}.dlq.v1"
        self._kafka = kafka
        self._environ = without_settings(os.environ) | {
            "PRODUCER_UPSTREAM": "http://127.0.0.1:9",
            "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "PRODUCER_TOPIC_PREFIX": self.prefix,
            "PRODUCER_TOPIC_PARTITIONS": "2",
            "PRODUCER_TOPIC_REPLICATION_FACTOR": "1",
            "PRODUCER_ASSIGNMENTS_FILE": "list.yaml",
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [sys.executable, "-m", "producer", *arguments],
            env=self._environ,
            capture_output=True,
            timeout=60,
            check=False,
        )

    def dlq(self, *arguments: str) -> list[str]:
        """The lines that a command prints."""
        result = self.run("dlq", *arguments)
        assert result.returncode == 0, result.stderr.decode()
        return result.stdout.decode().splitlines()

    def listed(self, *arguments: str) -> list[str]:
        """The places of the letters that `list` names."""
        listed = json.loads("\n".join(self.dlq("list", "--json", *arguments)))
        return [f"{each['partition']}:{each['offset']}" for each in listed]

    def refused(self, *arguments: str) -> str:
        result = self.run("dlq", *arguments)
        assert (result.returncode, result.stdout) == (1, b"")
        return result.stderr.decode().removeprefix("producer: ").strip()

    def write(self, partition: int, value: bytes, headers: Mapping[str, str | bytes | None], *, at: int) -> None:
        """Write one record with librdkafka, at the end of a partition."""
        other = Producer({"bootstrap.servers": self._kafka.bootstrap_servers})
        raw = {name: text.encode() if isinstance(text, str) else text for name, text in headers.items()}
        other.produce(
            self.topic,
            key=headers.get("producer.streamer"),
            value=value,
            partition=partition,
            timestamp=at,
            headers=list(raw.items()),
        )
        assert other.flush(120) == 0

    def published(self, event: str) -> list[dict[str, Any]]:
        """The records of an event's topic, by librdkafka and Apache's avro."""
        topic = f"{self.prefix}.{event}.v1"
        schema = schemas.events()[event]
        reader = avro.io.DatumReader(avro.schema.parse(schema.text))
        values: list[dict[str, Any]] = []
        for message in read_topics(self._kafka.bootstrap_servers, [topic])[topic]:
            assert message.value()[:10] == b"\xc3\x01" + schema.fingerprint
            value = reader.read(avro.io.BinaryDecoder(io.BytesIO(message.value()[10:])))
            assert isinstance(value, dict)
            values.append(value)
        return values


def headers(streamer: str, reason: str, *, at: int, length: int, **more: str) -> dict[str, str]:
    return {
        "__connect.errors.stage": reason.partition("_")[0],
        "__connect.errors.exception.class.name": "producer.errors.MessageRefused",
        "__connect.errors.exception.message": "no",
        "producer.reason": reason,
        "producer.streamer": streamer,
        "producer.room_id": ROOM,
        "producer.worker": "worker-7",
        "producer.received_at": str(at),
        "producer.length": str(length),
    } | {f"producer.{name}": text for name, text in more.items()}


def message(method: str, message_id: int) -> dict[str, str]:
    return {"method": method, "message_id": str(message_id), "is_history": "false", "room_sequence": "3"}


@pytest.fixture(scope="module")
def cluster(kafka: Kafka) -> Cluster:
    """Letters as they may stand on the topic. 0:0 is a comment that only an older mapping refused."""
    made = Cluster(kafka)
    assert made.run("topics", "apply").returncode == 0
    chat, gift = message("WebcastChatMessage", 11), message("WebcastGiftMessage", 12)
    old, new = NOW - 72 * HOUR, NOW - HOUR
    made.write(1, b"junk", headers("bo", "frame_malformed", at=old, length=4), at=old)
    made.write(1, b"cut", headers("bo", "payload_malformed", at=old + 1, length=9, cut="bytes", **gift), at=old + 1)
    made.write(1, b"somebody else's", {}, at=old + 2)
    made.write(0, COMMENT, headers("ann", "payload_malformed", at=new, length=len(COMMENT), **chat), at=new)
    made.write(0, BROKEN, headers("ann", "payload_malformed", at=new + 1, length=len(BROKEN), **chat), at=new + 1)
    return made


def test_the_list_has_every_letter_the_newest_last(cluster: Cluster) -> None:
    result = cluster.run("dlq", "list")

    def time_of(at: int) -> str:
        return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")

    lines = [line.split() for line in result.stdout.decode().splitlines()]
    assert lines[0] == ["letter", "received", "(UTC)", "streamer", "room", "method", "reason", "bytes"]
    assert [line[0] for line in lines[1:]] == ["1:0", "1:1", "0:0", "0:1"]
    assert lines[1] == ["1:0", *time_of(NOW - 72 * HOUR).split(), "bo", ROOM, "-", "frame_malformed", "4"]
    assert lines[3][3:] == ["ann", ROOM, "WebcastChatMessage", "payload_malformed", str(len(COMMENT))]
    assert result.stderr == b"1 further records on the topic are no letters that this version reads\n"


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        (("--streamer", "@Ann", "--room", ROOM), ["0:0", "0:1"]),
        (("--method", "GiftMessage", "--reason", "payload_malformed"), ["1:1"]),
        (("--since", "2h"), ["0:0", "0:1"]),
        (("--since", "30m"), []),
        (("--limit", "3"), ["1:1", "0:0", "0:1"]),
    ],
    ids=" ".join,
)
def test_filters_leave_what_is_meant(cluster: Cluster, arguments: tuple[str, ...], places: list[str]) -> None:
    assert cluster.listed(*arguments) == places


def test_what_is_older_is_not_even_read(cluster: Cluster) -> None:
    result = cluster.run("dlq", "list", "--since", "2h")

    assert len(result.stdout.splitlines()) == 3
    assert result.stderr == b""


def test_a_letter_is_shown_with_its_headers_and_bytes(cluster: Cluster) -> None:
    lines = cluster.dlq("show", "0:0")

    assert ["producer.method", "WebcastChatMessage"] in [line.split() for line in lines]
    assert ["producer.worker", "worker-7"] in [line.split() for line in lines]
    assert lines[-1] == "00000000  1a 08 48 69 20 74 68 65 72 65                    ..Hi there"
    assert cluster.run("dlq", "show", "0:1", "--raw").stdout == BROKEN
    assert cluster.run("dlq", "show", "1:2", "--raw").stdout == b"somebody else's"


def test_a_letter_that_is_not_there_is_said_with_those_that_are(cluster: Cluster) -> None:
    there = f"{cluster.topic} has 0:0 to 1, 1:0 to 2"

    assert cluster.refused("show", "2:0") == f"there is no record at 2:0; {there}"
    assert cluster.refused("replay", "0:0", "0:2", "--yes") == f"there is no record at 0:2; {there}"


def test_a_topic_that_is_missing_is_named(kafka: Kafka) -> None:
    without = Cluster(kafka)

    assert without.refused("list").startswith(f"the topic {without.topic} is missing; run `producer topics apply`")


def test_a_replay_is_dry_unless_it_is_meant_and_repeats_event_ids(cluster: Cluster) -> None:
    became = [
        f"0:0  comment {ROOM}:11",
        "0:1  still refused (payload_malformed): WebcastChatMessage is not valid protobuf",
        "1:0  not replayable: the bytes are no message's",
        "1:1  not replayable: cut (bytes)",
    ]

    dry = cluster.dlq("replay")
    dry_too = cluster.dlq("replay", "--dry-run", "--yes", "0:0")
    before = cluster.published("comment")
    first = cluster.dlq("replay", "--yes")
    second = cluster.dlq("replay", "--yes", "0:0")
    published = cluster.published("comment")

    assert sorted(dry[:-1]) == became
    assert dry[-1] == "1 would be replayed, 1 still refused, 2 not replayable (a dry run; --yes publishes)"
    assert dry_too[:-1] == became[:1]
    assert before == []
    assert sorted(first[:-1]) == became
    assert first[-1] == "1 replayed, 1 still refused, 2 not replayable"
    assert second == [became[0], "1 replayed, 0 still refused, 0 not replayable"]
    assert [comment["comment"] for comment in published] == ["Hi there", "Hi there"]
    assert [comment["meta"]["event_id"] for comment in published] == [f"{ROOM}:11"] * 2
    meta = published[0]["meta"]
    assert (meta["streamer"], meta["worker"], meta["room_sequence"]) == ("ann", "worker-7", 3)
    assert meta["received_at"] == datetime.fromtimestamp((NOW - HOUR) / 1000, UTC)
    assert cluster.refused("replay", "0:0", "1:2", "--yes").startswith("1:2 is no letter that this version reads: ")
    assert len(cluster.published("comment")) == 2


HOSTILE = "\x1b]0;owned\x07\x9b2J\x7f\r\n\u202e\u2066"
WITH_NUL = f"{HOSTILE}\x00"
"""What a header's name cannot be."""
NOT_UTF_8 = WITH_NUL.encode() + b"\xed\xa0\x80"
"""With a lone surrogate, too."""


@pytest.fixture(scope="module")
def hostile(kafka: Kafka) -> Cluster:
    """Records as somebody may have written them: each header hostile, in a letter and in what is none."""
    made = Cluster(kafka)
    assert made.run("topics", "apply").returncode == 0
    said = headers(
        "ann", "payload_malformed", at=NOW, length=3, **message(WITH_NUL, 11), event=WITH_NUL, topic=WITH_NUL
    )
    made.write(
        0,
        BROKEN,
        said
        | {
            "__connect.errors.exception.message": WITH_NUL,
            "producer.streamer": WITH_NUL,
            "producer.worker": NOT_UTF_8,
            HOSTILE: b"\xff\xfe\x1b\x9b",
        },
        at=NOW,
    )
    made.write(0, HOSTILE.encode(), said | {"producer.length": "9" * 5_000}, at=NOW)
    made.write(0, HOSTILE.encode(), said | {"producer.length": None, "producer.reason": HOSTILE}, at=NOW)
    made.write(0, COMMENT, said | {"producer.method": "WebcastChatMessage", "producer.streamer": HOSTILE}, at=NOW)
    return made


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("list",), 0),
        (("list", "--json"), 0),
        (("show", "0:0"), 0),
        (("show", "0:1"), 0),
        (("show", "0:2"), 0),
        (("replay",), 0),
        (("replay", "0:1"), 1),
        (("replay", "0:2"), 1),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_what_a_record_says_moves_no_cursor(hostile: Cluster, arguments: tuple[str, ...], status: int) -> None:
    result = hostile.run("dlq", *arguments)

    assert result.returncode == status, result.stderr
    said = (result.stdout + result.stderr).decode()
    assert all(letter.isprintable() for letter in said.replace("\n", "")), said
    assert len(said) < 10_000
    if arguments[0] in ("list", "show"):
        assert "\\u202e" in said
