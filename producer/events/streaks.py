"""Gift messages to what was really given: one total a streak, and corrections that add to it; pure.

A streak's messages carry a running total, so summing them counts gifts many times. Facts (protocol sheet section 11):
every tap sends a message with the same user, gift, group and receiver and a running `repeat_count`; `fan_ticket_count`
is exactly what that message adds, in diamonds; the closing message repeats the last count with `repeat_end` 1 and adds
nothing. Messages can skip counts, and the closing one can be missing.

So a streak is an interval of its running count: from what was there before the first message that was seen, to the
highest count. Intervals of successive sessions do not overlap, so their sum is right after a restart too, as long as
the first of them ended in good order: what a killed process had counted and not given out is in nobody's interval.
"""

import marshal
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from struct import Struct
from typing import Any

SILENCE_MS = 30_000
"""A streak without messages for so long is over; its closing message comes one to four seconds after the last tap."""
REMEMBERED = 500
"""Streaks that ended, kept for what comes late: so many at the most, and the last half of them always. What comes for
one that is forgotten is a total of its own, of what it adds."""
OPEN_BYTES = 8 * 1024 * 1024
"""What a room's open streaks may take, about; 4,000 of usual senders and a picture do."""
STREAK_BYTES = 1_000
"""An open streak, about, without its details."""


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
    """Of 64 bits with a sign, as the next three."""
    gift_id: int
    group_id: int
    receiver_id: int
    """0 where the message does not say; it is then who received the last one of an open streak like it."""
    streakable: bool | None
    """None where nothing says so: it is then of an open streak like it, or a gift without streaks."""
    repeat_count: int
    repeat_end: bool
    added_diamonds: int | None
    """None where the message does not say, as the closing one."""
    diamond_count: int | None
    """The price of one; None where nobody says."""
    sent_at: int
    """When it was sent, in ms since 1970."""
    price_source: Source = Source.MESSAGE
    details: Any = None
    """Whatever the caller wants back with the total; plain values, for they are kept as bytes meanwhile."""

    @property
    def streak(self) -> str:
        """The streak's name within its room; one gift without streaks is named after its message."""
        if not self.streakable:
            return str(self.message_id)
        return f"{self.user_id}:{self.gift_id}:{self.group_id}:{self.receiver_id}"


Interval = tuple[int, int]
"""A part of a streak's running count: from what was there before it, to what was there after it."""


@dataclass(frozen=True, slots=True)
class Given:
    """What was given: `count` gifts of one streak that were in no record before."""

    streak: str
    """The streak within its room: user, gift, group, receiver, and which streak of those it is."""
    count: int
    total: int
    """The streak's running total, this included."""
    interval: Interval
    """All of the streak that has been seen so far; no two of one streak are the same."""
    diamonds: int | None
    """Their worth; None where neither price nor increments are known, and never 0 for unknown."""
    source: Source
    """Where the worth is known from."""
    price: int | None
    """Of one, in diamonds; None where nobody says."""
    ended_by: EndedBy
    corrects: Interval | None
    """The interval of the first that was given out of this streak; this adds to it. None: this is the first."""
    first_sent_at: int
    """When the first message was sent of all that has been seen of the streak so far, in ms since 1970."""
    last_sent_at: int
    """When the last one was, its closing message among them."""
    last_message_id: int
    details: Any
    crowded_out: bool = False
    """It had not been silent for long, but others took the space."""


@dataclass(slots=True)
class _Streak:
    number: int
    """Which streak of its user, gift, group and receiver it is."""
    low: int
    high: int
    price: int | None
    price_source: str
    first_sent_at: int
    last_sent_at: int
    last_message_id: int
    added: int | None = None
    """The sum of the increments, in diamonds."""
    given: int = 0
    """How many gifts have been given out, and for how many diamonds."""
    given_diamonds: int = 0
    first_given: Interval | None = None
    last_at: int = 0
    details: bytes | None = None
    """Of one that is open."""

    def pack(self) -> bytes:
        """All of it that outlives its end, in a tenth of the memory."""
        return marshal.dumps(
            (
                self.number,
                self.low,
                self.high,
                self.price,
                self.price_source,
                self.first_sent_at,
                self.last_sent_at,
                self.last_message_id,
                self.added,
                self.given,
                self.given_diamonds,
                self.first_given,
            )
        )


Key = bytes
_KEY = Struct("=4q")
"""User, gift, group and receiver, which take six times that as numbers of Python's."""
_ALIKE = 3 * 8
"""So many bytes of a key are without the receiver."""


