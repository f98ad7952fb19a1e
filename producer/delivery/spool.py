"""Records that Kafka could not take, in an SQLite file: in order, with their times, surviving kill -9.

Synchronous; one caller at a time. A directory may be shared by the workers of a machine: each takes a file of its own,
first of all one that a predecessor left with records in it. Every commit is synced to the disk before it counts.
"""

import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from producer import logs
from producer.delivery.spool_format import (
    COLUMNS,
    CREATE,
    INSERT,
    VERSION,
    Entry,
    Place,
    Row,
    Spooled,
    SpoolFailed,
    from_row,
    size_of,
    to_row,
    version_of,
)
from producer.delivery.spool_policy import Reserve
from producer.delivery.spool_repair import is_damage, put_aside, take_over

BUSY_SECONDS = 5.0
DELETE_AT_A_TIME = 500
WAL_BYTES = 16 * 1024 * 1024
SHRINK_BYTES = 64 * 1024 * 1024
"""A file that is larger than this gives its pages back once it is empty."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A spool's file, locked."""

    path: Path
    lock: int

    def release(self) -> None:
        """Let others have it."""
        os.close(self.lock)


def claim(directory: Path) -> Iterator[Claimed]:
    """Each file that nobody has, locked until it is released; without end, since new ones are made."""
    for number in count():
        path = directory / f"spool-{number}.db"
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            continue
        yield Claimed(path, lock)


