"""Gift messages to what was really given: one total a streak, and corrections that add to it; pure.

A streak's messages carry a running total, so summing them counts gifts many times. Facts (protocol sheet section 11):
every tap sends a message with the same user, gift and group and a running `repeat_count`; `fan_ticket_count` is exactly
what that message adds, in diamonds; the closing message repeats the last count with `repeat_end` 1 and adds nothing.
Messages can skip counts, and the closing one can be missing.

So a streak is an interval of its running count: from what was there before the first message that was seen, to the
highest count. Intervals of successive sessions do not overlap, so their sum is right after a restart too, as long as
the first of them ended in good order: what a killed process had counted and not given out is in nobody's interval.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SILENCE_MS = 30_000
"""A streak without messages for so long is over; its closing message comes one to four seconds after the last tap."""
REMEMBERED = 2_000
"""Streaks that ended, kept for what comes late."""


class EndedBy(StrEnum):
    """How the end of a streak is known."""

    SINGLE = "single"
    REPEAT_END = "repeat_end"
    COUNT_RESET = "count_reset"
    SILENCE = "silence"
    SESSION_END = "session_end"


class Source(StrEnum):
    """Where a worth in diamonds is known from."""

    MESSAGE = "message"
    GIFT_LIST = "gift_list"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Tap:
    """What a gift message says of its streak."""

    message_id: int
    user_id: int
    gift_id: int
    group_id: int
    streakable: bool
    repeat_count: int
    repeat_end: bool
    added_diamonds: int | None
    """None where the message does not say, as the closing one."""
    diamond_count: int | None
    """The price of one; None where nobody says."""
    price_source: Source = Source.MESSAGE
    details: Any = None
    """Whatever the caller wants back with the total."""

    @property
    def streak(self) -> str:
        """The streak's name within its room; one gift without streaks is named after its message."""
        return f"{self.user_id}:{self.gift_id}:{self.group_id}" if self.streakable else str(self.message_id)


Interval = tuple[int, int]
"""A part of a streak's running count: from what was there before it, to what was there after it."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was given: `count` gifts of one streak that were in no record before."""

    streak: str
    """The streak within its room: user, gift, group, and which streak of that group it is."""
    count: int
    total: int
    """The streak's running total, this included."""
    interval: Interval
    """All of the streak that has been seen so far; no two of one streak are the same."""
    diamonds: int | None
    """Their worth; None where neither price nor increments are known, and never 0 for unknown."""
    source: Source
    """Where the worth is known from."""
    ended_by: EndedBy
    corrects: Interval | None
    """The interval of the first that was given out of this streak; this adds to it. None: this is the first."""
    last_message_id: int
    details: Any


@dataclass(slots=True)
class _Streak:
    name: str
    number: int
    low: int
    high: int
    price: int | None
    price_source: Source
    details: Any
    last_message_id: int
    last_at: int
    added: int | None = None
    """The sum of the increments, in diamonds."""
    given: int = 0
    """How many gifts have been given out, and for how many diamonds."""
    given_diamonds: int = 0
    first_given: Interval | None = None


Key = tuple[int, int, int]


