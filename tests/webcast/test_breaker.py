"""producer.webcast.doors.breaker and .refusals: a number for a clock, and what to do with a door by the sheet."""

import pytest

from producer.errors import (
    FailedConnection,
    FailedFetchRoomInfo,
    FailedHTTPRequest,
    FailedRoomPolling,
    InvalidSessionId,
    LiveNotFound,
    ProducerError,
    Reason,
)
from producer.webcast.doors.breaker import Breaker, State
from producer.webcast.doors.refusals import Says, says


def shut(breaker: Breaker, room: str = "a", *, now: float = 100.0, wait: float = 0.0) -> bool:
    return breaker.refused(room, Reason.UNSIGNED, "417 illegal secret key", now, at_once=True, wait_seconds=wait)


def failed(breaker: Breaker, room: str, now: float = 100.0) -> bool:
    return breaker.refused(room, Reason.NETWORK, "reset", now, at_once=False)


def test_an_open_door_is_everybodys() -> None:
    breaker = Breaker()

    assert [breaker.admits(room, 0.0) for room in "abc"] == [True, True, True]
    assert breaker.state(0.0) is State.OPEN
    assert breaker.wait(0.0) == 0.0


def test_a_door_that_refused_is_tried_by_one_room_a_minute() -> None:
    breaker = Breaker()
    assert shut(breaker, "a")

    assert (breaker.state(100.0), breaker.reason, breaker.detail, breaker.since) == (
        State.SHUT,
        Reason.UNSIGNED,
        "417 illegal secret key",
        100.0,
    )
    assert not breaker.admits("b", 159.9)
    assert breaker.wait(150.0) == 10.0
    assert breaker.admits("b", 160.0)
    assert breaker.state(160.0) is State.PROBING
    assert not breaker.admits("c", 160.0)
    assert not shut(breaker, "b", now=161.0)
    assert not breaker.admits("c", 220.9)
    assert breaker.admits("c", 221.0)


def test_a_room_looks_soon_whether_the_one_that_tries_a_door_was_heard() -> None:
    breaker = Breaker()
    shut(breaker, wait=1.0)
    assert breaker.admits("b", 101.0)

    assert breaker.wait(101.1) == 10.0
    assert breaker.wait(186.0) == 5.0  # which ends by then, whatever comes


def test_the_room_that_was_refused_tries_again_only_where_no_other_does() -> None:
    breaker = Breaker()
    shut(breaker, "a")

    assert not breaker.admits("a", 160.0)
    assert breaker.admits("a", 220.0)


def test_a_door_is_open_again_as_soon_as_a_room_was_heard() -> None:
    breaker = Breaker()
    shut(breaker)
    breaker.admits("b", 160.0)

    assert breaker.entered("b", 162.0)

    assert (breaker.state(162.0), breaker.reason, breaker.opened_at) == (State.OPEN, None, 162.0)
    assert breaker.admits("c", 162.0)
    assert not breaker.entered("c", 163.0)


def test_what_the_other_side_asked_for_is_waited_for() -> None:
    breaker = Breaker()
    shut(breaker, wait=900.0)

    assert not breaker.admits("b", 999.0)
    assert breaker.wait(100.0) == 900.0
    assert breaker.admits("b", 1000.0)


def test_a_short_wait_that_was_asked_for_is_no_longer_one() -> None:
    breaker = Breaker()
    shut(breaker, "a", wait=2.0)

    assert not breaker.admits("b", 101.9)
    assert not breaker.admits("a", 103.9)
    assert breaker.admits("a", 104.0)
    assert not shut(breaker, "a", now=105.0)
    assert breaker.wait(105.0) == 60.0


def test_another_workers_try_is_waited_for_though_ours_were_inside_when_it_was_shut() -> None:
    breaker = Breaker()
    breaker.entered("a", 90.0)
    shut(breaker, "a", now=100.0)

    breaker.learnt(Reason.UNSIGNED, "417", since=99.0, said=159.0, held_until=float("-inf"))

    assert breaker.wait(159.0) == 60.0


