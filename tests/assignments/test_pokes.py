"""producer.assignments.pokes: a word on a streamer, as a record."""

import json
from pathlib import Path

import pytest

from producer.assignments.claims import Streamer
from producer.assignments.doors import LATEST
from producer.assignments.pokes import decode_poke, encode_poke, is_fresh, is_poke, poke_key
from tests.json_schema import Contract

ANN = Streamer("ann.1")
CONTRACT = Contract(Path(__file__).resolve().parents[2] / "schemas/list.schema.json")


def test_what_is_written_is_read_and_is_what_is_published() -> None:
    assert (poke_key(ANN), encode_poke(5)) == (b"poke:ann.1", b'{"at":5}')
    assert decode_poke(poke_key(ANN), encode_poke(5)) == (ANN, 5)
    assert decode_poke(poke_key(ANN), b'{"at":5,"by":"a program"}') == (ANN, 5)
    assert decode_poke(poke_key(ANN), None) == (ANN, None)
    assert CONTRACT.problems("poke", json.loads(encode_poke(5))) == []
    assert CONTRACT.problems("poke", {"at": "now"}) == ["$.at type"]


def test_a_key_is_known_by_what_it_begins_with() -> None:
    assert [is_poke(key) for key in (b"poke:ann", b"poke:\xff", b"ann", b"door:ann", None)] == [
        *(True, True),
        *(False, False, False),
    ]


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        (None, b'{"at":5}', "no streamer's to be looked up"),
        (b"ann", b'{"at":5}', "no streamer's to be looked up"),
        (b"poke:", b'{"at":5}', "not a unique id"),
        (b"poke:\xff", b'{"at":5}', "not a unique id"),
        (b"poke:" + b"x" * 70, b'{"at":5}', "not a unique id"),
        (b"poke:@Ann", b'{"at":5}', "not normalised: ann"),
        (b"poke:ann", b"", "not JSON"),
        (b"poke:ann", b"5", "no object"),
        (b"poke:ann", b"{}", "does not say when"),
        (b"poke:ann", b'{"at":-1}', "does not say when"),
        (b"poke:ann", b'{"at":5.0}', "does not say when"),
        (b"poke:ann", b'{"at":true}', "does not say when"),
        (b"poke:ann", f'{{"at":{LATEST + 1}}}'.encode(), "does not say when"),
        (b"poke:ann", b'{"at":5,"x":"' + b"x" * 1024 + b'"}', "longer than 1024 bytes"),
    ],
)
def test_what_cannot_be_meant_is_refused(key: bytes | None, value: bytes, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        decode_poke(key, value)


def test_what_is_older_than_a_minute_is_not_heeded_nor_what_is_of_tomorrow() -> None:
    now = 1_800_000_000_000

    assert [is_fresh(at, now) for at in (now, now - 60_000, now + 60_000)] == [True] * 3
    assert [is_fresh(at, now) for at in (0, now - 60_001, now + 60_001, LATEST)] == [False] * 4
