"""Who of those that wait at a door may call there next, and when; pure, times in seconds of one monotonic clock.

So many calls a minute are so many places. A call has one from its leaving until a minute after its answer: the other
side, which counts when it arrives, then never counts more in any minute than there are places, however long each took
to arrive. Between two calls lies a place's part of the minute, so that calls are spread, and whoever is in a hurry
finds a place soon.
"""

import heapq
from dataclasses import dataclass
from math import inf

MINUTE = 60.0


@dataclass(frozen=True, slots=True)
class Rank:
    """Who goes first."""

    was_heard: bool = False
    """Its room was heard a moment ago, here or by the worker that hands it over: what it says now is lost."""
    priority: int = 0
    since: float = inf
    """Since when it wants in; among equals, whoever waits longest."""


ANYBODY = Rank()


class Places:
    """One key's, or one worker's part of them."""

    def __init__(self, calls: int, *, period: float = MINUTE) -> None:
        """`calls` in any `period`."""
        self.calls = calls
        self._period = period
        self._waiting: dict[int, Rank] = {}
        """By ticket."""
        self._heap: list[tuple[bool, int, float, int]] = []
        """By rank, then by ticket; of who has gone there is still an entry."""
        self._tickets = 0
        self._under_way = 0
        self._cooling: list[float] = []
        """A heap of when places are free again whose calls were answered."""
        self._last = -inf
        """When the last call left."""
        self._before = -inf
        """And the one before it."""
        self.held_until = -inf
        """Before when the other side asked not to be called."""

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def in_a_hurry(self) -> int:
        """How many of those that wait were heard a moment ago."""
        return sum(rank.was_heard for rank in self._waiting.values())

    def taken(self, now: float) -> int:
        """Places of calls that are under way, or were made less than a period ago."""
        while self._cooling and self._cooling[0] <= now:
            heapq.heappop(self._cooling)
        return self._under_way + len(self._cooling)

    def allow(self, calls: int) -> None:
        """Have so many places from now on; a call that was made keeps its place all the same."""
        self.calls = calls

    def hold(self, until: float) -> None:
        """Let nobody call before `until`, whoever waits already among them."""
        self.held_until = max(self.held_until, until)

    def wait(self, rank: Rank) -> int:
        """Somebody waits from now on, until `next` tells the ticket that this one gets."""
        self._tickets += 1
        self._waiting[self._tickets] = rank
        heapq.heappush(self._heap, (not rank.was_heard, -rank.priority, rank.since, self._tickets))
        return self._tickets

    def leave(self, ticket: int) -> None:
        """Somebody waits no longer; those behind move up."""
        self._waiting.pop(ticket, None)

    def next(self, now: float) -> int | float:
        """The ticket of who calls now, and waits no longer; or until when nobody does, unless something changes."""
        while self._heap and self._heap[0][-1] not in self._waiting:
            heapq.heappop(self._heap)
        if not self._heap or not self.calls:
            return inf
        if now < (at := max(self._last + self._period / self.calls, self.held_until)):
            return at
        if self.taken(now) >= self.calls:
            # As many as there are above what is allowed must be free, and one more.
            above = self._under_way + len(self._cooling) - self.calls
            return heapq.nsmallest(above + 1, self._cooling)[-1] if above < len(self._cooling) else inf
        ticket = heapq.heappop(self._heap)[-1]
        self.leave(ticket)
        self._under_way += 1
        self._before, self._last = self._last, now
        return ticket

    def answered(self, now: float) -> None:
        """A call was answered, or will not be."""
        self._under_way -= 1
        heapq.heappush(self._cooling, now + self._period)

    def give_back(self) -> None:
        """Who was to call leaves without: its place is free."""
        self._under_way -= 1
        self._last = self._before


def per_minute(calls: float) -> tuple[int, float]:
    """So many calls a minute as whole ones, and the seconds in which that many may be made: a minute, or longer."""
    return max(1, int(calls)), max(MINUTE, MINUTE / calls)
