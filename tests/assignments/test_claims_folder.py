"""producer.assignments.claims_folder: a real folder; where locks hold, by what the system says of its mounts."""

import asyncio
import errno
from pathlib import Path

import pytest

from producer.assignments import claims_folder
from producer.assignments.claim_files import lock
from producer.assignments.claims_folder import ClaimsFolder, refuse_network_file_system
from producer.assignments.complaints import Complaints
from producer.errors import StartRefused


class Doubled:
    """A folder as one worker uses it, and what failed there."""

    def __init__(self, path: Path, worker: str) -> None:
        self.failures = 0
        self.folder = ClaimsFolder(path, worker=worker, complaints=Complaints(failed=self._failed))

    def _failed(self) -> None:
        self.failures += 1

    def died(self) -> bool:
        listing = self.folder.listing()
        assert listing is not None
        return self.folder.somebody_died(listing)


def joined(path: Path, worker: str) -> Doubled:
    found = Doubled(path, worker)
    asyncio.run(found.folder.join())
    return found


@pytest.mark.parametrize(
    "more",
    [
        "server:/x {folder} nfs4 rw 0 0",
        "/dev/a {folder} ext4 rw 0 0\nserver:/x {folder} nfs4 rw 0 0",
        "\nrubbish\nserver:/x {folder} nfs4 rw 0 0\n\xff\n/dev/b {folder}er ext4 rw 0 0",
    ],
)
def test_a_network_file_system_is_refused(more: str, tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    mounts = tmp_path / "mounts"
    mounts.write_bytes(b"/dev/root / ext4 rw 0 0\n" + more.format(folder=f"{tmp_path}/a\\040b").encode("latin-1"))

    with pytest.raises(StartRefused, match="is on nfs4, where file locks do not hold"):
        refuse_network_file_system(folder / "claims", mounts)


@pytest.mark.parametrize(
    "more", ["server:/x {folder}/other nfs4 rw 0 0", "server:/x {folder} nfs4 rw\ntmpfs {folder} tmpfs rw"]
)
def test_a_folder_of_this_machine_is_not(more: str, tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/root / ext4 rw 0 0\n" + more.format(folder=tmp_path))

    refuse_network_file_system(tmp_path / "claims", mounts)
    refuse_network_file_system(tmp_path / "claims", tmp_path / "nowhere")


def test_the_folder_is_made_for_its_user_alone(tmp_path: Path) -> None:
    joined(tmp_path / "claims", "one")

    assert (tmp_path / "claims").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "claims" / "one.member").stat().st_mode & 0o777 == 0o600


def test_workers_are_counted_and_the_dead_are_noticed_once(tmp_path: Path) -> None:
    one, two, three = (joined(tmp_path, name) for name in ("one", "two", "three"))
    one.died()
    counted = one.folder.workers

    three.folder.leave()
    noticed = [one.died(), one.died()]
    left = one.folder.workers
    two.folder.leave()

    assert (counted, noticed, left) == (3, [True, False], 2)


def test_a_worker_that_came_back_under_its_name_had_died(tmp_path: Path) -> None:
    one, two = joined(tmp_path, "one"), joined(tmp_path, "two")
    assert one.died() is False

    two.folder.leave()
    joined(tmp_path, "two")

    assert one.died() is True
    assert one.folder.workers == 2


def test_what_is_no_workers_file_counts_for_none_and_stays(tmp_path: Path) -> None:
    one = joined(tmp_path, "one")
    (tmp_path / "two.member").mkdir()
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "three.member").symlink_to(tmp_path / "precious")

    one.died()

    assert (one.folder.workers, one.failures) == (1, 2)
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_worker_that_cannot_be_looked_at_counts_as_it_did(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = joined(tmp_path, "one"), joined(tmp_path, "two")
    one.died()

    def exhausted(*_: object, **__: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr(claims_folder, "lock", exhausted)
        died = one.died()
        workers = one.folder.workers
    two.folder.leave()

    assert (died, workers, one.failures) == (False, 2, 1)
    assert one.died() is True


def test_a_worker_whose_file_was_removed_makes_it_again(tmp_path: Path) -> None:
    one, two = joined(tmp_path, "one"), joined(tmp_path, "two")
    (tmp_path / "one.member").unlink()

    lost = one.folder.was_lost(one.folder.listing() or {})

    assert lost is True
    assert one.folder.was_lost(one.folder.listing() or {}) is False
    two.died()
    assert two.folder.workers == 2


def test_a_worker_whose_name_was_taken_meanwhile_goes_on_being_lost(tmp_path: Path) -> None:
    one = joined(tmp_path, "one")
    (tmp_path / "one.member").unlink()
    thief = lock(tmp_path / "one.member")
    assert thief is not None

    lost = one.folder.was_lost(one.folder.listing() or {})
    thief.remove()
    again = one.folder.was_lost(one.folder.listing() or {})

    assert (lost, again, one.failures) == (True, True, 1)
    assert one.folder.was_lost(one.folder.listing() or {}) is False


def test_a_folder_that_is_gone_is_made_again_and_what_cannot_be_listed_is_none(tmp_path: Path) -> None:
    one = joined(tmp_path / "claims", "one")
    (tmp_path / "claims" / "one.member").unlink()
    (tmp_path / "claims").rmdir()

    made = one.folder.listing()
    (tmp_path / "claims").rmdir()
    (tmp_path / "claims").touch()
    none = one.folder.listing()

    assert (made, none, one.failures) == ({}, None, 1)
