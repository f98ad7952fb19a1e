"""What a frame may cost, whatever is in it: memory, and CPU time of one turn of the loop."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.webcast.bombs import BOMBS

ROOT = Path(__file__).resolve().parents[2]
GROWTH_KIB = 64 * 1024
TURN_MS = 50.0

READ = {
    "a kind that nobody knows",
    "a text with four bytes a letter",
    "as many empty messages as may be",
    "gifts",
    "gifts from such a name",
    "groups in groups",
    "lists as long as may be",
    "lists in lists",
    "numbers in a row",
    "numbers one by one",
    "several lists as long as may be",
    "texts that replace each other",
}
REFUSED = {
    "a list of 15 MB in 96 KB": "decompress_too_large",
    "a message that is one list": "payload_too_large",
    "a method of two megabytes": "not_encodable",
    "badges of a user": "payload_too_many",
    "broken envelopes": "envelope_malformed",
    "broken messages": "payload_malformed",
    "empty messages": "batch_too_many",
    "headers": "frame_too_many",
    "lists of half a megabyte": "payload_too_many",
    "noise": "batch_malformed",
    "pieces of a text": "payload_too_many",
    "route parameters": "batch_too_many",
    "zeros, a thousandfold": "decompress_too_large",
}
IGNORED = {"headers in a short frame"}


@pytest.fixture(scope="module")
def costs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("bombs")
    for name, make in BOMBS.items():
        (folder / name).write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-m", "tests.webcast.bombs", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_bomb_was_read_or_refused_for_what_it_is(costs: list[dict[str, Any]]) -> None:
    found = {cost["bomb"]: cost for cost in costs if "bomb" in cost}

    assert found.keys() == BOMBS.keys() == READ | REFUSED.keys() | IGNORED
    assert {name for name, cost in found.items() if cost["mapped"] and not cost["refused"]} == READ
    assert {name: cost["refused"] for name, cost in found.items() if cost["refused"]} == {
        name: [reason] for name, reason in REFUSED.items()
    }
    assert all(cost["balanced"] for cost in found.values())


def test_no_bomb_takes_more_memory_than_its_bound(costs: list[dict[str, Any]]) -> None:
    grown = {cost["bomb"]: cost["growth_kib"] for cost in costs if "bomb" in cost}

    assert {name: growth for name, growth in grown.items() if growth > GROWTH_KIB} == {}


def test_no_bomb_takes_a_longer_turn_than_its_bound(costs: list[dict[str, Any]]) -> None:
    turns = {cost["bomb"]: cost["longest_turn_ms"] for cost in costs if "bomb" in cost}

    assert {name: longest for name, longest in turns.items() if longest > TURN_MS} == {}


def test_thousands_of_open_streaks_make_no_turn_longer(costs: list[dict[str, Any]]) -> None:
    [cost] = [cost for cost in costs if "turns_ms" in cost]

    assert 0 < cost["crowded_out"] < cost["silent"] == 8_000
    assert cost["left"] == 14_000
    assert {act: longest for act, longest in cost["turns_ms"].items() if longest > TURN_MS} == {}
