"""producer.assignments.share_records: how workers share out a key's calls, as records."""

import json

import pytest

from producer.assignments.share_records import (
    decode_grant,
    decode_need,
    encode_grant,
    encode_need,
    grant_key,
    is_share,
    need_key,
)
from producer.assignments.shares import Grant, Need, Share
from producer.assignments.table import decode_status

GRANT = Grant(7, 1_764_000_000_000, {"m-1": Share(3, 5, 6), "m-2": Share(0, 0, 1)})
NEED = Need("m-1", 7, wants=4, in_a_hurry=1, holds=5, held_until=1_764_000_050_000, was="m-0")


def test_records_read_as_they_were_written() -> None:
    assert json.loads(encode_grant(GRANT))["shares"] == {"m-1": [3, 5, 6], "m-2": [0, 0, 1]}
    assert decode_grant(grant_key("sign"), encode_grant(GRANT)) == ("sign", GRANT)
    assert decode_grant(b"share:sign", None) == ("sign", None)
    assert decode_need(need_key("sign", "worker-1.x"), encode_need(NEED)) == ("sign", "worker-1.x", NEED)
    assert decode_need(b"need:sign@w", None) == ("sign", "w", None)


def test_an_older_worker_counts_them_as_ones_that_cannot_be_used() -> None:
    for key in (b"share:sign", b"need:sign@w"):
        assert is_share(key)
        with pytest.raises(ValueError, match="is not a unique id"):
            decode_status(key, b"{}")
    assert not is_share(b"sign")
    assert not is_share(None)


@pytest.mark.parametrize(
    "change",
    [
        {"number": 0},
        {"number": None},
        {"at": -1},
        {"shares": []},
        {"shares": {"m": [1, 2]}},
        {"shares": {"m": [1, -2, 3]}},
        {"shares": {"m": [2**31, 2, 3]}},
        {"shares": {"": [1, 2, 3]}},
        {"shares": {"m": 5}},
    ],
    ids=str,
)
def test_what_is_no_grant_is_refused(change: dict[str, object]) -> None:
    value = json.loads(encode_grant(GRANT)) | change

    with pytest.raises(ValueError, match="not a grant"):
        decode_grant(b"share:sign", json.dumps(value).encode())


@pytest.mark.parametrize(
    "change",
    [
        {"member": None},
        {"member": ""},
        {"number": -1},
        {"wants": -1},
        {"holds": None},
        {"holds": 2**31},
        {"held_until": "soon"},
        {"was": 5},
        {"gone": 1},
    ],
    ids=str,
)
def test_what_is_no_workers_is_refused(change: dict[str, object]) -> None:
    value = json.loads(encode_need(NEED)) | change

    with pytest.raises(ValueError, match="not a worker's"):
        decode_need(b"need:sign@w", json.dumps(value).encode())
