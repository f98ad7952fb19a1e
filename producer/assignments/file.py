"""The shared list as a file, claims as locked files: several workers on one machine, without a coordinator.

A claim is an exclusive lock (flock) on `<claims>/<streamer>.claim`. The kernel frees the locks of a process that dies,
however it dies, so the others take its streamers over at their next look. Each worker also locks
`<claims>/<worker>.member`, by which the living are counted. The files' contents are for people to read.

Locks of one machine: on a network file system they may hold nothing, so one is refused.
"""

import asyncio
import fcntl
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import IO

from producer import logs
from producer.assignments import claims, lists
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.interface import Leaving, Said
from producer.errors import StartRefused

LOOK_SECONDS = 0.5
JOIN_ATTEMPTS = 5
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "glusterfs"})


class FileAssignments:
    """This worker's part of the list. Use it as an async context manager."""

    def __init__(
        self,
        list_file: Path,
        claims_directory: Path,
        *,
        worker: str,
        max_streams: int,
        list_read: Callable[[int | None], None] = lambda _: None,
    ) -> None:
        """`list_read` is told how many streamers a changed list wants, or None where it is invalid."""
        self._list_file = list_file
        self._directory = claims_directory
        self._worker = worker
        self._max_streams = max_streams
        self._list_read = list_read
        self._held: dict[Streamer, IO[str]] = {}
        self._releasing: set[Streamer] = set()
        self._member: IO[str] | None = None
        self._ranking: dict[Streamer, int] = {}
        self._read_at: tuple[int, int] | None = None
        self._log = logs.get()
        self.fence = LockFence(self._held)
        """To be asked before anything is published."""

    async def __aenter__(self) -> "FileAssignments":
        """Read the list and join the workers. Raises StartRefused."""
        self._read_at = _stamp(self._list_file)
        self._ranking = claims.ranked(read_list(self._list_file))
        self._list_read(len(self._ranking))
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            refuse_network_file_system(self._directory)
            self._member = await self._join()
        except OSError as cause:
            raise StartRefused(f"the claims folder {self._directory} cannot be used: {cause}") from cause
        if self._member is None:
            raise StartRefused(f"a worker named {self._worker} is running already; choose another PRODUCER_WORKER_NAME")
        return self

    async def __aexit__(self, *_: object) -> None:
        for streamer in list(self._held):
            await self.release(streamer)
        if self._member is not None:
            _unlock(self._member)

    async def changes(self) -> AsyncIterator[frozenset[Streamer]]:
        """Yield the whole set of streamers to hold, now and after each change."""
        before: frozenset[Streamer] | None = None
        while True:
            self._reload()
            held = self._look()
            if held != before:
                yield held
                before = held
            await asyncio.sleep(LOOK_SECONDS)

    def why(self, streamer: Streamer) -> Leaving:
        """Say why a streamer left the set: given up, or off the list."""
        return Leaving.RELEASED

    def shared(self, streamer: Streamer) -> bool:
        """Say whether another worker hears its room too, which never is so: a claim is given up before it is taken."""
        return False

    async def release(self, streamer: Streamer) -> None:
        """Give a claim up, once the session for it has ended."""
        claim = self._held.pop(streamer, None)
        self._releasing.discard(streamer)
        if claim is not None:
            _unlock(claim)

    def report(
        self,
        streamer: Streamer,
        *,
        state: str,
        room_id: str | None = None,
        error: str | None = None,
        bugs: int = 0,
        again_at: int | None = None,
    ) -> None:
        """Write in the claim's file how the session goes, for people and for the streamer's next worker to read."""
        claim = self._held.get(streamer)
        if claim is not None:
            _write(claim, self._note(state=state, room_id=room_id, error=error, bugs=bugs, again_at=again_at))

    def last_said(self, streamer: Streamer) -> Said | None:
        """Tell what was last said of a streamer."""
        return None

    async def drain(self, seconds: float) -> None:
        """Nothing to do: the locks of a worker that ends are free at once, and the others look every half second."""

    async def _join(self) -> IO[str] | None:
        for _ in range(JOIN_ATTEMPTS):
            member = _lock(self._directory / f"{self._worker}.member", self._note())
            if member is not None:
                return member
            await asyncio.sleep(LOOK_SECONDS / JOIN_ATTEMPTS)  # another worker may be looking whether we live
        return None

    def _look(self) -> frozenset[Streamer]:
        """Claim what is free and ours by share; mark what to give up."""
        target = claims.share(len(self._ranking), workers=self._living(), most=self._max_streams)
        staying = self._held.keys() - self._releasing
        self._releasing |= claims.to_release(staying, self._ranking, target=target)
        staying -= self._releasing
        for streamer in claims.candidates(self._held.keys(), self._ranking):
            if len(staying) >= target:
                break
            claim = _lock(self._directory / f"{streamer}.claim", self._note())
            if claim is not None:
                self._held[streamer] = claim
                staying.add(streamer)
        return frozenset(staying)

    def _living(self) -> int:
        """Count the workers whose member file is locked; remove the files of the dead."""
        living = 0
        for path in self._directory.glob("*.member"):
            if path.stem == self._worker:
                living += 1
                continue
            claim = _lock(path, None)
            if claim is None:
                living += 1
            else:
                path.unlink(missing_ok=True)
                _unlock(claim)
        return living

    def _reload(self) -> None:
        """Read the list again if it changed; an invalid one changes nothing and is reported once."""
        stamp = _stamp(self._list_file)
        if stamp == self._read_at:
            return
        self._read_at = stamp
        try:
            self._ranking = claims.ranked(read_list(self._list_file))
        except StartRefused as problem:
            self._log.error("list not read; the list before it stands", problem=str(problem))
            self._list_read(None)
            return
        self._log.info("list read", wanted=len(self._ranking))
        self._list_read(len(self._ranking))

    def _note(self, **more: str | int | None) -> str:
        return json.dumps({"worker": self._worker, "pid": os.getpid(), "since": int(time.time()), **more})


