"""producer.status.board: rows, their order, filters and rates."""

import pytest

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.doors import DoorSaid
from producer.assignments.table import Status
from producer.status.board import Board, Offsets, Row, arrange, spark

NOW = 1_700_000_060.0
ANN, BO, CAI, DUA = (Streamer(name) for name in ("ann", "bo", "cai", "dua"))


def board() -> Board:
    """Two workers; one streamer of whom nobody speaks, and one that is switched off."""
    made = Board(groups=["readers"])
    made.said = {
        ANN: Status("worker-1", 3, "connected", 1_700_000_000_000, room_id="73001"),
        BO: Status("worker-10", 3, "failed", 1_700_000_055_000, error="UserNotFound (no such user)"),
    }
    made.wanted = {name: Wanted(name) for name in (BO, CAI)} | {DUA: Wanted(DUA, enabled=False)}
    made.wanted[ANN] = Wanted(ANN, labels=(("team", "red"), ("tier", "gold")))
    return made


def texts(row: Row) -> dict[str, str]:
    return {column: cell.text for column, cell in row.cells.items()}


def keys(rows: list[Row]) -> list[str]:
    return [row.key for row in rows]


def test_a_streamer_of_whom_nobody_speaks_is_there_and_what_is_not_known_is_not_made_up() -> None:
    rows = {row.key: texts(row) for row in board().streamers(NOW)}

    assert rows.keys() == {"ann", "bo", "cai"}
    assert rows["ann"] == {
        "streamer": "ann",
        "state": "connected",
        "for": "1 min",
        "worker": "worker-1",
        "room": "73001",
        "labels": "team=red tier=gold",
        "priority": "0",
        "error": "",
    }
    assert rows["cai"] == {
        "streamer": "cai",
        "state": "unsaid",
        "for": "—",
        "worker": "—",
        "room": "—",
        "labels": "",
        "priority": "0",
        "error": "",
    }


def test_what_is_parked_says_until_when_and_comes_before_what_failed() -> None:
    watched = board()
    error = "TypeError in mapping"
    watched.said = {
        **watched.said,
        ANN: Status("worker-1", 3, "parked", 1_700_000_000_000, error=error, bugs=3, again_at=1_700_000_900_000),
        CAI: Status("worker-1", 3, "backing_off", 1_700_000_000_000, bugs=1, again_at=1_700_000_940_000),
    }
    rows = {row.key: texts(row) for row in watched.streamers(NOW)}

    # 1,700,000,900 s since 1970 is 14 November 2023, 22:28:20 UTC.
    assert (rows["ann"]["state"], rows["ann"]["error"]) == ("parked", "until 22:28 UTC: TypeError in mapping")
    assert rows["cai"]["error"] == "until 22:29 UTC"
    assert watched.summary() == "2 workers · 3 streamers · 1 backing_off · 1 failed · 1 parked"
    assert keys(arrange(watched.streamers(NOW), "state", descending=False, wanted="")) == ["ann", "bo", "cai"]
    assert {row.key: texts(row)["parked"] for row in watched.workers(NOW)} == {"worker-1": "1", "worker-10": "·"}


def test_a_door_that_is_shut_is_in_the_fleets_line_and_one_that_is_open_is_not() -> None:
    watched = board()
    watched.doors = {
        "direct": DoorSaid("worker-1", 1_700_000_030_000, "unsigned", "417", 1_699_990_000_000),
        "sign": DoorSaid("worker-1", 1_700_000_030_000),
    }

    assert watched.summary().endswith(" · 1 unsaid · door direct shut since 19:26 UTC (unsigned)")


HOSTILE = "a\x1b[2J\x07\x9b\x7f\r\u202eb\ud800[red]c"
"""Escape sequences, C0, C1, a turn of direction, a lone surrogate, a mark of style."""
HARMLESS = r"a\x1b[2J\x07\x9b\x7f\r\u202eb\ud800[red]c"


def hostile() -> Board:
    """What somebody else wrote to the topic."""
    made = Board()
    made.said = {ANN: Status(HOSTILE, 2**62, HOSTILE, -(2**62), HOSTILE, HOSTILE, 2**62, 2**63 - 1, HOSTILE)}
    made.doors = {"direct": DoorSaid(HOSTILE, 253_402_300_799_000, HOSTILE, HOSTILE, 0)}
    return made


