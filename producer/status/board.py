"""What the view shows: who streams whom and what the topics hold, as rows to sort and to filter; pure.

Workers' names, errors and room ids are what somebody wrote to a topic: a cell's text is made harmless where it is made.
"""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

from rich.text import Text

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.doors import DoorSaid
from producer.assignments.table import Status
from producer.strangers import shown

STATES = (
    "connected",
    "offline",
    "elsewhere",
    "resolving",
    "connecting",
    "backing_off",
    "failed",
    "parked",
    "unassigned",
)
UNSAID = "unsaid"
"""The state of a streamer that is wanted and of which no worker has said anything."""
STYLES = {
    "connected": "green",
    "offline": "bright_black",
    "elsewhere": "cyan",
    "backing_off": "yellow",
    "failed": "red",
    "parked": "bold red",
    "unassigned": "magenta",
    UNSAID: "magenta",
}
WORST_FIRST = {state: place for place, state in enumerate(reversed((*STATES, UNSAID)))}
RATE_SECONDS = 10.0
"""Over how long a topic's rate is taken."""
TREND = 20
"""How many rates a trend has at the most."""
BARS = "▁▂▃▄▅▆▇█"
NOT_KNOWN = "—"
MOST_LETTERS = 1_000
"""Of a cell's text."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, what it is sorted by (the same type in a whole column), and its style."""

    text: str
    order: Any
    style: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", shown(self.text, most=MOST_LETTERS))


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table: its key, and a cell for each column."""

    key: str
    cells: Mapping[str, Cell]

    def text(self, column: str) -> Text:
        """One cell, as a terminal draws it."""
        cell = self.cells[column]
        return Text(cell.text, cell.style, no_wrap=True, overflow="ellipsis")


@dataclass(frozen=True, slots=True)
class Offsets:
    """What the topics hold at one moment."""

    at: float
    """Seconds, by a clock that never goes back."""
    partitions: Mapping[str, int]
    ends: Mapping[str, int]
    """The sum of a topic's end offsets."""
    lags: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """By group and topic: how many records the group has not committed yet, where it has committed any."""


class Board:
    """All that is known. Times of statuses are seconds since 1970."""

    def __init__(self, groups: Sequence[str] = ()) -> None:
        """`groups`: the consumer groups whose lags are looked at."""
        self.groups = tuple(groups)
        self.said: Mapping[Streamer, Status] = {}
        self.doors: Mapping[str, DoorSaid] = {}
        self.wanted: Mapping[Streamer, Wanted] = {}
        self.away: str | None = None
        """Why Kafka cannot be asked just now."""
        self.heard: float | None = None
        """When it answered last."""
        self._offsets: deque[Offsets] = deque(maxlen=TREND + 1)

    def answered(self, at: float) -> None:
        """Kafka is there."""
        self.away, self.heard = None, at

    def take(self, offsets: Offsets) -> None:
        """Look at what the topics hold; rates come of two such looks."""
        self._offsets.append(offsets)

    def state_of(self, streamer: Streamer) -> str:
        """A streamer's state, as it was said last."""
        return self.said[streamer].state if streamer in self.said else UNSAID

    def summary(self) -> str:
        """The fleet in a line."""
        names = self._names()
        states = Counter(self.state_of(streamer) for streamer in names)
        parts = [_many(len({status.worker for status in self.said.values()}), "worker"), _many(len(names), "streamer")]
        parts += [f"{states[state]} {state}" for state in (*STATES, UNSAID) if states[state]]
        parts += [f"door {door} {_standing(said)}" for door, said in sorted(self.doors.items()) if said.reason]
        return " · ".join(parts)

    def workers(self, now: float) -> list[Row]:
        """A row for each worker that says it has a streamer."""
        found: dict[str, list[Status]] = {}
        for status in self.said.values():
            found.setdefault(status.worker, []).append(status)
        return [_worker(worker, statuses, now) for worker, statuses in found.items()]

    def rooms(self) -> Counter[str]:
        """How many rooms are heard by each door."""
        return Counter(status.door for status in self.said.values() if status.door)

    def doors_standing(self, now: float) -> list[Row]:
        """A row for each door that a worker says something of, or hears a room by."""
        rooms = self.rooms()
        return [_door(door, self.doors.get(door), rooms[door], now) for door in self.doors.keys() | rooms.keys()]

    def streamers(self, now: float) -> list[Row]:
        """A row for each streamer that is wanted or of which somebody speaks."""
        return [self._streamer(streamer, now) for streamer in self._names()]

    def topics(self) -> list[Row]:
        """A row for each topic that there is."""
        if not self._offsets:
            return []
        latest = self._offsets[-1]
        return [self._topic(topic, latest) for topic in latest.partitions]

    def _names(self) -> set[Streamer]:
        return {name for name, wanted in self.wanted.items() if wanted.enabled} | self.said.keys()

    def _streamer(self, streamer: Streamer, now: float) -> Row:
        status, state = self.said.get(streamer), self.state_of(streamer)
        row = self.wanted.get(streamer)
        return Row(
            streamer,
            {
                "streamer": Cell(streamer, streamer),
                "state": Cell(state, WORST_FIRST.get(state, 0), STYLES.get(state, "")),
                "for": _since(status.since if status else None, now),
                "worker": _text(status.worker if status else None),
                "room": _text(status.room_id if status else None),
                "labels": _text(" ".join(f"{name}={value}" for name, value in row.labels) if row else None),
                "priority": Cell(str(row.priority), row.priority) if row else Cell(NOT_KNOWN, 0),
                "error": _text(_trouble(status) if status else "", "red"),
            },
        )

    def _topic(self, topic: str, latest: Offsets) -> Row:
        rates = [_rate(topic, *pair) for pair in pairwise(self._offsets)]
        earlier = [each for each in self._offsets if latest.at - each.at <= RATE_SECONDS]
        rate = _rate(topic, earlier[0], latest) if len(earlier) > 1 else None
        cells = {
            "topic": Cell(topic, topic),
            "records/s": Cell(NOT_KNOWN, -1.0) if rate is None else Cell(f"{rate:,.1f}", rate),
            "trend": Cell(spark([each or 0.0 for each in rates]), rate or 0.0, "cyan"),
            "end": Cell(f"{latest.ends[topic]:,}", latest.ends[topic]),
            "partitions": Cell(str(latest.partitions[topic]), latest.partitions[topic]),
        }
        for group in self.groups:
            lag = latest.lags.get((group, topic))
            cells[f"lag of {group}"] = Cell(NOT_KNOWN, -1) if lag is None else Cell(f"{lag:,}", lag)
        return Row(topic, cells)


