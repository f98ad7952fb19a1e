"""What a claim's file says: any bytes are a note that can be written again, or none."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from producer.assignments.claim_files import decode_note, encode_note
from producer.assignments.interface import Said
from tests.assignments.spoiling import EXAMPLES, STEADY, spoilt

SAID = Said("parked", room_id="7300000000000000001", error="a bug of ours", bugs=3, again_at=1_796_000_000_000)
TOKENS = (
    b"[",
    b"{",
    b"null",
    b"9",
    b"1e999",
    b"-1",
    b'"',
    b"\\ud800",
    b"\\u0000",
    b"\x00",
    b"\xff",
    b"true",
    b"NaN",
    b",",
)


GOOD = (
    encode_note(worker="me", pid=7, since=1, said=SAID),
    encode_note(worker="me", pid=7, since=1, said=None),
    b'{"state": "connected", "room_id": null, "error": null}',
)


def test_any_bytes_are_a_note_or_none() -> None:
    found: Counter[bool] = Counter()

    @STEADY
    @given(st.integers(0, 2**64 - 1))
    def check(seed: int) -> None:
        for note in spoilt(seed, GOOD, TOKENS):
            try:
                said = decode_note(note)
                assert said is None or decode_note(encode_note(worker="me", pid=7, since=1, said=said)) == said
            except Exception as bug:
                bug.add_note(repr(note))
                raise
            found[said is None] += 1

    check()

    assert found[True] > EXAMPLES / 20
    assert found[False] > EXAMPLES / 20
