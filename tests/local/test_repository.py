"""What a Maven repository gives, whole or not at all."""

import asyncio
import io
import tarfile
from pathlib import Path

import pytest
from jgo.maven import Artifact, PythonResolver
from jgo.parse import Coordinate

from producer.local import repository
from producer.local.processes import LocalFailure
from producer.local.repository import jars, unpacked


@pytest.fixture
def empty_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point jgo at an empty Maven repository and away from anybody's settings."""
    monkeypatch.setenv("JGO_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("JGO_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("M2_REPO", str(tmp_path / "repository"))
    monkeypatch.setattr(repository, "RETRY_SECONDS", 0.0)
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


class _Served:
    """What a repository answers: a file, and its size; its checksum is not there."""

    def __init__(self, content: bytes | None) -> None:
        self.status_code = 404 if content is None else 200
        self.content = content or b""
        self.headers = {"content-length": str(len(self.content))}

    def iter_content(self, chunk_size: int) -> list[bytes]:
        return [self.content[at : at + chunk_size] for at in range(0, len(self.content), chunk_size)]


def test_a_download_says_that_it_is_under_way_and_how_far(
    empty_repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        file = tarfile.TarInfo("read.me")
        file.size = 2_000_000
        archive.addfile(file, io.BytesIO(bytes(file.size)))
    monkeypatch.setattr(
        "jgo.maven._resolver.http.get",
        lambda url, **_: _Served(content.getvalue() if url.endswith(".tar.gz") else None),
    )
    monkeypatch.setattr(repository, "ANNOUNCE_SECONDS", 0.0)
    said: list[str] = []

    asyncio.run(unpacked(Coordinate("g", "a", "1", packaging="tar.gz"), announce=said.append))

    assert said[0] == "downloading a-1.tar.gz: 8 of 2,007 kB"
    assert said[-1] == "downloading a-1.tar.gz: 2,007 of 2,007 kB"


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