class Streaks:
    """The streaks of one room. Times are ms of any one clock. Each message is to be added once."""

    def __init__(self, *, silence_ms: int = SILENCE_MS) -> None:
        self._silence_ms = silence_ms
        self._streaks: OrderedDict[Key, _Streak] = OrderedDict()
        """The lately active last."""
        self._open: OrderedDict[Key, None] = OrderedDict()

    def add(self, tap: Tap, at: int) -> list[Given]:
        """Take one gift message; return what it brings to an end."""
        if not tap.streakable:
            return [_single(tap)]
        key = (tap.user_id, tap.gift_id, tap.group_id)
        given: list[Given] = []
        streak = self._streaks.get(key)
        if streak is None or _starts_anew(tap, streak):
            given += self._finish(key, EndedBy.COUNT_RESET)
            streak = self._begin(key, tap, number=streak.number + 1 if streak else 0)
        _extend(streak, tap, at)
        self._streaks.move_to_end(key)
        self._open[key] = None
        self._open.move_to_end(key)
        if tap.repeat_end:
            given += self._finish(key, EndedBy.REPEAT_END)
        self._forget()
        return given

    def tick(self, at: int) -> list[Given]:
        """Return the streaks that have been silent for too long."""
        given: list[Given] = []
        while self._open:
            key = next(iter(self._open))
            if at - self._streaks[key].last_at < self._silence_ms:
                break
            given += self._finish(key, EndedBy.SILENCE)
        return given

    def end(self) -> list[Given]:
        """Return every open streak, since nobody goes on watching the room."""
        return [one for key in list(self._open) for one in self._finish(key, EndedBy.SESSION_END)]

    def hand_over(self) -> list[Given]:
        """Return every open streak, and forget them all: another session counts what comes from now on."""
        given = self.end()
        self._streaks.clear()
        return given

    def _begin(self, key: Key, tap: Tap, *, number: int) -> _Streak:
        low = _before(tap)
        name = tap.streak + (f":{number}" if number else "")
        streak = _Streak(
            name, number, low, low, tap.diamond_count, tap.price_source, tap.details, tap.message_id, last_at=0
        )
        self._streaks[key] = streak
        return streak

    def _finish(self, key: Key, ended_by: EndedBy) -> list[Given]:
        """Give out what of a streak was not given out before: often all of it, sometimes nothing."""
        if key not in self._open:
            return []
        del self._open[key]
        streak = self._streaks[key]
        # What is remembered of a streak that ended must be small; what comes late brings its own.
        details, streak.details = streak.details, None
        count = streak.high - streak.low - streak.given
        if count <= 0:
            return []
        diamonds, source = None, Source.UNKNOWN
        if streak.price is not None:
            diamonds, source = count * streak.price, streak.price_source
        elif streak.added is not None:
            diamonds, source = streak.added - streak.given_diamonds, Source.MESSAGE
        interval, corrects = (streak.low, streak.high), streak.first_given
        streak.given += count
        streak.given_diamonds += diamonds or 0
        streak.first_given = corrects or interval
        return [
            Given(
                streak=streak.name,
                count=count,
                total=streak.high,
                interval=interval,
                diamonds=diamonds,
                source=source,
                ended_by=ended_by,
                corrects=corrects,
                last_message_id=streak.last_message_id,
                details=details,
            )
        ]

    def _forget(self) -> None:
        """Keep a bounded number of streaks; one that is open is kept whatever the number."""
        while len(self._streaks) > REMEMBERED:
            key = next((key for key in self._streaks if key not in self._open), None)
            if key is None:
                return
            del self._streaks[key]


def _starts_anew(tap: Tap, streak: _Streak) -> bool:
    """Whether a message begins another streak of its group: it is later, and counts from below where that one is."""
    return tap.message_id > streak.last_message_id and _before(tap) < streak.high and not tap.repeat_end


def _before(tap: Tap) -> int:
    """The running count before a message.

    A closing message adds nothing, so where it is the first that is seen, what it closes was seen by another session.
    """
    if tap.repeat_end:
        return tap.repeat_count
    if tap.added_diamonds is None or not tap.diamond_count:
        return tap.repeat_count - 1
    return tap.repeat_count - tap.added_diamonds // tap.diamond_count


def _extend(streak: _Streak, tap: Tap, at: int) -> None:
    streak.low = min(streak.low, _before(tap))
    streak.high = max(streak.high, tap.repeat_count)
    if streak.details is None:
        streak.details = tap.details
    if streak.price is None:
        streak.price, streak.price_source = tap.diamond_count, tap.price_source
    if tap.added_diamonds is not None:
        streak.added = (streak.added or 0) + tap.added_diamonds
    streak.last_message_id = max(streak.last_message_id, tap.message_id)
    streak.last_at = at


def _single(tap: Tap) -> Given:
    count = max(1, tap.repeat_count)
    diamonds, source = tap.added_diamonds, Source.MESSAGE
    if diamonds is None and tap.diamond_count is not None:
        diamonds, source = count * tap.diamond_count, tap.price_source
    return Given(
        streak=tap.streak,
        count=count,
        total=count,
        interval=(0, count),
        diamonds=diamonds,
        source=source if diamonds is not None else Source.UNKNOWN,
        ended_by=EndedBy.SINGLE,
        corrects=None,
        last_message_id=tap.message_id,
        details=tap.details,
    )
