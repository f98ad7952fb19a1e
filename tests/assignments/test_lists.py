"""producer.assignments.lists: the three forms, everything that can be wrong with them, and what differs."""

import json

import pytest

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.lists import FORMS, Form, difference, form_of, read, write
from producer.errors import StartRefused

ONE = Wanted(Streamer("one"))
TWO = Wanted(Streamer("two"), priority=5, weight=2.5)
THREE = Wanted(Streamer("three"), enabled=False)
FOUR = Wanted(Streamer("four"), doors=("sign", "direct"), room_id=7300000000000000001, session="adults.one")
FIVE = Wanted(Streamer("five"), user_id=2**63 - 1, labels=(("team", 'Red, "A" = é'), ("tier", "gold")))

YAML = """
streamers:
  - "@One"
  - {unique_id: two, priority: 5, weight: 2.5}
  - unique_id: https://www.tiktok.com/@three/live
    enabled: false
"""
CSV = "unique_id, enabled, priority, weight\n@One,,,\ntwo,yes,5,2.5\nhttps://www.tiktok.com/@three/live,FALSE,0,1\n"
LINES = "# ours\n@One\n\ntwo   # the loud one\nhttps://www.tiktok.com/@three/live\n"


def refused(data: bytes | str, form: Form) -> list[str]:
    with pytest.raises(StartRefused) as error:
        read(data, form, source="list")
    return str(error.value).splitlines()


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
    items = (ONE, TWO, THREE, FOUR, FIVE) if form != "lines" else (ONE,)

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
    assert write((FOUR, ONE), "csv") == (
        "unique_id,enabled,priority,weight,doors,room_id,session\n"
        'four,true,0,1.0,"sign,direct",7300000000000000001,adults.one\none,true,0,1.0,,,\n'
    )


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (
            "streamers: [{unique_id: four, doors: [sign, Direct], room_id: 7300000000000000001, session: adults.one}]",
            "yaml",
        ),
        (
            "streamers:\n- unique_id: four\n  doors: sign, direct\n  room_id: '7300000000000000001'\n"
            "  session: adults.one\n",
            "yaml",
        ),
        ('unique_id,doors,room_id,session\nfour,"sign,direct",7300000000000000001,adults.one\n', "csv"),
        ("unique_id;doors;room_id;session\nfour;sign,direct;7300000000000000001;adults.one\n", "csv"),
    ],
)
def test_the_way_into_a_streamers_rooms_is_read(text: str, form: Form) -> None:
    assert read(text, form, source="list") == (FOUR,)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (
            "streamers:\n- unique_id: five\n  user_id: 9223372036854775807\n  labels:\n"
            """    tier: gold\n    team: 'Red, "A" = é'\n""",
            "yaml",
        ),
        (
            '{"streamers": [{"unique_id": "five", "user_id": "9223372036854775807", '
            '"labels": {"tier": "gold", "team": "Red, \\"A\\" = \\u00e9"}}]}',
            "yaml",
        ),
        (
            'unique_id,user_id,label.tier,Label.Team,label.none\nfive,9223372036854775807,gold,"Red, ""A"" = é",\n',
            "csv",
        ),
    ],
    ids=["yaml", "json", "csv"],
)
def test_who_a_streamer_is_and_its_labels_are_read(text: str, form: Form) -> None:
    assert read(text, form, source="list") == (FIVE,)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        (r'"\ud83d\ude80"', "\U0001f680"),
        (r'"a\\ud83d\\ude80"', r"a\ud83d\ude80"),
        (r'"a\\\uD83D\uDE80"', "a\\\U0001f680"),
        (r'"\u00e9"', "\u00e9"),
    ],
)
def test_json_that_escapes_letters_beyond_16_bits_is_read(written: str, value: str) -> None:
    text = f'{{"streamers": [{{"unique_id": "one", "labels": {{"team": {written}}}}}]}}'
    assert json.loads(text)["streamers"][0]["labels"]["team"] == value

    assert read(text, "yaml", source="list") == (Wanted(Streamer("one"), labels=(("team", value),)),)


def test_labels_have_a_column_each() -> None:
    assert write((FIVE, Wanted(Streamer("one"), labels=(("area", "de"),))), "csv") == (
        "unique_id,enabled,priority,weight,user_id,label.area,label.team,label.tier\n"
        'five,true,0,1.0,9223372036854775807,,"Red, ""A"" = é",gold\none,true,0,1.0,,de,,\n'
    )


