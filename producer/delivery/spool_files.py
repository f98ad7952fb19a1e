"""A spool's directory as anybody may look at it: nothing is changed, and a worker is not in the way."""

import fcntl
import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from producer.delivery.spool_format import VERSION, version_of


def paths(directory: Path) -> list[Path]:
    """The files of a directory, damaged ones among them."""
    return sorted(directory.glob("spool-*.db"))


def describe(path: Path, *, now_ms: float) -> dict[str, Any]:
    """Who has a file and what is in it; `problem` says why that cannot be told, or is None."""
    said: dict[str, Any] = {
        "path": str(path),
        "in_use": _in_use(path),
        "records": 0,
        "bytes": 0,
        "oldest_seconds": None,
        "topics": {},
        "problem": None,
    }
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as file:
            if (version := version_of(file)) not in (None, VERSION):
                said["problem"] = f"format {version}; this producer knows {VERSION}"
            elif version is not None:
                [[records, size, oldest]] = file.execute(
                    "SELECT count(*), coalesce(sum(size), 0), min(timestamp_ms) FROM records"
                )
                topics = Counter(dict(file.execute("SELECT topic, count(*) FROM records GROUP BY topic").fetchall()))
                age = None if oldest is None else (now_ms - oldest) / 1000
                said |= {"records": records, "bytes": size, "oldest_seconds": age, "topics": dict(topics)}
    except sqlite3.Error as problem:
        said["problem"] = f"damaged or not readable: {problem}"
    return said


def _in_use(path: Path) -> bool:
    try:
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False
