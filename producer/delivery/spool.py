"""Records that Kafka could not take, in an SQLite file: in order, with their times, surviving kill -9.

Synchronous; one caller at a time. Every commit is synced to the disk before it counts. Whose file it is, and what
others left, is the folder's matter (`spool_folder`).
"""

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from producer import logs
from producer.delivery.spool_files import Claimed, open_own
from producer.delivery.spool_format import (
    BY_TOPIC,
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
LOOK_STEPS = 50_000
"""How many of SQLite's instructions lie between two looks at whether opening was given up; some ms."""


class SpoolGone(SpoolFailed):
    """The file does not stand under its name any more: what is written to it now dies with the process."""


class Spool:
    """One file, opened. Close it."""

    def __init__(
        self,
        claimed: Claimed,
        *,
        reserve: Reserve,
        wall_clock: Callable[[], float] = time.time,
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Raises sqlite3.Error, OSError, or SpoolFailed for a file of another version.

        A large file takes seconds to open; `given_up` is asked meanwhile whether to leave it.
        """
        self.path = claimed.path
        self.damaged = 0
        """Records, in all, that were not what had been written."""
        self._claimed = claimed
        self._reserve = reserve
        self._wall_clock = wall_clock
        self._connection: sqlite3.Connection | None = None
        try:
            self._connection = self._connect(given_up)
        except sqlite3.DatabaseError as error:
            if not is_damage(error):
                raise
            put_aside(self.path, why=str(error))
            self._connection = self._connect(given_up)

    def close(self) -> None:
        """Close the file and let others have it."""
        self._disconnect()
        self._claimed.release()

    @property
    def max_bytes(self) -> int:
        """What it may hold."""
        return self._reserve.max_bytes

    def holds(self, partitions: Mapping[str, int]) -> tuple[Counter[Place], Counter[str]]:
        """Records by place, given the topics' numbers of partitions; and those of other topics, by topic.

        Raises SpoolFailed.
        """
        placed: Counter[Place] = Counter()
        elsewhere: Counter[str] = Counter()
        try:
            for topic, number in self._connected().execute(BY_TOPIC).fetchall():
                if (count := partitions.get(topic)) is None:
                    elsewhere[str(topic)] += number
                    continue
                query = "SELECT key_hash % ?, count(*) FROM records WHERE topic = ? GROUP BY 1"
                for partition, records in self._connected().execute(query, (count, topic)):
                    placed[topic, int(partition or 0)] += records
        except (OSError, sqlite3.Error) as error:
            raise self._failed(error) from error
        return placed, elsewhere

    def by_topic(self) -> dict[str, int]:
        """Records by topic. Raises SpoolFailed."""
        try:
            return dict(self._connected().execute(BY_TOPIC).fetchall())
        except (OSError, sqlite3.Error) as error:
            raise self._failed(error) from error

    def oldest_ms(self) -> int | None:
        """When the record that was spooled first was handed over, since 1970; None where there is none.

        Raises SpoolFailed.
        """
        try:
            row = self._connected().execute("SELECT timestamp_ms FROM records ORDER BY id LIMIT 1").fetchone()
        except (OSError, sqlite3.Error) as error:
            raise self._failed(error) from error
        return None if row is None else int(row[0])

    def admits(self, topic: str, more_bytes: int) -> bool:
        """Whether a record of this topic may be put, when so many bytes more are held then."""
        return self._reserve(topic, self.held_bytes + more_bytes)

    def commit(self, put: Sequence[tuple[int, Entry]], delete: Sequence[int]) -> None:
        """Put entries under rising ids, and delete others: both or neither. Raises SpoolFailed, SpoolGone."""
        now = int(self._wall_clock() * 1000)
        rows = [to_row(number, entry, spooled_ms=now) for number, entry in put]
        added = sum(size_of(entry) for _, entry in put)
        try:
            connection = self._connected()
            if not self._in_place():
                raise SpoolGone(f"{self.path} was taken away")
            with connection:
                connection.executemany(INSERT, rows)
                gone = [size for part in _parts(delete) for size in _delete(connection, part)]
        except (OSError, sqlite3.Error) as error:
            raise self._failed(error) from error
        self.held_bytes += added - sum(gone)
        self.held_records += len(put) - len(gone)
        if put:
            self.next_id = put[-1][0] + 1
        if not self.held_records:
            self._shrink(connection)

    def read(
        self, topic: str, *, partition: int, of: int, after_id: int, max_bytes: int, max_records: int
    ) -> list[Spooled]:
        """The next entries whose keys belong to a partition, of so many: at least one if there is any.

        What is not as it was written is deleted, counted and logged, and what follows it is given. Raises SpoolFailed.
        """
        found: list[Spooled] = []
        damaged: list[int] = []
        size = 0
        query = f"SELECT {COLUMNS} FROM records WHERE topic = ? AND key_hash % ? = ? AND id > ? ORDER BY id LIMIT ?"
        try:
            for row in self._connected().execute(query, (topic, of, partition, after_id, max_records)):
                spooled = from_row(row)
                if spooled is None:
                    damaged.append(row[0])
                    continue
                size += len(spooled.entry.record.value)
                if found and size > max_bytes:
                    break
                found.append(spooled)
        except (OSError, sqlite3.Error) as error:
            raise self._failed(error) from error
        if damaged:
            self.damaged += len(damaged)
            logs.get().error("spooled records damaged", file=str(self.path), topic=topic, ids=damaged[:20])
            self.commit((), damaged)
            if not found:
                return self.read(
                    topic, partition=partition, of=of, after_id=after_id, max_bytes=max_bytes, max_records=max_records
                )
        return found

    def copy_from(self, other: "Spool") -> None:
        """Become what another is, one whose file was taken away. Raises SpoolFailed."""
        try:
            other._connected().backup(self._connected())
            self._measure(self._connected())
        except (OSError, sqlite3.Error) as error:
            raise self._failed(error) from error

    def _connected(self) -> sqlite3.Connection:
        """The connection; a new one where the last was given up."""
        if self._connection is None:
            next_id = self.next_id
            self._connection = self._connect(lambda: False)
            self.next_id = max(next_id, self.next_id)
        return self._connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()

    def _connect(self, given_up: Callable[[], bool]) -> sqlite3.Connection:
        os.close(open_own(self.path))  # SQLite gives what it makes beside it the same mode
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
            connection.set_progress_handler(given_up, LOOK_STEPS)
            self._measure(connection)
            # Reads every page, so that a broken one is found now and not in the middle of an outage.
            [[sound]] = connection.execute("PRAGMA quick_check(1)")
            if sound != "ok":
                error = sqlite3.DatabaseError(sound)
                error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
                raise error
            connection.set_progress_handler(None, 0)
            found = self.path.lstat()
            self._identity = found.st_dev, found.st_ino
        except BaseException:
            connection.close()
            raise
        return connection

    def _measure(self, connection: sqlite3.Connection) -> None:
        [[records, held, last]] = connection.execute(
            "SELECT count(*), coalesce(sum(size), 0), coalesce(max(id), 0) FROM records INDEXED BY by_topic"
        )
        self.held_records = int(records)
        self.held_bytes = int(held)
        self.next_id = int(last) + 1
        """Ids that are given to new entries rise from here."""

    def _in_place(self) -> bool:
        # SQLite goes on writing to a file that has no name any more, and says that all is well.
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return False
        return (found.st_dev, found.st_ino) == self._identity

    def _failed(self, error: Exception) -> SpoolFailed:
        if isinstance(error, sqlite3.Error) and is_damage(error):
            self._disconnect()
            try:
                put_aside(self.path, why=str(error))
                self._connected()
            except (OSError, sqlite3.Error) as problem:
                return SpoolFailed(f"{self.path}: {error}; and a new one cannot be made: {problem}")
        return SpoolFailed(f"{self.path}: {error}")

    def _shrink(self, connection: sqlite3.Connection) -> None:
        with suppress(sqlite3.Error, OSError):  # it is only for tidiness
            if self.path.stat().st_size > SHRINK_BYTES:
                connection.execute("PRAGMA incremental_vacuum").fetchall()
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _delete(connection: sqlite3.Connection, ids: Sequence[int]) -> list[int]:
    marks = ",".join("?" * len(ids))
    deleted = connection.execute(f"DELETE FROM records WHERE id IN ({marks}) RETURNING size", ids)
    return [size if isinstance(size, int) else 0 for [size] in deleted.fetchall()]


def _parts(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + DELETE_AT_A_TIME] for start in range(0, len(ids), DELETE_AT_A_TIME))


__all__ = ["Entry", "Place", "Row", "Spool", "SpoolFailed", "SpoolGone", "Spooled"]