def test_a_short_wait_that_was_asked_for_in_vain_is_not_believed_again() -> None:
    breaker = Breaker()
    shut(breaker, "a", wait=2.0)
    assert breaker.admits("b", 102.0)

    assert not shut(breaker, "b", now=103.0, wait=2.0)

    assert breaker.wait(103.0) == 60.0


def test_who_was_admitted_goes_on_while_the_door_is_open_or_it_tries_it() -> None:
    breaker = Breaker()
    assert breaker.lets("a")

    shut(breaker, "a")
    breaker.admits("b", 160.0)

    assert [breaker.lets(room) for room in "abc"] == [False, True, False]
    shut(breaker, "b", now=161.0)
    assert not breaker.lets("b")


def test_a_refusal_that_was_under_way_when_it_was_shut_can_only_prolong_it() -> None:
    breaker = Breaker()
    shut(breaker, "a", now=100.0)

    assert not shut(breaker, "b", now=110.0)
    assert breaker.wait(110.0) == 50.0
    assert not shut(breaker, "b", now=110.0, wait=300.0)
    assert breaker.wait(110.0) == 300.0


def test_a_try_of_which_nothing_is_heard_is_over_in_time() -> None:
    breaker = Breaker()
    shut(breaker)
    assert breaker.admits("b", 160.0)

    assert not breaker.admits("c", 249.9)
    assert breaker.admits("c", 250.0)


def test_a_try_that_was_given_up_leaves_the_next_to_another() -> None:
    breaker = Breaker()
    shut(breaker)
    breaker.admits("b", 160.0)
    breaker.gave_up("c")
    assert breaker.state(161.0) is State.PROBING

    breaker.gave_up("b")

    assert breaker.state(161.0) is State.SHUT
    assert breaker.admits("c", 220.0)


def test_one_room_alone_shuts_no_door_on_rooms_that_get_in() -> None:
    breaker = Breaker()
    breaker.entered("good", 90.0)

    assert not any(shut(breaker, "poisoned", now=now) for now in (100.0, 110.0, 120.0, 149.0))
    assert shut(breaker, "another", now=149.5)


def test_it_does_once_nobody_else_got_in_for_a_minute() -> None:
    breaker = Breaker()
    breaker.entered("good", 90.0)

    assert not shut(breaker, "poisoned", now=149.9)
    assert shut(breaker, "poisoned", now=150.0)


def test_rooms_that_are_inside_speak_for_a_door_however_long_ago_they_came_in() -> None:
    breaker = Breaker()
    breaker.entered("good", 90.0)

    def refused(room: str, *, at_once: bool) -> bool:
        return breaker.refused(room, Reason.HOST_REFUSED, "", 9_000.0, at_once=at_once, others_inside=True)

    assert not any(refused(room, at_once=False) for room in "abcdef")
    assert not any(refused("a", at_once=True) for _ in range(5))
    assert refused("b", at_once=True)


def test_a_room_that_was_in_itself_speaks_for_the_door_when_it_is_refused() -> None:
    breaker = Breaker()
    breaker.entered("a", 99.0)

    assert shut(breaker, "a", now=100.0)


def test_failures_that_may_be_anything_shut_a_door_when_several_rooms_meet_them() -> None:
    breaker = Breaker()

    assert not any(failed(breaker, "a") for _ in range(10))
    assert failed(breaker, "b")
    assert breaker.reason is Reason.NETWORK


def test_two_failures_are_too_few_and_success_begins_anew() -> None:
    breaker = Breaker()
    assert not failed(breaker, "a")
    assert not failed(breaker, "b")

    breaker.entered("c", 100.0)

    assert not failed(breaker, "a")
    assert not failed(breaker, "b")
    assert failed(breaker, "b")


def test_failures_that_are_hours_apart_shut_no_door() -> None:
    breaker = Breaker()

    assert not any(failed(breaker, room, now) for now, room in ((100.0, "a"), (101.0, "b"), (200.0, "c")))
    assert not failed(breaker, "a", 201.0)
    assert failed(breaker, "b", 202.0)


