"""producer.events.streaks: small cases by hand, and many random ones whose truth is the generator's own."""

import os
import tracemalloc
from collections.abc import Iterable
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from producer.events.streaks import EndedBy, Given, Streaks, Tap
from tests.steps import steps

ROSE = 1
RUNS = int(os.environ.get("STREAK_RUNS", "40"))
"""Each makes about 500 streaks; `STREAK_RUNS=2000` makes a million."""


def tap(message_id: int, count: int, added: int | None = 1, *, end: bool = False, **more: int) -> Tap:
    fields: dict[str, Any] = {"user_id": 7, "gift_id": 5655, "group_id": 100, "receiver_id": 900, "sent_at": 0} | more
    return Tap(
        message_id=message_id,
        streakable=True,
        repeat_count=count,
        repeat_end=end,
        added_diamonds=None if end else added,
        diamond_count=ROSE,
        **fields,
    )


def feed(streaks: Streaks, *taps: Tap, at: int = 0) -> list[Given]:
    return [given for one in taps for given in streaks.add(one, at)]


def summary(given: Iterable[Given]) -> list[tuple[int, int | None, str, bool]]:
    return [(one.count, one.diamonds, str(one.ended_by), one.corrects is not None) for one in given]


def test_a_streak_is_one_total_and_its_closing_message_adds_nothing() -> None:
    given = feed(Streaks(), tap(1, 1), tap(2, 3, 2), tap(3, 3, end=True))

    assert summary(given) == [(3, 3, "repeat_end", False)]


def test_skipped_counts_are_counted() -> None:
    given = feed(Streaks(), tap(1, 1), tap(3, 9, 1), tap(4, 9, end=True))

    assert summary(given) == [(9, 9, "repeat_end", False)]


def test_a_gift_without_streaks_is_its_own_total() -> None:
    single = replace(tap(1, 1, 99), streakable=False, group_id=0)

    [given] = feed(Streaks(), single)

    assert (given.count, given.diamonds, given.ended_by, given.streak) == (1, 99, EndedBy.SINGLE, "1")


def test_a_gift_without_streaks_is_one_at_least() -> None:
    single = replace(tap(1, 0, None), streakable=False, group_id=0, diamond_count=30)

    [given] = feed(Streaks(), single)

    assert (given.count, given.total, given.interval, given.diamonds) == (1, 1, (0, 1), 30)


def test_a_total_has_the_details_of_the_first_message_and_a_correction_those_of_the_late_one() -> None:
    streaks = Streaks()

    [given] = feed(streaks, replace(tap(1, 1), details={"of": [1, None, "é"]}), replace(tap(2, 1, end=True), details=2))
    [correction] = feed(streaks, replace(tap(4, 3, 2), details={"of": 4}), replace(tap(5, 3, end=True), details=5))

    assert (given.details, correction.details) == ({"of": [1, None, "é"]}, {"of": 4})


def terms(given: Iterable[Given]) -> list[tuple[int, int | None, int, int]]:
    """How many, the price of one, and when the first and the last message were sent."""
    return [(one.count, one.price, one.first_sent_at, one.last_sent_at) for one in given]


def test_a_streak_has_its_price_and_the_times_of_its_first_and_its_closing_message() -> None:
    given = feed(
        Streaks(),
        tap(1, 1, sent_at=1_700_000_000_100),
        tap(2, 2, sent_at=1_700_000_000_900),
        tap(3, 3, sent_at=1_700_000_001_500),
        tap(4, 3, end=True, sent_at=1_700_000_004_000),
    )

    assert terms(given) == [(3, 1, 1_700_000_000_100, 1_700_000_004_000)]


def test_a_gift_without_streaks_has_its_price_and_one_time() -> None:
    single = replace(tap(1, 1, 99), streakable=False, diamond_count=99, sent_at=1_700_000_000_100)

    assert terms(feed(Streaks(), single)) == [(1, 99, 1_700_000_000_100, 1_700_000_000_100)]


def test_a_streak_that_ends_by_silence_has_the_time_of_its_last_message_and_not_of_its_end() -> None:
    streaks = Streaks(silence_ms=1000)
    feed(streaks, tap(1, 1, sent_at=1_700_000_000_100), tap(2, 2, sent_at=1_700_000_000_900))

    assert terms(streaks.tick(1000)) == [(2, 1, 1_700_000_000_100, 1_700_000_000_900)]


