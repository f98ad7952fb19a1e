"""producer.assignments.claims: literals in, literals out."""

import pytest

from producer.assignments.claims import Streamer, Wanted, candidates, normalise, share, to_release


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


def wanted(**priorities: int) -> tuple[Wanted, ...]:
    return tuple(Wanted(Streamer(name), priority=priority) for name, priority in priorities.items())


def test_what_is_no_longer_wanted_is_released_at_once() -> None:
    assert to_release(names("aa", "bb", "cc"), wanted(aa=0), target=10) == names("bb", "cc")


def test_a_disabled_streamer_is_released() -> None:
    assert to_release(names("aa"), (Wanted(Streamer("aa"), enabled=False),), target=10) == names("aa")


def test_a_surplus_is_released_one_at_a_time_the_least_important_first() -> None:
    assert to_release(names("aa", "bb", "cc"), wanted(aa=0, bb=-1, cc=5), target=1) == names("bb")


def test_a_fair_share_is_kept() -> None:
    assert to_release(names("aa", "bb"), wanted(aa=0, bb=0), target=2) == set()


def test_candidates_come_by_priority_then_by_name() -> None:
    items = (*wanted(cc=0, aa=0, bb=9, dd=1), Wanted(Streamer("ee"), enabled=False))

    assert candidates(names("dd"), items) == ["bb", "aa", "cc"]
