"""producer.assignments.claims: literals in, literals out."""

import pytest

from producer.assignments.claims import (
    Streamer,
    Wanted,
    candidates,
    is_priority,
    normalise,
    ranked,
    share,
    to_release,
)


def names(*texts: str) -> set[Streamer]:
    return {Streamer(text) for text in texts}


@pytest.mark.parametrize(
    "text",
    [
        "some.one",
        "@some.one",
        " @Some.One ",
        "https://www.tiktok.com/@some.one/live",
        "tiktok.com/@x".replace("tiktok.com/@x", "some.one/live"),
        "https://tiktok.com/@some.one?lang=en",
    ],
)
def test_a_unique_id_is_normalised_as_people_write_it(text: str) -> None:
    assert normalise(text) == "some.one"


@pytest.mark.parametrize("text", ["", "@", "a", "two words", "x" * 25, "ünï", "https://example.com/@someone", "a/b"])
def test_what_cannot_be_a_unique_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a unique id"):
        normalise(text)


@pytest.mark.parametrize(
    ("streamers", "workers", "most", "expected"),
    [(20, 2, 100, 10), (21, 2, 100, 11), (20, 1, 100, 20), (20, 2, 5, 5), (0, 3, 5, 0), (3, 0, 5, 3)],
)
def test_a_fair_share_is_rounded_up_and_bounded(streamers: int, workers: int, most: int, expected: int) -> None:
    assert share(streamers, workers=workers, most=most) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0, True), (-(10**9), True), (10**9, True), (10**9 + 1, False), (True, False), (1.0, False), ("1", False)],
)
def test_a_priority_is_a_whole_number_within_its_bounds(value: object, expected: bool) -> None:
    assert is_priority(value) is expected


def test_the_ranking_is_by_priority_then_by_name_and_without_who_is_disabled() -> None:
    items = [Wanted(Streamer(name), priority=number) for name, number in (("cc", 0), ("aa", 0), ("bb", 9), ("dd", -1))]

    ranking = ranked([*items, Wanted(Streamer("ee"), enabled=False, priority=99)])

    assert list(ranking.items()) == [("bb", 9), ("aa", 0), ("cc", 0), ("dd", -1)]


def ranking(**priorities: int) -> dict[Streamer, int]:
    return ranked(Wanted(Streamer(name), priority=priority) for name, priority in priorities.items())


def test_what_is_no_longer_wanted_is_released_at_once() -> None:
    assert to_release(names("aa", "bb", "cc"), ranking(aa=0), target=10) == names("bb", "cc")


def test_a_surplus_is_released_one_at_a_time_the_least_important_first() -> None:
    assert to_release(names("aa", "bb", "cc"), ranking(aa=0, bb=-1, cc=5), target=1) == names("bb")


def test_what_goes_anyway_is_no_surplus() -> None:
    assert to_release(names("aa", "bb", "cc"), ranking(aa=0, bb=0), target=2) == names("cc")


def test_a_fair_share_is_kept() -> None:
    assert to_release(names("aa", "bb"), ranking(aa=0, bb=0), target=2) == set()


def test_candidates_come_in_the_rankings_order() -> None:
    assert candidates(names("dd"), ranking(cc=0, aa=0, bb=9, dd=1)) == ["bb", "aa", "cc"]
