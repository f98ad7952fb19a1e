"""producer.delivery.spool: what is committed is there, in order, whatever becomes of the process and the file."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.delivery.placement import key_hash
from producer.delivery.spool import Entry, Spool, SpoolFailed
from producer.delivery.spool_folder import SpoolFolder
from producer.events.encoding import Record

TOPIC, GIFTS = "t.comment.v1", "t.gift.v1"
ALL = 1 << 30
KEYS = tuple(next(key for key in (b"%d" % n for n in range(100)) if key_hash(key) % 3 == part) for part in range(3))
"""Of the first, the second and the third partition of three."""


def entry(number: int, *, topic: str = TOPIC, partition: int = 0, size: int = 10) -> Entry:
    value = b"%d " % number + b"." * size
    return Entry(Record(topic, KEYS[partition], value, (("h", b"\x00v"), ("empty", b""))), 1_790_000_000_000 + number)


def opened(folder: Path, max_bytes: int = ALL) -> Spool:
    return SpoolFolder(folder, max_bytes=max_bytes, precious=frozenset({GIFTS})).own()


def put(spool: Spool, numbers: Sequence[int], **more: int) -> None:
    first = spool.next_id
    spool.commit([(first + place, entry(number, **more)) for place, number in enumerate(numbers)], ())  # type: ignore[arg-type]


def numbers(spool: Spool, partition: int = 0) -> list[int]:
    """Everything of a place, read in parts."""
    found: list[int] = []
    after = 0
    while part := spool.read(TOPIC, partition=partition, of=3, after_id=after, max_bytes=100, max_records=7):
        found += [int(each.entry.record.value.split()[0]) for each in part]
        after = part[-1].id
    return found


def test_an_entry_comes_back_as_it_was(tmp_path: Path) -> None:
    spool = SpoolFolder(tmp_path, max_bytes=ALL, wall_clock=lambda: 1_790_000_100.5).own()
    spool.commit([(spool.next_id, entry(7, partition=2))], ())
    spool.close()

    [found] = opened(tmp_path).read(TOPIC, partition=2, of=3, after_id=0, max_bytes=1, max_records=1)

    assert found.entry == entry(7, partition=2)
    assert found.spooled_ms == 1_790_000_100_500


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("pdr"), st.integers(0, 2), st.integers(1, 40)), max_size=30))
def test_it_is_a_list_for_each_place(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("spool")
    spool = opened(folder)
    model: dict[int, list[tuple[int, int]]] = {0: [], 1: [], 2: []}
    for kind, partition, count in steps:
        if kind == "p":
            first = spool.next_id
            put(spool, range(first, first + count), partition=partition)
            model[partition] += [(number, number) for number in range(first, first + count)]
        elif kind == "d":
            gone, model[partition] = model[partition][:count], model[partition][count:]
            spool.commit((), [number for number, _ in gone])
        else:
            spool.close()
            spool = opened(folder)
        assert {place: numbers(spool, place) for place in model} == {p: [n for _, n in e] for p, e in model.items()}
        assert spool.holds({TOPIC: 3}) == ({(TOPIC, p): len(e) for p, e in model.items() if e}, {})
        assert spool.held_records == sum(map(len, model.values()))
        assert (spool.held_bytes == 0) is (spool.held_records == 0)
    spool.close()


def test_the_bytes_that_are_held_are_the_same_after_a_restart(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    put(spool, range(100))
    spool.commit((), range(20, 40))
    held = spool.held_bytes
    spool.close()

    again = opened(tmp_path)

    assert (again.held_bytes, again.held_records) == (held, 80)


def test_a_full_spool_refuses_and_keeps_a_quarter_for_what_is_precious(tmp_path: Path) -> None:
    spool = opened(tmp_path, max_bytes=100_000)

    assert spool.admits(TOPIC, 75_000)
    assert not spool.admits(TOPIC, 75_001)
    assert spool.admits(GIFTS, 100_000)
    assert not spool.admits(GIFTS, 100_001)


def test_workers_of_one_directory_have_a_file_each_and_take_over_what_one_left(tmp_path: Path) -> None:
    first, second = opened(tmp_path), opened(tmp_path)
    put(second, [1, 2, 3])
    paths = {first.path, second.path}
    second.close()

    heir = opened(tmp_path)

    assert len(paths) == 2
    assert heir.path == second.path
    assert numbers(heir) == [1, 2, 3]


def test_a_directory_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(SpoolFailed, match=r"^PRODUCER_SPOOL_DIRECTORY=.*/file/spool cannot be used: .*; it must be"):
        opened(tmp_path / "file" / "spool")


def test_a_file_of_another_version_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spool = opened(tmp_path)
    put(spool, [1])
    spool.close()
    with sqlite3.connect(spool.path) as file:
        file.execute("PRAGMA user_version = 7")
    before = spool.path.read_bytes()

    other = opened(tmp_path)

    assert other.path != spool.path
    assert spool.path.read_bytes() == before
    assert "it has format 7, and this producer knows 2" in capsys.readouterr().out


def test_a_file_that_is_no_database_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "spool-0.db").write_bytes(b"not a database at all" * 1000)

    spool = opened(tmp_path)
    put(spool, [1])

    assert numbers(spool) == [1]
    [aside] = tmp_path.glob("spool-0-damaged-*.read")
    assert aside.read_bytes() == b"not a database at all" * 1000


@pytest.mark.parametrize("seed", range(6))
def test_of_a_damaged_file_everything_readable_goes_on_in_order(seed: int, tmp_path: Path) -> None:
    spool = opened(tmp_path)
    put(spool, range(400), size=300)
    spool.close()
    content = bytearray(spool.path.read_bytes())
    page = Random(seed).randrange(3, len(content) // 4096) * 4096
    content[page : page + 4096] = Random(seed).randbytes(4096)
    spool.path.write_bytes(content)

    again = opened(tmp_path)
    found = numbers(again)
    put(again, [1000])

    assert list(tmp_path.glob("spool-0-damaged-*.read")), "the damage was not met"
    assert found == sorted(set(found))
    assert len(found) > 350
    assert numbers(again) == [*found, 1000]


def test_a_file_that_breaks_while_it_is_used_is_put_aside_and_the_next_try_works(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    put(spool, range(400), size=300)
    with sqlite3.connect(spool.path) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with spool.path.open("r+b") as file:
        file.seek(4096 * 3)
        file.write(bytes(range(256)) * 16 * 20)
    spool._connected().execute("PRAGMA cache_size = 0")  # or it answers from memory

    with pytest.raises(SpoolFailed):
        while numbers(spool):
            pass
    put(spool, [1000])

    assert numbers(spool)[-1] == 1000
    assert spool.next_id == 402


def test_a_record_that_is_not_what_was_written_is_not_given(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    put(spool, range(10))
    spool.close()
    with sqlite3.connect(spool.path) as file:
        file.execute("UPDATE records SET value = x'00' WHERE id IN (3, 4, 5)")
        file.execute("UPDATE records SET size = 'much' WHERE id = 9")

    again = opened(tmp_path)
    found = numbers(again)

    assert found == [0, 1, 5, 6, 7, 9]
    assert again.damaged == 4
    assert again.holds({TOPIC: 3}) == ({(TOPIC, 0): 6}, {})


@pytest.mark.parametrize("cut", [1, 100, 4096, 5000, 20_000])
def test_a_torn_end_costs_no_more_than_what_was_written_there(cut: int, tmp_path: Path) -> None:
    (tmp_path / "torn").mkdir()
    spool = opened(tmp_path)
    for number in range(20):
        put(spool, [number], size=1000)
    for suffix in ("", "-wal"):
        shutil.copy(f"{spool.path}{suffix}", f"{tmp_path}/torn/{spool.path.name}{suffix}")
    spool.close()
    log = tmp_path / "torn" / f"{spool.path.name}-wal"
    os.truncate(log, log.stat().st_size - cut)

    again = opened(tmp_path / "torn")
    found = numbers(again)
    put(again, [1000])

    assert found == list(range(len(found)))
    assert 10 < len(found) < 20
    assert numbers(again) == [*found, 1000]


CHILD = """
import sys
from pathlib import Path
from tests.delivery.test_spool import entry, opened

