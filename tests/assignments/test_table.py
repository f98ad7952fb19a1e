"""producer.assignments.table: records in, rows out."""

import json
from pathlib import Path
from typing import Any

import pytest

from producer.assignments import lists
from producer.assignments.assignor import Load
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.doors import DoorSaid, encode_door
from producer.assignments.interface import LastLive
from producer.assignments.table import (
    Status,
    Table,
    decode_row,
    decode_status,
    encode_row,
    encode_status,
    slot_of,
)
from producer.errors import StartRefused
from tests.json_schema import Contract

FOOBAR = Streamer("foobar")
"""Kafka's own UtilsTest: murmur2("foobar") is -790332482, which is slot 62 of 128 and 2 of 4."""


@pytest.mark.parametrize(
    ("text", "murmur2"),
    # The values that Apache Kafka's org.apache.kafka.common.utils.UtilsTest expects.
    [("21", -973932308), ("foobar", -790332482), ("abc", 479470107)],
)
def test_the_slot_is_the_partition_that_kafkas_own_clients_choose(text: str, murmur2: int) -> None:
    assert slot_of(Streamer(text), 128) == (murmur2 & 0x7FFFFFFF) % 128


def table() -> Table:
    return Table(128)


def test_a_row_is_written_as_it_is_documented() -> None:
    assert encode_row(Wanted(FOOBAR, enabled=False, priority=3, weight=2.5)) == (
        b"foobar",
        b'{"enabled":false,"priority":3,"weight":2.5}',
    )
    assert encode_row(Wanted(FOOBAR, doors=("sign", "direct"), room_id=2**63 - 1, session="adults.one"))[1] == (
        b'{"enabled":true,"priority":0,"weight":1.0,"doors":["sign","direct"],"room_id":"9223372036854775807",'
        b'"session":"adults.one"}'
    )
    assert encode_row(Wanted(FOOBAR, user_id=7, labels=(("team", "r\u00e9d"), ("tier", "1"))))[1] == (
        b'{"enabled":true,"priority":0,"weight":1.0,"user_id":"7","labels":{"team":"r\xc3\xa9d","tier":"1"}}'
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"{}", Wanted(FOOBAR)),
        (b'{"enabled": false, "priority": -2, "weight": 3}', Wanted(FOOBAR, False, -2, 3.0)),
        (b'{"quality": "hd", "priority": 1}', Wanted(FOOBAR, priority=1)),
        (
            b'{"doors": ["sign"], "room_id": "7", "session": "adults"}',
            Wanted(FOOBAR, doors=("sign",), room_id=7, session="adults"),
        ),
        (b'{"doors": null, "room_id": null, "session": null, "user_id": null, "labels": null}', Wanted(FOOBAR)),
        (b'{"room_id": 7}', Wanted(FOOBAR, room_id=7)),
        (
            b'{"doors": "sign", "room_id": -1, "session": "../key"}',
            Wanted(FOOBAR, unusable=("doors", "room_id", "session")),
        ),
        (
            b'{"doors": ["sign", ["sign"]], "room_id": "seven", "session": "..data"}',
            Wanted(FOOBAR, unusable=("doors", "room_id", "session")),
        ),
        (b'{"doors": ["sign", "sign"], "session": "Adults"}', Wanted(FOOBAR, unusable=("doors", "session"))),
        (
            b'{"user_id": 7, "labels": {"tier": "1", "team": "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x9a\x80"}}',
            Wanted(FOOBAR, user_id=7, labels=(("team", "\U0001f469\u200d\U0001f680"), ("tier", "1"))),
        ),
        (b'{"labels": {}}', Wanted(FOOBAR)),
        (b'{"user_id": "0", "labels": ["team"]}', Wanted(FOOBAR, unusable=("user_id", "labels"))),
        (b'{"user_id": true, "labels": {"team": 1}}', Wanted(FOOBAR, unusable=("user_id", "labels"))),
        (b'{"labels": {"team": "a\\u2028b"}}', Wanted(FOOBAR, unusable=("labels",))),
        (b'{"labels": {"Team": "a"}}', Wanted(FOOBAR, unusable=("labels",))),
        (b'{"labels": {"team": ""}}', Wanted(FOOBAR, unusable=("labels",))),
    ],
    ids=[
        *("defaults", "all", "unknown keys", "way", "no way", "id as number", "odd", "odder", "twice"),
        *("who", "no labels", "odd who", "odder who", "two lines", "capital", "empty"),
    ],
)
def test_a_row_is_read(value: bytes, expected: Wanted) -> None:
    assert decode_row(b"foobar", value) == (FOOBAR, expected)