def test_a_correction_has_the_times_of_the_whole_streak() -> None:
    streaks = Streaks()
    first = feed(streaks, tap(2, 3, 2, sent_at=200), tap(4, 3, end=True, sent_at=400))
    feed(streaks, tap(1, 1, sent_at=100))
    earlier = list(streaks.end())
    later = feed(streaks, tap(5, 7, 4, sent_at=500), tap(6, 7, end=True, sent_at=600))

    assert terms([*first, *earlier, *later]) == [(2, 1, 200, 400), (1, 1, 100, 400), (4, 1, 100, 600)]


def test_a_streak_that_is_handed_over_has_in_each_total_the_times_of_what_that_session_heard() -> None:
    old, new = Streaks(), Streaks()
    feed(old, tap(1, 1, sent_at=100), tap(2, 2, sent_at=200))

    given = [*old.hand_over(), *feed(new, tap(3, 3, sent_at=300), tap(4, 3, end=True, sent_at=400))]
    back = feed(old, tap(5, 4, sent_at=500), tap(6, 4, end=True, sent_at=600))

    assert terms([*given, *back]) == [(2, 1, 100, 200), (1, 1, 300, 400), (1, 1, 500, 600)]


def test_a_count_that_starts_anew_has_times_of_its_own() -> None:
    given = feed(Streaks(), tap(1, 4, 4, sent_at=100), tap(2, 1, sent_at=200), tap(3, 1, end=True, sent_at=300))

    assert terms(given) == [(4, 1, 100, 100), (1, 1, 200, 300)]


def test_the_price_is_the_first_that_is_said_and_else_unknown() -> None:
    said, unsaid = Streaks(), Streaks()
    feed(said, replace(tap(1, 1), diamond_count=None), replace(tap(2, 2), diamond_count=5))
    feed(unsaid, replace(tap(1, 1), diamond_count=None))

    assert terms([*said.end(), *unsaid.end()]) == [(2, 5, 0, 0), (1, None, 0, 0)]


def test_a_streak_whose_end_never_comes_ends_by_silence() -> None:
    streaks = Streaks(silence_ms=1000)
    feed(streaks, tap(1, 1), at=0)
    feed(streaks, tap(2, 2), at=500)

    assert list(streaks.tick(1499)) == []
    assert summary(streaks.tick(1500)) == [(2, 2, "silence", False)]
    assert list(streaks.tick(9999)) == []


def test_a_late_end_after_silence_is_no_second_total() -> None:
    streaks = Streaks(silence_ms=1000)
    feed(streaks, tap(1, 5, 5))
    [_] = streaks.tick(1000)

    assert feed(streaks, tap(2, 5, end=True), at=2000) == []


def test_a_late_tap_after_silence_is_a_correction_by_what_it_adds() -> None:
    streaks = Streaks(silence_ms=1000)
    feed(streaks, tap(1, 5, 5))
    [first] = streaks.tick(1000)

    [later] = feed(streaks, tap(2, 8, 3), tap(3, 8, end=True), at=2000)

    assert (first.count, first.interval, first.corrects) == (5, (0, 5), None)
    assert (later.count, later.total, later.diamonds, later.corrects) == (3, 8, 3, (0, 5))
    assert later.streak == first.streak


def test_a_count_that_starts_anew_is_another_streak() -> None:
    given = feed(Streaks(), tap(1, 4, 4), tap(2, 1), tap(3, 1, end=True))

    assert summary(given) == [(4, 4, "count_reset", False), (1, 1, "repeat_end", False)]
    assert given[0].streak != given[1].streak


def test_an_older_message_that_comes_late_is_no_new_streak() -> None:
    given = feed(Streaks(), tap(1, 1), tap(3, 3), tap(2, 2), tap(4, 3, end=True))

    assert summary(given) == [(3, 3, "repeat_end", False)]


