"""producer.local.verdict: small accounts by hand."""

from collections.abc import Sequence
from typing import Any

import pytest

from producer.local.verdict import Kill, Read, Verdict
from producer.local.verdict import judge as judge_all

TEN = [f"event{number}" for number in range(10)]


def message(number: int, *, at: float = 100.0, sockets: int = 1, event: str = "comment", **more: Any) -> dict[str, Any]:
    line = {"kind": "message", "at": at, "unique_id": "aa", "room_id": "7", "message_id": str(number), "event": event}
    return line | {"history": False, "duplicate": False, "sockets": sockets} | more


def entered(at: float, unique_id: str = "aa", room_id: str = "7") -> dict[str, Any]:
    return {"kind": "entered", "at": at, "unique_id": unique_id, "room_id": room_id}


STARTED = {"kind": "live_started", "at": 90.0, "unique_id": "aa", "room_id": "7"}
OTHER = {"kind": "live_started", "at": 90.0, "unique_id": "zz", "room_id": "1"}
ENDED = {"kind": "live_ended", "at": 95.0, "unique_id": "aa", "room_id": "7"}


def read(number: int, event: str = "comment") -> Read:
    return Read(event, f"7:{number}")


ENOUGH = [Read(event, f"1:{event}") for event in TEN]
"""A record each of ten other events, which another room sent."""
SENT = [message(0, event=event, unique_id="zz", room_id="1", message_id=event) for event in TEN]


def judge(truth: Sequence[dict[str, Any]], records: Sequence[Read], kill: Kill | None) -> Verdict:
    return judge_all([OTHER, *SENT, *truth], records, kill)


KILL = Kill("worker-2", at=100.0, streamers=frozenset({"aa"}))


def test_accounts_that_agree_have_no_problem() -> None:
    verdict = judge([message(1), message(2)], [read(1), read(2), *ENOUGH], None)

    assert verdict.problems == []
    assert (verdict.rows["comment"].sent, verdict.rows["comment"].read) == (2, 2)


def test_a_lost_message_is_a_problem() -> None:
    verdict = judge([message(1), message(2)], [read(1), *ENOUGH], None)

    assert verdict.rows["comment"].lost == 1
    assert verdict.problems == ["lost outside the takeover gap: {'comment': 1}"]


def test_a_message_on_another_topic_than_its_own_is_lost() -> None:
    verdict = judge([message(1), message(2)], [read(1), read(2, "gift"), *ENOUGH], None)

    assert verdict.rows["comment"].lost == 1


def test_what_nobody_was_there_to_hear_is_not_lost() -> None:
    verdict = judge([message(1), message(2, sockets=0)], [read(1), *ENOUGH], None)

    assert verdict.problems == []
    assert (verdict.rows["comment"].sent, verdict.rows["comment"].unheard) == (2, 1)


def test_what_nobody_heard_and_came_as_history_is_read_and_not_unheard() -> None:
    verdict = judge([message(1, sockets=0), message(1, history=True)], [read(1), *ENOUGH], None)

    assert verdict.problems == []
    assert (verdict.rows["comment"].sent, verdict.rows["comment"].read, verdict.rows["comment"].unheard) == (1, 1, 0)


def test_records_are_read_as_often_as_sockets_brought_them() -> None:
    truth = [message(1), message(1, history=True), message(2, sockets=2), message(3), message(3, duplicate=True)]
    twice = [read(number) for number in (1, 1, 2, 2, 3, 3)]

    verdict = judge(truth, [*twice, *ENOUGH], None)
    lie = judge(truth, [*twice, read(2), *ENOUGH], None)

    assert verdict.problems == []
    assert verdict.rows["comment"].duplicates == 3
    assert lie.problems == ["read more often than any socket brought it: {'comment': 1}"]


def test_what_was_in_flight_at_a_kill_may_come_once_more() -> None:
    truth = [STARTED, message(1, at=96.0), message(2, at=99.0), entered(104.0)]

    assert judge(truth, [read(1), read(2), read(2), *ENOUGH], KILL).problems == []
    assert judge(truth, [read(1), read(1), read(2), *ENOUGH], KILL).problems != []


@pytest.mark.parametrize(
    "lie",
    [
        Read("comment", "7:99"),
        Read("gift", "7:1"),
        Read("connect", "8:connect:w:1"),
        Read("gift_finalized", "8:gift_finalized:a:0-1", "8", 0),
        Read("live_end", "8:live_end"),
        Read("live_end", "7:99"),
    ],
    ids=lambda lie: f"{lie.event} {lie.event_id}",
)
def test_what_nobody_sent_is_a_problem(lie: Read) -> None:
    verdict = judge([STARTED, message(1)], [read(1), lie, *ENOUGH], None)

    assert verdict.problems == [f"read, and never sent as that event: {{'{lie.event}': 1}}"]


def test_what_is_ours_and_of_a_room_that_there_was_is_no_problem() -> None:
    ours = [
        Read("connect", "7:connect:w:1"),
        Read("live_start", "7:live_start"),
        Read("live_end", "7:live_end"),
        Read("streamer", "aa:streamer:w:1"),
    ]
    odd = {"kind": "odd", "at": 100.0, "unique_id": "aa", "room_id": "7", "message_id": "-3", "method": "X"}

    verdict = judge([STARTED, odd, message(1)], [read(1), *ours, Read("unknown", "7:-3"), *ENOUGH], None)

    assert verdict.problems == []
    assert [verdict.rows[each.event].ours for each in ours] == [1, 1, 1, 1]
    assert verdict.rows["unknown"].sent == 1


