"""`producer assign` against a real Kafka, as people type it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from confluent_kafka import Message, Producer

from producer.local.kafka import Kafka
from tests.kafka.reading import read_topics

prefixes = (f"assign{number}" for number in count())


@dataclass(frozen=True)
class Command:
    """Runs `producer` for a shared list of its own; says what it printed."""

    prefix: str
    environ: Mapping[str, str]

    def __call__(self, *arguments: str, given: str | bytes = "") -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [sys.executable, "-m", "producer", *arguments],
            env=self.environ,
            input=given.encode() if isinstance(given, str) else given,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def assign(kafka: Kafka) -> Command:
    prefix = next(prefixes)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PRODUCER_")} | {
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "PRODUCER_TOPIC_PREFIX": prefix,
        "PRODUCER_TOPIC_PARTITIONS": "1",
        "PRODUCER_TOPIC_REPLICATION_FACTOR": "1",
        "PRODUCER_ASSIGNMENT_SLOTS": "8",
    }

    run = Command(prefix, environ)
    made = run("topics", "apply")
    assert made.returncode == 0, made.stderr
    return run


def said(result: "subprocess.CompletedProcess[str]") -> list[str]:
    assert result.returncode == 0, result.stderr
    return result.stdout.splitlines()


def test_names_are_added_changed_listed_and_removed(assign: Command) -> None:
    assert said(assign("assign", "add", "@Ann", "https://www.tiktok.com/@bo/live", "--priority", "2")) == [
        "+ ann priority=2",
        "+ bo priority=2",
    ]
    assert said(assign("assign", "add", "cai", "--disabled", "--dry-run")) == ["+ cai enabled=False"]
    assert said(assign("assign", "list")) == [
        "unique_id,enabled,priority,weight",
        "ann,true,2,1.0",
        "bo,true,2,1.0",
    ]
    assert said(assign("assign", "remove", "bo")) == ["- bo"]
    assert said(assign("assign", "export", "--as", "lines")) == ["ann"]


def test_only_what_is_said_of_a_streamer_changes(assign: Command) -> None:
    way = ("--doors", "sign, direct", "--room-id", "7300000000000000001", "--session", "adults.one")
    said(assign("assign", "add", "ann", "--priority", "2", *way, "--label", "team=Red & white"))

    assert said(assign("assign", "add", "ann")) == []
    before = "priority=2 doors=sign,direct room_id=7300000000000000001 session=adults.one label.team=Red & white"
    assert said(assign("assign", "disable", "ann")) == [f"~ ann enabled=False {before} (was ann {before})"]
    assert said(assign("assign", "disable", "ann")) == []
    assert said(assign("assign", "enable", "ann")) == [f"~ ann {before} (was ann enabled=False {before})"]
    after = before.replace("sign,direct", "sign").replace(" session=adults.one", "")
    assert said(assign("assign", "set", "ann", "--doors", "sign", "--session", "")) == [
        f"~ ann {after} (was ann {before})"
    ]
    labels = ("--label", " tier = a=b ", "--label", "team=")
    assert said(assign("assign", "add", "ann", "bo", "--weight", "1.5", *labels, "--user-id", "700", "--dry-run")) == [
        "+ bo weight=1.5 user_id=700 label.tier=a=b",
        "~ ann priority=2 weight=1.5 doors=sign room_id=7300000000000000001 user_id=700 label.tier=a=b"
        f" (was ann {after})",
    ]
    assert json.loads(assign("assign", "list", "--json").stdout) == {
        "streamers": [
            {
                "unique_id": "ann",
                "enabled": True,
                "priority": 2,
                "weight": 1.0,
                "doors": ["sign"],
                "room_id": "7300000000000000001",
                "labels": {"team": "Red & white"},
            }
        ]
    }
    assert said(assign("assign", "apply", "-", "--as", "yaml", given=assign("assign", "list", "--json").stdout)) == []


def test_a_plan_says_by_its_exit_status_whether_something_would_change(assign: Command, tmp_path: Path) -> None:
    listed = tmp_path / "list"
    listed.write_text("ann\n")
    plan = ("assign", "apply", str(listed), "--dry-run", "--detailed-exitcode")

    assert [assign(*plan).returncode, assign("assign", "apply", str(listed)).returncode] == [2, 0]
    assert [assign(*plan).returncode, assign(*plan, "--as", "yaml").returncode] == [0, 1]


def test_a_file_is_applied_and_only_what_differs_is_said(assign: Command, tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.csv"
    first.write_text("streamers: [ann, bo, {unique_id: cai, weight: 3}]")
    second.write_text("unique_id,weight\nann,\nbo,2\ndua,\n")

    assert said(assign("assign", "apply", str(first), "--dry-run")) == ["+ ann", "+ bo", "+ cai weight=3.0"]
    assert len(said(assign("assign", "apply", str(first)))) == 3
    assert said(assign("assign", "apply", str(first))) == []
    assert said(assign("assign", "apply", str(second))) == ["+ dua", "~ bo weight=2.0 (was bo)", "- cai"]
    exported = assign("assign", "export").stdout
    assert said(assign("assign", "apply", "-", "--as", "yaml", given=exported)) == []


def test_more_than_half_goes_only_if_that_is_meant(assign: Command) -> None:
    said(assign("assign", "apply", "-", given="ann\nbo\ncai\n"))

    refused = assign("assign", "apply", "-", given="ann\n")
    kept = said(assign("assign", "export", "--as", "lines"))
    meant = said(assign("assign", "apply", "-", "--yes", given="ann\n"))

    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "producer: this removes 2 of 3 streamers, which is more than half; nothing was changed (--yes does it)"
    ]
    assert kept == ["ann", "bo", "cai"]
    assert meant == ["- bo", "- cai"]
    assert said(assign("assign", "export", "--as", "lines")) == ["ann"]


@pytest.mark.parametrize(
    ("arguments", "given", "lines"),
    [
        (
            ("add", "@ann", "ANN", "not ok"),
            "",
            [
                "producer: the command line: line 2: ann is listed twice, here and in line 1",
                "producer: the command line: line 3: 'not ok' is not a unique id (2 to 24 letters, digits, _ and .)",
            ],
        ),
        (("remove", "nobody"), "", ["producer: nobody is not on the list"]),
        (
            ("set", "nobody", "no.one", "--priority", "1"),
            "",
            ["producer: nobody is not on the list", "producer: no.one is not on the list"],
        ),
        (("enable", "nobody"), "", ["producer: nobody is not on the list"]),
        (("apply", "-", "--as", "yaml"), "[]", ["producer: -: line 1: expected a mapping with a list `streamers`"]),
        (("apply", "missing.yaml"), "", ["producer: the list missing.yaml cannot be read: No such file or directory"]),
        (("apply", "-"), b"ann\nb\xf6\n", ["producer: -: line 2 is not UTF-8: save it as UTF-8"]),
        (("apply", "-"), b"ann\n\x1b[2J", ["producer: -: line 2 has a control letter in it: '\\x1b'"]),
        (("apply", "."), "", ["producer: the list . cannot be read: Is a directory"]),
    ],
    ids=[
        "bad names",
        "nobody",
        "nobody to set",
        "nobody to enable",
        "no list",
        "no file",
        "not UTF-8",
        "control letter",
        "a folder",
    ],
)
def test_what_cannot_be_is_refused_line_by_line(
    assign: Command, arguments: tuple[str, ...], given: str | bytes, lines: list[str]
) -> None:
    result = assign("assign", *arguments, given=given)

    assert result.returncode == 1
    assert result.stderr.splitlines() == lines


def test_a_word_on_a_streamer_is_a_record_beside_the_statuses(assign: Command, kafka: Kafka) -> None:
    said(assign("assign", "apply", "-", given="ann\nbo\n"))
    said(assign("assign", "add", "cai", "--disabled"))

    refused = assign("assign", "poke", "ann", "cai", "dua")
    assert refused.returncode == 1
    assert refused.stderr.splitlines() == [
        "producer: cai is on the list and not enabled, so nobody has it",
        "producer: dua is not on the list",
    ]

    before = time.time()
    assert said(assign("assign", "poke", "@Ann", "bo")) == ["! ann", "! bo"]
    topic = f"{assign.prefix}.assignment-status"
    [messages] = read_topics(kafka.bootstrap_servers, [topic]).values()
    written = {message.key(): json.loads(message.value() or b"") for message in messages}
    assert written.keys() == {b"poke:ann", b"poke:bo"}
    assert all(before * 1000 - 1 <= value["at"] <= time.time() * 1000 for value in written.values())


def test_a_removal_is_a_tombstone_and_each_row_is_in_its_slot(assign: Command, kafka: Kafka) -> None:
    said(assign("assign", "apply", "-", given="ann\nbo\ncai\n"))
    said(assign("assign", "remove", "bo"))
    topic = f"{assign.prefix}.assignments"

    [messages] = read_topics(kafka.bootstrap_servers, [topic]).values()

    found = {(message.key(), message.value() and json.loads(message.value())["enabled"]) for message in messages}
    assert found == {(b"ann", True), (b"bo", True), (b"cai", True), (b"bo", None)}
    assert {message.key(): message.partition() for message in messages} == partitions_by_librdkafka(
        kafka, topic, b"ann", b"bo", b"cai"
    )


def partitions_by_librdkafka(kafka: Kafka, topic: str, *keys: bytes) -> dict[bytes | None, int | None]:
    """Where another client, with the partitioner of Kafka's Java client, puts these keys."""
    found: dict[bytes | None, int | None] = {}

    def delivered(error: object, message: Message) -> None:
        assert error is None
        found[message.key()] = message.partition()

    other = Producer({"bootstrap.servers": kafka.bootstrap_servers, "partitioner": "murmur2"})
    for key in keys:
        other.produce(topic, key=key, value=b"{}", on_delivery=delivered)
    assert other.flush(120) == 0
    return found