def test_a_message_that_comes_after_the_end_of_its_streak_corrects_it() -> None:
    given = feed(Streaks(), tap(2, 3, 2), tap(4, 3, end=True), tap(1, 1, 1))
    streaks = Streaks()
    first = feed(streaks, tap(2, 3, 2), tap(4, 3, end=True), tap(1, 1, 1))

    assert summary(given) == [(2, 2, "repeat_end", False)]
    assert summary([*first, *streaks.end()]) == [(2, 2, "repeat_end", False), (1, 1, "session_end", True)]


def test_two_corrections_of_one_streak_are_told_apart_by_what_has_been_seen() -> None:
    streaks = Streaks()
    given = feed(streaks, tap(3, 3), tap(4, 3, end=True), tap(2, 2), tap(4, 3, end=True), tap(1, 1))

    given += streaks.end()

    assert [(one.count, one.interval, one.corrects) for one in given] == [
        (1, (2, 3), None),
        (1, (1, 3), (2, 3)),
        (1, (0, 3), (2, 3)),
    ]


def test_what_each_correction_is_worth_is_what_was_added_since_the_one_before() -> None:
    unknown = Streaks()
    steps = [tap(1, 3, 3), tap(3, 5, 2), tap(5, 9, 4)]

    given = [
        one
        for step in steps
        for one in feed(
            unknown,
            replace(step, diamond_count=None),
            replace(tap(step.message_id + 1, step.repeat_count, end=True), diamond_count=None),
        )
    ]

    assert [one.diamonds for one in given] == [3, 2, 4]


def test_users_gifts_groups_and_receivers_are_told_apart() -> None:
    given = feed(
        Streaks(),
        tap(1, 2, 2),
        tap(2, 3, 3, user_id=8),
        tap(3, 4, 4, gift_id=5269),
        tap(4, 5, 5, group_id=101),
        tap(5, 6, 6, receiver_id=901),
        tap(6, 2, end=True),
        tap(7, 3, end=True, user_id=8),
        tap(8, 4, end=True, gift_id=5269),
        tap(9, 5, end=True, group_id=101),
        tap(10, 6, end=True, receiver_id=901),
    )

    assert [one.count for one in given] == [2, 3, 4, 5, 6]
    assert len({one.streak for one in given}) == 5


def test_a_message_that_names_no_receiver_is_of_the_streak_that_is_open() -> None:
    given = feed(Streaks(), tap(1, 1), tap(2, 3, 2, receiver_id=0), tap(3, 5, 2), tap(4, 5, end=True, receiver_id=0))

    assert [(one.count, one.streak) for one in given] == [(5, "7:5655:100:900")]


def test_where_nothing_says_whether_a_gift_has_streaks_an_open_one_does() -> None:
    streaks = Streaks()
    unsaid = replace(tap(1, 1), streakable=None, group_id=0)

    [alone] = feed(streaks, unsaid)
    assert (alone.count, alone.ended_by) == (1, EndedBy.SINGLE)
    feed(streaks, tap(2, 1, group_id=0))
    assert feed(streaks, replace(unsaid, message_id=3, repeat_count=2)) == []
    [streak] = feed(streaks, tap(4, 2, end=True, group_id=0))
    assert (streak.count, streak.ended_by) == (2, EndedBy.REPEAT_END)
    [after] = feed(streaks, replace(unsaid, message_id=5))
    assert after.ended_by is EndedBy.SINGLE


def test_a_session_that_ends_gives_out_what_is_open_and_the_next_goes_on_from_there() -> None:
    before, after = Streaks(), Streaks()
    feed(before, tap(1, 1), tap(2, 4, 3))

    given = list(before.end()) + feed(after, tap(3, 6, 2), tap(4, 6, end=True))

    assert [(one.count, one.diamonds, one.total) for one in given] == [(4, 4, 4), (2, 2, 6)]


def test_a_session_that_sees_nothing_but_the_end_adds_nothing() -> None:
    assert feed(Streaks(), tap(9, 50, end=True)) == []


@pytest.mark.parametrize(("added", "diamonds"), [(5, 5), (None, None)])
def test_an_unknown_price_is_the_increments_or_unknown_and_never_zero(added: int | None, diamonds: int | None) -> None:
    streaks = Streaks()
    feed(streaks, replace(tap(1, 1, added), diamond_count=None))

    [given] = streaks.end()

    assert given.diamonds == diamonds


