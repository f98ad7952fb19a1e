"""When a streamer goes live, learnt from when it did; pure.

Times are seconds since 1970, days are UTC's. Somebody who streams does so at hours of the day that are its own, on days
of the week that are, an hour earlier or later: that is all that is assumed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

MINUTE, DAY = 60.0, 86400.0
WEEK_DAYS = 7
MOST_STARTS = 24
"""Of those that are remembered: three weeks of who streams every day."""
BINS = 96
BIN = DAY / BINS
REACH = 2
"""How many bins on either side of a start's hour are likelier to have the next start, the less the farther."""
KERNEL = [REACH + 1 - abs(distance) for distance in range(-REACH, REACH + 1)]
RARE = 0.05
"""Starts a day, at any hour, of who is unknown or was live a day ago; a month later it is a thirtieth of that."""
AGAIN, AGAIN_SECONDS = 0.3, 600.0
"""How likely a live that ended goes on in a new room, and how soon: streams break, and their owners come back."""
SAME_SECONDS = 900.0
"""Two starts that are closer together are one, told of twice."""
REST_SECONDS = 10 * 3600.0
"""After a start the same hour of the day before it is no sign of another one."""
MOST_GONE = 0.8
"""How sure it may be that a start is over due: days off are nobody's habit."""
DAYS_KNOWN = 21.0
"""From so many days on, what was seen of the days of the week is all there is to say of them."""


@dataclass(frozen=True)
class Habits:
    """What was learnt of one streamer."""

    since: float
    """When it was first looked up."""
    starts: tuple[float, ...] = ()
    """When it went live, the last ones, oldest first."""

    @classmethod
    def of_minutes(cls, watched: int, starts: Sequence[int]) -> "Habits":
        """What `minutes` gave, by whomever."""
        habits = cls(watched * MINUTE)
        for start in starts:
            habits = habits.started(start * MINUTE)
        return habits

    @property
    def minutes(self) -> tuple[int, tuple[int, ...]]:
        """Since when it is watched, and its starts: in minutes since 1970, to be kept."""
        return int(self.since // MINUTE), tuple(int(start // MINUTE) for start in self.starts)

    def started(self, at: float) -> "Habits":
        """Learn of a start; one that is known is no other."""
        if any(abs(at - known) < SAME_SECONDS for known in self.starts):
            return self
        return replace(self, starts=tuple(sorted((*self.starts, at))[-MOST_STARTS:]))

    def rate(self, now: float, *, ended: float | None = None) -> tuple[float, float]:
        """How likely it is to go live in the next second, given that it is not live, and until when this holds.

        `ended`: when its last live did.
        """
        last = self.starts[-1] if self.starts else None
        idle = max(0.0, now - (last if last is not None else self.since)) / DAY
        rate = RARE / (1 + idle) / DAY
        if last is not None and now - last > REST_SECONDS:
            place, often = int(now % DAY // BIN), self._days[int(now // DAY) % WEEK_DAYS] / self._seen(now)
            gone = often * BIN * sum(self._hours[place - before] for before in range(1, 2 * REACH + 2))
            # What did not come a while ago is the likelier to come now.
            rate += self._hours[place] * often / (1 - min(gone, MOST_GONE))
        if ended is not None and 0 <= now - ended < AGAIN_SECONDS:
            rate += AGAIN / AGAIN_SECONDS
            return rate, ended + AGAIN_SECONDS
        return rate, (now // BIN + 1) * BIN

    def _seen(self, now: float) -> float:
        """Over how many days the starts were, at the least one."""
        first = self.starts[0] if len(self.starts) == MOST_STARTS else self.since
        return max(1.0, (now - first) / DAY)

    @cached_property
    def _hours(self) -> Sequence[float]:
        """Starts a second at each hour of the day, were all of them of one day."""
        bins = [0.0] * BINS
        for start in self.starts:
            middle = int(start % DAY // BIN)
            for place, share in enumerate(KERNEL, middle - REACH):
                bins[place % BINS] += share / sum(KERNEL) / BIN
        return bins

    @cached_property
    def _days(self) -> Sequence[float]:
        """How much likelier than on any day a start is on each day of the week."""
        counts = [0] * WEEK_DAYS
        for start in self.starts:
            counts[int(start // DAY) % WEEK_DAYS] += 1
        known = min(1.0, (self.starts[-1] - self.since) / DAY / DAYS_KNOWN) if self.starts else 0.0
        return [1 - known + known * WEEK_DAYS * count / max(1, len(self.starts)) for count in counts]
