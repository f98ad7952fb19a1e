"""The list as a file that people edit while it is in force."""

import asyncio
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from producer import logs
from producer.assignments import claims, lists
from producer.assignments.claims import Streamer, Wanted
from producer.errors import StartRefused


class ListFile:
    """Who is wanted, as the file says it, or said it before somebody broke it."""

    def __init__(self, path: Path, *, read: Callable[[int | None], None]) -> None:
        """`read` is told how many streamers a changed list wants, or None where it is invalid."""
        self.ranking: Mapping[Streamer, int] = {}
        """The enabled streamers, the most important first."""
        self.entries: Mapping[Streamer, Wanted] = {}
        """Those of whom more is said than whether they are wanted."""
        self._path = path
        self._read = read
        self._stamp: _Stamp = None
        """Of the file that was read last, whether it was a list or none."""
        self._complaint: tuple[_Stamp, str] | None = None
        self._log = logs.get()

    async def load(self) -> None:
        """Read it for the first time. Raises StartRefused."""
        self._stamp = _stamp(self._path)
        await self._take()
        self._read(len(self.ranking))

    async def reload(self) -> None:
        """Read it again if it changed. What cannot be read changes nothing, and is said once for each change."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return
        try:
            await self._take()
        except StartRefused as refused:
            if not isinstance(refused, ListUnreadable):  # that may pass while the file stays the same
                self._stamp = stamp
            self._complain(stamp, str(refused))
        else:
            self._stamp, self._complaint = stamp, None
            self._log.info("list read", wanted=len(self.ranking))
            self._read(len(self.ranking))

    async def _take(self) -> None:
        """Read it in a thread: 10,000 streamers with their options take a third of a second.

        The first reading, at the start, has the modules loaded that it needs: without descriptors they cannot be.
        """

        def work() -> tuple[Mapping[Streamer, int], Mapping[Streamer, Wanted]]:
            listed = read_list(self._path)
            return claims.ranked(listed), {item.streamer: item for item in listed if item != Wanted(item.streamer)}

        self.ranking, self.entries = await asyncio.to_thread(work)

    def _complain(self, stamp: "_Stamp", problem: str) -> None:
        if self._complaint == (stamp, problem):
            return
        self._complaint = stamp, problem
        first, *more = problem.splitlines()
        self._log.error("list not read; the list before it stands", problem=first, further_problems=len(more))
        self._read(None)


class ListUnreadable(StartRefused):
    """The file could not be read, just now."""


def read_list(path: Path) -> tuple[Wanted, ...]:
    """Read the list that a file is. Raises StartRefused with every problem, a line each."""
    source = f"PRODUCER_ASSIGNMENTS_FILE={path}"
    try:
        with open(path, "rb", opener=_opener) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ListUnreadable(f"{source} cannot be read: it is no regular file")
            data = file.read(lists.MOST_BYTES + 1)
    except OSError as cause:
        raise ListUnreadable(f"{source} cannot be read: {cause.strerror}") from cause
    return lists.read(data, lists.form_of(path.name), source=source)


def _opener(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)  # of a pipe that nobody writes to, too


_Stamp = tuple[int, int, int] | None


def _stamp(path: Path) -> _Stamp:
    """What is another after each change of a file; None while there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