def test_the_last_250_that_ended_are_remembered_no_more_than_500_and_any_that_is_open() -> None:
    streaks = Streaks()
    feed(streaks, tap(1, 7, 7))
    for user in range(10_000, 15_000):
        feed(streaks, tap(user, 1, user_id=user), tap(user, 1, end=True, user_id=user))

    repeated = {user: feed(streaks, tap(user + 1, 1, end=True, user_id=user)) for user in range(14_750, 15_000)}
    known = sum(_is_known(streaks, user) for user in range(10_000, 14_750))

    assert not any(repeated.values())
    assert known <= 250
    assert [one.count for one in streaks.end() if one.streak.startswith("7:")] == [7]


def _is_known(streaks: Streaks, user: int) -> bool:
    """Whether one gift more is a correction of what this user gave before."""
    feed(streaks, tap(20_000, 2, user_id=user))
    [given] = feed(streaks, tap(20_001, 2, end=True, user_id=user))
    return given.corrects is not None


# ------------------------------------------------------------------------------------------------- very many at once


def test_past_what_open_streaks_may_take_the_longest_silent_is_given_out_early() -> None:
    streaks = Streaks()
    given = feed(streaks, *(replace(tap(user, 2, 2, user_id=user), details="x" * 600) for user in range(1, 6_001)))
    early = len(given)

    assert 700 < early < 1_000  # each is about 1,600 bytes, and there are 8 MiB
    assert [one.streak for one in given] == [f"{user}:5655:100:900" for user in range(1, early + 1)]
    assert {(one.count, one.ended_by, one.crowded_out) for one in given} == {(2, EndedBy.SILENCE, True)}
    # Who goes on giving is counted on, and whoever was not given out early comes at the end.
    given += feed(streaks, tap(7_000, 5, 3, user_id=1), tap(7_000, 5, 3, user_id=early))
    given += streaks.end()
    assert len(given) == 6_002
    assert sum(one.count for one in given) == 12_006
    forgotten, known = (
        [(one.count, one.interval, one.corrects) for one in given if one.streak == f"{user}:5655:100:900"]
        for user in (1, early)
    )
    assert forgotten == [(2, (0, 2), None), (3, (2, 5), None)]
    assert known == [(2, (0, 2), None), (3, (0, 5), (0, 2))]


def test_one_that_is_active_is_not_the_longest_silent() -> None:
    streaks = Streaks()
    given: list[Given] = []
    for user in range(10, 9_000):
        given += feed(streaks, tap(user, 1, user_id=user), tap(user, user - 9, 1, user_id=7))

    assert given
    assert not any(one.streak.startswith("7:") for one in given)


def test_large_details_crowd_out_sooner() -> None:
    streaks = Streaks()

    given = feed(streaks, *(replace(tap(user, 1, user_id=user), details="x" * 500_000) for user in range(1, 101)))

    assert len(given) == 100 - 16  # of half a megabyte and a little, sixteen go into 8 MiB
    assert len(list(streaks.end())) == 16


def test_an_add_takes_as_many_steps_among_thousands_of_open_streaks_as_among_few() -> None:
    few, many = Streaks(), Streaks()
    feed(few, *(tap(user, 1, user_id=user) for user in range(1_000, 1_100)))
    feed(many, *(tap(user, 1, user_id=user) for user in range(1_000, 7_000)))
    more = [tap(user, 1, user_id=user, end=user % 3 == 0) for user in range(10_000, 10_050)]

    assert steps(lambda: feed(many, *more)) == steps(lambda: feed(few, *more))


