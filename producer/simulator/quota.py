"""How many calls a key of the sign server may make, and what whoever makes more is told.

Facts: doors sheet section 1b. The window slides, which is the strictest that a quota "a minute" can mean.
"""

import re
from collections import deque
from email.utils import formatdate
from math import ceil

from producer.simulator import pages
from producer.simulator.pages import Page

_WRITTEN = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})(?::([1-9][0-9]{0,5}))?")


class Quota:
    """So many calls in a window, whoever makes them."""

    def __init__(self, most: int, *, seconds: float, held_seconds: float | None = None) -> None:
        """`held_seconds`: whoever made one too many is told to wait so long, by a header, and so are all who call
        until then, when the quota is whole again; otherwise the body tells when the next may be made.
        """
        self._most = most
        self._seconds = seconds
        self._held_seconds = held_seconds
        self._called: deque[float] = deque()
        self._until = float("-inf")

    @classmethod
    def written(cls, text: str) -> "Quota":
        """Read `MOST/SECONDS` or `MOST/SECONDS:HELD_SECONDS`, in whole numbers. Raises ValueError."""
        found = _WRITTEN.fullmatch(text)
        if found is None:
            raise ValueError(f"{text!r:.50} is no quota: MOST/SECONDS or MOST/SECONDS:HELD_SECONDS, such as 10/60:50")
        most, seconds, held = (None if each is None else int(each) for each in found.groups())
        assert most is not None
        assert seconds is not None
        return cls(most, seconds=seconds, held_seconds=held)

    def called(self, now: float) -> float | None:
        """A call came; the seconds that its caller is to wait, where it is one too many. What is refused counts not."""
        if now < self._until:
            return self._until - now
        while self._called and self._called[0] <= now - self._seconds:
            self._called.popleft()
        if len(self._called) < self._most:
            self._called.append(now)
            return None
        if self._held_seconds is None:
            return self._called[0] + self._seconds - now
        self._until = now + self._held_seconds
        self._called.clear()
        return self._held_seconds

    def page(self, wait: float, *, wall: float) -> Page:
        """What a caller is told that is to wait."""
        if self._held_seconds is None:
            return pages.quota_used_up(now=formatdate(wall, usegmt=True), reset_at=wall + wait)
        said = {"message": "Too many connections", "limit_label": "minute"}
        return pages.of_json(said, 429, Retry_After=str(ceil(wait)), RateLimit_Remaining="0")