class Spool:
    """One file. Open it with `open`, and close it."""

    def __init__(self, claimed: Claimed, *, reserve: Reserve, wall_clock: Callable[[], float] = time.time) -> None:
        """Raises sqlite3.Error, OSError, or SpoolFailed for a file of another version."""
        self.path = claimed.path
        self.damaged = 0
        """Records, in all, that were not what had been written."""
        self._claimed = claimed
        self._reserve = reserve
        self._wall_clock = wall_clock
        try:
            self._connection = self._connect()
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            put_aside(self.path, why=str(error))
            self._connection = self._connect()

    @classmethod
    def open(
        cls, directory: Path, *, max_bytes: int, precious: frozenset[str], wall_clock: Callable[[], float] = time.time
    ) -> "Spool":
        """Take a file: one with records in it if there is any, otherwise any, otherwise a new one.

        Raises SpoolFailed with one sentence where the directory cannot be used.
        """
        reserve = Reserve(max_bytes, precious)
        empty: Spool | None = None
        try:
            directory.mkdir(parents=True, exist_ok=True)
            for claimed in claim(directory):
                fresh = not claimed.path.exists()
                if fresh and empty is not None:
                    claimed.release()
                    return empty
                try:
                    spool = cls(claimed, reserve=reserve, wall_clock=wall_clock)
                except SpoolFailed as other:
                    logs.get().error("spool left alone", file=str(claimed.path), problem=str(other))
                    claimed.release()
                    continue
                except BaseException:
                    claimed.release()
                    raise
                if spool.held_records or (fresh and empty is None):
                    if empty is not None:
                        empty.close()
                    return spool
                if empty is None:
                    empty = spool
                else:
                    spool.close()
        except (OSError, sqlite3.Error) as problem:
            raise SpoolFailed(
                f"PRODUCER_SPOOL_DIRECTORY={directory} cannot be used: {problem}; it must be a directory that this "
                "process may write to, on a disk with space"
            ) from problem
        raise AssertionError("unreachable: there is always one more file")

    def close(self) -> None:
        """Close the file and let others have it."""
        self._connection.close()
        self._claimed.release()

    @property
    def max_bytes(self) -> int:
        """What it may hold."""
        return self._reserve.max_bytes

    def holds(self) -> dict[Place, int]:
        """Records by place, as the file has them."""
        rows = self._connection.execute("SELECT topic, partition, count(*) FROM records GROUP BY topic, partition")
        return {(topic, partition): number for topic, partition, number in rows}

    def admits(self, topic: str, more_bytes: int) -> bool:
        """Whether a record of this topic may be put, when so many bytes more are held then."""
        return self._reserve(topic, self.held_bytes + more_bytes)

    def commit(self, put: Sequence[tuple[int, Entry]], delete: Sequence[int]) -> None:
        """Put entries under rising ids, and delete others: both or neither. Raises SpoolFailed."""
        now = int(self._wall_clock() * 1000)
        rows = [to_row(number, entry, spooled_ms=now) for number, entry in put]
        added = sum(size_of(entry) for _, entry in put)
        try:
            with self._connection:
                self._connection.executemany(INSERT, rows)
                gone = [size for part in _parts(delete) for size in self._delete(part)]
        except sqlite3.Error as error:
            raise self._failed(error) from error
        self.held_bytes += added - sum(gone)
        self.held_records += len(put) - len(gone)
        if put:
            self.next_id = put[-1][0] + 1
        if not self.held_records:
            self._shrink()

    def read(self, place: Place, *, after_id: int, max_bytes: int, max_records: int) -> list[Spooled]:
        """The next entries of a place: at least one if there is any, none if there is none. Raises SpoolFailed.

        What is not as it was written is deleted, counted and logged, and what follows it is given.
        """
        found: list[Spooled] = []
        damaged: list[int] = []
        size = 0
        query = f"SELECT {COLUMNS} FROM records WHERE topic = ? AND partition = ? AND id > ? ORDER BY id LIMIT ?"
        try:
            for row in self._connection.execute(query, (*place, after_id, max_records)):
                spooled = from_row(row)
                if spooled is None:
                    damaged.append(row[0])
                    continue
                size += len(spooled.entry.record.value)
                if found and size > max_bytes:
                    break
                found.append(spooled)
        except sqlite3.Error as error:
            raise self._failed(error) from error
        if damaged:
            self.damaged += len(damaged)
            logs.get().error("spooled records damaged", file=str(self.path), topic=place[0], ids=damaged[:20])
            self.commit((), damaged)
            if not found:
                return self.read(place, after_id=after_id, max_bytes=max_bytes, max_records=max_records)
        return found

    def _delete(self, ids: Sequence[int]) -> list[int]:
        marks = ",".join("?" * len(ids))
        deleted = self._connection.execute(f"DELETE FROM records WHERE id IN ({marks}) RETURNING size", ids)
        return [size if isinstance(size, int) else 0 for [size] in deleted.fetchall()]

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, check_same_thread=False)
        try:
            version = version_of(connection)
            if version not in (None, VERSION):
                raise SpoolFailed(
                    f"it has format {version}, and this producer knows {VERSION}: drain it with the version of the "
                    "producer that wrote it"
                )
            if version is None:
                # Before the first table, or it has no effect.
                connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")
            if version is None:
                with connection:
                    connection.execute("BEGIN IMMEDIATE")  # Python begins none by itself for a CREATE
                    for statement in CREATE:
                        connection.execute(statement)
            take_over(connection, self.path)
            [[records, held, last]] = connection.execute(
                "SELECT count(*), coalesce(sum(size), 0), coalesce(max(id), 0) FROM records INDEXED BY by_place"
            )
            # Reads every page, so that a broken one is found now and not in the middle of an outage.
            [[sound]] = connection.execute("PRAGMA quick_check(1)")
            if sound != "ok":
                error = sqlite3.DatabaseError(sound)
                error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise error
        except BaseException:
            connection.close()
            raise
        self.held_records = int(records)
        self.held_bytes = int(held)
        self.next_id = int(last) + 1
        """Ids that are given to new entries rise from here."""
        return connection

    def _failed(self, error: sqlite3.Error) -> SpoolFailed:
        if is_damage(error):
            self._connection.close()
            put_aside(self.path, why=str(error))
            try:
                next_id = self.next_id
                self._connection = self._connect()
                self.next_id = max(next_id, self.next_id)
            except (OSError, sqlite3.Error) as problem:
                return SpoolFailed(f"{self.path}: {error}; and a new one cannot be made: {problem}")
        return SpoolFailed(f"{self.path}: {error}")

    def _shrink(self) -> None:
        with suppress(sqlite3.Error, OSError):  # it is only for tidiness
            if self.path.stat().st_size > SHRINK_BYTES:
                self._connection.execute("PRAGMA incremental_vacuum").fetchall()
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + DELETE_AT_A_TIME] for start in range(0, len(ids), DELETE_AT_A_TIME))


__all__ = ["Entry", "Place", "Row", "Spool", "SpoolFailed", "Spooled"]