BROKEN: list[tuple[bytes | None, bytes, str]] = [
    (b"foobar", b"not json", "not JSON"),
    (b"foobar", b"", "not JSON"),
    (b"foobar", b"\xff\xfe{", "not JSON"),
    (b"foobar", b"[" * 10_000, "nested too deep"),
    (b"foobar", b'{"priority": 1' + b"0" * 5_000 + b"}", "not JSON"),
    (b"foobar", b"[]", "no object"),
    (b"foobar", b"1", "no object"),
    (b"foobar", b'{"enabled": "yes"}', "enabled must be true or false"),
    (b"foobar", b'{"enabled": null}', "enabled must be true or false"),
    (b"foobar", b'{"priority": 1.5}', "priority must be a whole number"),
    (b"foobar", b'{"priority": true}', "priority must be a whole number"),
    (b"foobar", b'{"weight": 0}', "weight must be a number above 0"),
    (b"foobar", b'{"weight": NaN}', "not JSON"),
    (b"foobar", b'{"weight": Infinity}', "not JSON"),
    (b"foobar", b'{"weight": 1e400}', "weight must be a number above 0"),
    (b"foobar", b'{"weight": "1"}', "weight must be a number above 0"),
    (b"foobar", b'{"x": "' + b"x" * 1024 * 1024 + b'"}', "longer than 16384 bytes"),
    (None, b"{}", "is not a unique id"),
    (b"", b"{}", "is not a unique id"),
    (b"\xff", b"{}", "is not a unique id"),
    (b"two words", b"{}", "is not a unique id"),
    (b"@FooBar", b"{}", "is not normalised: foobar"),
]


@pytest.mark.parametrize(("key", "value", "problem"), BROKEN, ids=[f"{v[:16]!r} {p[:12]}" for _, v, p in BROKEN])
def test_a_broken_record_is_told_and_leaves_the_row_as_it_was(key: bytes | None, value: bytes, problem: str) -> None:
    rows = table()
    rows.apply(62, 0, b"foobar", b'{"priority": 7}')

    with pytest.raises(ValueError, match=problem) as refused:
        rows.apply(62, 1, key, value)

    assert rows.get(FOOBAR) == Wanted(FOOBAR, priority=7)
    assert len(str(refused.value)) < 300


def test_the_last_record_by_offset_wins_and_no_value_removes() -> None:
    rows = table()

    rows.apply(62, 0, b"foobar", b'{"priority": 1}')
    rows.apply(62, 4, b"foobar", b'{"priority": 2}')
    rows.apply(62, 3, b"foobar", b'{"priority": 9}')
    second = rows.get(FOOBAR)
    rows.apply(62, 5, b"foobar", None)
    removed = rows.get(FOOBAR)
    rows.apply(62, 4, b"foobar", b'{"priority": 2}')

    assert second == Wanted(FOOBAR, priority=2)
    assert removed is None
    assert rows.get(FOOBAR) is None


def test_a_broken_record_does_not_stop_what_comes_after_it() -> None:
    rows = table()

    with pytest.raises(ValueError, match="not JSON"):
        rows.apply(62, 0, b"foobar", b"{")
    rows.apply(62, 1, b"foobar", b"{}")

    assert rows.get(FOOBAR) == Wanted(FOOBAR)


def test_removing_what_is_not_there_is_nothing() -> None:
    rows = table()

    rows.apply(62, 0, b"foobar", None)

    assert rows.rows(62) == {}


def test_a_record_in_another_partition_than_its_own_is_refused() -> None:
    with pytest.raises(ValueError, match="foobar is in partition 61 and belongs in 62"):
        table().apply(61, 0, b"foobar", b"{}")


def test_a_slot_carries_its_enabled_streamers_and_what_was_measured_corrects_their_weight() -> None:
    rows = Table(1)
    for offset, (name, value) in enumerate(
        [(b"aa", b'{"weight": 2}'), (b"bb", b'{"weight": 1}'), (b"cc", b'{"enabled": false}')]
    ):
        rows.apply(0, offset, name, value)

    assert rows.loads({}) == [Load(2, 3.0)]
    assert rows.loads({0: 2.0}) == [Load(2, 6.0)]
    assert sorted(row.streamer for row in rows.enabled([0])) == ["aa", "bb"]


def test_what_was_measured_is_said_against_the_list_and_only_where_it_differs() -> None:
    rows = Table(4)
    rows.apply(2, 0, b"foobar", b'{"weight": 2}')
    rows.apply(slot_of(Streamer("abc"), 4), 0, b"abc", b"{}")

    costs = {"foobar": 5.0, "abc": 1.0}

    assert rows.factors(range(4), lambda row: costs[row.streamer]) == {2: 2.5}
    assert rows.factors([0, 1, 3], lambda row: costs[row.streamer]) == {}


