"""producer.lookups.habits: what is learnt of when somebody goes live."""

import pytest

from producer.lookups.habits import DAY, MOST_STARTS, Habits

MONDAY = 1_772_409_600.0
"""2 March 2026, 0:00 UTC."""
HOUR = 3600.0


def rate(habits: Habits, now: float, *, ended: float | None = None) -> float:
    return habits.rate(now, ended=ended)[0]


def test_of_who_is_unknown_any_moment_is_as_good_as_another_and_less_so_the_longer_nothing_came() -> None:
    habits = Habits(MONDAY)
    assert rate(habits, MONDAY) * DAY == pytest.approx(0.05)
    assert rate(habits, MONDAY + DAY) * DAY == pytest.approx(0.025)
    assert rate(habits, MONDAY + 49 * DAY) * DAY == pytest.approx(0.001)


def test_who_went_live_at_some_hour_is_expected_at_it() -> None:
    habits = Habits(MONDAY).started(MONDAY + 20 * HOUR).started(MONDAY + DAY + 20.2 * HOUR)
    at_its_hour, in_the_morning = (rate(habits, MONDAY + 2 * DAY + hour * HOUR) for hour in (20, 9))
    assert at_its_hour > 100 * in_the_morning
    # Two starts in less than three days, spread over five quarters of an hour, which are highest in the middle.
    assert 0.5 < at_its_hour * HOUR < 2


def test_the_chance_of_an_hour_is_that_of_its_moments_and_never_a_certainty() -> None:
    habits = Habits(MONDAY).started(MONDAY + 20 * HOUR).started(MONDAY + DAY + 20 * HOUR)
    unknown = Habits(MONDAY)
    assert unknown.chance(MONDAY, HOUR) == pytest.approx(0.05 / 24, rel=0.03)
    before = habits.chance(MONDAY + 2 * DAY + 19.5 * HOUR, HOUR)
    assert 20 * habits.chance(MONDAY + 2 * DAY + 9 * HOUR, HOUR) < before < 1
    assert before > habits.chance(MONDAY + 2 * DAY + 19.5 * HOUR, HOUR / 4)


def test_hours_are_usual_where_three_starts_were_and_count_across_midnight() -> None:
    habits = Habits(MONDAY)
    for day, hour in enumerate((23.9, 0.2, 0.3, 23.6, 12.0, 12.1, 12.6, 18.0, 18.1)):
        habits = habits.started(MONDAY + day * DAY + hour * HOUR)
    assert habits.usual == ((0, 4), (735, 3))
    assert Habits(MONDAY).usual == ()


def test_an_hour_counts_across_midnight() -> None:
    habits = Habits(MONDAY).started(MONDAY + 23.9 * HOUR)
    after_midnight, at_noon = (rate(habits, MONDAY + 2 * DAY + hour * HOUR) for hour in (0.1, 12))
    assert after_midnight > 100 * at_noon


def test_who_has_started_today_is_not_expected_again() -> None:
    habits = Habits(MONDAY).started(MONDAY + 20 * HOUR).started(MONDAY + DAY + 19.5 * HOUR)
    assert rate(habits, MONDAY + DAY + 20 * HOUR) * DAY < 0.06


def test_a_day_off_is_learnt_in_weeks() -> None:
    habits = Habits(MONDAY)
    for week in range(5):
        for day in (0, 1, 3):
            habits = habits.started(MONDAY + (7 * week + day) * DAY + 20 * HOUR)
    tuesday, wednesday = (rate(habits, MONDAY + (35 + day) * DAY + 20 * HOUR) for day in (1, 2))
    assert tuesday > 20 * wednesday


def test_a_live_that_broke_off_is_expected_back_for_a_while() -> None:
    ended = MONDAY + 22 * HOUR
    habits = Habits(MONDAY).started(MONDAY + 20 * HOUR)
    soon, until = habits.rate(ended + 60, ended=ended)
    assert soon > 100 * rate(habits, ended + 3600, ended=ended)
    assert until == ended + 600


def test_a_start_that_is_told_twice_is_one_and_only_the_last_ones_are_kept() -> None:
    habits = Habits(MONDAY).started(MONDAY + HOUR)
    assert habits.started(MONDAY + HOUR + 30) is habits
    for day in range(1, 100):
        habits = habits.started(MONDAY + day * DAY)
    assert len(habits.starts) == MOST_STARTS
    assert habits.starts[-1] == MONDAY + 99 * DAY


def test_what_was_learnt_is_kept_in_minutes() -> None:
    habits = Habits(MONDAY + 59).started(MONDAY + 20 * HOUR).started(MONDAY + DAY + 20 * HOUR + 61)
    watched, starts = habits.minutes
    assert (watched, starts) == (29_540_160, (29_541_360, 29_542_801))
    again = Habits.of_minutes(watched, starts)
    assert again.minutes == habits.minutes
    assert rate(again, MONDAY + 2 * DAY + 20 * HOUR) == pytest.approx(
        rate(habits, MONDAY + 2 * DAY + 20 * HOUR), rel=0.01
    )
