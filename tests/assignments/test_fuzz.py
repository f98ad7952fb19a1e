"""What others write to the list, to the status topic and to the group: any bytes are a value within bounds, or a
ValueError that quotes little of them; and what can be read of members can be shared out.

Short in every run; FUZZ_EXAMPLES=100000 makes it long.
"""

import json
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from functools import partial
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producer.assignments.assignor import Load, Member, assign, decode_member, decode_place
from producer.assignments.claims import Wanted
from producer.assignments.doors import DoorSaid, decode_door, is_door
from producer.assignments.pokes import decode_poke, is_poke
from producer.assignments.share_records import decode_grant, decode_need, encode_grant, encode_need, is_share
from producer.assignments.shares import Grant, Need
from producer.assignments.table import Status, decode_row, decode_status, streamer_of

T = TypeVar("T")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10000"))
STEADY = settings(
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),  # a busy machine is no finding
)
STATUS = {
    "worker": "w",
    "generation": 3,
    "state": "parked",
    "since": 1,
    "room_id": "7",
    "error": "e",
    "bugs": 3,
    "again_at": 9,
    "door": "sign",
    "owner_id": "68",
    "watched": 7,
    "starts": [8, 9],
    "going_in": 10,
}
ROW = {
    "enabled": True,
    "priority": 1,
    "weight": 2.0,
    "doors": ["sign", "direct"],
    "room_id": "7300000000000000001",
    "session": "adults.one",
}
DOOR = {"worker": "w", "at": 3, "reason": "unsigned", "detail": "d", "since": 1, "again_at": 9}
GRANT = {"number": 3, "at": 1, "shares": {"m": [1, 2, 3], "n": [0, 0, 1]}}
GRANT_KEYS = (b"share:sign", b"share:sign", None, b"", b"share:", b"share:\xff", b"share:Sign", b"need:sign@w")
NEED = {
    "member": "m",
    "number": 3,
    "wants": 2,
    "in_a_hurry": 1,
    "holds": 4,
    "held_until": 9,
    "was": "l",
    "gone": False,
}
NEED_KEYS = (b"need:sign@w", b"need:sign@w", None, b"", b"need:sign@", b"need:\xff@w", b"need:sign", b"share:sign")
MEMBER = {"worker": "w", "owned": [0, 5], "generation": 3, "capacity": 10, "draining": False, "factors": {"5": 2.5}}
VALUES = (
    *("0", "1", "-1", "1.0", "0.5", "1e400", "-1e400", "5e-324", "1e6", "NaN", "-Infinity", str(2**63 - 1), str(2**63)),
    *(
        "9" * 4_000,
        "9" * 5_000,
        "true",
        "false",
        "null",
        "[]",
        "{}",
        "[0,5]",
        "[[0]]",
        "[1e400]",
        '["0"]',
        "[true]",
        "[-1]",
    ),
    *(
        '""',
        '"w"',
        '"0"',
        '"\\ud83c"',
        '"\\u001b[2J"',
        '"\\u202e"',
        '"' + "x" * 2_000 + '"',
        '"\xff"',
        "\x00",
        "/**/",
        "",
    ),
    *(
        '{"1":2,"x":3}',
        '{"1":1e400,"2":0.1}',
        '{"5":9e99}',
        '{"' + "1" * 5_000 + '":1}',
        '{"-1":1}',
        "[" * 500 + "]" * 500,
    ),
)
WHOLE = (
    *(b"[" * 16_000, b'{"a":' * 3_000 + b"1" + b"}" * 3_000, b'"' + b"x" * 20_000 + b'"', b"{}", b"null", b""),
    *(b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"{" + b'"a":1,' * 3_000 + b'"a":1}'),
)
KEYS = (b"someone", b"someone", b"someone", None, b"", b"\xff", b"@Some One", b"x" * 70, "\u0130x".encode(), b"a\x00b")
DOOR_KEYS = (b"door:direct", b"door:direct", None, b"", b"door:", b"door:\xff", b"door:\x1b[2J", b"door:" + b"x" * 70)
POKE_KEYS = (b"poke:ann", b"poke:ann", None, b"", b"poke:", b"poke:\xff", b"poke:@Ann", b"poke:" + b"x" * 70, b"ann")
CHOICES = st.binary(max_size=14)
"""Each byte is a choice: cheap to draw, and shrinks to the first ones."""


class Choices:
    """What a handful of bytes chooses; the first where they are used up."""

    def __init__(self, data: bytes) -> None:
        self._left = list(reversed(data))

    def number(self, below: int) -> int:
        return (self._left.pop() if self._left else 0) % below

    def of(self, things: Sequence[T]) -> T:
        return things[self.number(len(things))]

    def document(self, whole: Mapping[str, object]) -> bytes:
        """An object like this one with some values changed, left out, doubled or broken; or something else."""
        match self.number(8):
            case 0:
                return self.of(WHOLE)
            case 1:
                return bytes(self._left)
            case 2:
                data = bytearray(json.dumps(whole).encode())
                data[self.number(len(data))] = self.number(256)
                return bytes(data)
        pairs = {name: json.dumps(value) for name, value in whole.items()}
        more = []
        for _ in range(self.number(3)):
            name, value = self.of([*whole, "more"]), self.of(VALUES)
            match self.number(4):
                case 0:
                    pairs.pop(name, None)
                case 1:
                    more.append((name, value))
                case _:
                    pairs[name] = value
        text = ",".join(f'"{name}":{value}' for name, value in [*pairs.items(), *more])
        return f"{{{text}}}".encode("latin-1", "replace")


