"""The folder in which the workers of one machine see each other, with this worker's own file in it."""

import asyncio
import errno
import fcntl
import os
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from producer import logs
from producer.assignments.claim_files import LockedFile, decode_note, encode_note, lock, unusable
from producer.assignments.complaints import Complaints
from producer.assignments.interface import Said
from producer.errors import StartRefused

JOIN_ATTEMPTS = 5
JOIN_SECONDS = 0.1
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "ceph", "glusterfs"})
MOUNTS = Path("/proc/self/mounts")

Listing = Mapping[str, int]
"""The names in the folder, with the inodes of what they name."""


class ClaimsFolder:
    """The folder, as one worker uses it. After `join` nothing that is wrong with it is raised but by `lock`."""

    def __init__(self, path: Path, *, worker: str, complaints: Complaints) -> None:
        self._path = path
        self._worker = worker
        self._complaints = complaints
        self._own: LockedFile | None = None
        self._others: dict[str, tuple[int, int]] = {}
        """The other workers' files, each with what is another once it is another process's."""
        self._log = logs.get()

    @property
    def workers(self) -> int:
        """How many live, with this one."""
        return 1 + len(self._others)

    async def join(self) -> None:
        """Make the folder, and be seen in it. Raises StartRefused."""
        label = f"the claims folder {self._path} (PRODUCER_CLAIMS_DIRECTORY)"
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            refuse_network_file_system(self._path)
            for _ in range(JOIN_ATTEMPTS):
                if (own := self.lock(f"{self._worker}.member")) is not None:
                    self._own = own
                    self.note(own, None)
                    return
                await asyncio.sleep(JOIN_SECONDS)  # another worker may be looking whether we live
        except FileExistsError as cause:
            raise StartRefused(f"{label} cannot be used: it is no folder") from cause
        except OSError as cause:
            raise StartRefused(f"{label} cannot be used: {cause.strerror}") from cause
        raise name_taken(self._worker)

    def leave(self) -> None:
        """Be seen in it no longer."""
        if self._own is not None:
            self.remove(self._own)

    def listing(self) -> Listing | None:
        """What is in the folder, which is made anew where it is gone; None where it cannot be listed."""
        try:
            with os.scandir(self._path) as entries:
                return {entry.name: entry.inode() for entry in entries}
        except FileNotFoundError:
            pass
        except OSError as problem:
            self._complaints.failed("claims folder not listed", problem, str(self._path))
            return None
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            self._complaints.failed("claims folder not made", problem, str(self._path))
            return None
        self._log.warning("claims folder made anew", folder=str(self._path))
        return {}

    def was_lost(self, listing: Listing) -> bool:
        """Whether our own file was gone, as it is when the whole folder was; it is made anew."""
        own = self._own
        if own is None or in_place(own, listing):
            return False
        try:
            again = self.lock(own.name)
            if again is None:
                raise OSError(errno.EBUSY, "another process holds it")
        except OSError as problem:
            self._complaints.failed("other workers do not see this one", problem, own.name)
        else:
            own.close()
            self._own = again
            self.note(again, None)
        return True

    def somebody_died(self, listing: Listing) -> bool:
        """Look which other workers live, and remove the files of the dead; whether one has died since the last look."""
        others: dict[str, tuple[int, int]] = {}
        for name in listing:
            if not name.endswith(".member") or name == f"{self._worker}.member":
                continue
            try:
                dead = lock(self._path / name, create=False)
                if dead is None:
                    status = os.lstat(self._path / name)
                    others[name] = status.st_ino, status.st_mtime_ns
                else:
                    self.remove(dead)
            except FileNotFoundError:
                continue
            except OSError as problem:
                self._complaints.failed("workers not counted", problem, name)
                if name in self._others:
                    others[name] = self._others[name]
        died = bool(self._others.items() - others.items())
        self._others = others
        return died

    def lock(self, name: str) -> LockedFile | None:
        """Lock a file; None where another process holds it. Raises OSError (`claim_files.lock`)."""
        return lock(self._path / name)

    def note(self, file: LockedFile, said: Said | None) -> None:
        """Note in a file that it is ours, and what was said last."""
        try:
            file.write(encode_note(worker=self._worker, pid=os.getpid(), since=int(time.time()), said=said))
        except OSError as problem:
            self._complaints.failed("notes not written", problem, file.name)

    def said(self, file: LockedFile) -> Said | None:
        """What the last worker that had a file noted in it; None where that says nothing."""
        try:
            return decode_note(file.read())
        except OSError as problem:
            self._complaints.failed("notes not read", problem, file.name)
            return None

    def remove(self, file: LockedFile) -> None:
        """Free a file's lock, and remove it."""
        try:
            file.remove()
        except OSError as problem:
            self._complaints.failed("files not removed", problem, file.name)


def in_place(file: LockedFile, listing: Listing) -> bool:
    """Whether a locked file is still the one of its name. The listing is asked first: it costs nothing more."""
    return listing.get(file.name) == file.inode or file.in_place()


def unusable_files(folder: Path) -> list[str]:
    """What stands in the folder where claims belong and cannot be one, with why. Raises OSError."""
    found = []
    for path in sorted(folder.iterdir()):
        with suppress(FileNotFoundError):  # given up meanwhile
            if path.suffix in (".claim", ".member") and (problem := unusable(path.lstat())):
                found.append(f"{path.name}: {problem}")
    return found


def refuse_unlockable(folder: Path, *, worker: str | None) -> None:
    """Raise StartRefused where `join` would, of a folder that there is; nothing is left in it.

    `worker` is a name that was chosen: another worker of that name has its file locked.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            fcntl.flock(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if worker is not None:
            with suppress(FileNotFoundError):
                found = lock(folder / f"{worker}.member", create=False)
                if found is None:
                    raise name_taken(worker)
                found.close()
    except OSError as cause:
        raise StartRefused(
            f"the claims folder {folder} (PRODUCER_CLAIMS_DIRECTORY) cannot be used: {cause.strerror}"
        ) from cause


def name_taken(worker: str) -> StartRefused:
    """Another worker of this machine has the name."""
    return StartRefused(f"a worker named {worker} is running already; choose another PRODUCER_WORKER_NAME")


def refuse_network_file_system(folder: Path, mounts: Path = MOUNTS) -> None:
    """Raise StartRefused where locks on `folder` may not hold. Silent where the system does not tell."""
    try:
        lines = mounts.read_bytes().splitlines()
    except OSError:
        return
    resolved = Path(os.path.realpath(folder))
    longest, kind = -1, ""
    for line in lines:
        _, point, found, *_ = (os.fsdecode(_unescaped(part)) for part in (line + b"   ").split(b" "))
        if resolved.is_relative_to(point) and len(point) >= longest:  # of two on one point the later one is seen
            longest, kind = len(point), found
    if kind in NETWORK_FILE_SYSTEMS:
        raise StartRefused(
            f"{folder} is on {kind}, where file locks do not hold; choose a local PRODUCER_CLAIMS_DIRECTORY"
        )


def _unescaped(part: bytes) -> bytes:
    """A part of a line of /proc/self/mounts, in which blanks and line breaks are written in octal: proc(5)."""
    for written, meant in ((b"\\040", b" "), (b"\\011", b"\t"), (b"\\012", b"\n"), (b"\\134", b"\\")):
        part = part.replace(written, meant)
    return part