def test_a_status_is_written_as_it_is_documented_and_read_again() -> None:
    status = Status("pod-1", 7, "backing_off", 1_700_000_000_000, "42", "FailedConnection (timeout): no answer")

    value = encode_status(status)

    assert value == (
        b'{"worker":"pod-1","generation":7,"state":"backing_off","since":1700000000000,"room_id":"42",'
        b'"error":"FailedConnection (timeout): no answer"}'
    )
    assert decode_status(b"foobar", value) == (FOOBAR, status)


CONTRACT = Contract(Path(__file__).resolve().parents[2] / "schemas/list.schema.json")
ALL = Wanted(
    FOOBAR,
    enabled=False,
    priority=-(10**9),
    weight=1e6,
    doors=tuple(f"d{number}" for number in range(16)),
    room_id=2**63 - 1,
    session="s" * 64,
    user_id=1,
    labels=tuple((f"{number:x}".rjust(63, "l"), "\U0001f680" * 200) for number in range(16)),
)


def test_what_is_written_is_what_the_published_contract_says() -> None:
    rows = [json.loads(encode_row(row)[1]) for row in (Wanted(FOOBAR), ALL)]
    options: list[dict[str, object]] = [{"unique_id": "foobar"} | row for row in rows]
    statuses = [
        Status("pod-1", -1, "offline", 0),
        Status("pod-1", 7, "parked", 1, "42", "TypeError", bugs=3, again_at=1_700_000_900_000, door="sign@a"),
        Status("pod-1", 7, "offline", 1, owner_id="6800000000000000001", watched=0, starts=(29_500_000, 29_501_440)),
        Status("pod-1", 7, "connected", 1, live=LastLive("7300000000000000001", 1_770_000_000)),
        Status("pod-1", 7, "offline", 1, live=LastLive("7300000000000000001", is_over=True)),
        Status("pod-1", 7, "connecting", 1, going_in=1_770_000_000_000),
    ]
    doors = [DoorSaid("pod-1", 1), DoorSaid("pod-1", 1, "unsigned", "417", 1, 2)]

    assert [CONTRACT.problems("record", row) for row in rows] == [[], []]
    assert CONTRACT.problems("file", {"streamers": ["@Foobar", *options]}) == []
    assert [CONTRACT.problems("status", json.loads(encode_status(status))) for status in statuses] == [[]] * 6
    assert [CONTRACT.problems("door", json.loads(encode_door(said))) for said in doors] == [[], []]
    assert [decode_row(*encode_row(row)) for row in (Wanted(FOOBAR), ALL)] == [
        (FOOBAR, Wanted(FOOBAR)),
        (FOOBAR, ALL),
    ]
    [_, read] = lists.read(json.dumps({"streamers": ["another", options[1]]}), "yaml", source="list")
    assert read == ALL


@pytest.mark.parametrize(
    "odd",
    [
        {"weight": 0},
        {"weight": 1e6 + 1},
        {"doors": [f"d{number}" for number in range(17)]},
        {"room_id": "seven"},
        {"session": "s" * 65},
        {"session": "../key"},
        {"user_id": "me"},
        {"labels": {"l" * 64: "x"}},
        {"labels": {"team": "x" * 201}},
        {"labels": {f"l{number}": "x" for number in range(17)}},
    ],
)
def test_what_the_published_contract_refuses_is_refused_or_left_out(odd: dict[str, object]) -> None:
    assert CONTRACT.problems("record", odd)
    assert CONTRACT.problems("file", {"streamers": [{"unique_id": "foobar"} | odd]})
    with pytest.raises(StartRefused):
        lists.read(json.dumps({"streamers": [{"unique_id": "foobar"} | odd]}), "yaml", source="list")
    try:
        row = decode_row(b"foobar", json.dumps(odd).encode())[1]
    except ValueError:
        return
    assert row == Wanted(FOOBAR, unusable=tuple(odd))


def test_a_status_says_how_often_a_bug_ended_the_session_and_when_it_is_tried_again() -> None:
    status = Status("pod-1", 7, "parked", 1_700_000_000_000, None, "TypeError", bugs=3, again_at=1_700_000_900_000)

    value = encode_status(status)

    assert value == (
        b'{"worker":"pod-1","generation":7,"state":"parked","since":1700000000000,"room_id":null,'
        b'"error":"TypeError","bugs":3,"again_at":1700000900000}'
    )
    assert decode_status(b"foobar", value) == (FOOBAR, status)