class Streaks:
    """The streaks of one room. Times are ms of one monotonic clock. Each message is to be added once."""

    def __init__(self, *, silence_ms: int = SILENCE_MS) -> None:
        self._silence_ms = silence_ms
        self._open: OrderedDict[Key, _Streak] = OrderedDict()
        """The longest silent first."""
        self._open_bytes = 0
        self._latest: dict[bytes, Key] = {}
        """Of the open streaks that are alike but for the receiver, the one that went on last."""
        self._ended: dict[Key, bytes] = {}
        self._ended_before: dict[Key, bytes] = {}
        """Those before them, forgotten once they are half of what is remembered."""

    def add(self, tap: Tap, at: int) -> list[Given]:
        """Take one gift message; return what it brings to an end."""
        key = _KEY.pack(tap.user_id, tap.gift_id, tap.group_id, tap.receiver_id)
        latest = self._latest.get(key[:_ALIKE])
        streakable = latest is not None if tap.streakable is None else tap.streakable
        if not streakable:
            return [_single(tap)]
        if latest is not None and not tap.receiver_id:
            key = latest
        given: list[Given] = []
        streak = self._take(key)
        if streak is None:
            streak = _begin(tap, number=0)
        elif _starts_anew(tap, streak):
            given += _finish(key, streak, EndedBy.COUNT_RESET)
            streak = _begin(tap, number=streak.number + 1)
        _extend(streak, tap, at)
        if tap.repeat_end:
            given += self._end(key, streak, EndedBy.REPEAT_END)
            return given
        self._open[key] = streak
        self._open_bytes += _bytes(streak)
        self._latest[key[:_ALIKE]] = key
        while self._open_bytes > OPEN_BYTES:
            given += (replace(one, crowded_out=True) for one in self._end_next(EndedBy.SILENCE))
        return given

    @property
    def has_open(self) -> bool:
        """Whether any streak may end by time alone."""
        return bool(self._open)

    def tick(self, at: int) -> Iterator[Given]:
        """Give out the streaks that have been silent for too long, each as it is asked for."""
        while self._open and at - next(iter(self._open.values())).last_at >= self._silence_ms:
            yield from self._end_next(EndedBy.SILENCE)

    def end(self) -> Iterator[Given]:
        """Give out every open streak, since nobody goes on watching the room; each as it is asked for."""
        while self._open:
            yield from self._end_next(EndedBy.SESSION_END)

    def hand_over(self) -> Iterator[Given]:
        """Give out every open streak, and forget them all: another session counts what comes from now on."""
        yield from self.end()
        self._ended, self._ended_before = {}, {}

    def _take(self, key: Key) -> _Streak | None:
        """Take a streak from where it is kept; None where it is not known."""
        streak = self._open.pop(key, None)
        if streak is not None:
            self._closed(key, streak)
            return streak
        packed = self._ended.pop(key, None) or self._ended_before.pop(key, None)
        return None if packed is None else _Streak(*marshal.loads(packed))

    def _closed(self, key: Key, streak: _Streak) -> None:
        self._open_bytes -= _bytes(streak)
        if self._latest.get(key[:_ALIKE]) == key:
            del self._latest[key[:_ALIKE]]

    def _end_next(self, ended_by: EndedBy) -> list[Given]:
        key, streak = self._open.popitem(last=False)
        self._closed(key, streak)
        return self._end(key, streak, ended_by)

    def _end(self, key: Key, streak: _Streak, ended_by: EndedBy) -> list[Given]:
        given = _finish(key, streak, ended_by)
        if len(self._ended) == REMEMBERED // 2:
            self._ended_before, self._ended = self._ended, {}
        self._ended[key] = streak.pack()
        return given


def _begin(tap: Tap, *, number: int) -> _Streak:
    low = _before(tap)
    price = tap.diamond_count, tap.price_source.value
    return _Streak(number, low, low, *price, tap.sent_at, tap.sent_at, tap.message_id)


def _bytes(streak: _Streak) -> int:
    return STREAK_BYTES + len(streak.details or b"")


def _finish(key: Key, streak: _Streak, ended_by: EndedBy) -> list[Given]:
    """Give out what of a streak was not given out before: often all of it, sometimes nothing."""
    count = streak.high - streak.low - streak.given
    if streak.details is None or count <= 0:
        return []
    diamonds, source = None, Source.UNKNOWN
    if streak.price is not None:
        diamonds, source = count * streak.price, Source(streak.price_source)
    elif streak.added is not None:
        diamonds, source = streak.added - streak.given_diamonds, Source.MESSAGE
    interval, corrects = (streak.low, streak.high), streak.first_given
    streak.given += count
    streak.given_diamonds += diamonds or 0
    streak.first_given = corrects or interval
    name = ":".join(map(str, _KEY.unpack(key))) + (f":{streak.number}" if streak.number else "")
    return [
        Given(
            streak=name,
            count=count,
            total=streak.high,
            interval=interval,
            diamonds=diamonds,
            source=source,
            price=streak.price,
            ended_by=ended_by,
            corrects=corrects,
            first_sent_at=streak.first_sent_at,
            last_sent_at=streak.last_sent_at,
            last_message_id=streak.last_message_id,
            details=marshal.loads(streak.details),
        )
    ]


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
        streak.details = marshal.dumps(tap.details)
    if streak.price is None:
        streak.price, streak.price_source = tap.diamond_count, tap.price_source.value
    if tap.added_diamonds is not None:
        streak.added = (streak.added or 0) + tap.added_diamonds
    streak.first_sent_at = min(streak.first_sent_at, tap.sent_at)
    streak.last_sent_at = max(streak.last_sent_at, tap.sent_at)
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
        price=tap.diamond_count,
        ended_by=EndedBy.SINGLE,
        corrects=None,
        first_sent_at=tap.sent_at,
        last_sent_at=tap.sent_at,
        last_message_id=tap.message_id,
        details=tap.details,
    )
