"""When a streamer goes live, learnt from when it did; pure.

Times are seconds since 1970, days are UTC's. Somebody who streams does so at hours of the day that are its own, on days
of the week that are, an hour earlier or later: that is all that is assumed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp

MINUTE, DAY = 60.0, 86400.0
DAY_MINUTES, QUARTER = 1440, 15
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
NEAR_MINUTES = 45
"""So far apart starts may be from one of them, on the clock, to be called one hour's."""
LEAST_USUAL = 3
"""So many of them are not by chance."""
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

    def chance(self, now: float, seconds: float) -> float:
        """How likely it goes live within so many seconds, given that it is not live and no live ended a moment ago."""
        expected, at, end = 0.0, now, now + seconds
        while at < end:
            rate, until = self.rate(at)
            expected += rate * (min(until, end) - at)
            at = until
        return 1 - exp(-expected)

    @property
    def usual(self) -> tuple[tuple[int, int], ...]:
        """The minutes of the day, to a quarter of an hour, about which it mostly went live, and how often each."""
        found = []
        left = [int(start % DAY // MINUTE) for start in self.starts]
        while left:
            center, near = max(
                ((each, [other for other in left if abs(_apart(other, each)) <= NEAR_MINUTES]) for each in left),
                key=lambda group: len(group[1]),
            )
            if len(near) < LEAST_USUAL:
                break
            mean = center + sum(_apart(other, center) for other in near) / len(near)
            found.append((round(mean / QUARTER) * QUARTER % DAY_MINUTES, len(near)))
            left = [other for other in left if abs(_apart(other, center)) > NEAR_MINUTES]
        return tuple(found)

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


def _apart(minute: int, other: int) -> int:
    """How much later on the clock one minute of the day is than another, or earlier."""
    return (minute - other + DAY_MINUTES // 2) % DAY_MINUTES - DAY_MINUTES // 2
