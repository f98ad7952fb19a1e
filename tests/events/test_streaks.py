"""producer.events.streaks: small cases by hand, and many random ones whose truth is the generator's own."""

import gc
import os
import weakref
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from producer.events.streaks import EndedBy, Given, Streaks, Tap

ROSE = 1
RUNS = int(os.environ.get("STREAK_RUNS", "40"))
"""Each makes about 500 streaks; `STREAK_RUNS=2000` makes a million."""


def tap(message_id: int, count: int, added: int | None = 1, *, end: bool = False, **more: int) -> Tap:
    fields: dict[str, Any] = {"user_id": 7, "gift_id": 5655, "group_id": 100} | more
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


def summary(given: list[Given]) -> list[tuple[int, int | None, str, bool]]:
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


class Details:
    """Whatever the caller wants back, which may be large."""


def test_a_streak_that_ended_keeps_nothing_of_its_messages_and_what_comes_late_brings_its_own() -> None:
    streaks = Streaks()
    first, late = Details(), Details()
    gone = weakref.ref(first)

    [given] = feed(streaks, replace(tap(1, 1), details=first), tap(2, 1, end=True))
    assert given.details is first
    del first, given
    gc.collect()
    [correction] = feed(streaks, replace(tap(4, 3, 2), details=late), replace(tap(5, 3, end=True), details=Details()))

    assert gone() is None
    assert correction.details is late


def test_a_streak_whose_end_never_comes_ends_by_silence() -> None:
    streaks = Streaks(silence_ms=1000)
    feed(streaks, tap(1, 1), at=0)
    feed(streaks, tap(2, 2), at=500)

    assert streaks.tick(1499) == []
    assert summary(streaks.tick(1500)) == [(2, 2, "silence", False)]
    assert streaks.tick(9999) == []


def test_a_late_end_after_silence_is_no_second_total() -> None:
    streaks = Streaks(silence_ms=1000)
    feed(streaks, tap(1, 5, 5))
    streaks.tick(1000)

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
    assert summary(first + streaks.end()) == [(2, 2, "repeat_end", False), (1, 1, "session_end", True)]


def test_two_corrections_of_one_streak_are_told_apart_by_what_has_been_seen() -> None:
    streaks = Streaks()
    given = feed(streaks, tap(3, 3), tap(4, 3, end=True), tap(2, 2), tap(4, 3, end=True), tap(1, 1))

    given += streaks.end()

    assert [(one.count, one.interval, one.corrects) for one in given] == [
        (1, (2, 3), None),
        (1, (1, 3), (2, 3)),
        (1, (0, 3), (2, 3)),
    ]


def test_users_gifts_and_groups_are_told_apart() -> None:
    given = feed(
        Streaks(),
        tap(1, 2, 2),
        tap(2, 3, 3, user_id=8),
        tap(3, 4, 4, gift_id=5269),
        tap(4, 5, 5, group_id=101),
        tap(5, 2, end=True),
        tap(6, 3, end=True, user_id=8),
        tap(7, 4, end=True, gift_id=5269),
        tap(8, 5, end=True, group_id=101),
    )

    assert [one.count for one in given] == [2, 3, 4, 5]
    assert len({one.streak for one in given}) == 4


def test_a_session_that_ends_gives_out_what_is_open_and_the_next_goes_on_from_there() -> None:
    before, after = Streaks(), Streaks()
    feed(before, tap(1, 1), tap(2, 4, 3))

    given = before.end() + feed(after, tap(3, 6, 2), tap(4, 6, end=True))

    assert [(one.count, one.diamonds, one.total) for one in given] == [(4, 4, 4), (2, 2, 6)]


def test_a_session_that_sees_nothing_but_the_end_adds_nothing() -> None:
    assert feed(Streaks(), tap(9, 50, end=True)) == []


@pytest.mark.parametrize(("added", "diamonds"), [(5, 5), (None, None)])
def test_an_unknown_price_is_the_increments_or_unknown_and_never_zero(added: int | None, diamonds: int | None) -> None:
    streaks = Streaks()
    feed(streaks, replace(tap(1, 1, added), diamond_count=None))

    [given] = streaks.end()

    assert given.diamonds == diamonds


def test_what_is_remembered_is_bounded_and_open_streaks_are_kept() -> None:
    streaks = Streaks()
    feed(streaks, tap(1, 7, 7))
    for user in range(1000, 6000):
        feed(streaks, tap(user, 1, user_id=user), tap(user, 1, end=True, user_id=user))

    assert len(streaks._streaks) == 2000
    assert [one.count for one in streaks.end()] == [7]


# ------------------------------------------------------------------------------------------------- many, at random


@dataclass(frozen=True)
class Sent:
    """One message, and when it comes."""

    tap: Tap
    at: int


def evening(chance: Random, streaks: int) -> tuple[list[Sent], int]:
    """Interleaved streaks of a few users and gifts, and the diamonds that they are worth.

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


def _message(user: int, gift: int, group: int, count: int, added: int | None, price: int) -> Tap:
    return Tap(0, user, gift, group, True, count, added is None, added, price)


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
    return given + streaks.end()


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
