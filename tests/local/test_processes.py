"""What a cluster's programs have in common, tried on the smallest that Java brings: its web server."""

import asyncio
import io
import tarfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from jgo.maven import Artifact, PythonResolver
from jgo.parse import Coordinate

from producer.local import processes
from producer.local.processes import (
    LocalFailure,
    PortTaken,
    Process,
    free_ports,
    jars,
    output_of,
    unpacked,
    until,
)

SERVER = ("-m", "jdk.httpserver", "-b", "127.0.0.1", "-p")


async def never() -> bool:
    return False


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True


@pytest.mark.parametrize(("end", "status"), [(Process.stop, 143), (Process.kill, -9)])
def test_a_program_that_was_stopped_or_killed_is_dead(
    tmp_path: Path, end: Callable[[Process], Awaitable[None]], status: int
) -> None:
    async def main() -> None:
        [port] = free_ports(1)
        server = await Process.start("server", *SERVER, str(port), folder=tmp_path)
        await until(lambda: listens(port), of=[server], timeout_seconds=20)
        server.check()

        await end(server)

        assert not await listens(port)
        with pytest.raises(LocalFailure, match=f"server ended with {status};"):
            server.check()

    asyncio.run(main())


def test_a_program_that_dies_while_awaited_is_reported_at_once_in_its_own_words(tmp_path: Path) -> None:
    async def main() -> None:
        server = await Process.start("server", *SERVER, "many", folder=tmp_path)
        with pytest.raises(LocalFailure, match=r"server ended with 1(.|\n)*Error: invalid value"):
            await until(never, of=[server], timeout_seconds=20)

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < 10


def test_a_program_that_does_not_become_ready_is_reported_with_its_words(tmp_path: Path) -> None:
    async def main() -> None:
        server = await Process.start("server", *SERVER, "0", folder=tmp_path)
        try:
            with pytest.raises(LocalFailure, match=r"not ready after 2 s(.|\n)*Serving"):
                await until(never, of=[server], timeout_seconds=2)
        finally:
            await server.stop()

    asyncio.run(main())


def test_a_port_that_is_taken_is_told_from_other_ends(tmp_path: Path) -> None:
    async def main() -> None:
        [port] = free_ports(1)
        first = await Process.start("first", *SERVER, str(port), folder=tmp_path / "first")
        await until(lambda: listens(port), of=[first], timeout_seconds=20)
        second = await Process.start("second", *SERVER, str(port), folder=tmp_path / "second")

        with pytest.raises(PortTaken):
            await until(never, of=[second], timeout_seconds=20)

        await first.stop()

    asyncio.run(main())


def test_a_cancelled_run_leaves_no_program_behind(tmp_path: Path) -> None:
    async def main() -> None:
        [port] = free_ports(1)
        output = output_of(*SERVER, str(port), folder=tmp_path, class_path=(), timeout_seconds=60)
        run = asyncio.create_task(output)
        await until(lambda: listens(port), of=(), timeout_seconds=20)

        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run

        assert not await listens(port)

    asyncio.run(main())


@pytest.fixture
def empty_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point jgo at an empty Maven repository and away from anybody's settings."""
    monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("JGO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "repository"))
    monkeypatch.setattr(processes, "RETRY_SECONDS", 0.0)
    return tmp_path / "repository"


EMPTY_JAR = b"PK\5\6" + bytes(18)
POM_OF_A = b"""
<project>
  <groupId>g</groupId> <artifactId>a</artifactId> <version>1</version>
  <dependencies>
    <dependency> <groupId>g</groupId> <artifactId>b</artifactId> <version>1</version> </dependency>
  </dependencies>
</project>
"""


def test_a_download_that_breaks_ends_in_a_failure_not_in_half_a_class_path(
    empty_repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def download(self: PythonResolver, artifact: Artifact) -> Path:
        assert artifact.cached_path is not None
        artifact.cached_path.parent.mkdir(parents=True)
        artifact.cached_path.write_bytes(EMPTY_JAR if artifact.packaging == "jar" else POM_OF_A)
        if (artifact.artifactId, artifact.packaging) == ("b", "pom"):
            raise ConnectionError("the line went dead")
        return artifact.cached_path

    monkeypatch.setattr(PythonResolver, "download", download)

    with pytest.raises(LocalFailure, match="could not fetch g:b:pom:1: the line went dead"):
        asyncio.run(jars("g:a:1"))
    assert [path.name for path in empty_repository.rglob("*.*")] == ["a-1.pom"]


def test_a_torn_archive_is_fetched_anew(empty_repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as content:
        content.addfile(tarfile.TarInfo("read.me"))
    contents = iter([whole.getvalue()[:-20], whole.getvalue()])

    def download(self: PythonResolver, artifact: Artifact) -> Path:
        assert artifact.cached_path is not None
        artifact.cached_path.parent.mkdir(parents=True)
        artifact.cached_path.write_bytes(next(contents))
        return artifact.cached_path

    monkeypatch.setattr(PythonResolver, "download", download)
    archive = Coordinate("g", "a", "1", packaging="tar.gz")

    folder = asyncio.run(unpacked(archive))

    assert [path.name for path in folder.iterdir()] == ["read.me"]
    assert asyncio.run(unpacked(archive)) == folder
    assert next(contents, None) is None
