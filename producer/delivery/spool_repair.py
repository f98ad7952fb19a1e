"""A damaged spool file: put aside, never deleted; its readable records go on in a new one."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from producer import logs
from producer.delivery.spool_files import TOGETHER, Unfit, open_own
from producer.delivery.spool_format import COLUMNS, INSERT, VERSION, Row, from_row, version_of

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""SQLite's primary result codes for a file that is not what SQLite wrote."""


def is_damage(error: sqlite3.Error) -> bool:
    """Whether an error means that the file itself is broken."""
    # Errors that Python's own module raises have no code.
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in DAMAGED


def put_aside(path: Path, *, why: str) -> None:
    """Rename a damaged database with its log; `take_over` reads it."""
    # Its log too: it would be replayed into whatever comes next under the old name.
    aside = path.with_name(f"{path.stem}-damaged-{time.time_ns()}.db")
    for suffix in reversed(TOGETHER):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    logs.get().error("spool damaged; put aside", file=str(path), renamed=str(aside), detail=why[:200])


def take_over(connection: sqlite3.Connection, path: Path) -> None:
    """Copy the readable records of files that were put aside, and rename each once that is done.

    A crash in between repeats it, which changes nothing. Raises sqlite3.Error or OSError where it cannot be written.
    """
    for aside in sorted(path.parent.glob(f"{path.stem}-damaged-*.db")):
        try:
            os.close(open_own(aside))
        except Unfit as problem:
            logs.get().error("spool left alone", file=str(aside), problem=str(problem))
            continue
        with connection:
            taken = connection.executemany(INSERT, readable(aside)).rowcount
        for suffix in reversed(TOGETHER):
            with suppress(FileNotFoundError):
                aside.with_name(aside.name + suffix).rename(aside.with_name(f"{aside.name}.read{suffix}"))
        logs.get().warning("spool taken over", records=taken, damaged=f"{aside}.read")


def readable(path: Path) -> Iterator[Row]:
    """The rows of a file, sound or damaged, whose checksums agree; oldest first."""
    # By its id each, since a scan ends at the first broken page; from the index and the table, since either may break.
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(path)) as damaged:
        if version_of(damaged) != VERSION:
            return
        ids: set[int] = set()
        for query in ("SELECT id FROM records INDEXED BY by_topic", "SELECT id FROM records NOT INDEXED"):
            with suppress(sqlite3.DatabaseError):
                ids.update(number for [number] in damaged.execute(query) if isinstance(number, int))
        for number in sorted(ids):
            with suppress(sqlite3.DatabaseError):
                row = damaged.execute(f"SELECT {COLUMNS} FROM records NOT INDEXED WHERE id = ?", (number,)).fetchone()
                if row is not None and from_row(row) is not None:
                    yield row