@pytest.mark.parametrize("text", ["{unique_id: one, doors: [], room_id: , session: }", "{unique_id: one, doors: ''}"])
def test_a_way_of_which_nothing_is_said_is_none(text: str) -> None:
    assert read(f"streamers: [{text}]", "yaml", source="list") == (ONE,)


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("doors: [sign, sign]", "doors must be names of doors, each once, with commas, not 'sign,sign'"),
        ("doors: [sign, [direct]]", "doors must be names of doors, each once, with commas, not 'sign,'"),
        ("room_id: 0x12", "room_id must be the number of a room, not '0x12'"),
        ("room_id: '0'", "room_id must be the number of a room, not '0'"),
        ("session: ..", "session must be the name of a session: letters, digits, and . _ - behind the first, not '..'"),
        (
            "session: ../key",
            "session must be the name of a session: letters, digits, and . _ - behind the first, not '../key'",
        ),
    ],
)
def test_a_way_that_cannot_be_meant_is_refused(option: str, problem: str) -> None:
    assert refused(f"streamers: [{{unique_id: one, {option}}}]", "yaml") == [f"list: line 1: one: {problem}"]


@pytest.mark.parametrize(
    "labels",
    [
        "{Team: red}",
        "{1st: red}",
        f"{{team: {'x' * 201}}}",
        f"{{{', '.join(f'l{n}: x' for n in range(17))}}}",
        f"{{{'t' * 64}: red}}",
    ],
    ids=["capital", "digit", "long", "many", "long name"],
)
def test_labels_out_of_bounds_are_refused(labels: str) -> None:
    [problem] = refused(f"streamers: [{{unique_id: one, labels: {labels}}}]", "yaml")

    assert problem.startswith("list: line 1: one: labels must be 16 at the most, with names of small letters, ")
    assert len(problem) < 500


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("labels: [red]", "'labels' must be a single value"),
        ("labels: {team: [red]}", "the label 'team' must be a single value"),
        ("labels: {team: red, team: blue}", "'team' is there twice, here and in line 1"),
        ("labels: red", "one: unknown option 'labels'"),
        ("user_id: none", "one: user_id must be the number of a user, not 'none'"),
    ],
)
def test_labels_and_ids_that_are_none_are_refused(text: str, problem: str) -> None:
    assert refused(f"streamers: [{{unique_id: one, {text}}}]", "yaml") == [f"list: line 1: {problem}"]


def test_a_way_that_changed_is_a_difference() -> None:
    found = difference(by_name(Wanted(Streamer("four"))), [FOUR])

    assert list(found.lines()) == [
        "~ four doors=sign,direct room_id=7300000000000000001 session=adults.one (was four)",
    ]


def test_labels_that_changed_are_a_difference() -> None:
    found = difference(by_name(Wanted(Streamer("five"), labels=(("tier", "gold"),))), [FIVE])

    assert list(found.lines()) == [
        '~ five user_id=9223372036854775807 label.team=Red, "A" = é label.tier=gold (was five label.tier=gold)',
    ]