def read(reader: Callable[[], Any]) -> Any:
    """What was read; None where it was refused, in a few words."""
    try:
        return reader()
    except ValueError as refusal:
        assert len(str(refusal)) < 500
        assert str(refusal).isprintable()
        return None


def within_bounds(value: object) -> bool:
    match value:
        case bool() | None:
            return True
        case int():
            return abs(value) <= 2**63
        case float():
            return math.isfinite(value)
        case str():
            return len(value) <= 1_000 and bool(value.encode() or True)
        case tuple():
            return len(value) <= 16 and all(map(within_bounds, value))
    return False


@STEADY
@given(CHOICES)
def test_any_record_is_a_row_or_a_status_or_refused(data: bytes) -> None:
    for reader, whole, kind in ((decode_row, ROW, Wanted), (decode_status, STATUS, Status)):
        choices = Choices(data)
        value = choices.document(whole)

        found = read(partial(reader, choices.of(KEYS), value))

        assert found is None or isinstance(found[1], kind)
        assert found is None or all(map(within_bounds, astuple(found[1])))


@STEADY
@given(CHOICES)
def test_any_record_of_a_door_is_one_or_refused(data: bytes) -> None:
    choices = Choices(data)
    value = choices.document(DOOR)

    key = choices.of(DOOR_KEYS)

    found = read(partial(decode_door, key, value))

    assert found is None or (
        is_door(key) and isinstance(found[1], DoorSaid) and all(map(within_bounds, astuple(found[1])))
    )


@STEADY
@given(CHOICES)
def test_any_word_on_a_streamer_is_one_or_refused(data: bytes) -> None:
    choices = Choices(data)
    value = choices.document({"at": 3})
    key = choices.of(POKE_KEYS)

    found = read(partial(decode_poke, key, value))
    named = read(partial(streamer_of, key))

    assert found is None or (is_poke(key) and found[0] == "ann" and isinstance(found[1], int) and found[1] >= 0)
    assert named is None or key == named.encode() == b"ann"


@STEADY
@given(CHOICES)
def test_any_record_of_shares_is_one_or_refused(data: bytes) -> None:
    choices = Choices(data)

    key, value = choices.of(GRANT_KEYS), choices.document(GRANT)
    granted = read(partial(decode_grant, key, value))
    need_key, need_value = choices.of(NEED_KEYS), choices.document(NEED)
    needed = read(partial(decode_need, need_key, need_value))

    if granted is not None:
        name, grant = granted
        assert is_share(key)
        assert isinstance(grant, Grant)
        assert decode_grant(key, encode_grant(grant)) == (name, grant)
        assert all(0 <= each.calls < 2**31 and 0 <= each.bound < 2**31 for each in grant.shares.values())
    if needed is not None:
        *_, need = needed
        assert is_share(need_key)
        assert isinstance(need, Need)
        assert decode_need(need_key, encode_need(need)) == needed
        assert all(map(within_bounds, astuple(need)))


@STEADY
@given(CHOICES)
def test_any_place_is_one_among_the_members_or_none(data: bytes) -> None:
    choices = Choices(data)

    rank, members = decode_place(choices.document({"0": 0}) or choices.of([b"[0,3]", b"[3,3]", b"[1]", b"[1,2,3]"]))

    assert (rank, members) == (None, 0) if rank is None else 0 <= rank < members


@STEADY
@given(CHOICES)
def test_whatever_a_member_says_each_slot_is_one_members(data: bytes) -> None:
    choices = Choices(data)
    weight = choices.of([1.0, 5e-324, 1e6])

    found = read(partial(decode_member, "other", choices.document(MEMBER)))

    members = [Member("ours", "ours"), *([found] if found else [])]
    shares = assign(members, [Load(1, weight), Load(0, 0.0), Load(2, weight)], most_moves=3)
    assert sorted(slot for slots in shares.values() for slot in slots) == [0, 1, 2]
    assert shares.keys() == {member.id for member in members}


def test_the_documents_are_of_all_kinds() -> None:
    """What nobody can read and what somebody can, so that neither side is untested."""
    chance = Random(1)
    found = [
        read(lambda: decode_status(b"someone", Choices(chance.randbytes(14)).document(STATUS))) for _ in range(500)
    ]

    assert 50 < sum(each is None for each in found) < 450


def test_what_is_right_is_read() -> None:
    assert decode_member("m", json.dumps(MEMBER).encode()).factors == {5: 2.5}
    assert decode_status(b"someone", json.dumps(STATUS).encode())[1] == Status(
        "w", 3, "parked", 1, "7", "e", 3, 9, "sign", "68", 7, (8, 9), None, 10
    )


@pytest.mark.parametrize("factors", ['{"x":1}', '{"' + "1" * 5_000 + '":1}', "[]", "1"])
def test_what_no_slot_weighs_is_refused(factors: str) -> None:
    data = json.dumps(MEMBER).replace('{"5": 2.5}', factors).encode()

    with pytest.raises(ValueError, match="member m says of itself what cannot be read") as refused:
        decode_member("m", data)

    assert len(str(refused.value)) < 500
