"""producer.assignments.list_file: edits of a real file; a bad one changes nothing and is said once."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from producer.assignments.list_file import ListFile, ListUnreadable, read_list
from producer.errors import StartRefused


def put(path: Path, data: bytes) -> None:
    fresh = path.with_name("fresh")
    fresh.write_bytes(data)
    fresh.replace(path)


def replace(path: Path, make: Callable[[Path], object]) -> None:
    path.unlink()
    make(path)


BAD: dict[str, Callable[[Path], object]] = {
    "not UTF-8": lambda path: put(path, b"streamers: [b\xf6]"),
    "not YAML": lambda path: put(path, b"streamers: ["),
    "twice": lambda path: put(path, b"streamers: [aa]\nstreamers: [bb]\n"),
    "tag": lambda path: put(path, b"streamers: [!!int abc]"),
    "laughs": lambda path: put(path, b"a: &a [x, x]\nb: &b [*a, *a]\nstreamers: [*b]\n"),
    "deep": lambda path: put(path, b"streamers: " + b"[" * 100_000),
    "large": lambda path: put(path, b"#" * 5_000_000),
    "digits": lambda path: put(path, b"streamers: [{unique_id: aa, priority: " + b"9" * 5_000 + b"}]"),
    "gone": lambda path: path.unlink(),
    "folder": lambda path: replace(path, Path.mkdir),
    "pipe": lambda path: replace(path, os.mkfifo),
    "device": lambda path: replace(path, lambda path: path.symlink_to("/dev/zero")),
    "link to itself": lambda path: replace(path, lambda path: path.symlink_to(path)),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_edit_changes_nothing_and_is_said_once_until_it_is_mended(case: str, tmp_path: Path) -> None:
    path = tmp_path / "list.yaml"
    put(path, b"streamers: [aa, bb]")
    reads: list[int | None] = []
    edited = ListFile(path, read=reads.append)
    asyncio.run(edited.load())

    async def main() -> None:
        BAD[case](path)
        for _ in range(3):
            await edited.reload()
        assert list(edited.ranking) == ["aa", "bb"]
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        put(path, b"streamers: [cc]")
        await edited.reload()
        assert list(edited.ranking) == ["cc"]

    with capture_logs() as lines:
        asyncio.run(main())

    said = [line for line in lines if line["event"] == "list not read; the list before it stands"]
    assert len(said) == 1
    assert str(path) in said[0]["problem"] and "\n" not in said[0]["problem"]
    assert reads == [2, None, 1]


def test_of_a_list_with_many_problems_one_line_says_the_first_and_how_many_there_are(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    put(path, b"aa")
    edited = ListFile(path, read=lambda _: None)
    asyncio.run(edited.load())
    put(path, b"x\ny\nz\n")

    with capture_logs() as lines:
        asyncio.run(edited.reload())

    assert [(line["problem"].partition(": ")[2][:13], line["further_problems"]) for line in lines] == [
        ("line 1: 'x' i", 2)
    ]


def test_a_file_that_could_not_be_read_is_read_once_it_can_be_though_it_did_not_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.yaml"
    put(path, b"streamers: [aa]")
    edited = ListFile(path, read=lambda _: None)
    asyncio.run(edited.load())
    put(path, b"streamers: [bb]")
    refused = 0

    def exhausted(_: Path) -> None:
        nonlocal refused
        refused += 1
        raise ListUnreadable("Too many open files")

    with monkeypatch.context() as patched:
        patched.setattr("producer.assignments.list_file.read_list", exhausted)
        asyncio.run(edited.reload())
        asyncio.run(edited.reload())
    before = list(edited.ranking)
    asyncio.run(edited.reload())

    assert (refused, before, list(edited.ranking)) == (2, ["aa"], ["bb"])


def test_a_start_is_refused_by_the_same_sentences(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "list.yaml")

    with pytest.raises(StartRefused, match=r"list\.yaml cannot be read: it is no regular file"):
        read_list(tmp_path / "list.yaml")
