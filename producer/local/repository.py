"""Java's programs out of a Maven repository, by jgo: jars with all that they need, and archives unpacked."""

import asyncio
import dataclasses
import fcntl
import logging
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import Artifact, MavenContext, PythonResolver
from jgo.parse import Coordinate

from producer.local.processes import POLL_SECONDS, LocalFailure, made

Result = TypeVar("Result")
Announce = Callable[[str], None]
"""Take a line about what is under way; it may be called in another thread."""

FETCH_ATTEMPTS = 3
RETRY_SECONDS = 1.0
ANNOUNCE_SECONDS = 3.0
SILENCE = logging.NullHandler()


def silence(_: str) -> None:
    """Announce nothing."""


async def jars(*coordinates: str, announce: Announce = silence) -> tuple[Path, ...]:
    """Fetch jars and everything they need at run time: a class path. Raises LocalFailure."""
    return await _fetch(lambda repository: repository.jars(coordinates), announce)


async def unpacked(archive: Coordinate, *, announce: Announce = silence) -> Path:
    """Fetch an archive and unpack it, once per machine; gives the folder. Raises LocalFailure."""
    return await _fetch(lambda repository: repository.unpacked(archive), announce)


async def _fetch(work: Callable[["_Repository"], Result], announce: Announce) -> Result:
    abandoned = threading.Event()
    try:
        return await asyncio.to_thread(_fetch_blocking, work, announce, abandoned)
    finally:
        # When we are cancelled the thread ends with the file at hand, and does not hold up our process's end.
        abandoned.set()


def _fetch_blocking(work: Callable[["_Repository"], Result], announce: Announce, abandoned: threading.Event) -> Result:
    # jgo leaves log handlers to its command line, and without one Python prints its warnings to the terminal.
    logging.getLogger("jgo").addHandler(SILENCE)
    repository = _Repository(announce, abandoned)
    with repository.alone():
        for attempt in range(1, FETCH_ATTEMPTS + 1):
            try:
                return work(repository)
            except _NotFetched as failure:
                if attempt == FETCH_ATTEMPTS or abandoned.wait(RETRY_SECONDS):
                    raise LocalFailure(str(failure)) from failure
    raise AssertionError("the last attempt returns or raises")


class _NotFetched(Exception):
    """A file could not be had this time. Of a kind jgo does not catch, to go on with half a class path."""


class _Repository(PythonResolver):
    """This machine's Maven repository, where jgo's settings say it is; what it lacks is downloaded."""

    def __init__(self, announce: Announce, abandoned: threading.Event) -> None:
        super().__init__(progress_callback=self._downloading)
        settings = GlobalSettings.load()
        self._announce = announce
        self._announced_at = -ANNOUNCE_SECONDS
        self._abandoned = abandoned
        self._cache = made(settings.cache_dir)
        self._files = made(settings.repo_cache)
        self._remotes = {"central": MAVEN_CENTRAL_URL} | settings.repositories
        self._maven = MavenContext(resolver=self, repo_cache=self._files, remote_repos=self._remotes)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other processes out meanwhile: they would download and unpack the same things."""
        with (self._cache / "producer.lock").open("w") as lock:
            while True:
                with suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                # No deadline: whoever holds it is downloading, and the system takes it from the dead.
                if self._abandoned.wait(POLL_SECONDS):
                    raise LocalFailure("abandoned while another process was fetching")
            yield

    @contextmanager
    def _downloading(self, name: str, size_bytes: int) -> Iterator[Callable[[int], None]]:
        """Tell now and then how far a download is; jgo asks for it by file, and hands over how much came."""
        done = 0

        def came(more_bytes: int) -> None:
            nonlocal done
            done += more_bytes
            if time.monotonic() >= self._announced_at + ANNOUNCE_SECONDS:
                self._announced_at = time.monotonic()
                self._announce(f"downloading {name}: {done // 1_000:,} of {size_bytes // 1_000:,} kB")

        yield came

    def jars(self, coordinates: Sequence[str]) -> tuple[Path, ...]:
        # Not jgo.build(): to sort the jars into modules, which nobody here wants, it downloads another Java.
        wanted = [dataclasses.replace(Coordinate.parse(text), scope="compile") for text in coordinates]
        inputs, needed = self.resolve([self._maven.create_dependency(coordinate) for coordinate in wanted])
        run_time = [dependency for dependency in needed if dependency.scope in ("compile", "runtime")]
        paths = tuple(dependency.artifact.resolve() for dependency in (*inputs, *run_time))
        for path in paths:
            if not zipfile.is_zipfile(path):
                raise _torn(path)
        return paths

    def unpacked(self, coordinate: Coordinate) -> Path:
        archive = self._maven.create_dependency(coordinate).artifact.resolve()
        folder = made(self._cache / "unpacked") / archive.name
        if not folder.exists():
            with TemporaryDirectory(dir=folder.parent) as staging:
                whole = Path(staging, "whole")
                try:
                    with tarfile.open(archive) as content:
                        content.extractall(whole, filter="data")
                except (EOFError, tarfile.TarError) as cause:
                    raise _torn(archive) from cause
                whole.rename(folder)
        return folder

    def download(self, artifact: Artifact) -> Path:
        """Download as jgo does, but let the file appear under its name only when it is whole.

        jgo writes in place, and what an interrupted download leaves there is taken for the file ever after.
        """
        if self._abandoned.is_set():
            raise _NotFetched("abandoned")
        with TemporaryDirectory(dir=self._files) as folder:
            staging = MavenContext(resolver=self, repo_cache=Path(folder), remote_repos=self._remotes)
            component = staging.project(artifact.groupId, artifact.artifactId).at_version(artifact.version)
            try:
                staged = super().download(component.artifact(artifact.classifier, artifact.packaging))
            except (OSError, RuntimeError) as cause:  # requests' errors are the former, jgo's own the latter
                raise _NotFetched(f"could not fetch {artifact}: {cause}") from cause
            assert staged is not None, "jgo raises where a file is nowhere to be had"
            whole = self._files / staged.relative_to(folder)
            made(whole.parent)
            return staged.replace(whole)


def _torn(path: Path) -> _NotFetched:
    """Remove what somebody's interrupted download left behind, so that the next attempt fetches it anew."""
    path.unlink()
    return _NotFetched(f"{path} was torn")
