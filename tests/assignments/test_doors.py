"""producer.assignments.doors: the record of a door, as a worker writes it and as others read it."""

import json

import pytest

from producer.assignments.doors import DoorSaid, decode_door, door_key, encode_door, is_door
from producer.assignments.table import decode_status

DIRECT = b"door:direct"
SAID = DoorSaid("worker-1", 1_764_000_060_000, "unsigned", "417 illegal secret key", 1_764_000_000_000, None)


def test_a_record_reads_as_it_was_written() -> None:
    assert json.loads(encode_door(SAID)) == {
        "worker": "worker-1",
        "at": 1_764_000_060_000,
        "reason": "unsigned",
        "detail": "417 illegal secret key",
        "since": 1_764_000_000_000,
        "again_at": None,
    }
    assert door_key("direct") == DIRECT
    assert decode_door(DIRECT, encode_door(SAID)) == ("direct", SAID)
    assert decode_door(DIRECT, b'{"worker":"w","at":1,"more":[]}') == ("direct", DoorSaid("w", 1))
    assert decode_door(DIRECT, None) == ("direct", None)
    assert decode_door(b"door:direct@10.0.0.1:3128", None) == ("direct@10.0.0.1:3128", None)


def test_an_older_worker_counts_it_as_one_that_cannot_be_used() -> None:
    assert is_door(DIRECT)
    assert not is_door(b"direct")
    with pytest.raises(ValueError, match="is not a unique id"):
        decode_status(DIRECT, encode_door(SAID))


@pytest.mark.parametrize(
    "change",
    [
        {"worker": None},
        {"at": None},
        {"at": -1},
        {"at": 253_402_300_799_001},
        {"at": True},
        {"reason": 5},
        {"detail": None},
        {"detail": ["x"]},
        {"since": "yesterday"},
        {"since": 10**15},
        {"again_at": -1},
    ],
    ids=str,
)
def test_what_is_none_is_refused(change: dict[str, object]) -> None:
    value = json.loads(encode_door(SAID)) | change

    with pytest.raises(ValueError, match="not a door's"):
        decode_door(DIRECT, json.dumps(value).encode())


@pytest.mark.parametrize(
    "key",
    [
        None,
        b"",
        b"ann",
        b"door:",
        b"door:\x1b[2J",
        b"door:Direct",
        b"door:" + b"x" * 33,
        b"door:direct@",
        b"door:direct@a b",
    ],
)
def test_a_key_that_names_no_door_is_refused(key: bytes | None) -> None:
    with pytest.raises(ValueError, match="is no door's"):
        decode_door(key, encode_door(SAID))


def test_a_long_detail_is_cut() -> None:
    value = json.loads(encode_door(SAID)) | {"detail": "x" * 1_500}

    _, said = decode_door(DIRECT, json.dumps(value).encode())

    assert said is not None
    assert said.detail == "x" * 200
