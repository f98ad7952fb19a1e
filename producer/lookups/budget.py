"""How many requests may leave by one egress; pure.

Addresses are blocked by what they ask, long before a processor is busy: tools that asked for 20 names every 5 s were,
and some at 30 names in 5 minutes, for hours (doors sheet section 2). TikTok publishes no number.
"""

from math import inf
from random import Random

HOUR = 3600.0
BURST = 1 / 12
"""Of what an hour allows, how much may leave at once, as fast as the seconds let it; the rest comes evenly.

So no hour, wherever it begins, has more than it may.
"""
EARLY = 0.25
"""In which part of its slot a request leaves: a clockwork is not what a visitor looks like."""


class Budget:
    """Each request has a slot of its own, as long as their number a second has it, and leaves early in it by chance."""

    def __init__(self, *, per_second: float, per_hour: float | None = None, chance: Random) -> None:
        """`per_hour`: no more in any hour, where that is less than the seconds would add up to."""
        self._gap = 1 / per_second
        hourly = per_hour if per_hour is not None and per_hour < per_second * HOUR else None
        self._refill = None if hourly is None else hourly * (1 - BURST) / HOUR
        self._room = self._most = 0.0 if hourly is None else max(1.0, hourly * BURST)
        """What may leave at once, and that when nothing left for long."""
        self._at = 0.0
        """When `_room` was that."""
        self._slot = -inf
        """When the next request's slot begins."""
        self._next = 0.0
        """When the next may leave."""
        self._chance = chance

    @property
    def per_second(self) -> float:
        """What it allows in the long run."""
        return min(1 / self._gap, self._refill or 1 / self._gap)

    def free_at(self, now: float) -> float:
        """When the next request may leave: now, or later."""
        at = max(now, self._next)
        if self._refill is None:
            return at
        room = self._has(at)
        return at if room >= 1 else at + (1 - room) / self._refill

    def take(self, now: float) -> None:
        """A request leaves, asked for or not: one that could not wait is made up for by those behind it."""
        if self._refill is not None:
            self._room, self._at = self._has(now) - 1, max(now, self._at)
        # Who comes later in its slot than chance would have it begins a new row of them.
        self._slot = (self._slot if now <= self._slot + self._gap * EARLY else now) + self._gap
        self._next = self._slot + self._gap * EARLY * self._chance.random()

    def _has(self, at: float) -> float:
        assert self._refill is not None
        return min(self._most, self._room + max(0.0, at - self._at) * self._refill)