def test_no_cell_has_letters_that_a_terminal_obeys() -> None:
    [streamer], [worker] = hostile().streamers(NOW), hostile().workers(NOW)

    assert [texts(streamer)[column] for column in ("state", "worker", "room")] == [HARMLESS] * 3
    assert texts(streamer)["error"] == f"until 07:12 UTC: {HARMLESS}"
    assert texts(worker)["worker"] == HARMLESS
    assert all(streamer.text(column).plain.isprintable() for column in streamer.cells)
    doors = {texts(row)["door"]: texts(row) for row in hostile().doors_standing(NOW)}
    assert doors[HARMLESS] | {"door": ""} == {
        "door": "",
        "rooms": "1",
        "state": "open",
        "said": "—",
        "by": "—",
        "answer": "",
    }
    assert (doors["direct"]["by"], doors["direct"]["answer"]) == (HARMLESS, HARMLESS)
    assert hostile().summary().isprintable()
    assert keys(arrange(hostile().streamers(NOW), "streamer", descending=False, wanted=f"worker={HARMLESS}")) == ["ann"]


def test_a_long_text_is_cut() -> None:
    watched = board()
    watched.said = {ANN: Status("worker-1", 3, "failed", 1, error="x" * 5_000)}

    [row] = [row for row in watched.streamers(NOW) if row.key == "ann"]

    assert texts(row)["error"] == "x" * 999 + "…"


def test_the_fleet_in_a_line() -> None:
    assert board().summary() == "2 workers · 3 streamers · 1 connected · 1 failed · 1 unsaid"


def test_a_worker_has_its_streamers_counted_by_state() -> None:
    rows = {row.key: texts(row) for row in board().workers(NOW)}

    assert rows["worker-10"]["streamers"] == rows["worker-10"]["failed"] == rows["worker-10"]["errors"] == "1"
    assert rows["worker-10"]["last change"] == "5 s"
    assert rows["worker-1"]["errors"] == rows["worker-1"]["failed"] == "·"


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("", ["ann", "bo", "cai"]),
        ("worker:worker-1", ["ann", "bo"]),
        ("worker=worker-1", ["ann"]),
        ("STATE:failed user", ["bo"]),
        ("state:failed ann", []),
        ("unsaid", ["cai"]),
        ("nothing:x", []),
    ],
)
def test_a_filter_finds(wanted: str, found: list[str]) -> None:
    rows = arrange(board().streamers(NOW), "streamer", descending=False, wanted=wanted)

    assert keys(rows) == found


def test_rows_are_sorted_by_what_a_cell_means_and_then_by_name() -> None:
    rows = board().streamers(NOW)

    assert keys(arrange(rows, "state", descending=False, wanted="")) == ["cai", "bo", "ann"]  # the worst first
    assert keys(arrange(rows, "for", descending=True, wanted="")) == ["ann", "bo", "cai"]
    assert keys(arrange(rows, "priority", descending=True, wanted="")) == ["ann", "bo", "cai"]


def test_rates_are_those_of_the_last_ten_seconds() -> None:
    watched = board()
    for at, end in ((0.0, 0), (20.0, 1000), (25.0, 1100), (30.0, 1300)):
        watched.take(Offsets(at, {"gift": 2}, {"gift": end}, {("readers", "gift"): 40}))

    [row] = watched.topics()

    assert texts(row) == {
        "topic": "gift",
        "records/s": "30.0",  # 300 in the ten seconds from 20 to 30
        "trend": "█▄▇",  # 50, 20 and 40 a second
        "end": "1,300",
        "partitions": "2",
        "lag of readers": "40",
    }


def test_a_topic_that_is_new_or_was_made_anew_has_no_rate() -> None:
    watched = board()
    watched.take(Offsets(0.0, {"gift": 2}, {"gift": 500}))
    watched.take(Offsets(2.0, {"gift": 2, "like": 2}, {"gift": 3, "like": 7}))

    rows = {row.key: texts(row) for row in watched.topics()}

    assert rows["gift"]["records/s"] == rows["like"]["records/s"] == "—"
    assert rows["gift"]["lag of readers"] == "—"
    assert Board().topics() == []


def test_a_trend_of_nothing_is_flat() -> None:
    assert spark([0.0, 0.0]) == "▁▁"
    assert spark([]) == ""
