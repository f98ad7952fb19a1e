"""What a source of claims is to the rest of the house; every backend satisfies it, and one suite of tests asks it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.doors import DoorSaid


class Leaving(StrEnum):
    """Why a streamer is let go; the reason of its `disconnect`."""

    RELEASED = "released"
    """Nobody wants it, or this worker ends."""
    HANDOVER = "handover"
    """Another worker has it now."""
    FENCED = "fenced"
    """Another worker was given it while this one could not know."""


@dataclass(frozen=True, slots=True)
class LastLive:
    """The last live of a streamer that its consumers were told of."""

    room_id: str
    started_at: int | None = None
    """Seconds since 1970, as a look-up said it; None where none did."""
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Said:
    """How a streamer's session went when it was last said, by this worker or by the one before it."""

    state: str
    room_id: str | None = None
    error: str | None = None
    bugs: int = 0
    """How often, one after the other, a bug of ours has ended it."""
    again_at: int | None = None
    """When it is to be tried again, where that takes minutes: ms since 1970."""
    door: str | None = None
    """By which door its room is heard."""
    owner_id: str | None = None
    """The number of the user whose room it is, where it was learnt."""
    watched: int | None = None
    """Since when it has been looked up: minutes since 1970."""
    starts: tuple[int, ...] = ()
    """When it went live lately, as far as was learnt: minutes since 1970, oldest first."""
    live: LastLive | None = None
    going_in: bool = False
    """Whether it is on the way into a room that another worker may hear until then."""


class Fence(Protocol):
    """Whether this worker still has the right to what it holds."""

    @property
    def revoked_at(self) -> float:
        """When the group said that we are no member of it, by `lease.boot_clock`; -inf unless it did."""

    def current(self) -> bool:
        """Whether it is certain, now, that nobody else was given our claims. Cheap enough for each record."""

    def lost(self, streamer: str) -> bool:
        """Whether this streamer's claim is known to be lost, so that nothing of it may be published."""

    def heed(self, told: Callable[[], None]) -> None:
        """Call this whenever claims come to be known as lost, before any of them is released."""


class Rationed(Protocol):
    """What this worker has a share of, where the fleet shares a budget: calls at a door."""

    @property
    def waiting(self) -> int:
        """Rooms that wait for a call."""

    @property
    def in_a_hurry(self) -> int:
        """How many of them were heard a moment ago."""

    @property
    def taken(self) -> int:
        """Calls that are under way, or were made in the last minute."""

    @property
    def held_seconds(self) -> float:
        """How long nobody is to be called, since the other side told us so."""

    def allow(self, calls: int) -> None:
        """Let so many be made in a minute from now on."""

    def learn_hold(self, seconds: float) -> None:
        """Another worker was told that nobody is to call for so long."""


class Assignments(Protocol):
    """This worker's part of the list. Use it as an async context manager; entering raises StartRefused."""

    @property
    def fence(self) -> Fence:
        """To be asked before anything is published."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def changes(self) -> AsyncIterator[frozenset[Streamer]]:
        """Yield the whole set of streamers to hold, now and after each change.

        A streamer that left the set is not in it again before it was released.
        """

    def entry(self, streamer: Streamer) -> Wanted:
        """Tell what the list says of a streamer now; of one that is not on it, no more than its name."""

    def why(self, streamer: Streamer) -> Leaving:
        """Say why a streamer left the set."""

    def shared(self, streamer: Streamer) -> bool:
        """Say whether the worker that has a streamer from now on hears its room too, while we still hold it."""

    async def release(self, streamer: Streamer) -> None:
        """Give a claim up, once the session for it has ended."""

    def report(self, streamer: Streamer, said: Said) -> None:
        """Say how the session of a streamer goes, at each change of its state."""

    def last_said(self, streamer: Streamer) -> Said | None:
        """Tell what was last said of a streamer, by whomever; None where nothing was, or it is not known."""

    def say_door(self, door: str, said: DoorSaid) -> None:
        """Tell the other workers how a door stands here, where there is a way to."""

    def hear_doors(self, told: Callable[[str, DoorSaid], None]) -> None:
        """Have what other workers say of doors told from now on; before entering, to miss nothing."""

    def hear_pokes(self, told: Callable[[Streamer], None]) -> None:
        """Have each streamer told from now on of which somebody says that it went live, held or not."""

    def share(self, name: str, rationed: Rationed, *, total: int, period: float) -> None:
        """Share `total` calls in any `period` with the other workers from now on; before entering, to miss nothing.

        Where there is no way to, this worker has them all.
        """

    def told(self) -> bool:
        """Say whether what is reported comes to others; where it does not, hand-overs cannot wait for one another."""

    async def drain(self, seconds: float) -> None:
        """Take nothing new and hand over what is held, while `changes` goes on; return once that is done.

        That is at once where nobody is there to take over, and after `seconds` in any case.
        """
