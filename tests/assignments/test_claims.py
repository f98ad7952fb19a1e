"""producer.assignments.claims: literals in, literals out."""

from typing import Any

import pytest

from producer.assignments.claims import Streamer, Wanted, candidates, normalise, read_list, share, to_release
from producer.errors import StartRefused


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


def test_a_list_of_names_and_options_is_read() -> None:
    document = {"streamers": ["@One", {"unique_id": "two", "priority": 5}, {"unique_id": "three", "enabled": False}]}

    wanted = read_list(document, source="list.yaml")

    assert wanted == (
        Wanted(Streamer("one")),
        Wanted(Streamer("two"), priority=5),
        Wanted(Streamer("three"), enabled=False),
    )


def test_every_problem_of_a_list_is_a_line() -> None:
    document = {
        "streamers": [
            "one",
            "@ONE",
            "not ok",
            12345,
            {"priority": 1},
            {"unique_id": "two", "prio": 1},
            {"unique_id": "four", "enabled": "yes"},
            {"unique_id": "five", "priority": 1.5},
        ],
        "streamer": [],
    }

    with pytest.raises(StartRefused) as refused:
        read_list(document, source="list.yaml")

    assert str(refused.value).splitlines() == [
        "list.yaml: unknown key 'streamer'",
        "list.yaml: entry 2: one is listed twice",
        "list.yaml: entry 3: 'not ok' is not a unique id (2 to 24 letters, digits, _ and .)",
        "list.yaml: entry 4: 12345 is neither a unique id nor a mapping (quote a name that YAML reads otherwise)",
        "list.yaml: entry 5: unique_id is missing or not a text",
        "list.yaml: entry 6: two: unknown option 'prio'",
        "list.yaml: entry 7: four: enabled must be true or false, not 'yes'",
        "list.yaml: entry 8: five: priority must be a whole number, not 1.5",
    ]


@pytest.mark.parametrize("document", [None, [], "x", {}, {"streamers": None}, {"streamers": {"a": 1}}])
def test_a_document_that_is_no_list_is_refused(document: Any) -> None:
    with pytest.raises(StartRefused, match="expected a mapping with a list `streamers`"):
        read_list(document, source="list.yaml")


def test_an_empty_list_is_a_list() -> None:
    assert read_list({"streamers": []}, source="list.yaml") == ()


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