class LockFence:
    """A fence (`interface.Fence`): the kernel takes no lock from a living process, however long it stands still."""

    revoked_at = float("-inf")

    def __init__(self, held: Mapping[Streamer, object]) -> None:
        self._held = held

    def current(self) -> bool:
        """Always."""
        return True

    def allows(self, streamer: str) -> bool:
        """Whether the claim's lock is held."""
        return streamer in self._held


def read_list(file: Path) -> tuple[Wanted, ...]:
    """Read the list that a file is. Raises StartRefused with every problem, a line each."""
    try:
        data = file.read_bytes()
    except OSError as cause:
        raise StartRefused(f"the list {file} cannot be read: {cause.strerror}") from cause
    return lists.read(data, lists.form_of(file.name), source=str(file))


def claims_folder(list_file: Path, chosen: Path | None) -> Path:
    """Where the claims of a list are: where it was said, otherwise beside the list."""
    return chosen or list_file.parent / "claims"


def refuse_network_file_system(folder: Path) -> None:
    """Raise StartRefused where locks on `folder` may not hold. Silent where the system does not tell."""
    mounts = Path("/proc/self/mounts")
    if not mounts.exists():
        return
    resolved = folder.resolve()
    best: tuple[int, str] = (-1, "")
    for line in mounts.read_text("utf-8").splitlines():
        _, point, kind, *_ = line.split()
        if resolved.is_relative_to(point):
            best = max(best, (len(point), kind))
    if best[1] in NETWORK_FILE_SYSTEMS:
        raise StartRefused(f"{folder} is on {best[1]}, where file locks do not hold; choose a local folder for claims")


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino


def _lock(path: Path, note: str | None) -> IO[str] | None:
    """Lock a file exclusively and write `note` into it; None where another process holds it."""
    while True:
        file = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        # Somebody may have removed the file between our opening and our locking it: then this lock is on a ghost.
        if (named := _stamp(path)) is not None and named[1] == os.fstat(file.fileno()).st_ino:
            break
        file.close()
    if note is not None:
        _write(file, note)
    return file


def _write(file: IO[str], note: str) -> None:
    """Write a note into a file in place of what is there."""
    file.seek(0)
    file.truncate()
    file.write(note)
    file.flush()


def _unlock(file: IO[str]) -> None:
    """Free a lock; the file stays, empty."""
    file.seek(0)
    file.truncate()
    file.close()
