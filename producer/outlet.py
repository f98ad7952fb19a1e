"""Standard error behind a bounded queue: nobody who writes waits for whoever reads; too much is dropped and counted.

A reader that is slow would otherwise stop the loop, and with it /livez and SIGTERM; one that is gone would end us.
"""

import io
import os
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import TextIO

MOST_BYTES = 4 * 1024 * 1024
AT_A_TIME = 64 * 1024


class Outlet(io.TextIOBase):
    """A text stream that takes a line at once; a thread of its own writes it. A call of `write` is a line."""

    encoding: str = "utf-8"

    def __init__(self, stream: TextIO, *, overflowed: Callable[[int], None], most_bytes: int = MOST_BYTES) -> None:
        """`overflowed` is told, in the outlet's thread, how many lines were dropped, once lines flow again."""
        stream.flush()
        self.encoding = stream.encoding
        self.dropped: Callable[[], None] = lambda: None
        """Called for each line that is dropped, in the thread of whoever wrote it or in the outlet's."""
        self._stream = stream
        self._descriptor = stream.fileno()
        self._overflowed = overflowed
        self._most_bytes = most_bytes
        self._changed = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        """Of what was taken and is not written yet."""
        self._idle = False
        """Whether the thread waits for lines."""
        self._unsaid = 0
        """Lines that were dropped, of which `overflowed` was not told."""
        # A daemon, because it may wait for a reader for ever, and must not hold up the end of the process.
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def write(self, text: str) -> int:
        """Take a line, or drop it. What the encoding does not have is escaped; raises nothing."""
        data = text.encode(self.encoding, "backslashreplace")
        with self._changed:
            taken = self._bytes + len(data) <= self._most_bytes
            if taken:
                self._lines.append(data)
                self._bytes += len(data)
                self._changed.notify_all()
        if not taken:
            self._drop(1)
        return len(text)

    def drain(self, seconds: float) -> bool:
        """Wait until everything is written, but no longer than this; return whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: self._idle and not self._lines, timeout=seconds)

    def fileno(self) -> int:
        """The descriptor that the stream has."""
        return self._descriptor

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """It is."""
        return True

    def _run(self) -> None:
        while True:
            lines = self._next()
            data = b"".join(lines)
            written = self._put(data)
            if not written:
                self._drop(len(lines))
            with self._changed:
                self._bytes -= len(data)
                flows = written and not self._lines
                said, self._unsaid = (self._unsaid, 0) if flows else (0, self._unsaid)
            if said:
                self._overflowed(said)

    def _next(self) -> list[bytes]:
        """Wait for lines; at least one, and no more than are written at a time."""
        with self._changed:
            self._idle = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._lines)
            self._idle = False
            lines = [self._lines.popleft()]
            size = len(lines[0])
            while self._lines and size + len(self._lines[0]) <= AT_A_TIME:
                lines.append(self._lines.popleft())
                size += len(lines[-1])
            return lines

    def _put(self, data: bytes) -> bool:
        while data:
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # somebody who shares the descriptor made it so
                select.select([], [self._descriptor], [])
            except OSError:
                return False  # nobody reads any more, or the disk is full
        return True

    def _drop(self, lines: int) -> None:
        with self._changed:
            self._unsaid += lines
        for _ in range(lines):
            self.dropped()
