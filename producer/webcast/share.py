"""What sockets take of a turn of the loop to read what came, all of them together.

Each piece that one takes is short. But a thousand of them may have something at the same time, as after a moment in
which the process stood still, and whoever is to beat or to answer a probe has waited as long.
"""

import asyncio
from collections import deque
from collections.abc import Callable

SHARE_SECONDS = 0.002


class Share:
    """One loop's. What it does not let have at once has a later turn, in order."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._end: float | None = None
        """Of the share of this turn; None while nobody has had any of it."""
        self._waiting: deque[Callable[[], None]] = deque()

    def over(self) -> bool:
        """Whether whoever comes now is to wait."""
        if self._end is None:
            self._begin()
            return False
        return self._clock() >= self._end

    def later(self, take: Callable[[], None]) -> None:
        """Have something done in a later turn."""
        if self._end is None:
            self._begin()
        self._waiting.append(take)

    def _begin(self) -> float:
        self._end = self._clock() + SHARE_SECONDS
        asyncio.get_running_loop().call_soon(self._turned)
        return self._end

    def _turned(self) -> None:
        self._end = None
        if not self._waiting:
            return
        end = self._begin()
        for _ in range(len(self._waiting)):  # who waits again has another turn
            self._waiting.popleft()()
            if self._clock() >= end:
                break
