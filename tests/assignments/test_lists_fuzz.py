"""What people and their programs save as a list: any bytes are streamers that can be listed, or StartRefused."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from producer.assignments.lists import FORMS, Form, read, write
from producer.errors import StartRefused
from tests.assignments.spoiling import EXAMPLES, STEADY, spoilt

GOOD: dict[Form, tuple[bytes, ...]] = {
    "yaml": (
        b"streamers:\n  - '@One'\n  - {unique_id: two, priority: 5, weight: 2.5}\n  - 12345\n"
        b"  - unique_id: https://www.tiktok.com/@three/live\n    enabled: false\n",
        b"streamers: [{unique_id: four, doors: [sign, direct], room_id: 73000001, session: adults.one}]\n",
        b"streamers: [{unique_id: five, user_id: 7, labels: {team: red}}]\n",
        b'{"streamers": ["ann", {"unique_id": "bo\\u0062", "enabled": true, "weight": 1e3}]}',
        b"%YAML 1.1\n---\nstreamers: [aa, bb, cc]  # three\n...\n",
        b"\xef\xbb\xbfstreamers: []\r\n",
    ),
    "csv": (
        b"\xef\xbb\xbfunique_id,enabled,priority,weight\r\nann,yes,1,2.5\r\nbo,,,\r\n,,,\r\n",
        b"Unique_ID;priority\nann;1\n;\n",
        b'"unique_id"\t"weight"\r"ann"\t"1"\r',
        b'unique_id,doors,room_id,session,user_id,label.team\nann,"sign,direct",73000001,adults.one,7,red\n',
    ),
    "lines": (b"# ours\n@One\n\ntwo  # loud\nhttps://www.tiktok.com/@three/live?lang=en\n", b"\xef\xbb\xbfann\rbo\r\n"),
}
TOKENS = (
    *(b"!!int ", b"!!bool ", b"!foo ", b"!!binary ", b"&a ", b"*a ", b"<<: ", b"? ", b"- ", b": ", b"|\n", b">-\n"),
    *(
        b"[",
        b"]",
        b"{",
        b"}",
        b"'",
        b'"',
        b"#",
        b"---\n",
        b"...\n",
        b"%",
        b"@",
        b"`",
        b"\t",
        b"\n",
        b"\r",
        b"\\",
        b"\\x",
    ),
    *(
        b"streamers:",
        b"unique_id",
        b"enabled",
        b"priority: ",
        b"weight: ",
        b"labels: {",
        b"label.",
        b",",
        b";",
        b"~",
        b"null",
        b"2026-13-01",
    ),
    *(
        b"9",
        b"0x",
        b".inf",
        b"nan",
        b"1:30",
        b"-",
        b"\x00",
        b"\xff",
        b"\xef\xbb\xbf",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\x1a",
    ),
)


def ends(data: bytes | str, form: Form) -> bool:
    """Read a list; whether it is one. What was read can be written, and read again."""
    try:
        items = read(data, form, source="list")
    except StartRefused as refusal:
        assert all(line.startswith("list: ") and len(line) < 300 for line in str(refusal).split("\n"))
        return False
    except Exception as bug:
        bug.add_note(repr(data))
        raise
    if form != "lines":
        expected = tuple(sorted(items, key=lambda item: item.streamer))
        assert read(write(items, form), form, source="list") == expected
    return True


@pytest.mark.parametrize("form", FORMS)
def test_any_bytes_are_a_list_or_refused(form: Form) -> None:
    found: Counter[bool] = Counter()

    @STEADY
    @given(st.integers(0, 2**64 - 1))
    def check(seed: int) -> None:
        for data in spoilt(seed, GOOD[form], TOKENS):
            found[ends(data, form)] += 1
            ends(data.decode("utf-8", "surrogateescape"), form)  # as a name on the command line comes

    check()

    assert found[True] > EXAMPLES / 20
    assert found[False] > EXAMPLES / 20
