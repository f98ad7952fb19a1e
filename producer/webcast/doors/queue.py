"""Where rooms wait for a call at a door: its places, at the clock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf

from producer.webcast.doors.places import Places, Rank

LONGEST_SLEEP_SECONDS = 30.0
"""However long nobody may call."""


class Queue:
    """One worker's, at one door."""

    def __init__(
        self,
        places: Places,
        *,
        clock: Callable[[], float],
        told: Callable[[int, int], None] = lambda *_: None,
    ) -> None:
        """`told` of how many wait, and how many may call in a minute."""
        self._places = places
        self._clock = clock
        self._told = told
        self._turns: dict[int, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._told_off_until = -inf
        """Until when the other side told us, and not another worker, that nobody may call."""

    @asynccontextmanager
    async def turn(self, rank: Rank) -> AsyncIterator[None]:
        """Wait for a place, and have it for a call; whoever leaves before it called gives its place back."""
        turn = asyncio.get_running_loop().create_future()
        ticket = self._places.wait(rank)
        self._turns[ticket] = turn
        self._look()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._places.leave(ticket)
            else:  # it was told to go, and left at the same moment
                self._places.give_back()
            raise
        finally:
            del self._turns[ticket]
            self._look()
        try:
            yield
        finally:
            self._places.answered(self._clock())
            self._look()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._places)

    @property
    def in_a_hurry(self) -> int:
        """How many of them were heard a moment ago."""
        return self._places.in_a_hurry

    @property
    def taken(self) -> int:
        """Places that calls have, or had less than a minute ago."""
        return self._places.taken(self._clock())

    @property
    def held_seconds(self) -> float:
        """How long nobody may call, since the other side told us so."""
        return max(0.0, self._told_off_until - self._clock())

    def allow(self, calls: int) -> None:
        """Let so many call in a minute from now on."""
        self._places.allow(calls)
        self._look()

    def hold(self, seconds: float) -> None:
        """We were told that nobody may call for so long."""
        self._told_off_until = max(self._told_off_until, self._clock() + seconds)
        self.learn_hold(seconds)

    def learn_hold(self, seconds: float) -> None:
        """Another worker was told so."""
        self._places.hold(self._clock() + seconds)
        self._look()

    def _look(self) -> None:
        """Let go who is next, and look again when somebody else may be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while isinstance(found := self._places.next(self._clock()), int):
            self._turns[found].set_result(None)
        if found < inf:
            seconds = min(max(0.0, found - self._clock()), LONGEST_SLEEP_SECONDS)
            self._timer = asyncio.get_running_loop().call_later(seconds, self._look)
        self._told(len(self._places), self._places.calls)
