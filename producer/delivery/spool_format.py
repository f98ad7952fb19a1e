"""What stands in a spool's file: its table, its version, and a record as a row with a checksum."""

import sqlite3
import struct
import zlib
from dataclasses import dataclass
from typing import Any

from producer.delivery.placement import key_hash
from producer.errors import ProducerError
from producer.events.encoding import Headers, Record

VERSION = 2
"""Kept as SQLite's user_version."""

RECORD_OVERHEAD_BYTES = 128
"""What a row takes beside its strings: header, integers, its entry in the index, its share of half-full pages."""

COLUMNS = "id, topic, key_hash, size, timestamp_ms, spooled_ms, key, headers, value, checksum"
INSERT = f"INSERT OR IGNORE INTO records ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
"""A row that is there already stays."""
BY_TOPIC = "SELECT topic, count(*) FROM records GROUP BY topic"
CREATE = (
    """CREATE TABLE records (
        id INTEGER PRIMARY KEY, topic TEXT NOT NULL, key_hash INTEGER NOT NULL, size INTEGER NOT NULL,
        timestamp_ms INTEGER NOT NULL, spooled_ms INTEGER NOT NULL, key BLOB NOT NULL, headers BLOB NOT NULL,
        value BLOB NOT NULL, checksum INTEGER NOT NULL
    )""",
    # A partition's records are found in it, in order, and sizes summed, without touching the values.
    "CREATE INDEX by_topic ON records (topic, id, key_hash, size)",
    f"PRAGMA user_version = {VERSION}",
)

Place = tuple[str, int]
"""A topic and one of its partitions."""

Row = tuple[Any, ...]
"""COLUMNS, of whatever types a damaged file may give."""


class SpoolFailed(ProducerError):
    """The spool could not be written or read just now; nothing was changed, and it may be tried again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with the time of its hand-over in milliseconds since 1970. Its partition is decided when it is sent."""

    record: Record
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class Spooled:
    """An entry as the spool holds it; ids rise in the order of spooling."""

    id: int
    entry: Entry
    spooled_ms: int


def size_of(entry: Entry) -> int:
    """The bytes that an entry counts for."""
    record = entry.record
    headers = sum(len(name) + len(value) + 8 for name, value in record.headers)
    return len(record.topic) + len(record.key) + len(record.value) + headers + RECORD_OVERHEAD_BYTES


def to_row(number: int, entry: Entry, *, spooled_ms: int) -> Row:
    """The row of an entry under its id."""
    record = entry.record
    fields = (number, record.topic, key_hash(record.key), size_of(entry), entry.timestamp_ms, spooled_ms)
    blobs = (record.key, _pack(record.headers), record.value)
    return (*fields, *blobs, _checksum(fields, blobs))


def from_row(row: Row) -> Spooled | None:
    """The entry of a row; None where the row is not what was written."""
    number, topic, hashed, size, timestamp_ms, spooled_ms, key, headers, value, checksum = row
    fields, blobs = (number, topic, hashed, size, timestamp_ms, spooled_ms), (key, headers, value)
    if not isinstance(topic, str) or not all(isinstance(field, int) for field in (number, *fields[2:])):
        return None
    if not all(isinstance(blob, bytes) for blob in blobs) or _checksum(fields, blobs) != checksum:
        return None
    try:
        return Spooled(number, Entry(Record(topic, key, value, _unpack(headers)), timestamp_ms), spooled_ms)
    except (ValueError, struct.error):  # a checksum that agrees by chance, or by somebody's hand
        return None


def version_of(connection: sqlite3.Connection) -> int | None:
    """The format of a file; None while there is nothing in it."""
    [[version]] = connection.execute("PRAGMA user_version")
    [[tables]] = connection.execute("SELECT count(*) FROM sqlite_schema")
    return int(version) if version or tables else None


def _checksum(fields: tuple[Any, ...], blobs: tuple[bytes, ...]) -> int:
    value = zlib.crc32(repr(fields).encode())
    for blob in blobs:
        value = zlib.crc32(blob, zlib.crc32(b"%d" % len(blob), value))
    return value


def _pack(headers: Headers) -> bytes:
    """Each name and value behind its length."""
    parts = [part for name, value in headers for part in (name.encode(), value)]
    return b"".join(struct.pack(">I", len(part)) + part for part in parts)


def _unpack(packed: bytes) -> Headers:
    parts: list[bytes] = []
    at = 0
    while at < len(packed):
        [length] = struct.unpack_from(">I", packed, at)
        at += 4
        if length > len(packed) - at:
            raise ValueError("a part is cut short")
        parts.append(packed[at : at + length])
        at += length
    return tuple((name.decode(), value) for name, value in zip(parts[::2], parts[1::2], strict=True))
