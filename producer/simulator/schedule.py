"""Who is live when, by the hours of a week: a script for a simulator that runs for days.

A line each: `NAME DAYS HH:MM-HH:MM`, in UTC; days are `*`, or names (`mon`) and ranges of them (`sat-mon`) with commas.
An end that is not behind its beginning is the next day's. A name may have several lines; `#` begins a comment.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from producer.simulator.world import Ending, Live, Talk, room_id

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MINUTE, DAY = 60, 86_400
WEEK = 7 * DAY
MONDAY = 4 * DAY
"""The first one since 1970, which began on a Thursday."""
ENDINGS = (Ending.HOST, Ending.HOST, Ending.VANISHES, Ending.PLATFORM)
_LINE = re.compile(r"(?P<name>[\w.]{1,64})\s+(?P<days>\S+)\s+(?P<begin>\d\d:\d\d)-(?P<end>\d\d:\d\d)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Window:
    """One live a week: when it begins, in seconds since Monday, and how long it lasts."""

    begin: int
    seconds: int


class Schedule:
    """What a server plays (`world.Script`)."""

    def __init__(self, windows: dict[str, list[Window]], *, seed: int, rate: float, clock: Callable[[], float]) -> None:
        """`rate` is events per second of all rooms together, while all are live; `clock` tells seconds since 1970."""
        self.unique_ids: Sequence[str] = tuple(windows)
        self._windows = windows
        self._seed = seed
        self._rate = rate / max(1, len(windows))
        self._clock = clock

    @classmethod
    def written(cls, text: str, *, seed: int, rate: float, clock: Callable[[], float]) -> "Schedule":
        """Read lines as above. Raises ValueError, naming the line."""
        windows: dict[str, list[Window]] = {}
        for number, line in enumerate(text.splitlines(), 1):
            said = line.partition("#")[0].strip()
            if not said:
                continue
            found = _LINE.fullmatch(said)
            try:
                if found is None:
                    raise ValueError
                begin, end = _seconds(found["begin"]), _seconds(found["end"])
                seconds = end - begin if end > begin else end - begin + DAY
                days = sorted({day for part in found["days"].split(",") for day in _days(part)})
            except ValueError:
                raise ValueError(
                    f"line {number} of the schedule is none: NAME DAYS HH:MM-HH:MM, as `ann mon-fri,sun 20:00-22:30`"
                ) from None
            windows.setdefault(found["name"], []).extend(Window(day * DAY + begin, seconds) for day in days)
        if not windows:
            raise ValueError("the schedule names nobody")
        return cls(windows, seed=seed, rate=rate, clock=clock)

    def lives(self, unique_id: str) -> Iterator[Live]:
        """Every live of a room, from now on: first what is left of the one that is on."""
        index, number, over = self.unique_ids.index(unique_id), 0, float("-inf")
        while True:
            number += 1
            now = self._clock()
            begin, over = self._next(unique_id, max(now, over))
            room = room_id(index, number)
            yield Live(
                room_id=room,
                after_seconds=max(0.0, begin - now),
                rate=self._rate,
                total=max(1, int((over - max(begin, now)) * self._rate)),
                ending=ENDINGS[(index + number) % len(ENDINGS)],
                message=Talk(self._seed, room).message,
            )

    def _next(self, unique_id: str, at: float) -> tuple[float, float]:
        """The window that is on at a moment, or the next one: from when to when."""
        week = at - (at - MONDAY) % WEEK
        found = (
            (week + turn * WEEK + window.begin, week + turn * WEEK + window.begin + window.seconds)
            for window in self._windows[unique_id]
            for turn in (-1, 0, 1)
        )
        return min((begin, end) for begin, end in found if end > at)


def _seconds(text: str) -> int:
    hours, minutes = map(int, text.split(":"))
    if hours > 23 or minutes > 59:
        raise ValueError
    return (hours * 60 + minutes) * MINUTE


def _days(text: str) -> Sequence[int]:
    if text == "*":
        return range(7)
    first, ranges, last = text.partition("-")
    begin, end = DAYS.index(first), DAYS.index(last if ranges else first)
    return [day % 7 for day in range(begin, end + 1 if end >= begin else end + 8)]