def test_nor_do_refusals_of_two_rooms_while_others_are_inside() -> None:
    breaker = Breaker()

    def refused(room: str, now: float) -> bool:
        return breaker.refused(room, Reason.UNSIGNED, "", now, at_once=True, others_inside=True)

    assert not refused("a", 100.0)
    assert not refused("b", 3700.0)
    assert refused("c", 3701.0)


def test_rooms_that_were_let_in_and_are_not_again_tell_against_a_door_that_still_holds_others() -> None:
    breaker = Breaker()

    def refused(room: str, now: float, *, returning: bool = True) -> bool:
        return breaker.refused(
            room, Reason.DEVICE_BLOCKED, "", now, at_once=False, others_inside=True, returning=returning
        )

    assert not any(refused(room, 100.0) for room in "abcdabcdabcd")
    assert not any(refused(f"new {number}", 100.0, returning=False) for number in range(50))
    breaker.entered("f", 100.0)
    assert not any(refused(room, 101.0) for room in "abcd")
    assert refused("e", 102.0)


def test_what_another_worker_learnt_is_as_good_as_a_refusal_of_ones_own() -> None:
    breaker = Breaker()
    never = float("-inf")

    assert breaker.learnt(Reason.UNSIGNED, "417", since=100.0, said=100.0, held_until=never)
    assert not breaker.learnt(Reason.UNSIGNED, "417", since=100.0, said=101.0, held_until=never)
    assert not breaker.admits("a", 160.9)
    assert breaker.admits("a", 161.0)

    assert breaker.reopened(170.0, said=170.0)
    assert not breaker.reopened(171.0, said=171.0)
    assert (breaker.state(171.0), breaker.opened_at) == (State.OPEN, 170.0)


@pytest.mark.parametrize(
    ("error", "lived", "expected"),
    [
        (FailedConnection(reason=Reason.UNSIGNED), 0.0, Says.SHUT),  # row 8
        (FailedConnection(reason=Reason.APP_ID), 0.0, Says.SHUT),  # row 9
        (FailedConnection(reason=Reason.BLOCKED), 0.0, Says.SHUT),  # row 12
        (FailedConnection(reason=Reason.RATE_LIMITED), 0.0, Says.SHUT),
        (FailedHTTPRequest(reason=Reason.RATE_LIMITED), 0.0, Says.SHUT),  # row 5
        (FailedHTTPRequest(reason=Reason.ENTITLEMENT), 0.0, Says.SHUT),
        (FailedConnection(reason=Reason.HOST_REFUSED), 0.0, Says.SHUT),  # row 21
        (FailedRoomPolling(reason=Reason.SWITCHED_OFF), 5.0, Says.SHUT),  # row 14
        (FailedConnection(reason=Reason.DEVICE_BLOCKED), 0.0, Says.DOUBT),  # row 7
        (FailedConnection(reason=Reason.HANDSHAKE), 0.0, Says.DOUBT),  # rows 10, 11
        (FailedConnection(reason=Reason.TIMEOUT), 0.0, Says.DOUBT),
        (FailedRoomPolling(reason=Reason.SILENCE), 60.0, Says.DOUBT),  # row 15
        (FailedRoomPolling(reason=Reason.CLOSED), 29.9, Says.DOUBT),  # row 19
        (FailedRoomPolling(reason=Reason.CLOSED), 30.0, Says.NOTHING),  # row 20
        (FailedFetchRoomInfo(reason=Reason.TIMEOUT), 0.0, Says.DOUBT),
        (FailedConnection(reason=Reason.LOGIN), 0.0, Says.NOTHING),
        (FailedConnection(reason=Reason.NO_DOOR), 0.0, Says.NOTHING),
        (LiveNotFound(reason=Reason.OFFLINE), 0.0, Says.NOTHING),
        (InvalidSessionId(), 0.0, Says.NOTHING),
    ],
)
def test_what_a_failure_says_of_its_door(error: ProducerError, lived: float, expected: Says) -> None:
    assert says(error, lived_seconds=lived) is expected
