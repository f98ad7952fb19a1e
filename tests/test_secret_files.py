"""producer.secret_files: what is in a file is used, or refused by its place and never by its content."""

import os
from pathlib import Path

import pytest

from producer import secret_files
from producer.secret_files import SecretUnusable


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"key-1\n", "key-1"), (b"\xef\xbb\xbfkey-1\r\n", "key-1"), (b"  key 1  ", "key 1")],
)
def test_a_secret_is_read_as_people_save_it(tmp_path: Path, content: bytes, expected: str) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)

    assert secret_files.read(file) == expected


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"canary\nX-More: 1", "letter 7 is a line break"),
        (b"canary\x00", "letter 7 is a control letter"),
        (b"\n canary\x1b", "letter 9 is a control letter"),
        ("canaryé".encode(), "letter 7 is not ASCII"),
        ("canaryé".encode("latin-1"), "is not UTF-8: byte 7"),
        (b"canary" * 11_000, "has more than 65536 bytes"),
    ],
)
def test_a_secret_that_no_header_can_carry_is_refused_by_file_and_place(
    tmp_path: Path, content: bytes, says: str
) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)

    with pytest.raises(SecretUnusable) as refused:
        secret_files.read(file)

    assert says in str(refused.value)
    assert str(file) in str(refused.value)
    assert "canary" not in repr(refused.value)
    assert refused.value.__cause__ is None


def test_a_password_may_have_any_letters(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("pässword\n", "utf-8")

    assert secret_files.read(file, in_header=False) == "pässword"


def test_a_file_that_is_missing_or_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for name, says in (("absent", "No such file"), ("pipe", "no regular file"), (".", "no regular file")):
        with pytest.raises(SecretUnusable, match=says):
            secret_files.read(tmp_path / name)
