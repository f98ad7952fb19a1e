"""producer.delivery.spool_folder and spool_files: whose a file is, and that nothing planted there does any harm."""

import os
import resource
import socket
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from producer.delivery import spool as spool_module
from producer.delivery import spool_files
from producer.delivery.spool import Spool, SpoolFailed
from producer.delivery.spool_folder import SpoolFolder
from tests.delivery.test_spool import numbers, opened, put

PRECIOUS_TEXT = "not a spool, and not to be touched"
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others")


def folder(path: Path) -> SpoolFolder:
    return SpoolFolder(path, max_bytes=1 << 30)


def left_by_the_dead(path: Path, *files: range) -> list[Path]:
    """Make a file for each; its worker is gone."""
    spools = [opened(path) for _ in files]
    for spool, each in zip(spools, files, strict=True):
        put(spool, each)
        spool.close()
    return [spool.path for spool in spools]


def taken(spools: SpoolFolder) -> list[list[int]]:
    """Everything that a worker takes up, file by file."""
    found = []
    while (spool := spools.left()) is not None:
        found.append(numbers(spool))
        spool.commit((), range(1, spool.next_id))
        spools.leave(spool)
    return found


def test_what_the_dead_left_is_taken_up_file_by_file_and_nothing_of_the_living(tmp_path: Path) -> None:
    left_by_the_dead(tmp_path, range(3), range(10, 15))
    alive = opened(tmp_path)  # takes the first of the two
    mine = folder(tmp_path)
    own = mine.own()  # and this the second
    dead = opened(tmp_path)
    put(dead, range(20, 22))
    assert mine.left() is None
    dead.close()

    found = taken(mine)

    assert numbers(alive) == [0, 1, 2]
    assert numbers(own) == [10, 11, 12, 13, 14]
    assert found == [[20, 21]]


def test_a_file_that_was_empty_is_looked_at_again_once_somebody_has_used_it(tmp_path: Path) -> None:
    [path] = left_by_the_dead(tmp_path, range(0))
    mine = folder(tmp_path)
    assert mine.left() is None
    used = opened(tmp_path)
    assert used.path == path
    put(used, [1])
    used.close()

    assert taken(mine) == [[1]]


def test_what_the_dead_left_damaged_is_taken_up_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    [path] = left_by_the_dead(tmp_path, range(400))
    content = bytearray(path.read_bytes())
    content[4096 * 4 : 4096 * 5] = bytes(range(256)) * 16
    path.write_bytes(content)

    [found] = taken(folder(tmp_path))

    assert list(tmp_path.glob("spool-0-damaged-*.read")), "the damage was not met"
    assert 100 < len(found) < 400
    assert found == sorted(found)


def test_a_damaged_file_that_nobody_has_read_yet_is_found_under_its_number(tmp_path: Path) -> None:
    [path] = left_by_the_dead(tmp_path, range(4))
    path.rename(tmp_path / "spool-0-damaged-1.db")

    assert taken(folder(tmp_path)) == [[0, 1, 2, 3]]


def of_another_version(path: Path) -> None:
    with sqlite3.connect(path) as file:
        file.execute("PRAGMA user_version = 99")


def unreadable_lock(path: Path) -> None:
    path.with_suffix(".lock").unlink()
    path.with_suffix(".lock").mkdir()


def of_another_user(path: Path) -> None:
    os.chown(path, 12345, 12345)


def lock_of_another_user(path: Path) -> None:
    os.chown(path.with_suffix(".lock"), 12345, 12345)


def replaced(suffix: str, make: Callable[[Path], None]) -> Callable[[Path], None]:
    def plant(path: Path) -> None:
        place = path.with_suffix(".lock") if suffix == ".lock" else path.with_name(path.name + suffix)
        place.unlink(missing_ok=True)
        make(place)

    return plant


def link(place: Path) -> None:
    target = place.parent / "precious"
    target.write_text(PRECIOUS_TEXT)
    place.symlink_to(target)


def dangling(place: Path) -> None:
    place.symlink_to(place.parent / "made-by-following")


