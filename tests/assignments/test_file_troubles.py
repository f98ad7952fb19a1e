"""producer.assignments.file where disk, descriptors, rights or somebody in the folder are against it: it goes on."""

import asyncio
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.assignments import claims_folder, file
from producer.assignments.claim_files import LockedFile, lock
from producer.assignments.claims import Streamer
from producer.assignments.file import FileAssignments
from producer.assignments.interface import Leaving, Said
from tests.assignments.fleet import FileBackend, Fleet, eventually, play
from tests.assignments.turns import Turns


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file, "LOOK_SECONDS", 0.02)


class Watched(FileAssignments):
    """Counts what failed."""

    def __init__(self, folder: Path, worker: str = "one", *, most: int = 10_000) -> None:
        self.failures = 0
        super().__init__(
            folder / "list.yaml", folder / "claims", worker=worker, max_streams=most, claim_failed=self._count
        )

    def _count(self) -> None:
        self.failures += 1

    async def fails(self, times: int) -> None:
        """Wait until so much more has failed."""
        before = self.failures
        await eventually(lambda: self.failures >= before + times)


def claims(folder: Path) -> set[str]:
    return {path.stem for path in (folder / "claims").glob("*.claim")}


def link(path: Path) -> None:
    path.with_name("precious").write_text("precious")
    path.symlink_to("precious")


def test_what_is_planted_is_not_claimed_said_once_for_its_kind_and_claimed_once_it_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "claims"
    folder.mkdir()
    planted: dict[str, Callable[[Path], None]] = {
        "link1": link,
        "link2": lambda path: path.symlink_to("nothing"),
        "pipe1": os.mkfifo,
        "dir1": lambda path: path.mkdir(),
    }
    for name, plant in planted.items():
        plant(folder / f"{name}.claim")

    async def main() -> None:
        async with Fleet(FileBackend(tmp_path)) as fleet:
            await fleet.names("aa", "bb", *planted)
            watched = Watched(tmp_path)
            one = await fleet.worker("one", assignments=watched)
            await fleet.until(lambda: one.held == {"aa", "bb"})
            await watched.fails(3 * len(planted))
            assert one.held == {"aa", "bb"}
            assert (folder / "precious").read_text() == "precious"
            (folder / "dir1.claim").rmdir()
            (folder / "link2.claim").unlink()
            await fleet.until(lambda: one.held == {"aa", "bb", "dir1", "link2"})

    with capture_logs() as lines:
        play(main)

    said = [(line["problem"], line["files"]) for line in lines if line["event"] == "streamers not claimed"]
    assert sorted(said) == [
        ("it is a folder", "dir1.claim"),
        ("it is a pipe", "pipe1.claim"),
        ("it is a symbolic link", "link1.claim, link2.claim"),
    ]


def removed(folder: Path) -> None:
    shutil.rmtree(folder)


def moved_away(folder: Path) -> None:
    folder.rename(folder.with_name("elsewhere"))


def replaced(folder: Path) -> None:
    moved_away(folder)
    folder.mkdir()


def copied(folder: Path) -> None:
    moved_away(folder)
    shutil.copytree(folder.with_name("elsewhere"), folder)


