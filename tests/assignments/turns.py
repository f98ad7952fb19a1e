"""How long the loop's turns are, in CPU time of its own thread: no matter how busy the machine is."""

import asyncio
import time


class Turns:
    """Measures each turn of the running loop, which spins meanwhile. Use it as a context manager."""

    def __init__(self) -> None:
        self.longest_seconds = 0.0
        self.count = 0
        self._before = 0.0
        self._handle: asyncio.Handle | None = None

    def __enter__(self) -> "Turns":
        self._before = time.thread_time()
        self._handle = asyncio.get_running_loop().call_soon(self._turn)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._handle is not None
        self._handle.cancel()

    def _turn(self) -> None:
        now = time.thread_time()
        self.longest_seconds = max(self.longest_seconds, now - self._before)
        self.count += 1
        self._before = now
        self._handle = asyncio.get_running_loop().call_soon(self._turn)
