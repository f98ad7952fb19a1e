"""producer.assignments.claim_files: real files and locks, whatever else is in the folder, and notes of any bytes."""

import fcntl
import json
import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from producer.assignments.claim_files import MOST_NOTE_BYTES, LockedFile, decode_note, encode_note, lock
from producer.assignments.interface import Said

PARKED = Said("parked", room_id="7300000000000000001", error="a bug of ours", bugs=3, again_at=1_796_000_000_000)


def locked(path: Path) -> LockedFile:
    file = lock(path)
    assert file is not None
    return file


def test_a_locked_file_is_nobody_elses_until_it_is_closed_and_keeps_its_note(tmp_path: Path) -> None:
    path = tmp_path / "a.claim"

    first = locked(path)
    first.write(b"a note")
    second = lock(path)
    first.close()
    third = locked(path)

    assert second is None
    assert third.read() == b"a note"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_shorter_note_leaves_nothing_of_the_longer_one(tmp_path: Path) -> None:
    file = locked(tmp_path / "a.claim")

    file.write(b"a long note")
    file.write(b"short")

    assert (tmp_path / "a.claim").read_bytes() == b"short"


def test_a_file_that_is_given_up_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "a.claim"

    locked(path).remove()

    assert not path.exists()
    locked(path)


def test_a_file_that_another_has_under_the_name_since_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "a.claim"
    ours = locked(path)
    path.unlink()
    theirs = locked(path)

    ours.remove()

    assert (ours.in_place(), theirs.in_place()) == (False, True)


def test_a_lock_on_a_file_that_was_removed_before_it_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.claim"
    removed = 0

    def flock(descriptor: int, operation: int) -> None:
        nonlocal removed
        if not removed:
            path.unlink()
            removed += 1
        original(descriptor, operation)

    original = fcntl.flock
    monkeypatch.setattr(fcntl, "flock", flock)

    assert locked(path).in_place()
    assert removed == 1


def test_one_that_is_not_to_be_made_is_not(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        lock(tmp_path / "a.claim", create=False)

    assert list(tmp_path.iterdir()) == []


def link_to_a_file(path: Path) -> None:
    (path.parent / "precious").write_text("precious")
    path.symlink_to(path.parent / "precious")


def hard_link(path: Path) -> None:
    (path.parent / "precious").write_text("precious")
    path.hardlink_to(path.parent / "precious")


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(path.parent)  # a socket's address has 108 bytes
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


PLANTED: dict[str, tuple[Callable[[Path], None], str]] = {
    "link": (link_to_a_file, "it is a symbolic link"),
    "link to nothing": (lambda path: path.symlink_to(path.parent / "nothing"), "it is a symbolic link"),
    "link to itself": (lambda path: path.symlink_to(path), "it is a symbolic link"),
    "hard link": (hard_link, "it has another name, by a hard link"),
    "folder": (lambda path: path.mkdir(), "it is a folder"),
    "pipe": (os.mkfifo, "it is a pipe"),
    "socket": (unix_socket, "it is a socket"),
}


@pytest.mark.parametrize("kind", PLANTED)
def test_what_is_no_file_of_ours_is_not_opened_for_writing_nor_waited_for(kind: str, tmp_path: Path) -> None:
    plant, problem = PLANTED[kind]
    plant(tmp_path / "a.claim")
    before = sorted(path.name for path in tmp_path.iterdir())

    with pytest.raises(OSError) as refused:
        lock(tmp_path / "a.claim")

    assert refused.value.strerror == problem
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    if "precious" in before:
        assert (tmp_path / "precious").read_text() == "precious"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices and gives files away")
def test_a_device_and_another_users_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").touch()
    os.chown(tmp_path / "theirs", 12345, 12345)
    os.mknod(tmp_path / "device", 0o600 | stat.S_IFCHR, os.makedev(1, 3))

    with pytest.raises(OSError) as theirs:
        lock(tmp_path / "theirs")
    with pytest.raises(OSError) as device:
        lock(tmp_path / "device")

    assert theirs.value.strerror == "it belongs to another user (12345)"
    assert device.value.strerror in ("it is a device", "Permission denied")  # where file systems let none be opened


def test_a_note_is_for_people_and_says_again_what_was_said() -> None:
    note = encode_note(worker="me", pid=7, since=1_790_000_000, said=PARKED)

    assert json.loads(note) == {
        "worker": "me",
        "pid": 7,
        "since": 1_790_000_000,
        "state": "parked",
        "room_id": "7300000000000000001",
        "error": "a bug of ours",
        "bugs": 3,
        "again_at": 1_796_000_000_000,
    }
    assert decode_note(note) == PARKED


def test_the_longest_note_can_be_read_and_moves_no_cursor() -> None:
    note = encode_note(worker="me", pid=7, since=1, said=Said("backing_off", error="\x1b\x7f\n\N{ROSE}\ud800" * 9_999))

    assert len(note) <= MOST_NOTE_BYTES
    assert note.isascii() and note.decode().isprintable()
    assert decode_note(note) is not None


@pytest.mark.parametrize(
    ("note", "expected"),
    [
        (b'{"state": "connected"}', Said("connected")),
        (b'{"state": "parked", "bugs": "3", "again_at": 1.5, "room_id": 7, "error": []}', Said("parked")),
        (b'{"state": "parked", "bugs": -1, "again_at": -1}', Said("parked")),
        (b'{"state": "parked", "bugs": 99999999999999999999}', Said("parked")),
        (b'{"worker": "me", "pid": 7, "since": 1}', None),
        (b'{"state": ["parked"]}', None),
        (b'{"state": ""}', None),
        (b"", None),
        (b'{"state": "parked"', None),
        (b"[" * 10_000, None),
        (b'{"state": "parked"}' + b" " * MOST_NOTE_BYTES, None),
        (b"\xff", None),
    ],
)
def test_a_note_says_only_what_it_can(note: bytes, expected: Said | None) -> None:
    assert decode_note(note) == expected
