"""Secrets out of files that a setting names, read each time they are used, since they rotate.

What is wrong with one is said by file and place, never by content.
"""

import codecs
import stat
from pathlib import Path

from producer.errors import ProducerError, Reason

MOST_BYTES = 64 * 1024


class SecretUnusable(ProducerError):
    """A file that a setting names holds no secret that can be used, just now."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} {problem}", reason=Reason.CREDENTIALS)


def read(path: Path, *, in_header: bool = True) -> str:
    """Read a secret, without the blanks and line breaks around it and without a byte order mark.

    `in_header`: it goes into an HTTP header, so it must be printable ASCII. Otherwise it is any text on one line.
    Raises SecretUnusable.
    """
    whole = text(path)
    secret = whole.strip()
    before = len(whole) - len(whole.lstrip())
    for place, letter in enumerate(secret, before + 1):
        if problem := _problem(letter, in_header=in_header):
            raise SecretUnusable(path, f"cannot be used: letter {place} is {problem}")
    return secret


def text(path: Path) -> str:
    """The text of a file, without a byte order mark. Raises SecretUnusable, for one of blanks alone too."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise SecretUnusable(path, "is no regular file")
        with path.open("rb") as file:
            raw = file.read(MOST_BYTES + 1)
    except OSError as cause:
        raise SecretUnusable(path, f"cannot be read: {cause.strerror}") from cause
    if len(raw) > MOST_BYTES:
        raise SecretUnusable(path, f"has more than {MOST_BYTES} bytes")
    try:
        decoded = raw.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as cause:
        raise SecretUnusable(path, f"is not UTF-8: byte {cause.start + 1}") from None  # the cause quotes the secret
    if not decoded.strip():
        raise SecretUnusable(path, "is empty")
    return decoded


def _problem(letter: str, *, in_header: bool) -> str | None:
    if letter in "\r\n":
        return "a line break"
    if not letter.isprintable():
        return "a control letter"
    return "not ASCII" if in_header and not letter.isascii() else None