def arrange(rows: Iterable[Row], column: str, *, descending: bool, wanted: str) -> list[Row]:
    """The rows that fit what is wanted, sorted by a column and, where that is equal, by key.

    `wanted` is words that a row must have in some cell; `column:word` looks in that column alone, and `column=word` has
    to be all of it.
    """
    words = [_word(text) for text in wanted.lower().split()]
    found = sorted((row for row in rows if all(_fits(row, *word) for word in words)), key=lambda row: row.key)
    return sorted(found, key=lambda row: row.cells[column].order, reverse=descending)


def spark(values: Sequence[float]) -> str:
    """A bar for each value, the highest as high as can be."""
    most = max(values, default=0.0)
    return "".join(BARS[round(value / most * (len(BARS) - 1))] if most else BARS[0] for value in values)


def age(seconds: float) -> str:
    """How long, in the largest unit of which there is a whole one."""
    whole = max(0, int(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def _worker(worker: str, statuses: Sequence[Status], now: float) -> Row:
    states = Counter(status.state for status in statuses)
    errors = sum(status.error is not None for status in statuses)
    cells = {"worker": Cell(worker, worker), "streamers": Cell(str(len(statuses)), len(statuses))}
    for state in STATES:
        cells[state] = Cell(str(states[state] or "·"), states[state], STYLES.get(state, ""))
    cells["errors"] = Cell(str(errors or "·"), errors, "red")
    cells["last change"] = _since(max(status.since for status in statuses), now)
    return Row(worker, cells)


def _door(door: str, said: DoorSaid | None, rooms: int, now: float) -> Row:
    shut = said is not None and said.reason is not None
    cells = {
        "door": Cell(door, door),
        "rooms": Cell(str(rooms), rooms),
        "state": Cell(_standing(said), shut, STYLES["failed" if shut else "connected"]),
        "said": _since(said.at if said else None, now),
        "by": _text(said.worker if said else None),
        "answer": _text(said.detail if said else "", "red"),
    }
    return Row(door, cells)


def _standing(said: DoorSaid | None) -> str:
    """Whether a door is open; of one that is shut, since when (of one worker's first refusal) and why."""
    if said is None or said.reason is None:
        return "open"
    since = datetime.fromtimestamp((said.since or said.at) / 1000, UTC)
    return f"shut since {since:%H:%M} UTC ({shown(said.reason)})"


def _since(milliseconds: int | None, now: float) -> Cell:
    if milliseconds is None:
        return Cell(NOT_KNOWN, -1.0)
    seconds = max(0.0, now - milliseconds / 1000)
    return Cell(age(seconds), seconds)


def _trouble(status: Status) -> str:
    """What went wrong, and when it is tried again where that takes minutes."""
    if status.again_at is None:
        return status.error or ""
    seconds = status.again_at // 1000
    until = f"until {seconds // 3600 % 24:02}:{seconds // 60 % 60:02} UTC"
    return f"{until}: {status.error}" if status.error else until


def _text(text: str | None, style: str = "") -> Cell:
    return Cell(NOT_KNOWN if text is None else text, text or "", style)


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _rate(topic: str, before: Offsets, after: Offsets) -> float | None:
    """Records a second; None where the topic was not there yet, or was made anew in between."""
    if topic not in before.ends or topic not in after.ends or after.ends[topic] < before.ends[topic]:
        return None
    return (after.ends[topic] - before.ends[topic]) / max(after.at - before.at, 1e-3)


def _word(text: str) -> tuple[str, str, str]:
    for sign in ":=":
        column, found, word = text.partition(sign)
        if found:
            return column, sign, word
    return "", ":", text


def _fits(row: Row, column: str, sign: str, word: str) -> bool:
    if not column:
        return any(word in cell.text.lower() for cell in row.cells.values())
    text = row.cells[column].text.lower() if column in row.cells else ""
    return word == text if sign == "=" else word in text
