"""The files of a claims folder: each locked exclusively by the process that has what it stands for, with a note in it.

Whoever may write to the folder can put anything there under a claim's name: a link to somebody's file, a pipe or a
device. Only a regular file of our own user's, with no other name, is locked and written to; no link is followed.
"""

import errno
import fcntl
import json
import os
import stat
from contextlib import suppress
from pathlib import Path

from producer import strangers
from producer.assignments.interface import Said
from producer.strangers import Unreadable

MOST_NOTE_BYTES = 16 * 1024
MOST_ERROR = 1_000
"""Letters of an error that are noted; each takes 12 bytes at the most."""

# A pipe that nobody reads does not hold up who opens it, and a link is an error.
_FLAGS = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_ATTEMPTS = 5
_KINDS = {
    stat.S_IFLNK: "it is a symbolic link",
    stat.S_IFDIR: "it is a folder",
    stat.S_IFIFO: "it is a pipe",
    stat.S_IFSOCK: "it is a socket",
    stat.S_IFCHR: "it is a device",
    stat.S_IFBLK: "it is a device",
}


class LockedFile:
    """A file of the folder that this process has locked. The kernel frees the locks of a process that dies."""

    __slots__ = ("_descriptor", "_device", "_path", "inode", "name")

    def __init__(self, path: Path, descriptor: int) -> None:
        status = os.fstat(descriptor)
        self.name = path.name
        self.inode = status.st_ino
        self._device = status.st_dev
        self._path = path
        self._descriptor = descriptor

    def in_place(self) -> bool:
        """Whether the file of this name is still this one: another process would lock what is there now."""
        try:
            status = os.lstat(self._path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == (self._device, self.inode)

    def read(self) -> bytes:
        """What is noted; at the most one byte more than a note may have. Raises OSError."""
        return os.pread(self._descriptor, MOST_NOTE_BYTES + 1, 0)

    def write(self, note: bytes) -> None:
        """Note this in place of what is there. Raises OSError, with nothing noted and the lock held all the same."""
        try:
            written = os.pwrite(self._descriptor, note, 0)
            os.ftruncate(self._descriptor, written)
            if written < len(note):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            self._empty()
            raise

    def close(self) -> None:
        """Free the lock; the file stays, with its note."""
        os.close(self._descriptor)

    def remove(self) -> None:
        """Free the lock, and remove the file for others to see it. Raises OSError, with the lock free all the same."""
        try:
            if self.in_place():
                self._path.unlink()
        except OSError:
            self._empty()
            raise
        finally:
            self.close()

    def _empty(self) -> None:
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)


def lock(path: Path, *, create: bool = True) -> LockedFile | None:
    """Lock a file, made where there is none; None where another process holds it.

    Raises OSError where it cannot be had: by what the system says, or since it is no file of ours.
    """
    for _ in range(_ATTEMPTS):
        descriptor = _open(path, create=create)
        try:
            if problem := unusable(os.fstat(descriptor)):
                raise OSError(errno.EPERM, problem)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file = LockedFile(path, descriptor)
            # Somebody may have removed the file between our opening and our locking it: then this lock is on a ghost.
            if file.in_place():
                return file
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
    return None


def _open(path: Path, *, create: bool) -> int:
    try:
        return os.open(path, _FLAGS | (os.O_CREAT if create else 0), 0o600)
    except OSError as cause:
        problem = None
        with suppress(OSError):
            problem = unusable(os.lstat(path))
        raise OSError(cause.errno, problem or os.strerror(cause.errno or 0)) from cause


def unusable(status: os.stat_result) -> str | None:
    """Why something in the folder is no file of ours; None where it is one."""
    kind = stat.S_IFMT(status.st_mode)
    if kind != stat.S_IFREG:
        return _KINDS.get(kind, "it is no regular file")
    if status.st_uid != os.geteuid():
        return f"it belongs to another user ({status.st_uid})"
    return "it has another name, by a hard link" if status.st_nlink > 1 else None


def encode_note(*, worker: str, pid: int, since: int, said: Said | None) -> bytes:
    """A note: who has the claim, since when (seconds since 1970), what was said last. JSON, printable ASCII."""
    note: dict[str, str | int | None] = {"worker": worker, "pid": pid, "since": since}
    if said is not None:
        note |= {"state": said.state, "room_id": said.room_id, "error": said.error and said.error[:MOST_ERROR]}
        note |= {"bugs": said.bugs} if said.bugs else {}
        note |= {"again_at": said.again_at} if said.again_at is not None else {}
    return json.dumps(note).replace("\x7f", "\\u007f").encode()


def decode_note(note: bytes) -> Said | None:
    """What a note says of its streamer; None where it says nothing, or is none: anybody may have written it."""
    try:
        found = strangers.json_object(note, most_bytes=MOST_NOTE_BYTES, most_values=100)
    except Unreadable:
        return None
    state = strangers.text(found.get("state"), most=50)
    if not state:
        return None
    return Said(
        state,
        room_id=strangers.text(found.get("room_id"), most=50),
        error=strangers.text(found.get("error"), most=MOST_ERROR),
        bugs=strangers.integer(found.get("bugs"), least=0) or 0,
        again_at=strangers.integer(found.get("again_at"), least=0),
    )
