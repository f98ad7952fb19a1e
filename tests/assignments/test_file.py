"""producer.assignments.file: real files and real locks; the other worker is a real process."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from producer import descriptors
from producer.assignments.claims import Streamer
from producer.assignments.file import FileAssignments
from producer.assignments.interface import Said
from producer.errors import StartRefused

OTHER = """
import asyncio, sys
from pathlib import Path
from producer.assignments.file import FileAssignments

async def main():
    folder = Path(sys.argv[1])
    async with FileAssignments(folder / "list.yaml", folder / "claims", worker=sys.argv[2], max_streams=100) as source:
        before = frozenset()
        async for held in source.changes():
            for streamer in before - held:
                await source.release(streamer)
            before = held
            print(",".join(sorted(held)), flush=True)

asyncio.run(main())
"""


def write(folder: Path, *names: str) -> None:
    fresh = folder / "list.new"
    fresh.write_text("streamers:\n" + "".join(f"  - {name}\n" for name in names) if names else "streamers: []\n")
    fresh.replace(folder / "list.yaml")


def assignments(
    folder: Path, worker: str = "me", *, most: int = 100, reads: list[int | None] | None = None
) -> FileAssignments:
    seen = reads if reads is not None else []
    return FileAssignments(
        folder / "list.yaml", folder / "claims", worker=worker, max_streams=most, list_read=seen.append
    )


async def held_when(source: FileAssignments, *expected: str) -> None:
    """Follow the changes, releasing at once what is to be given up, until exactly these are held."""
    before: frozenset[Streamer] = frozenset()
    async with asyncio.timeout(120):
        async for held in source.changes():
            for streamer in before - held:
                await source.release(streamer)
            before = held
            if held == set(expected):
                return


def other(folder: Path, worker: str = "other") -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", OTHER, str(folder), worker], stdout=subprocess.PIPE, text=True)


def says(process: subprocess.Popen[str], expected: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == expected:
            return
    raise AssertionError(f"the other worker ended without holding {expected}")


def end(process: subprocess.Popen[str], number: int) -> None:
    process.send_signal(number)
    process.communicate(timeout=120)


def test_a_lone_worker_holds_the_whole_list(tmp_path: Path) -> None:
    write(tmp_path, "aa", "bb", "cc")

    async def main() -> None:
        async with assignments(tmp_path) as source:
            await held_when(source, "aa", "bb", "cc")

    asyncio.run(main())


def test_capacity_bounds_what_is_held(tmp_path: Path) -> None:
    write(tmp_path, "aa", "bb", "cc")

    async def main() -> None:
        async with assignments(tmp_path, most=2) as source:
            await held_when(source, "aa", "bb")

    asyncio.run(main())


def test_a_changed_list_is_followed(tmp_path: Path) -> None:
    write(tmp_path, "aa", "bb")
    reads: list[int | None] = []

    async def main() -> None:
        async with assignments(tmp_path, reads=reads) as source:
            await held_when(source, "aa", "bb")
            write(tmp_path, "bb", "cc", "dd")
            await held_when(source, "bb", "cc", "dd")

    asyncio.run(main())

    assert reads == [2, 3]


@pytest.mark.parametrize(
    "damage", ["streamers: [", "streamers: [aa, aa]", "[]"], ids=["not YAML", "twice", "no mapping"]
)
def test_an_invalid_change_leaves_the_list_as_it_was(tmp_path: Path, damage: str) -> None:
    write(tmp_path, "aa")
    reads: list[int | None] = []

    async def main() -> None:
        async with assignments(tmp_path, reads=reads) as source:
            await held_when(source, "aa")
            (tmp_path / "list.yaml").write_text(damage)
            changes = source.changes()
            await anext(changes)
            assert reads == [1, None]
            write(tmp_path, "aa", "bb")
            await held_when(source, "aa", "bb")

    asyncio.run(main())

    assert reads == [1, None, 2]


def test_a_list_that_vanishes_leaves_the_list_as_it_was(tmp_path: Path) -> None:
    write(tmp_path, "aa")
    reads: list[int | None] = []

    async def main() -> None:
        async with assignments(tmp_path, reads=reads) as source:
            (tmp_path / "list.yaml").unlink()
            await held_when(source, "aa")

    asyncio.run(main())

    assert reads == [1, None]


def test_two_workers_share_and_one_that_is_killed_loses_all(tmp_path: Path) -> None:
    write(tmp_path, "aa", "bb", "cc", "dd")
    process = other(tmp_path)
    try:
        says(process, "aa,bb,cc,dd")

        async def main() -> None:
            async with assignments(tmp_path) as source:
                # The other gives up two, one at a time, and we take them.
                await held_two(source)
                process.kill()
                process.wait(timeout=120)
                await held_when(source, "aa", "bb", "cc", "dd")

        async def held_two(source: FileAssignments) -> None:
            async with asyncio.timeout(120):
                async for held in source.changes():
                    if len(held) == 2:
                        return

        asyncio.run(main())
    finally:
        end(process, signal.SIGKILL)


def test_nobody_is_held_twice_while_shares_move(tmp_path: Path) -> None:
    everyone = [f"s{number:02}" for number in range(12)]
    write(tmp_path, *everyone)

    async def main() -> None:
        async with assignments(tmp_path, "one") as one, assignments(tmp_path, "two") as two:
            shares: dict[str, frozenset[Streamer]] = {"one": frozenset(), "two": frozenset()}

            async def follow(name: str, source: FileAssignments) -> None:
                async for held in source.changes():
                    for streamer in shares[name] - held:
                        await source.release(streamer)
                    shares[name] = held
                    assert not shares["one"] & shares["two"]
                    if len(shares["one"]) == len(shares["two"]) == 6:
                        raise asyncio.CancelledError

            async with asyncio.timeout(120):
                await asyncio.wait(
                    [asyncio.create_task(follow("one", one)), asyncio.create_task(follow("two", two))],
                    return_when=asyncio.FIRST_COMPLETED,
                )
            assert sorted(shares["one"] | shares["two"]) == everyone
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()

    asyncio.run(main())


def test_a_claim_is_not_free_before_it_is_released(tmp_path: Path) -> None:
    write(tmp_path, "aa")

    async def main() -> None:
        async with assignments(tmp_path, "one") as one:
            await held_when(one, "aa")
            write(tmp_path)
            changes = one.changes()
            assert await anext(changes) == frozenset()
            write(tmp_path, "aa")
            async with assignments(tmp_path, "two", most=1) as two:
                assert await anext(two.changes()) == frozenset()
                await one.release(Streamer("aa"))
                await held_when(two, "aa")

    asyncio.run(main())


def test_what_is_reported_stands_in_the_claims_file(tmp_path: Path) -> None:
    write(tmp_path, "aa")

    async def main() -> None:
        async with assignments(tmp_path) as source:
            await held_when(source, "aa")
            source.report(Streamer("aa"), Said("backing_off", room_id="7", error="no answer"))
            source.report(Streamer("bb"), Said("connected"))
            note = json.loads((tmp_path / "claims" / "aa.claim").read_text())
            assert {key: note[key] for key in ("worker", "state", "room_id", "error")} == {
                "worker": "me",
                "state": "backing_off",
                "room_id": "7",
                "error": "no answer",
            }
            assert source.fence.lost(Streamer("aa")) is False
            await source.release(Streamer("aa"))
            assert source.fence.lost(Streamer("aa")) is True

    asyncio.run(main())


BUG: Any = {"state": "parked", "room_id": "7", "error": "a bug of ours", "bugs": 3, "again_at": 1_796_000_000_000}


async def claimed(source: FileAssignments) -> None:
    changes = source.changes()
    while not await anext(changes):
        pass


def test_a_streamer_that_is_parked_is_known_to_be_by_its_next_worker_however_the_last_one_ended(tmp_path: Path) -> None:
    write(tmp_path, "aa")
    aa = Streamer("aa")

    async def main() -> None:
        async with assignments(tmp_path, "one") as one:
            await claimed(one)
            assert one.last_said(aa) is None
            one.report(aa, Said(**BUG))
            assert one.last_said(aa) == Said(**BUG)
        for worker in ("two", "three"):  # the second has it from one that never said anything of it itself
            async with assignments(tmp_path, worker) as source:
                await claimed(source)
                assert source.last_said(aa) == Said(**BUG)
                note = json.loads((tmp_path / "claims" / "aa.claim").read_text())
                assert (note["worker"], note["state"]) == (worker, "parked")

    asyncio.run(main())

    assert [path.name for path in (tmp_path / "claims").iterdir()] == ["aa.claim"]


def test_what_else_was_said_goes_with_the_claim(tmp_path: Path) -> None:
    write(tmp_path, "aa")
    aa = Streamer("aa")

    async def main() -> None:
        async with assignments(tmp_path, "one") as one:
            await claimed(one)
            one.report(aa, Said(**BUG))
            one.report(aa, Said("offline"))
            assert one.last_said(aa) == Said("offline")
            await one.release(aa)
            assert one.last_said(aa) is None
            assert not (tmp_path / "claims" / "aa.claim").exists()
            one.report(aa, Said("connected"))
            assert one.last_said(aa) is None

    asyncio.run(main())

    assert list((tmp_path / "claims").iterdir()) == []


@pytest.mark.parametrize("bugs", [0, 1])
def test_what_a_worker_that_was_killed_said_last_is_known_and_its_bugs_outlive_us_too(
    tmp_path: Path, bugs: int
) -> None:
    write(tmp_path, "aa")
    note = {
        "worker": "other",
        "pid": 1,
        "since": 1,
        "state": "backing_off",
        "room_id": None,
        "error": "x",
        "bugs": bugs,
    }
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "aa.claim").write_text(json.dumps(note))

    async def main() -> None:
        async with assignments(tmp_path) as source:
            await claimed(source)
            assert source.last_said(Streamer("aa")) == Said("backing_off", error="x", bugs=bugs)
            assert json.loads((tmp_path / "claims" / "aa.claim").read_text()).get("bugs", 0) == bugs

    asyncio.run(main())


@pytest.mark.parametrize(("most", "open_files", "expected"), [(100, 180, 15), (100, 90, 1), (3, 180, 3)])
def test_no_more_is_claimed_than_there_are_descriptors_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int, open_files: int, expected: int
) -> None:
    write(tmp_path, *(f"s{number}" for number in range(100)))
    monkeypatch.setattr(descriptors, "limit", lambda: open_files)

    async def main() -> None:
        async with assignments(tmp_path, most=most) as source:
            await held_when(source, *sorted(f"s{number}" for number in range(100))[:expected])

    asyncio.run(main())


def test_two_workers_of_one_name_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "aa")
    process = other(tmp_path, "me")
    try:
        says(process, "aa")

        async def main() -> None:
            async with assignments(tmp_path, "me"):
                pass

        with pytest.raises(StartRefused, match="a worker named me is running already"):
            asyncio.run(main())
    finally:
        end(process, signal.SIGKILL)


def test_a_worker_may_come_back_under_its_name(tmp_path: Path) -> None:
    write(tmp_path, "aa")
    process = other(tmp_path, "me")
    says(process, "aa")
    end(process, signal.SIGKILL)

    async def main() -> None:
        async with assignments(tmp_path, "me") as source:
            await held_when(source, "aa")

    asyncio.run(main())


@pytest.mark.parametrize(
    ("prepare", "sentence"),
    [
        (lambda folder: None, "cannot be read: No such file or directory"),
        (lambda folder: (folder / "list.yaml").write_text("streamers: ["), "line 1: it is not YAML: "),
        (lambda folder: (folder / "list.yaml").write_bytes(b"\xff\xfe\x00"), "line 1 is not UTF-8"),
        (lambda folder: (folder / "list.yaml").mkdir(), "cannot be read: Is a directory"),
        (
            lambda folder: [
                path.write_text(text)
                for path, text in ((folder / "list.yaml", "streamers: [aa]"), (folder / "claims", ""))
            ],
            "the claims folder",
        ),
    ],
    ids=["missing", "not YAML", "not text", "a folder", "claims is a file"],
)
def test_a_start_that_cannot_work_is_refused_in_one_line(
    tmp_path: Path, prepare: Callable[[Path], object], sentence: str
) -> None:
    prepare(tmp_path)

    async def main() -> None:
        async with assignments(tmp_path):
            pass

    with pytest.raises(StartRefused, match=sentence) as refused:
        asyncio.run(main())
    assert "\n" not in str(refused.value)
