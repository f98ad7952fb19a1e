"""A seed to rooms, their lives, and every message that they send; pure.

Message n of a live is a function of the seed, the room and n alone. Facts: protocol sheet sections 7, 8 and 10 (what
messages look like and what each must become), 11 (streaks of gifts), 2.3 (a stale room id while offline).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Protocol

from producer.simulator import messages
from producer.simulator.messages import Message

BLOCK = 60
"""Messages come in blocks of so many, each with every documented kind in it."""
MIX: tuple[tuple[str, int], ...] = (
    ("like", 24),
    ("chat", 12),
    ("member", 9),
    ("member_through_share", 1),
    ("gift", 4),
    ("viewers", 2),
    ("pause", 2),
    ("follow", 1),
    ("share", 1),
    ("several_shares", 1),
    ("member_without_text", 1),
    ("question", 1),
    ("unknown", 1),
)
ROOM_IDS = 7_300_000_000_000_000_000
LIFE_IDS = 1_000_000_000
"""Room ids lie so far apart; message ids are the room's id and a count, so they are unique and increase."""
END_ID = LIFE_IDS - 1
"""The control message that ends a live has the last id."""


STEADY_SECONDS = 7 * 86400.0


class Ending(Enum):
    """How a live ends."""

    HOST = "host"
    PLATFORM = "platform"
    VANISHES = "vanishes"
    """No control message: the room is found ended, and its sockets are closed."""


@dataclass(frozen=True, slots=True)
class Live:
    """One live of a room."""

    room_id: int
    after_seconds: float
    """How long after the end of the live before it (or the beginning) it starts."""
    rate: float
    total: int
    """Messages before the end."""
    ending: Ending | None
    """None where the last message ends it itself."""
    message: Callable[[int, int], Message]
    """Makes message n, counted from 0, as created at a time in epoch ms."""
    waits: bool = False
    """Whether it stands still while nobody listens."""


class Script(Protocol):
    """What a server plays."""

    unique_ids: Sequence[str]

    def lives(self, unique_id: str) -> Iterator[Live]:
        """Every live of a room, in order."""
        ...


class World:
    """Rooms out of a seed."""

    def __init__(self, *, seed: int, rooms: int, rate: float, steady: bool = False, away: int = 0) -> None:
        """`rate` is events per second of all rooms together, while all are live; `steady`: they always are.

        `away`: so many streamers more, who never are.
        """
        self._seed = seed
        self._steady = steady
        self._live = tuple(f"sim_room_{number:02}" for number in range(1, rooms + 1))
        self.unique_ids: Sequence[str] = (*self._live, *(f"sim_away_{number:04}" for number in range(1, away + 1)))
        weights = [Random(f"{seed}:rate:{unique_id}").uniform(0.5, 1.5) for unique_id in self._live]
        self._rates = {
            unique_id: rate * weight / sum(weights) for unique_id, weight in zip(self._live, weights, strict=True)
        }

    def lives(self, unique_id: str) -> Iterator[Live]:
        """Every live of a room: a few are long, a few start late, the others come and go, unless they are steady."""
        if unique_id not in self._rates:
            return
        number = self._live.index(unique_id)
        chance = Random(f"{self._seed}:lives:{unique_id}")
        rate = self._rates[unique_id]
        after = 0.0 if self._steady else _first_start(number, chance)
        for live in range(1, 1000):
            seconds = STEADY_SECONDS if self._steady else 3600.0 if number % 3 == 0 else chance.uniform(20.0, 45.0)
            room = room_id(number, live)
            yield Live(
                room_id=room,
                after_seconds=after,
                rate=rate,
                total=max(BLOCK, int(seconds * rate)),
                ending=(Ending.HOST, Ending.HOST, Ending.VANISHES, Ending.PLATFORM)[(number + live) % 4],
                message=Talk(self._seed, room).message,
            )
            after = chance.uniform(3.0, 8.0)


def room_id(number: int, live: int) -> int:
    """The id of a streamer's n-th live."""
    return ROOM_IDS + (number * 1000 + live % 1000) * LIFE_IDS


def end(live: Live, created_at: int) -> Message:
    """The control message that ends a live."""
    maker = messages.Maker(
        room_id=live.room_id,
        message_id=live.room_id + END_ID,
        number=live.total,
        created_at=created_at,
        chance=Random(live.room_id),
        streak=Random(live.room_id),
    )
    return maker.control(4 if live.ending is Ending.PLATFORM else 3)


def _first_start(number: int, chance: Random) -> float:
    if number % 10 == 7:
        return chance.uniform(30.0, 60.0)
    return 0.0 if number % 4 == 0 else chance.uniform(0.5, 8.0)


class Talk:
    """One live's messages."""

    def __init__(self, seed: int, room_id: int) -> None:
        self._seed = seed
        self._room_id = room_id

    def message(self, number: int, created_at: int) -> Message:
        """Message `number`, counted from 0, as created at a time in epoch ms."""
        block, place = divmod(number, BLOCK)
        kinds = _kinds(Random(f"{self._seed}:{self._room_id}:{block}"))
        kind, nth = kinds[place]
        maker = messages.Maker(
            room_id=self._room_id,
            message_id=self._room_id + 1 + number,
            number=number,
            created_at=created_at,
            chance=Random(f"{self._seed}:{self._room_id}:{block}:{place}"),
            streak=Random(f"{self._seed}:{self._room_id}:{block}:streak"),
        )
        return maker.make(kind, nth)


def _kinds(chance: Random) -> list[tuple[str, int]]:
    """The kinds of one block in their order, each with its place among those of its kind."""
    kinds = [kind for kind, times in MIX for _ in range(times)]
    chance.shuffle(kinds)
    seen: dict[str, int] = {}
    placed = []
    for kind in kinds:
        placed.append((kind, seen.get(kind, 0)))
        seen[kind] = seen.get(kind, 0) + 1
    return placed
