"""How much an address may ask for before it is shown nothing but a challenge; pure, its clock an argument.

What TikTok's limits are is not known; that there are some, and that they are about the address, is (doors sheet
section 2).
"""

import re
from collections import deque

_WRITTEN = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5}):([1-9][0-9]{0,5})")


class Limit:
    """So many look-ups in a window; one more, and whoever asks is blocked for a time."""

    def __init__(self, most: int, *, seconds: float, blocked_seconds: float) -> None:
        self.blocks = 0
        """How often somebody was blocked."""
        self._most = most
        self._seconds = seconds
        self._blocked_seconds = blocked_seconds
        self._asked: deque[float] = deque()
        self._until = float("-inf")

    @classmethod
    def written(cls, text: str) -> "Limit":
        """Read `MOST/SECONDS:BLOCKED_SECONDS`, in whole numbers. Raises ValueError."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r:.50} is no limit: MOST/SECONDS:BLOCKED_SECONDS, such as 60/60:300")
        most, seconds, blocked = map(int, found.groups())
        return cls(most, seconds=seconds, blocked_seconds=blocked)

    def asked(self, now: float) -> bool:
        """A look-up came; whether it is answered with a challenge."""
        if now < self._until:
            return True
        while self._asked and self._asked[0] <= now - self._seconds:
            self._asked.popleft()
        self._asked.append(now)
        if len(self._asked) <= self._most:
            return False
        self._asked.clear()
        self._until = now + self._blocked_seconds
        self.blocks += 1
        return True