spool = opened(Path(sys.argv[1]))
while True:
    first = spool.next_id
    spool.commit([(number, entry(number)) for number in range(first, first + 5)], [first - 50] if first > 50 else ())
    print(first + 4, flush=True)
"""


@pytest.mark.parametrize("kills", range(5))
def test_what_was_committed_survives_kill_9(kills: int, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(15 + kills * 17)]
        child.send_signal(signal.SIGKILL)
        committed = int([*lines, *child.stdout.read().splitlines()][-1])

    found = numbers(opened(tmp_path))

    assert found[-1] in (committed, committed + 5)
    assert found[-45:] == list(range(found[-1] - 44, found[-1] + 1))


DISK = """
import subprocess, sys
from pathlib import Path
from producer.delivery.spool import SpoolFailed
from tests.delivery.test_spool import entry, numbers, opened, put

folder = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], check=True)
spool = opened(folder)
count = 0
try:
    while True:
        put(spool, [count], size=20_000)
        count += 1
except SpoolFailed as problem:
    print(problem)
assert count > 5 and numbers(spool) == list(range(count)), (count, numbers(spool))
subprocess.run(["mount", "-o", "remount,size=2m", str(folder)], check=True)
spool.commit((), [1, 2, 3, 4, 5])
put(spool, [count], size=20_000)
assert numbers(spool) == list(range(5, count + 1))
spool.close()
subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
try:
    opened(folder)
except SpoolFailed as problem:
    print(problem)
subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
assert numbers(opened(folder)) == list(range(5, count + 1))
"""


def test_a_full_disk_and_a_read_only_one_lose_nothing_and_are_used_again(tmp_path: Path) -> None:
    apart = ["unshare", "--user", "--map-root-user", "--mount"]
    if shutil.which("unshare") is None or subprocess.run([*apart, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a file system of their own")

    done = subprocess.run([*apart, sys.executable, "-c", DISK, str(tmp_path)], capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    full, read_only = done.stdout.splitlines()[-2:]
    assert full.endswith("database or disk is full")
    assert "PRODUCER_SPOOL_DIRECTORY=" in read_only
    assert "Read-only file system" in read_only
