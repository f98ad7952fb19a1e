"""producer.backoff: numbers worked out by hand."""

import pytest

from producer.backoff import after_bug, delay, later


@pytest.mark.parametrize(
    ("attempt", "random", "expected"),
    [(1, 0.0, 0.5), (1, 0.5, 0.75), (2, 0.0, 1.0), (3, 0.5, 3.0), (6, 0.0, 16.0), (7, 0.0, 30.0), (40, 0.0, 30.0)],
)
def test_delay_doubles_to_a_minute_and_jitters_over_its_upper_half(
    attempt: int, random: float, expected: float
) -> None:
    assert delay(attempt, random) == expected


def test_retry_after_is_a_floor() -> None:
    assert delay(1, 0.0, retry_after_seconds=120.0) == 120.0


def test_retry_after_gets_its_own_jitter() -> None:
    assert delay(1, 0.5, retry_after_seconds=120.0) == 126.0


def test_a_short_retry_after_does_not_shorten_the_back_off() -> None:
    assert delay(7, 0.0, retry_after_seconds=1.0) == 30.0


@pytest.mark.parametrize(
    ("bugs", "random", "seconds"),
    [(1, 0.0, 120.0), (1, 1.0, 240.0), (2, 0.0, 240.0), (5, 0.0, 1_920.0), (8, 1.0, 21_600.0), (10_000, 0.5, 16_200.0)],
)
def test_a_bug_waits_for_minutes_and_then_for_hours(bugs: int, random: float, seconds: float) -> None:
    assert after_bug(bugs, random) == seconds


def test_who_may_come_back_at_once_does_so_once() -> None:
    waits = [delay(attempt, 0.0, retry_after_seconds=0.0) for attempt in (1, 2, 3)]

    assert waits == [0.0, 1.0, 2.0]


def test_what_somebody_must_change_is_tried_again_after_an_hour_or_as_asked() -> None:
    assert later(0.0) == 3600.0
    assert later(0.5, retry_after_seconds=100.0) == 105.0