@pytest.mark.parametrize(
    ("text", "form", "problems"),
    [
        (
            "one\n@ONE\nnot ok\n",
            "lines",
            [
                "list: line 2: one is listed twice, here and in line 1",
                "list: line 3: 'not ok' is not a unique id (2 to 24 letters, digits, _ and .)",
            ],
        ),
        (
            "unique_id,priority,enabled,color\none,high,true,\n,1,,\nONE,1,perhaps,\ntwo,1,true,red\nsix,1,true,,,x\n",
            "csv",
            [
                "list: line 1: unknown column 'color'; there are unique_id, enabled, priority, weight, doors, "
                "room_id, session, user_id, label.NAME",
                "list: line 2: one: priority must be a whole number, 1000000000 at the most, not 'high'",
                "list: line 3: unique_id is missing",
                "list: line 4: one: enabled must be true or false, not 'perhaps'",
                "list: line 6: it has 6 fields, and the header 4",
            ],
        ),
        (
            "streamers:\n- one\n- '@ONE'\n- {priority: 1}\n- {unique_id: two, prio: 1}\n"
            "- {unique_id: four, enabled: perhaps}\n- {unique_id: five, priority: 1.5}\n- {unique_id: six, weight: 0}\n"
            "- {unique_id: seven, weight: .inf}\n- {unique_id: eight, weight: [1]}\n- [nine]\n-\nstreamer: [[]]\n",
            "yaml",
            [
                "list: line 3: one is listed twice, here and in line 2",
                "list: line 4: unique_id is missing",
                "list: line 5: two: unknown option 'prio'",
                "list: line 6: four: enabled must be true or false, not 'perhaps'",
                "list: line 7: five: priority must be a whole number, 1000000000 at the most, not '1.5'",
                "list: line 8: six: weight must be a number above 0, 1000000 at the most, not '0'",
                "list: line 9: seven: weight must be a number above 0, 1000000 at the most, not '.inf'",
                "list: line 10: 'weight' must be a single value",
                "list: line 11: a list in the list: an entry is a unique id, or a mapping with one",
                "list: line 12: unique_id is missing",
                "list: line 13: unknown key 'streamer'",
            ],
        ),
        ("one,two\n", "csv", ["list: line 1: the first line must be a header with a column unique_id"]),
        ("", "csv", ["list: line 1: the first line must be a header with a column unique_id"]),
    ],
    ids=["lines", "csv", "yaml", "csv without a header", "empty csv"],
)
def test_every_problem_is_a_line_with_its_place(text: str, form: Form, problems: list[str]) -> None:
    assert refused(text, form) == problems


@pytest.mark.parametrize("text", ["", "[]", "x", "{}", "streamers:", "streamers: {a: 1}"])
def test_a_document_that_is_no_list_is_refused(text: str) -> None:
    assert refused(text, "yaml") == ["list: line 1: expected a mapping with a list `streamers`"]


def test_of_many_problems_the_first_twenty_are_said() -> None:
    problems = refused("x\n" * 50_000, "lines")

    assert len(problems) == 21
    assert problems[19].startswith("list: line 20: 'x' is not a unique id")
    assert problems[20] == "list: and more, from line 21 on"


# ---------------------------------------------------------------------------------- what people's programs make of it


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"\xef\xbb\xbfunique_id,priority\r\nann,1\r\nbo,2\r\n", "csv"),
        (b"unique_id;priority\r\nann;1\r\nbo;2\r\n;\r\n", "csv"),
        (b"unique_id\tpriority\nann\t1\n\nbo\t2\n\t\n", "csv"),
        (b"unique_id,priority\rann,1\rbo,2\r", "csv"),
        (b"\n ;;\nPriority ; Unique_ID;\n 1;ann;\n2 ;bo;;\n;;\n", "csv"),
        (b'"unique_id","priority"\n"ann","1"\n"bo","2"\n,\n', "csv"),
        (
            b"\xef\xbb\xbfstreamers:\r\n- {unique_id: ann, priority: 1}\r\n- unique_id: bo\r\n  priority: '2'\r\n",
            "yaml",
        ),
        (b'{"streamers": [{"unique_id": "ann", "priority": 1}, {"unique_id": "bo", "priority": 2}]}', "yaml"),
    ],
    ids=["mark", "semicolons", "tabs", "CR", "blanks", "quotes", "YAML", "JSON"],
)
def test_a_list_is_read_as_excel_and_others_save_it(data: bytes, form: Form) -> None:
    expected = (Wanted(Streamer("ann"), priority=1), Wanted(Streamer("bo"), priority=2))

    assert read(data, form, source="list") == expected


def test_between_semicolons_a_comma_stands_before_the_decimals_of_a_weight_and_in_no_name() -> None:
    [found] = read("unique_id;weight\nann;2,5\n", "csv", source="list")

    assert found == Wanted(Streamer("ann"), weight=2.5)
    assert refused("unique_id;weight\nan,n;1.000,5\nbo;1.000,5\n", "csv") == [
        "list: line 2: 'an,n' is not a unique id (2 to 24 letters, digits, _ and .)",
        "list: line 3: bo: weight must be a number above 0, 1000000 at the most, not '1.000.5'",
    ]


@pytest.mark.parametrize("data", [b"\xef\xbb\xbfann\r\nbo", b"ann\rbo\r", b"\n\nann # x\n#\n  bo\n"])
def test_lines_are_read_whatever_ends_them(data: bytes) -> None:
    assert [item.streamer for item in read(data, "lines", source="list")] == ["ann", "bo"]


