"""producer.assignments.lists: the three forms, everything that can be wrong with them, and what differs."""

import pytest

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.lists import FORMS, Form, difference, form_of, read, write
from producer.errors import StartRefused

ONE = Wanted(Streamer("one"))
TWO = Wanted(Streamer("two"), priority=5, weight=2.5)
THREE = Wanted(Streamer("three"), enabled=False)

YAML = """
streamers:
  - "@One"
  - {unique_id: two, priority: 5, weight: 2.5}
  - unique_id: https://www.tiktok.com/@three/live
    enabled: false
"""
CSV = "unique_id, enabled, priority, weight\n@One,,,\ntwo,yes,5,2.5\nhttps://www.tiktok.com/@three/live,FALSE,0,1\n"
LINES = "# ours\n@One\n\ntwo   # the loud one\nhttps://www.tiktok.com/@three/live\n"


@pytest.mark.parametrize(("text", "form"), [(YAML, "yaml"), (CSV, "csv")])
def test_a_list_with_options_is_read(text: str, form: Form) -> None:
    assert read(text, form, source="list") == (ONE, TWO, THREE)


@pytest.mark.parametrize(("text", "form"), [("streamers: []", "yaml"), ("unique_id\n", "csv"), ("", "lines")])
def test_an_empty_list_is_a_list(text: str, form: Form) -> None:
    assert read(text, form, source="list") == ()


def test_lines_are_names_and_comments() -> None:
    assert [item.streamer for item in read(LINES, "lines", source="list")] == ["one", "two", "three"]


@pytest.mark.parametrize("form", FORMS)
def test_what_is_written_is_read_again(form: Form) -> None:
    items = (ONE, TWO, THREE) if form != "lines" else (ONE,)

    assert set(read(write(items, form), form, source="list")) == set(items)


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.yaml", "yaml"), ("a.YML", "yaml"), ("a.json", "yaml"), ("a.csv", "csv"), ("a.txt", "lines"), ("a", "lines")],
)
def test_a_files_name_says_how_it_is_written(name: str, form: Form) -> None:
    assert form_of(name) == form


def test_what_is_written_is_sorted_and_short() -> None:
    assert write((TWO, ONE), "yaml") == "streamers:\n- one\n- unique_id: two\n  priority: 5\n  weight: 2.5\n"
    assert write((TWO, ONE), "csv") == "unique_id,enabled,priority,weight\none,true,0,1.0\ntwo,true,5,2.5\n"
    assert write((TWO, ONE), "lines") == "one\ntwo\n"


@pytest.mark.parametrize(
    ("text", "form", "problems"),
    [
        (
            "one\n@ONE\nnot ok\n",
            "lines",
            [
                "list: line 2: one is listed twice",
                "list: line 3: 'not ok' is not a unique id (2 to 24 letters, digits, _ and .)",
            ],
        ),
        (
            "unique_id,priority,enabled,color\none,high,true,\n,1,,\nONE,1,perhaps,\ntwo,1,true,red\nthree,1,true,,,\n",
            "csv",
            [
                "list: line 2: one: priority must be a whole number, not 'high'",
                "list: line 3: unique_id is missing or not a text",
                "list: line 4: ONE: enabled must be true or false, not 'perhaps'",
                "list: line 5: two: unknown option 'color'",
                "list: line 6: three: unknown option 'None'",
            ],
        ),
        (
            "streamers:\n- one\n- '@ONE'\n- 12345\n- {priority: 1}\n- {unique_id: two, prio: 1}\n"
            "- {unique_id: four, enabled: 'yes'}\n- {unique_id: five, priority: 1.5}\n- {unique_id: six, weight: 0}\n"
            "- {unique_id: seven, weight: .inf}\nstreamer: []\n",
            "yaml",
            [
                "list: unknown key 'streamer'",
                "list: entry 2: one is listed twice",
                "list: entry 3: 12345 is neither a unique id nor a mapping (quote a name that YAML reads otherwise)",
                "list: entry 4: unique_id is missing or not a text",
                "list: entry 5: two: unknown option 'prio'",
                "list: entry 6: four: enabled must be true or false, not 'yes'",
                "list: entry 7: five: priority must be a whole number, not 1.5",
                "list: entry 8: six: weight must be a number above 0, not 0",
                "list: entry 9: seven: weight must be a number above 0, not inf",
            ],
        ),
        ("one,two\n", "csv", ["list: the first line must be a header with a column unique_id"]),
        ("", "csv", ["list: the first line must be a header with a column unique_id"]),
    ],
    ids=["lines", "csv", "yaml", "csv without a header", "empty csv"],
)
def test_every_problem_is_a_line_with_its_place(text: str, form: Form, problems: list[str]) -> None:
    with pytest.raises(StartRefused) as refused:
        read(text, form, source="list")

    assert str(refused.value).splitlines() == problems


@pytest.mark.parametrize("text", ["", "[]", "x", "{}", "streamers:", "streamers: {a: 1}"])
def test_a_document_that_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(StartRefused, match="list: expected a mapping with a list `streamers`"):
        read(text, "yaml", source="list")


def test_what_is_not_yaml_is_refused_in_one_line() -> None:
    with pytest.raises(StartRefused, match=r"^list is not YAML: [^\n]+$"):
        read("streamers: [", "yaml", source="list")


# ------------------------------------------------------------------------------------------------------ differences


def by_name(*items: Wanted) -> dict[Streamer, Wanted]:
    return {item.streamer: item for item in items}


def test_a_difference_is_what_comes_changes_and_goes() -> None:
    louder = Wanted(Streamer("one"), priority=9)

    found = difference(by_name(ONE, THREE), (TWO, louder))

    assert list(found.lines()) == ["+ two priority=5 weight=2.5", "~ one priority=9 (was one)", "- three"]
    assert (found.added, found.changed, found.removed) == ((TWO,), ((ONE, louder),), (THREE,))


def test_the_same_list_differs_in_nothing() -> None:
    assert not difference(by_name(ONE, TWO), (TWO, ONE))


@pytest.mark.parametrize(
    ("before", "kept", "drastic"),
    [(0, 0, False), (1, 0, True), (2, 1, False), (3, 1, True), (10, 5, False), (10, 4, True)],
)
def test_removing_more_than_half_is_drastic(before: int, kept: int, drastic: bool) -> None:
    items = [Wanted(Streamer(f"name{number}")) for number in range(before)]

    assert difference(by_name(*items), items[:kept]).drastic is drastic
