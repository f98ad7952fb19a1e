"""`producer dlq` as a person types it, before any Kafka is asked; tests/kafka/test_dlq.py has the rest."""

import os
import subprocess
import sys

import pytest

from producer.local.programs import without_settings

NOWHERE = "127.0.0.1:9"


def dlq(*arguments: str) -> "subprocess.CompletedProcess[str]":
    settings = {"PRODUCER_KAFKA_BOOTSTRAP_SERVERS": NOWHERE}
    return subprocess.run(
        [sys.executable, "-m", "producer", "dlq", *arguments],
        env=without_settings(os.environ) | settings | {"COLUMNS": "160"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("list", ["--streamer", "--room", "--method", "--reason", "--since", "--limit", "--json", "payload_malformed"]),
        ("show", ["PARTITION:OFFSET", "--raw"]),
        (
            "replay",
            ["PARTITION:OFFSET", "--streamer", "--since", "--dry-run", "--yes", "repeats event ids", "gift_finalized"],
        ),
    ],
)
def test_help_says_what_there_is(command: str, words: list[str]) -> None:
    result = dlq(command, "--help")

    assert result.returncode == 0
    text = " ".join(result.stdout.replace("│", " ").split())
    assert [word for word in words if word not in text] == []


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("list", "--since", "soon"), "--since soon: neither how long ago (30m, 2h, 1d) nor an ISO time"),
        (("show", "7"), "7 is no letter; write PARTITION:OFFSET, as `producer dlq list` does"),
        (("replay", "0:1", "x"), "x is no letter; write PARTITION:OFFSET, as `producer dlq list` does"),
        (
            ("replay", "0:1", "--streamer", "ann"),
            "name letters (PARTITION:OFFSET) or say which are meant by filters, not both",
        ),
    ],
    ids=["moment", "place", "places", "both"],
)
def test_what_cannot_be_meant_is_one_line(arguments: tuple[str, ...], line: str) -> None:
    result = dlq(*arguments)

    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"producer: {line}\n")


def test_a_reason_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    result = dlq("list", "--reason", "tired")

    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith("producer: Invalid value for '--reason': 'tired' is not one of 'frame_malformed', ")
    assert line.endswith("; `producer dlq list --help` says what there is")


@pytest.mark.parametrize("arguments", [("list",), ("replay", "--yes")], ids=" ".join)
def test_a_broker_that_is_not_there_is_named(arguments: tuple[str, ...]) -> None:
    result = dlq(*arguments)

    assert result.returncode == 1
    [line] = result.stderr.splitlines()
    assert line.startswith(f"producer: Kafka cannot be used: {NOWHERE} refuses connections")