def test_a_status_keeps_what_was_learnt_of_a_streamer() -> None:
    status = Status("pod-1", 7, "offline", 1, owner_id="68", watched=29_400_000, starts=(29_500_000, 29_501_440))

    value = encode_status(status)

    assert value == (
        b'{"worker":"pod-1","generation":7,"state":"offline","since":1,"room_id":null,"error":null,'
        b'"owner_id":"68","watched":29400000,"starts":[29500000,29501440]}'
    )
    assert decode_status(b"foobar", value) == (FOOBAR, status)
    assert status.under(9).starts == status.starts


@pytest.mark.parametrize(
    ("said", "live"),
    [
        (b'{"room_id":"73","started_at":1770000000}', LastLive("73", 1_770_000_000)),
        (b'{"room_id":"73","is_over":true}', LastLive("73", is_over=True)),
        (b'{"room_id":73,"started_at":"x"}', LastLive("73")),
        (b'{"room_id":"73","started_at":-1}', LastLive("73")),
        (b'{"room_id":"73","is_over":1}', None),
        (b'{"room_id":"x"}', None),
        (b'{"room_id":null}', None),
        (b"[]", None),
        (b"null", None),
    ],
)
def test_a_status_keeps_the_last_live_that_was_told_of(said: bytes, live: LastLive | None) -> None:
    value = b'{"worker":"pod-1","generation":7,"state":"offline","since":1,"live":' + said + b"}"

    assert decode_status(b"foobar", value) == (FOOBAR, Status("pod-1", 7, "offline", 1, live=live))


@pytest.mark.parametrize(
    ("live", "written"),
    [
        (LastLive("73", 1_770_000_000), b'"live":{"room_id":"73","started_at":1770000000}'),
        (LastLive("73", is_over=True), b'"live":{"room_id":"73","is_over":true}'),
    ],
)
def test_a_last_live_is_written_as_short_as_it_can_be(live: LastLive, written: bytes) -> None:
    assert encode_status(Status("pod-1", 7, "offline", 1, live=live)).endswith(b"," + written + b"}")


@pytest.mark.parametrize(
    ("odd", "owner_id", "watched", "starts"),
    [
        (b'"owner_id":68,"watched":"7","starts":[3,2,1]', "68", None, (1, 2, 3)),
        (b'"owner_id":"x","watched":-1,"starts":[1,"2"]', None, None, ()),
        (b'"owner_id":[],"watched":7,"starts":{"1":2}', None, 7, ()),
        (b'"watched":7.5,"starts":[4294967296]', None, None, ()),
        (b'"starts":[' + b"1," * 100 + b"1]", None, None, ()),
        (b'"starts":null', None, None, ()),
    ],
)
def test_of_what_was_learnt_only_what_can_be_meant_is_taken(
    odd: bytes, owner_id: str | None, watched: int | None, starts: tuple[int, ...]
) -> None:
    value = b'{"worker":"pod-1","generation":7,"state":"offline","since":1,' + odd + b"}"
    expected = Status("pod-1", 7, "offline", 1, owner_id=owner_id, watched=watched, starts=starts)
    assert decode_status(b"foobar", value) == (FOOBAR, expected)


def test_a_status_says_by_which_door_a_room_is_heard() -> None:
    status = Status("pod-1", 7, "connected", 1_700_000_000_000, "42", door="sign")

    value = encode_status(status.under(8))

    assert value == (
        b'{"worker":"pod-1","generation":8,"state":"connected","since":1700000000000,"room_id":"42",'
        b'"error":null,"door":"sign"}'
    )
    assert decode_status(b"foobar", value) == (FOOBAR, status.under(8))


def test_a_removed_status_and_one_of_a_newer_worker_are_read() -> None:
    assert decode_status(b"foobar", None) == (FOOBAR, None)
    assert decode_status(b"foobar", b'{"worker":"w","generation":1,"state":"zoned","since":1,"more":[]}') == (
        FOOBAR,
        Status("w", 1, "zoned", 1),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"worker": 1},
        {"generation": "1"},
        {"generation": True},
        {"state": None},
        {"since": 1.5},
        {"room_id": 5},
        {"door": 5},
    ],
    ids=str,
)
def test_a_status_that_is_none_is_refused(change: dict[str, Any]) -> None:
    import json

    value = {"worker": "w", "generation": 1, "state": "offline", "since": 1, "room_id": None, "error": None} | change

    with pytest.raises(ValueError, match="not a status"):
        decode_status(b"foobar", json.dumps(value).encode())