def a_socket(place: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(place.name)  # relative: a socket's path must be short


PLANTED = {
    "another version": (of_another_version, "format 99"),
    "a lock that is a directory": (unreadable_lock, "is a directory"),
    "a lock that is a link": (replaced(".lock", link), "is a symbolic link"),
    "a lock that is a dangling link": (replaced(".lock", dangling), "is a symbolic link"),
    "a lock that is a FIFO": (replaced(".lock", os.mkfifo), "is a FIFO"),
    "a database that is a link": (replaced("", link), "is a symbolic link"),
    "a database that is a dangling link": (replaced("", dangling), "is a symbolic link"),
    "a database that is a FIFO": (replaced("", os.mkfifo), "is a FIFO"),
    "a database that is a directory": (replaced("", os.mkdir), "is a directory"),
    "a database that is a socket": (replaced("", a_socket), "is a socket"),
    "a log that is a link": (replaced("-wal", link), "is a symbolic link"),
    "a log that is a FIFO": (replaced("-wal", os.mkfifo), "is a FIFO"),
    "an index that is a link": (replaced("-shm", link), "is a symbolic link"),
}


def planted(case: str, path: Path) -> str:
    """Put something in the place of a part of a file; return how that must be called."""
    plant, called = PLANTED[case]
    plant(path)
    return called


@pytest.mark.parametrize("case", PLANTED)
def test_what_is_no_file_of_ours_is_left_alone_and_said_once(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    path, other = left_by_the_dead(tmp_path, range(3), range(10, 12))
    called = planted(case, path)
    before = {each.name: each.lstat() for each in tmp_path.iterdir() if each.name.startswith("spool-0")}
    mine = folder(tmp_path)
    alone = folder(tmp_path)

    assert taken(mine) == [[10, 11]]
    for _ in range(3):
        assert mine.left() is None
    own = alone.own()

    said = [line for line in capsys.readouterr().out.splitlines() if "spool left alone" in line]
    assert len(said) == 2, "each folder says it once"
    assert called in said[0]
    assert own.path in (other, tmp_path / "spool-2.db")
    assert not (tmp_path / "made-by-following").exists()
    if (tmp_path / "precious").exists():
        assert (tmp_path / "precious").read_text() == PRECIOUS_TEXT
    after = {each.name: each.lstat() for each in tmp_path.iterdir() if each.name.startswith("spool-0")}
    assert {name: (found.st_ino, found.st_mode) for name, found in after.items()} == {
        name: (found.st_ino, found.st_mode) for name, found in before.items()
    }


@root_only
@pytest.mark.parametrize("give", [of_another_user, lock_of_another_user])
def test_another_users_file_is_left_alone(
    give: Callable[[Path], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [path] = left_by_the_dead(tmp_path, range(3))
    give(path)
    before = path.read_bytes()
    mine = folder(tmp_path)

    assert taken(mine) == []
    assert mine.own().path != path
    assert path.read_bytes() == before
    assert "belongs to another user, 12345" in capsys.readouterr().out


def test_a_link_that_is_put_there_between_the_look_and_the_opening_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "spool-0.lock"
    open_, fired = os.open, []

    def exchanged(path: Path, *arguments: int) -> int:
        link(place)
        fired.append(path)
        return open_(path, *arguments)

    monkeypatch.setattr(os, "open", exchanged)
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        spool_files.open_own(place)

    assert fired == [place]
    assert (tmp_path / "precious").read_text() == PRECIOUS_TEXT


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_nobody_else_may_look_into_the_folder_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "spool"
    spool = opened(path)
    put(spool, range(100))

    files = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.iterdir()}

    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert files == dict.fromkeys(["spool-0.db", "spool-0.db-shm", "spool-0.db-wal", "spool-0.lock"], 0o600)


@pytest.mark.usefixtures("open_umask")
def test_a_file_that_others_could_read_is_shut_to_them_and_a_damaged_one_stays_so(tmp_path: Path) -> None:
    [path] = left_by_the_dead(tmp_path, range(400))
    path.write_bytes(b"no database" * 500)
    for each in tmp_path.iterdir():
        each.chmod(0o666)

    opened(tmp_path)

    modes = {stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
    assert list(tmp_path.glob("*.read")), "the damage was not met"
    assert modes == {0o600}


def test_a_folder_that_is_there_already_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "spool").mkdir(mode=0o750)

    opened(tmp_path / "spool")

    assert stat.S_IMODE((tmp_path / "spool").stat().st_mode) == 0o750


def test_no_descriptor_left_is_one_sentence_and_passes(tmp_path: Path) -> None:
    left_by_the_dead(tmp_path, range(3))
    mine = folder(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = os.open("/dev/null", os.O_RDONLY)
    os.close(spare)
    resource.setrlimit(resource.RLIMIT_NOFILE, (spare, hard))  # the next number is one too many
    try:
        with pytest.raises(SpoolFailed, match="Too many open files"):
            mine.own()
        with pytest.raises(SpoolFailed, match="Too many open files"):
            mine.left()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert taken(mine) == [[0, 1, 2]]


def test_a_file_that_somebody_else_uses_for_a_while_is_said_once_and_taken_up_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(spool_module, "BUSY_SECONDS", 0.0)
    [path] = left_by_the_dead(tmp_path, range(3))
    mine = folder(tmp_path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        other.execute("COMMIT")
        for _ in range(3):
            assert mine.left() is None

    assert taken(mine) == [[0, 1, 2]]
    assert capsys.readouterr().out.count("database is locked") == 1


def test_a_folder_that_is_not_there_has_nothing_left_in_it(tmp_path: Path) -> None:
    assert folder(tmp_path / "nowhere").left() is None


def test_opening_a_file_can_be_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool_module, "LOOK_STEPS", 100)
    left_by_the_dead(tmp_path, range(1000))
    mine = folder(tmp_path)
    mine.give_up()

    assert mine.left() is None
    assert taken(folder(tmp_path)) == [list(range(1000))]


def test_a_new_file_is_made_behind_ninety_nine_that_are_planted_and_no_more(tmp_path: Path) -> None:
    for number in range(99):
        (tmp_path / f"spool-{number}.lock").symlink_to(tmp_path / "nothing")

    spool = folder(tmp_path).own()
    spool.close()
    spool.path.unlink()
    (tmp_path / "spool-99.lock").unlink()
    (tmp_path / "spool-99.lock").symlink_to(tmp_path / "nothing")

    assert spool.path.name == "spool-99.db"
    with pytest.raises(
        SpoolFailed, match=r"cannot be used: spool-99\.lock is a symbolic link, and no regular file; it must"
    ):
        folder(tmp_path).own()


def test_a_mount_on_which_each_new_file_is_anothers_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    us = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: us + 1)
    spools = folder(tmp_path)

    for _ in range(2):
        with pytest.raises(SpoolFailed, match=f"spool-99\\.lock belongs to another user, {us}; it must be a directory"):
            spools.own()

    assert len(list(tmp_path.iterdir())) == 100


def test_a_file_that_was_taken_away_goes_on_in_a_new_one(tmp_path: Path) -> None:
    mine = folder(tmp_path)
    spool: Spool = mine.own()
    put(spool, range(5))
    for each in tmp_path.iterdir():
        each.unlink()

    with pytest.raises(SpoolFailed, match="was taken away"):
        put(spool, [5])
    heir = mine.moved(spool)
    put(heir, [5])

    assert numbers(heir) == [0, 1, 2, 3, 4, 5]
    heir.close()
    assert taken(folder(tmp_path)) == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.parametrize("case", [case for case in PLANTED if case != "another version"])
def test_looking_at_what_is_no_regular_file_says_so_and_waits_for_nothing(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [path] = left_by_the_dead(tmp_path, range(3))
    called = planted(case, path)

    said = spool_files.describe(path, now_ms=0.0)

    if "lock" not in case:
        assert called in said["problem"]
        assert said["records"] == 0
    assert spool_files.paths(tmp_path) == [path]
