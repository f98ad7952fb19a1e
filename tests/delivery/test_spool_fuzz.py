"""Rows of a spool's file that anybody may have changed: what was spooled, or none."""

import struct
import zlib
from collections import Counter
from random import Random
from typing import Any

from producer.delivery.spool_format import Entry, Spooled, from_row, to_row
from producer.events.encoding import Record
from tests.fuzzing import VALUES, WORDS, fuzz

Row = tuple[Any, ...]
ENTRY = Entry(Record("tiktok.live.comment.v1", b"ann", b"value", (("event_id", b"7"), ("a", b""))), 1_796_000_000_000)
ROW = to_row(1, ENTRY, spooled_ms=1_796_000_000_001)
HEADERS = 7


def sealed(row: Row) -> Row:
    """The same with the checksum that somebody who knows how makes: of the columns, then of each length and blob."""
    value = zlib.crc32(repr(row[:6]).encode())
    for blob in row[6:9]:
        value = zlib.crc32(blob, zlib.crc32(b"%d" % len(blob), value))
    return (*row[:9], value)


def packed(chance: Random) -> bytes:
    """Headers whose lengths, number and letters may be wrong."""
    parts = chance.choices([*WORDS, b"event_id", b""], k=chance.randrange(5))
    return b"".join(
        struct.pack(">I", chance.choice([len(part)] * 20 + [0, 2**32 - 1])) + part for part in parts
    ) + chance.choice([b""] * 9 + [b"\x00"])


def changed(chance: Random) -> Row:
    row = list(ROW)
    if chance.random() < 0.6:
        row[HEADERS] = packed(chance)
        return sealed(tuple(row))
    for _ in range(chance.randrange(3)):
        row[chance.randrange(10)] = chance.choice(
            [*WORDS, *(each for each in VALUES if not isinstance(each, list | dict))]
        )
    whole = all(isinstance(blob, bytes) for blob in row[6:9])
    return sealed(tuple(row)) if whole and chance.random() < 0.5 else tuple(row)


def test_any_row_is_what_was_spooled_or_none() -> None:
    ends: Counter[str] = Counter()

    def read(row: Row) -> None:
        found = from_row(row)
        ends["none" if found is None else "spooled"] += 1
        if found is not None:
            assert isinstance(found, Spooled)
            assert sealed(to_row(found.id, found.entry, spooled_ms=found.spooled_ms))[6:9] == row[6:9]

    fuzz(changed, read)

    assert from_row(sealed(ROW)) == Spooled(1, ENTRY, 1_796_000_000_001)
    assert min(ends["none"], ends["spooled"]) > ends.total() / 10, ends