@pytest.mark.parametrize("name", ["12345", "0123", "1_000", "1e5", "1.50", "0x1f", "yes", "null", "on", "true"])
def test_a_name_is_the_text_that_stands_there(name: str) -> None:
    text = f"streamers: [{name}, {{unique_id: {name}.}}, !!str {name}_, '{name}__']"

    found = [item.streamer for item in read(text, "yaml", source="list")]

    assert found == [name, f"{name}.", f"{name}_", f"{name}__"]


@pytest.mark.parametrize(
    ("data", "form", "problem"),
    [
        (b"ann\nb\xf6\n", "lines", "line 2 is not UTF-8: save it as UTF-8"),
        (b"ann\rbo\r\xff", "csv", "line 3 is not UTF-8: save it as UTF-8"),
        (b"\xff\xfea\x00n\x00", "lines", "line 1 is not UTF-8: save it as UTF-8"),
        (b"streamers:\n- an\x00n\n", "yaml", "line 2 has a control letter in it: '\\x00'"),
        ("ann\n\ud800", "yaml", "line 2 has a control letter in it: '\\ud800'"),
        ("ann\n\x85", "lines", "line 2 has a control letter in it: '\\x85'"),
        (b"#" * (4 * 1024 * 1024 + 1), "lines", "it is larger than 4 MiB"),
        (b'unique_id,weight\nann,"2\nbo,3\n', "csv", "line 2: it is not CSV: unexpected end of data"),
        (b"unique_id,priority,priority\n", "csv", "line 1: the column priority is there twice"),
        (b"unique_id\nann;1\n", "csv", "line 2: 'ann;1' is not a unique id (2 to 24 letters, digits, _ and .)"),
        ("streamers: [ann]\n\nstreamers: [bo]", "yaml", "line 3: 'streamers' is there twice, here and in line 1"),
        (
            "streamers:\n- unique_id: ann\n  weight: 1\n  weight: 2",
            "yaml",
            "line 4: 'weight' is there twice, here and in line 3",
        ),
        ("streamers: [!!int abc]", "yaml", "line 1: it has the tag '!!int', which is not read: leave it out"),
        ("streamers:\n- !!bool abc", "yaml", "line 2: it has the tag '!!bool', which is not read: leave it out"),
        ("streamers: !foo [ann]", "yaml", "line 1: it has the tag '!foo', which is not read: leave it out"),
        (
            "streamers:\n- 2026-13-01",
            "yaml",
            "line 2: '2026-13-01' is not a unique id (2 to 24 letters, digits, _ and .)",
        ),
        (
            "streamers: [&a ann, *a]",
            "yaml",
            "line 1: it has an alias (*), which is not read: write out what it stands for",
        ),
        ("streamers: [ann]\n---\nstreamers: [bo]", "yaml", "line 2: a second document begins, and a list is one"),
        ("streamers: [ann]\n? [x]\n: 1", "yaml", "line 2: a key must be a single value"),
        (
            "streamers: [{unique_id: ann, priority: " + "9" * 5_000 + "}]",
            "yaml",
            "line 1: ann: priority must be a whole number, 1000000000 at the most, not '" + "9" * 99,
        ),
        (
            "streamers: [{unique_id: ann, priority: -1000000001}]",
            "yaml",
            "line 1: ann: priority must be a whole number, 1000000000 at the most, not '-1000000001'",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_sentence_with_its_line(data: bytes | str, form: Form, problem: str) -> None:
    assert refused(data, form) == [f"list: {problem}"]


@pytest.mark.parametrize("text", ["streamers: " + "[" * 1_000_000, "streamers:\n" + "- " * 1_000_000 + "a"])
def test_nesting_is_refused_where_it_passes_the_bound(text: str) -> None:
    [problem] = [line for line in refused(text, "yaml") if "deeper" in line]

    assert problem.endswith("it is nested deeper than 16")


def test_a_hundred_thousand_streamers_are_read_and_the_next_is_one_too_many() -> None:
    text = "\n".join(f"s{number}" for number in range(100_001))

    assert refused(text, "lines") == ["list: line 100001: there are more than 100000 streamers"]


def test_what_is_not_yaml_is_refused_in_one_line() -> None:
    [problem] = refused("streamers:\n- ann\n- [\n", "yaml")

    assert problem.startswith("list: line 3: it is not YAML: ")


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
