"""What is measured: a checkout of this repository with an environment of its own, and a worker of it as a process."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from producer.local.leash import leashed
from producer.local.processes import free_ports

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".bench"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Subject:
    """A checkout."""

    name: str
    root: Path
    python: Path


def here() -> Subject:
    """This tree, as it stands."""
    return Subject("now", ROOT, Path(sys.executable))


def at(ref: str) -> Subject:
    """A commit, in a worktree of its own, with the packages that it asks for. Raises CalledProcessError."""
    commit = _git("rev-parse", "--short=12", f"{ref}^{{commit}}")
    root = FOLDER / commit
    if not root.exists():
        _git("worktree", "prune")
        _git("worktree", "add", "--detach", "--quiet", str(root), commit)
    subprocess.run(["make", "--silent", ".venv/.ready"], cwd=root, check=True, env=_plain())
    return Subject("before", root, root / ".venv" / "bin" / "python")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def _plain() -> dict[str, str]:
    """An environment in which make does not know that another called it."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "VENV"))}


class Worker:
    """One `producer run` of a subject."""

    def __init__(self, pid: int, url: str) -> None:
        self._process = Path("/proc", str(pid))
        self.url = url

    def cpu(self) -> float:
        """Seconds of processor time that it has taken so far, all threads together (proc(5): utime, stime)."""
        fields = (self._process / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident(self) -> int:
        """KiB of memory."""
        lines = (self._process / "status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


async def command(subject: Subject, *words: str, environ: Mapping[str, str]) -> None:
    """Run one of a subject's commands to its end. Raises RuntimeError with what it said."""
    process = await asyncio.create_subprocess_exec(
        str(subject.python),
        *("-m", "producer", *words),
        cwd=subject.root,
        env=dict(environ),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"producer {' '.join(words)}: {output.decode()}")


@asynccontextmanager
async def running(subject: Subject, *, environ: Mapping[str, str], core: int, log: Path) -> AsyncIterator[Worker]:
    """A worker on one core; it is stopped as Kubernetes does it."""
    [port] = free_ports(1)
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *leashed(str(subject.python), "-m", "producer", "run"),
            cwd=subject.root,
            env={**environ, "PRODUCER_HTTP_PORT": str(port)},
            stdout=output,
            stderr=output,
        )
    os.sched_setaffinity(process.pid, {core})
    try:
        yield Worker(process.pid, f"http://127.0.0.1:{port}")
    finally:
        if process.returncode is None:
            process.terminate()
        if await process.wait():
            said = await asyncio.to_thread(log.read_text)
            raise RuntimeError(f"the worker of {subject.name!r} ended with {process.returncode}: {said[-2000:]}")
