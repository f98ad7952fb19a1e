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