@pytest.mark.parametrize("happens", [removed, moved_away, replaced, copied])
def test_a_folder_that_is_gone_comes_back_and_nobody_loses_a_room(
    happens: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = tmp_path / "claims"
    names = {f"s{number}" for number in range(60)}

    async def main() -> None:
        async with Fleet(FileBackend(tmp_path)) as fleet:
            await fleet.names(*names)
            workers = [await fleet.worker(name, assignments=Watched(tmp_path, name)) for name in ("one", "two")]
            await fleet.until(lambda: all(len(worker.held) == 30 for worker in workers))
            held = [worker.held for worker in workers]
            started = [list(worker.started) for worker in workers]
            inodes = {path.name: path.stat().st_ino for path in folder.iterdir()}
            happens(folder)
            await eventually(lambda: claims(tmp_path) == names and len(list(folder.glob("*.member"))) == 2)
            await eventually(lambda: all(path.stat().st_ino != inodes[path.name] for path in folder.iterdir()))
            await eventually(lambda: all(is_locked(path) for path in folder.iterdir()))
            # They go on sharing: what comes is claimed, what goes is let go.
            await fleet.names(*sorted(names - {"s0"}), "more")
            await fleet.until(lambda: names - {"s0"} | {"more"} == workers[0].held | workers[1].held)
            for worker, before, begun in zip(workers, held, started, strict=True):
                assert before - {"s0"} <= worker.held
                assert set(worker.started[len(begun) :]) <= {"more"}

    play(main)


def is_locked(path: Path) -> bool:
    try:
        probe = lock(path, create=False)
    except FileNotFoundError:
        return False
    if probe is not None:
        probe.close()
    return probe is None


def test_a_folder_that_cannot_be_used_keeps_nobody_from_leaving_and_is_used_again(tmp_path: Path) -> None:
    folder = tmp_path / "claims"

    async def main() -> None:
        async with Fleet(FileBackend(tmp_path)) as fleet:
            await fleet.names("aa", "bb")
            watched = Watched(tmp_path)
            one = await fleet.worker("one", assignments=watched)
            await fleet.until(lambda: one.held == {"aa", "bb"})
            moved_away(folder)
            folder.write_text("no folder")
            await watched.fails(3)
            watched.report(Streamer("aa"), Said(state="connected"))
            await fleet.names("aa", "cc")
            await fleet.until(lambda: one.held == {"aa"})
            await watched.fails(3)
            folder.unlink()
            await fleet.until(lambda: one.held == {"aa", "cc"})

    with capture_logs() as lines:
        play(main)

    assert [line["problem"] for line in lines if line["event"] == "claims folder not listed"] == ["Not a directory"]


def test_a_claim_that_another_took_while_its_file_was_gone_is_given_up_to_it(tmp_path: Path) -> None:
    async def main() -> None:
        async with Fleet(FileBackend(tmp_path)) as fleet:
            await fleet.names("aa", "bb")
            async with Watched(tmp_path) as source:
                changes = source.changes()
                while await anext(changes) != {"aa", "bb"}:
                    pass
                (tmp_path / "claims" / "aa.claim").unlink()
                thief = lock(tmp_path / "claims" / "aa.claim")
                assert thief is not None
                assert await anext(changes) == {"bb"}
                assert source.why(Streamer("aa")) is Leaving.FENCED
                await source.release(Streamer("aa"))
                assert thief.in_place()

    play(main)


# ------------------------------------------------------------------------------------ disk, descriptors and rights

SCRIPT = """
import asyncio, os, resource, subprocess, sys
from pathlib import Path
from producer.assignments import claims_folder, file
from producer.assignments.claims import Streamer
from producer.assignments.interface import Said
from tests.assignments.fleet import FileBackend, Fleet, eventually, play
from tests.assignments.test_file_troubles import Watched, claims

file.LOOK_SECONDS = 0.02
folder = Path(sys.argv[1])

async def main():
    async with Fleet(FileBackend(folder)) as fleet:
        await scenario(fleet)
"""

FULL = """
async def scenario(fleet):
    claims_folder = folder / "claims"
    claims_folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=7", "none", str(claims_folder)], check=True)
    (claims_folder / "filler").touch()
    (claims_folder / "spare").touch()
    await fleet.names("aa", "bb", "cc", "dd")
    watched = Watched(folder)
    one = await fleet.worker("one", assignments=watched)
    # Of seven inodes the folder, two files and our own have four.
    await fleet.until(lambda: one.held == {"aa", "bb", "cc"})
    await watched.fails(3)
    try:
        (claims_folder / "filler").write_bytes(bytes(65536))
        raise AssertionError("the disk is not full")
    except OSError as problem:
        print("fault:", problem.strerror)
    (claims_folder / "spare").unlink()
    await fleet.until(lambda: one.held == {"aa", "bb", "cc", "dd"})  # without a note
    assert (claims_folder / "dd.claim").read_bytes() == b""
    watched.report(Streamer("aa"), Said("connected", error="\\N{ROSE}" * 1000))  # more than the page that it has
    assert (claims_folder / "aa.claim").read_bytes() == b""
    (claims_folder / "filler").unlink()
    watched.report(Streamer("aa"), Said(state="offline"))
    assert b"offline" in (claims_folder / "aa.claim").read_bytes()
    assert sorted(one.started) == ["aa", "bb", "cc", "dd"], one.started
play(main)
"""

EXHAUSTED = """
async def scenario(fleet):
    await fleet.names("aa", "bb")
    watched = Watched(folder)
    one = await fleet.worker("one", assignments=watched)
    await fleet.until(lambda: one.held == {"aa", "bb"})
    await fleet.names("aa", "cc", "dd", "ee", "ff")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, hard))
    taken = []
    try:
        while True:
            taken.append(os.open("/dev/null", os.O_RDONLY))
    except OSError as problem:
        print("fault:", problem.strerror)
    await watched.fails(5)
    assert one.held == {"aa", "bb"}, one.held
    os.close(taken.pop())  # enough to read the list and the folder, and for the first claims of those that are free
    await fleet.until(lambda: len(one.held) > 1 and "bb" not in one.held)
    await watched.fails(5)
    assert "aa" in one.held and len(one.held) < 5
    for descriptor in taken:
        os.close(descriptor)
    await fleet.until(lambda: one.held == {"aa", "cc", "dd", "ee", "ff"})
    assert sorted(one.started) == ["aa", "bb", "cc", "dd", "ee", "ff"], one.started
play(main)
"""

FORBIDDEN = """
async def scenario(fleet):
    await fleet.names("aa", "bb", "cc")
    claims_folder = folder / "claims"
    watched = Watched(folder)
    one = await fleet.worker("one", assignments=watched)
    await fleet.until(lambda: one.held == {"aa", "bb", "cc"})
    claims_folder.chmod(0o500)
    await fleet.names("aa", "bb", "dd")
    await fleet.until(lambda: one.held == {"aa", "bb"})
    await watched.fails(3)
    claims_folder.chmod(0)
    await watched.fails(3)
    assert one.held == {"aa", "bb"}
    (folder / "list.yaml").chmod(0)
    try:
        (folder / "list.yaml").read_bytes()
        raise AssertionError("modes are not obeyed")
    except OSError as problem:
        print("fault:", problem.strerror)
    claims_folder.chmod(0o700)
    await fleet.until(lambda: one.held == {"aa", "bb", "dd"})
if os.geteuid() == 0:  # who obeys no modes; the other may not see where Python is, so all is imported before
    asyncio.run(asyncio.to_thread(lambda: None))
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
play(main)
"""


def run(script: str, folder: Path, *apart: str) -> list[str]:
    done = subprocess.run(
        [*apart, sys.executable, "-c", SCRIPT + script, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def said(lines: list[str], event: str) -> int:
    return sum(event in line for line in lines)


def test_a_full_disk_takes_no_room_from_anybody(tmp_path: Path) -> None:
    apart = ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system of their own")

    lines = run(FULL, tmp_path, *apart)

    assert "fault: No space left on device" in lines
    assert said(lines, "streamers not claimed") == said(lines, "notes not written") == 1
    assert any("dd.claim, aa.claim" in line for line in lines)


def test_without_descriptors_nothing_is_claimed_and_nobody_is_let_go(tmp_path: Path) -> None:
    lines = run(EXHAUSTED, tmp_path)

    assert "fault: Too many open files" in lines
    assert said(lines, "claims folder not listed") == said(lines, "streamers not claimed") == 1
    assert said(lines, "list not read; the list before it stands") == 1


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user may use; pytest's are its own user's."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def test_without_rights_nothing_is_claimed_and_nobody_is_let_go(open_folder: Path) -> None:
    lines = run(FORBIDDEN, open_folder)

    assert "fault: Permission denied" in lines
    assert said(lines, "streamers not claimed") == said(lines, "claims folder not listed") == 1


# --------------------------------------------------------------------------------------------------- what looks cost


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8_000
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this machine lets a process have {hard} files open")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Others:
    """Three other workers, a, b and c, and what they have locked. Use it as a context manager."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        folder.mkdir()
        files = ("a.member", "b.member", "c.member", *(f"{name}.claim" for name in names))
        self.files = {name: found for name in files if (found := lock(folder / name)) is not None}

    def __enter__(self) -> "Others":
        return self

    def __exit__(self, *_: object) -> None:
        self.die(*self.files)

    def die(self, *names: str) -> None:
        for name in names:
            self.files.pop(name).close()


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many claims were tried at each look; whether the worker b lives is asked at each of them, once, before."""
    tried: list[int] = []

    def spy(path: Path, *, create: bool = True) -> LockedFile | None:
        if path.name == "b.member":
            tried.append(0)
        elif path.suffix == ".claim":
            tried[-1] += 1
        return lock(path, create=create)

    monkeypatch.setattr(claims_folder, "lock", spy)
    return tried


def test_a_worker_below_its_share_tries_few_claims_of_the_living_and_all_of_the_dead(
    tmp_path: Path, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "RETRIES", 10)
    names = [f"s{number:03}" for number in range(100)]

    async def main() -> None:
        async with Fleet(FileBackend(tmp_path)) as fleet:
            await fleet.names(*names)
            one = await fleet.worker("one", assignments=Watched(tmp_path))
            await eventually(lambda: len(looks) > 4)
            assert (one.held, looks[:4]) == (frozenset(), [100, 10, 10, 10])
            before = len(looks)
            theirs.die("a.member", *(name for name in theirs.files if name.endswith(".claim")))
            await fleet.until(lambda: len(one.held) == 34)
            assert len(looks) <= before + 2

    with Others(tmp_path / "claims", names) as theirs:
        play(main)


def test_what_a_living_worker_gives_up_is_taken_at_the_next_look(
    tmp_path: Path, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "RETRIES", 10)
    names = [f"s{number:03}" for number in range(100)]

    async def main() -> None:
        async with Fleet(FileBackend(tmp_path)) as fleet:
            await fleet.names(*names)
            one = await fleet.worker("one", assignments=Watched(tmp_path))
            await eventually(lambda: len(looks) > 2)
            before = len(looks)
            theirs.files.pop("s099.claim").remove()
            await fleet.until(lambda: one.held == {"s099"})
            assert len(looks) <= before + 2

    with Others(tmp_path / "claims", names) as theirs:
        play(main)


def test_no_turn_of_the_loop_is_long_with_two_thousand_streamers_and_four_workers(
    tmp_path: Path, looks: list[int], many_files: None
) -> None:
    names = [f"s{number:05}" for number in range(2_000)]

    async def main() -> None:
        (tmp_path / "list.yaml").write_text(f"streamers: [{', '.join(names)}]")
        async with Watched(tmp_path) as source:
            changes = source.changes()
            held: frozenset[Streamer] = frozenset()
            with Turns() as turns:
                while len(held) < 497:
                    held = await anext(changes)
                claiming = turns.longest_seconds
                ahead = asyncio.ensure_future(anext(changes))
                await eventually(lambda: len(looks) > 10)
                assert not ahead.done()  # three below its share, of which nobody gives up any
                ahead.cancel()
            print(f"the longest turn took {claiming:.4f} s of CPU while claiming, {turns.longest_seconds:.4f} s in all")
            assert turns.longest_seconds <= 0.05

    with Others(tmp_path / "claims", names[:1_503]):
        play(main)


def test_no_turn_of_the_loop_is_long_when_ten_thousand_rows_are_edited(tmp_path: Path, many_files: None) -> None:
    def rows(first: int) -> str:
        row = "- unique_id: s{:05}\n  priority: 1\n  weight: 2.5\n  enabled: true\n"
        return "streamers:\n" + "".join(row.format(number) for number in range(first, first + 10_000))

    async def main() -> None:
        path = tmp_path / "list.yaml"
        path.write_text(rows(0))
        async with Watched(tmp_path, most=1_000) as source:
            changes = source.changes()
            held: frozenset[Streamer] = frozenset()
            while len(held) < 1_000:
                held = await anext(changes)
            (tmp_path / "fresh").write_text(rows(9_500))
            (tmp_path / "fresh").replace(path)
            with Turns() as turns:
                while not (len(held) == 1_000 and min(held) == "s09500"):
                    before, held = held, await anext(changes)
                    for streamer in before - held:
                        await source.release(streamer)
            print(f"the longest of {turns.count} turns took {turns.longest_seconds:.4f} s of CPU")
            assert turns.longest_seconds <= 0.05

    play(main)
