"""producer.local.verdict: small accounts by hand."""

from typing import Any

from producer.local.verdict import Kill, Read, judge

TEN = [f"event{number}" for number in range(10)]


def message(number: int, *, at: float = 100.0, sockets: int = 1, event: str = "comment", **more: Any) -> dict[str, Any]:
    line = {"kind": "message", "at": at, "unique_id": "aa", "room_id": "7", "message_id": str(number), "event": event}
    return line | {"history": False, "duplicate": False, "sockets": sockets} | more


def entered(at: float, unique_id: str = "aa", room_id: str = "7") -> dict[str, Any]:
    return {"kind": "entered", "at": at, "unique_id": unique_id, "room_id": room_id}


STARTED = {"kind": "live_started", "at": 90.0, "unique_id": "aa", "room_id": "7"}
ENDED = {"kind": "live_ended", "at": 95.0, "unique_id": "aa", "room_id": "7"}


def read(number: int, event: str = "comment") -> Read:
    return Read(event, f"7:{number}")


ENOUGH = [Read(event, event) for event in TEN]
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
    assert (verdict.rows["comment"].sent, verdict.unheard) == (1, 1)


def test_duplicates_are_counted_by_event_id() -> None:
    verdict = judge([message(1)], [read(1), read(1), read(1), *ENOUGH], None)

    assert verdict.problems == []
    assert verdict.rows["comment"].duplicates == 2


def test_history_and_repetitions_are_not_sent_twice_and_not_to_be_lost() -> None:
    verdict = judge([message(1), message(1, history=True), message(2, history=True)], [read(1), *ENOUGH], None)

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
    assert (verdict.gap_events, verdict.gap_seconds, verdict.gap_rooms) == (2, 4.0, 1)


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
    verdict = judge([message(1)], [read(1)], None)

    assert verdict.problems == ["only 1 topics have records: comment"]
