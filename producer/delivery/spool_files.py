"""The files of a spool's folder: opened so that nothing planted there is followed or waited for, and looked at.

To look changes nothing, and a worker is not in the way.
"""

import fcntl
import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producer.delivery.spool_format import BY_TOPIC, VERSION, version_of

TOGETHER = ("", "-wal", "-shm")
"""A database is these files: what SQLite appends to its name."""
FOLDER_MODE, FILE_MODE = 0o700, 0o600

_DATABASE = re.compile(r"spool-([0-9]{1,9})(-damaged-[0-9]+)?\.db")
_KINDS = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a FIFO"),
    (stat.S_ISSOCK, "a socket"),
)


class Unfit(OSError):
    """What is there is nothing that a worker opens; the message says why, and of which file."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A spool's file, locked."""

    path: Path
    lock: int

    def release(self) -> None:
        """Let others have it."""
        os.close(self.lock)


def paths(directory: Path) -> list[Path]:
    """The databases of a directory, damaged ones among them, whatever stands under such a name; none of one that cannot
    be read."""
    try:
        return sorted(directory / match[0] for match in _databases(directory))
    except OSError:
        return []


def numbered(directory: Path) -> list[Path]:
    """The same in the order of their numbers, each damaged one under the name that it had. Raises OSError."""
    return [path_of(directory, number) for number in sorted({int(match[1]) for match in _databases(directory)})]


def path_of(directory: Path, number: int) -> Path:
    """The database of a number."""
    return directory / f"spool-{number}.db"


def claim(path: Path) -> Claimed | None:
    """Lock a database, which need not be there yet; None where another process has it. Raises Unfit, OSError."""
    lock = open_own(path.with_suffix(".lock"))
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for part in _parts(path):
            if os.path.lexists(part):
                os.close(open_own(part))
    except BlockingIOError:
        os.close(lock)
        return None
    except BaseException:
        os.close(lock)
        raise
    return Claimed(path, lock)


def open_own(path: Path) -> int:
    """Open a file of ours to read and write, made if it is not there, for nobody else's eyes. Raises Unfit, OSError."""
    with suppress(FileNotFoundError):
        _judge(path, path.lstat())
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, FILE_MODE)
    try:
        found = os.fstat(file)
        _judge(path, found)  # again: somebody might have exchanged it in between
        if found.st_mode & 0o077:
            os.fchmod(file, FILE_MODE)
    except BaseException:
        os.close(file)
        raise
    return file


def unreadable(path: Path) -> str | None:
    """Why a database may not even be looked at: a part of it is no regular file; None where it may."""
    for part in _parts(path):
        try:
            problem = _irregular(part.lstat().st_mode)
        except FileNotFoundError:
            continue
        except OSError as cause:
            problem = f"cannot be looked at: {cause.strerror}"
        if problem:
            return problem if part == path else f"cannot be used: {part.name} {problem}"
    return None


def describe(path: Path, *, now_ms: float) -> dict[str, Any]:
    """Who has a file and what is in it; `problem` says why that cannot be told, or is None."""
    said: dict[str, Any] = {
        "path": str(path),
        "in_use": False,
        "records": 0,
        "bytes": 0,
        "oldest_seconds": None,
        "topics": {},
        "problem": unreadable(path),
    }
    if said["problem"]:
        return said
    try:
        said["in_use"] = _in_use(path)
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            if (version := version_of(file)) not in (None, VERSION):
                said["problem"] = f"format {version}; this producer knows {VERSION}"
            elif version is not None:
                [[records, size, oldest]] = file.execute(
                    "SELECT count(*), coalesce(sum(size), 0), min(timestamp_ms) FROM records"
                )
                topics = {str(topic): count for topic, count in file.execute(BY_TOPIC)}
                age = None if oldest is None else (now_ms - oldest) / 1000
                said |= {"records": records, "bytes": size, "oldest_seconds": age, "topics": topics}
    except (OSError, sqlite3.Error, TypeError) as problem:
        said["problem"] = f"damaged or not readable: {problem}"
    return said


def _databases(directory: Path) -> Iterator[re.Match[str]]:
    try:
        found = [_DATABASE.fullmatch(path.name) for path in directory.iterdir()]
    except FileNotFoundError:
        return iter(())
    return filter(None, found)


def _parts(path: Path) -> Iterator[Path]:
    return (path.with_name(path.name + suffix) for suffix in TOGETHER)


def _judge(path: Path, found: os.stat_result) -> None:
    if problem := _irregular(found.st_mode):
        raise Unfit(f"{path.name} {problem}")
    if found.st_uid != os.geteuid():
        raise Unfit(f"{path.name} belongs to another user, {found.st_uid}")


def _irregular(mode: int) -> str | None:
    if stat.S_ISREG(mode):
        return None
    return f"is {next((name for kind, name in _KINDS if kind(mode)), 'a device')}, and no regular file"


def _in_use(path: Path) -> bool:
    try:
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