def test_what_is_kept_of_thousands_that_ended_is_small() -> None:
    """605 bytes each, and 2,000 of them, were more than all else that is kept of a room: 1.2 MiB."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    streaks = Streaks()
    for number in range(2_000):
        user, group = 6_800_000_000_000_000_000 + number, 1_780_000_000_000 + number
        feed(streaks, replace(tap(7 * 10**18 + number, 5, 5, user_id=user, group_id=group), details="x" * 1_000))
        feed(streaks, tap(7 * 10**18 + number, 5, end=True, user_id=user, group_id=group))
    taken = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()

    assert taken < 128 * 1024


def test_streaks_are_given_out_as_they_are_asked_for() -> None:
    streaks = Streaks(silence_ms=1000)
    feed(streaks, *(tap(user, 1, user_id=user) for user in range(1, 10)))

    first = next(streaks.tick(1000))
    later = feed(streaks, tap(100, 3, 2, user_id=2), at=1000)
    rest = list(streaks.tick(1000))

    assert (first.streak, later) == ("1:5655:100:900", [])
    assert [one.streak for one in rest] == [f"{user}:5655:100:900" for user in range(3, 10)]
    assert [one.count for one in streaks.hand_over()] == [3]
    assert feed(streaks, tap(101, 3, end=True, user_id=2)) == []


# ------------------------------------------------------------------------------------------------- many, at random


@dataclass(frozen=True)
class Sent:
    """One message, and when it comes."""

    tap: Tap
    at: int


def evening(chance: Random, streaks: int) -> tuple[list[Sent], int]:
    """Interleaved streaks of a few users, gifts and receivers, and the diamonds that they are worth.

    Three endings in ten are lost, some taps come after a pause that looks like an end, messages are repeated, and
    single gifts lie between.
    """
    sent: list[Sent] = []
    worth = 0
    for number in range(streaks):
        user, price = chance.randrange(5), chance.choice((1, 5, 99))
        count, at = 0, number * 300 + chance.randrange(2000)
        for _ in range(chance.randrange(1, 8)):
            more = chance.randrange(1, 5)
            count += more
            at += chance.randrange(1, 2000) + (40_000 if chance.random() < 0.02 else 0)
            sent.append(Sent(_message(user, 5000 + price, number, count, more * price, price), at))
        worth += count * price
        if chance.random() >= 0.3:
            sent.append(
                Sent(_message(user, 5000 + price, number, count, None, price), at + chance.randrange(1000, 4000))
            )
        if number % 7 == 0:
            sent.append(Sent(replace(_message(user, 9000, 0, 1, 299, 299), streakable=False), at))
            worth += 299
    sent.sort(key=lambda one: one.at)
    return [Sent(replace(one.tap, message_id=place), one.at) for place, one in enumerate(sent, 1)], worth


def _message(user: int, gift: int, number: int, count: int, added: int | None, price: int) -> Tap:
    """Two streaks after one another have one group, and are for two receivers."""
    return Tap(0, user, gift, number // 2, 900 + number % 2, True, count, added is None, added, price, 0)


def reorder(sent: list[Sent], chance: Random) -> list[Sent]:
    """Exchange one message in twenty with its successor."""
    mixed = list(sent)
    for place in range(len(mixed) - 1):
        if chance.random() < 0.05:
            here, there = mixed[place], mixed[place + 1]
            mixed[place], mixed[place + 1] = Sent(there.tap, here.at), Sent(here.tap, there.at)
    return mixed


def watch(sent: list[Sent], chance: Random) -> list[Given]:
    """One session: messages in the order in which they come, time passing between them, and a good end."""
    streaks = Streaks()
    given: list[Given] = []
    for one in reorder(sent, chance):
        given += streaks.tick(one.at)
        given += streaks.add(one.tap, one.at)
        if one.tap.streakable and chance.random() < 0.05:
            given += streaks.add(one.tap, one.at)
    return [*given, *streaks.end()]


@pytest.mark.parametrize("seed", range(RUNS))
def test_totals_and_corrections_add_up_to_the_truth(seed: int) -> None:
    chance = Random(f"streaks {seed}")
    sent, worth = evening(chance, 500)
    restart = chance.randrange(len(sent))

    given = watch(sent[:restart], chance) + watch(sent[restart:], chance)

    assert sum(one.diamonds or 0 for one in given) == worth
    assert all(one.count > 0 for one in given)
    assert len({(one.streak, one.interval) for one in given}) == len(given)
    # Within a session a streak has one total; what comes later says that it adds to it.
    whole = watch(sent, chance)
    firsts = [one.streak for one in whole if not one.corrects]
    assert len(set(firsts)) == len(firsts)
    assert {one.streak for one in whole if one.corrects} <= set(firsts)
    assert sum(one.diamonds or 0 for one in whole) == worth