def gift(number: int, diamonds: int, **more: Any) -> dict[str, Any]:
    return message(number, event="gift", diamonds=diamonds, **more)


def total(diamonds: int | None, *, name: str = "a:0-1") -> Read:
    return Read("gift_finalized", f"7:gift_finalized:{name}", "7", diamonds)


@pytest.mark.parametrize(
    ("totals", "is_right"),
    [
        ([total(30)], True),
        ([total(10), total(20, name="a:1-3")], True),
        ([total(30), total(30)], True),  # one event id
        ([total(30), total(30, name="b:0-1")], False),
        ([total(29)], False),
        ([total(31)], False),
        ([total(None)], False),
        ([], False),
    ],
)
def test_totals_are_what_was_given(totals: list[Read], is_right: bool) -> None:
    truth = [STARTED, gift(1, 10), gift(2, 20), gift(3, 0), gift(2, 20, history=True)]

    verdict = judge(truth, [*(read(number, "gift") for number in (1, 2, 2, 3)), *totals, *ENOUGH], None)

    assert (verdict.problems == []) == is_right
    assert is_right or verdict.problems[0].startswith("totals of gifts that are not what was given, in diamonds: 7: ")
    assert (verdict.gifts.emitted, verdict.gifts.heard) == (30, 30)


@pytest.mark.parametrize(("diamonds", "is_right"), [(9, False), (10, True), (30, True), (31, False)])
def test_totals_may_have_what_nobody_heard_and_no_more(diamonds: int, is_right: bool) -> None:
    truth = [STARTED, gift(1, 10), gift(2, 20, sockets=0)]

    assert (judge(truth, [read(1, "gift"), total(diamonds), *ENOUGH], None).problems == []) == is_right


def test_a_streak_that_was_open_at_a_kill_may_be_missing_and_one_long_before_may_not() -> None:
    truth = [STARTED, gift(1, 10, at=66.0), gift(2, 20, at=90.0), entered(104.0)]
    heard = [read(1, "gift"), read(2, "gift")]

    assert judge(truth, [*heard, total(10), *ENOUGH], KILL).problems == []
    assert judge(truth, [*heard, *ENOUGH], KILL).problems != []


@pytest.mark.parametrize("event", ["comment", "live_end"])
def test_the_table_adds_up(event: str) -> None:
    truth = [STARTED, *(message(number, event=event) for number in (1, 2)), message(3, event=event, sockets=0)]
    records = [read(1, event), read(1, event), Read(event, f"7:{event}"), Read(event, "5:5")]

    row = judge(truth, [*records, *ENOUGH], None).rows[event]

    assert row.sent + row.ours - row.unheard - row.in_gap - row.lost + row.duplicates + row.invented == row.read == 4


def test_history_and_repetitions_are_not_sent_twice_and_not_to_be_lost() -> None:
    verdict = judge([message(1), message(1, history=True), message(1, duplicate=True)], ENOUGH, None)

    assert (verdict.rows["comment"].sent, verdict.rows["comment"].lost) == (1, 1)


def test_the_gap_lasts_from_the_kill_to_the_next_entry() -> None:
    truth = [
        STARTED,
        message(1, at=96.0),
        message(2, at=99.5),
        message(3, at=103.0, sockets=0),
        entered(104.0),
        message(4, at=105.0),
    ]

    verdict = judge(truth, [read(1), read(4), *ENOUGH], KILL)

    assert verdict.problems == []
    assert (verdict.rows["comment"].in_gap, verdict.gap_seconds, verdict.gap_rooms) == (2, 4.0, 1)


def test_a_loss_before_or_after_the_gap_is_a_loss() -> None:
    truth = [STARTED, message(1, at=96.0), entered(104.0), message(4, at=105.0), message(5, at=106.0)]

    verdict = judge(truth, [read(4), *ENOUGH], KILL)

    assert verdict.rows["comment"].lost == 2


def test_a_live_that_began_after_the_kill_was_not_waiting_for_anybody() -> None:
    verdict = judge([STARTED, ENDED, entered(104.0, room_id="8")], ENOUGH, KILL)

    assert (verdict.gap_rooms, verdict.gap_seconds) == (0, 0.0)


def test_another_workers_rooms_have_no_gap() -> None:
    verdict = judge([STARTED, message(1, at=101.0, unique_id="bb"), entered(104.0)], ENOUGH, KILL)

    assert verdict.rows["comment"].lost == 1


def test_a_takeover_that_never_comes_is_a_problem() -> None:
    verdict = judge([STARTED], ENOUGH, KILL)

    assert verdict.problems == ["live and never taken over: aa"]


def test_a_live_that_ended_before_it_could_be_taken_over_is_no_problem() -> None:
    assert judge([STARTED, ENDED | {"at": 101.0}], ENOUGH, KILL).problems == []


def test_empty_topics_are_a_problem() -> None:
    verdict = judge_all([message(1)], [read(1)], None)

    assert verdict.problems == ["only 1 topics have records: comment"]
