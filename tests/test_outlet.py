"""producer.outlet: pipes that nobody reads, that somebody reads late, and that have no reader left."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO

import pytest

from producer.outlet import Outlet

WAIT_SECONDS = 60.0


@dataclass
class Pipe:
    """An outlet into a pipe, and what it said of itself."""

    outlet: Outlet
    reader: IO[bytes]
    writer: IO[str]
    told: list[int] = field(default_factory=list)
    dropped: int = 0
    """Counted as a metric would."""
    telling: threading.Event = field(default_factory=threading.Event)

    def count(self) -> None:
        self.dropped += 1

    def tell(self, lines: int) -> None:
        self.told.append(lines)
        self.outlet.write(f"dropped {lines}\n")
        self.telling.set()


@contextmanager
def pipe(*, most_bytes: int = 1 << 20, encoding: str = "utf-8") -> Iterator[Pipe]:
    read, write = os.pipe()
    with open(read, "rb", 0) as reader, open(write, "w", encoding=encoding) as writer:  # noqa: PTH123
        made: list[Pipe] = []
        outlet = Outlet(writer, overflowed=lambda lines: made[0].tell(lines), most_bytes=most_bytes)
        made.append(Pipe(outlet, reader, writer))
        outlet.dropped = made[0].count
        yield made[0]


def stuff(descriptor: int) -> int:
    """Fill a pipe to the brim; return with how many bytes."""
    os.set_blocking(descriptor, False)
    filled = 0
    with suppress(BlockingIOError):
        while True:
            filled += os.write(descriptor, b"x")
    os.set_blocking(descriptor, True)
    return filled


def take(reader: IO[bytes], size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = reader.read(size - len(data))
        assert part
        data += part
    return data


def test_lines_come_out_in_order() -> None:
    with pipe() as subject:
        for number in range(1000):
            subject.outlet.write(f"{number}\n")

        assert subject.outlet.drain(WAIT_SECONDS)
        assert take(subject.reader, 3890).decode().split() == [str(number) for number in range(1000)]
        assert (subject.dropped, subject.told) == (0, [])


def test_a_pipe_that_nobody_reads_holds_up_nobody_and_what_is_too_much_is_counted() -> None:
    with pipe(most_bytes=100) as subject:
        filled = stuff(subject.writer.fileno())

        for number in range(25):
            subject.outlet.write(f"line {number:04}\n")  # ten bytes

        assert not subject.outlet.drain(0)
        assert (subject.dropped, subject.told) == (15, [])

        assert take(subject.reader, filled) == b"x" * filled
        assert subject.telling.wait(WAIT_SECONDS)
        assert subject.outlet.drain(WAIT_SECONDS)
        assert take(subject.reader, 111).decode().splitlines() == [
            *(f"line {number:04}" for number in range(10)),
            "dropped 15",
        ]
        assert (subject.dropped, subject.told) == (15, [15])


def test_a_reader_that_is_gone_ends_nobody_and_every_line_is_counted() -> None:
    with pipe() as subject:
        subject.reader.close()

        for _ in range(3):
            subject.outlet.write("nobody hears this\n")

        assert subject.outlet.drain(WAIT_SECONDS)
        assert (subject.dropped, subject.told) == (3, [])


def test_a_descriptor_that_somebody_made_non_blocking_is_waited_for() -> None:
    with pipe() as subject:
        filled = stuff(subject.writer.fileno())
        os.set_blocking(subject.writer.fileno(), False)

        subject.outlet.write("late\n")

        assert not subject.outlet.drain(0)
        assert take(subject.reader, filled + 5) == b"x" * filled + b"late\n"
        assert subject.outlet.drain(WAIT_SECONDS)
        assert subject.dropped == 0


def test_draining_waits_no_longer_than_it_may() -> None:
    with pipe() as subject:
        filled = stuff(subject.writer.fileno())
        subject.outlet.write("late\n")

        assert not subject.outlet.drain(0.01)

        take(subject.reader, filled)  # so that the outlet's thread is through with the pipe before it is closed
        assert subject.outlet.drain(WAIT_SECONDS)


def test_what_the_encoding_does_not_have_is_escaped() -> None:
    with pipe(encoding="ascii") as subject:
        subject.outlet.write("caf\xe9 \ud800\n")

        assert subject.outlet.drain(WAIT_SECONDS)
        assert subject.reader.read(100) == b"caf\\xe9 \\ud800\n"


def test_it_is_what_it_stands_for() -> None:
    with pipe() as subject:
        assert subject.outlet.fileno() == subject.writer.fileno()
        assert subject.outlet.isatty() is False
        assert subject.outlet.writable() is True


def test_only_a_file_can_be_detached() -> None:
    with pytest.raises(io.UnsupportedOperation):
        Outlet(io.StringIO(), overflowed=lambda _: None)
