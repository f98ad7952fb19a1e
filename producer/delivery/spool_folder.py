"""The folder of spool files: which is a worker's own, and what dead workers left there.

A folder may be shared by the workers of a machine: each has a file of its own, locked while it lives. What cannot be
used (another version's, another user's, no regular file) is left alone, and said once for each way that it looks.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from producer import logs
from producer.delivery.spool import Spool
from producer.delivery.spool_files import FOLDER_MODE, Unfit, claim, numbered, path_of
from producer.delivery.spool_format import SpoolFailed
from producer.delivery.spool_policy import Reserve

LOOKED_AT = ("", "-wal")
MOST_UNFIT = 100
"""New files in vain before a folder is given up: on some mounts each belongs to another user once it is made."""
Look = tuple[tuple[int, int, int] | None, ...]
"""By what one sees that a database is another than it was: number, time and size of each of LOOKED_AT."""


class SpoolFolder:
    """Gives out spools. Synchronous; one caller at a time for each method."""

    def __init__(
        self,
        directory: Path,
        *,
        max_bytes: int,
        precious: frozenset[str] = frozenset(),
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self.directory = directory
        self.max_bytes = max_bytes
        """What a worker's own file may hold."""
        self._reserve = Reserve(max_bytes, precious)
        self._wall_clock = wall_clock
        self._given_up = threading.Event()
        self._seen: dict[Path, Look] = {}
        """What there is no need to open again while it looks so."""
        self._said: dict[Path, str] = {}

    def give_up(self) -> None:
        """Let whoever is opening a file, in another thread, leave it."""
        self._given_up.set()

    def own(self, *, with_records: bool = True) -> Spool:
        """Take a file: one with records in it if there is any, otherwise an empty one; or, without, a new one.

        Raises SpoolFailed, with one sentence, where the folder cannot be used.
        """
        with self._usable():
            self.directory.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
            empty: Spool | None = None
            for spool in self._free() if with_records else ():
                if spool.held_records:
                    if empty is not None:
                        empty.close()
                    return spool
                if empty is None:
                    empty = spool
                else:
                    spool.close()
            return empty or self._new()

    def left(self) -> Spool | None:
        """Take a file with records that a dead worker left, unless it looks as it did when it was left alone before.

        None where there is none. Raises SpoolFailed.
        """
        with self._usable():
            for spool in self._free():
                if spool.held_records:
                    return spool
                self.leave(spool)
        return None

    def leave(self, spool: Spool) -> None:
        """Close a file that there is no need to open again for as long as it looks as it does then."""
        spool.close()
        self._seen[spool.path] = _look(spool.path)

    def moved(self, spool: Spool) -> Spool:
        """Give a new file with all that is in one that was taken away, which is closed. Raises SpoolFailed."""
        heir = self.own(with_records=False)
        try:
            heir.copy_from(spool)
        except BaseException:
            heir.close()
            raise
        spool.close()
        return heir

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as problem:
            raise SpoolFailed(
                f"PRODUCER_SPOOL_DIRECTORY={self.directory} cannot be used: {problem}; it must be a directory that "
                "this process may write to, on a disk with space"
            ) from problem

    def _free(self) -> Iterator[Spool]:
        """Open each file that nobody has and that can be used."""
        for path in numbered(self.directory):
            if self._seen.get(path) == _look(path):
                continue
            try:
                spool = self._open(path)
            except (Unfit, SpoolFailed) as problem:
                self._say(path, problem)
                self._seen[path] = _look(path)
                continue
            except sqlite3.Error as problem:  # that may pass
                self._say(path, problem)
                continue
            if spool is not None:
                self._said.pop(path, None)
                yield spool

    def _new(self) -> Spool:
        unfit = 0
        for number in count():
            path = path_of(self.directory, number)
            if os.path.lexists(path):
                continue
            try:
                spool = self._open(path)
            except Unfit as problem:
                self._say(path, problem)
                unfit += 1
                if unfit == MOST_UNFIT:
                    raise
                continue
            if spool is not None and not spool.held_records:
                return spool
            if spool is not None:
                spool.close()
        raise AssertionError("unreachable: there is always one more file")

    def _open(self, path: Path) -> Spool | None:
        """None where another has it."""
        claimed = claim(path)
        if claimed is None:
            return None
        try:
            return Spool(claimed, reserve=self._reserve, wall_clock=self._wall_clock, given_up=self._given_up.is_set)
        except BaseException:
            claimed.release()
            raise

    def _say(self, path: Path, problem: Exception) -> None:
        if self._given_up.is_set() or self._said.get(path) == str(problem):
            return
        self._said[path] = str(problem)
        logs.get().error("spool left alone", file=str(path), problem=str(problem))


def _look(path: Path) -> Look:
    seen: list[tuple[int, int, int] | None] = []
    for suffix in LOOKED_AT:
        try:
            found = path.with_name(path.name + suffix).lstat()
            seen.append((found.st_ino, found.st_mtime_ns, found.st_size))
        except OSError:
            seen.append(None)
    return tuple(seen)
