"""Who of those that wait to be looked up is next; pure, its clock an argument.

Who is likelier to go live is asked oftener, by the square root of it: with so many requests to spend, that is what
makes the mean time until a live is found the shortest. (A streamer that starts at a rate r and is asked every t seconds
is found t/2 after its start, so the sum of r*t/2 is to be the least where the sum of 1/t is given.)
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Protocol

from producer.lookups.budget import Budget

REFRESH_SECONDS = 30.0
"""How often the intervals are found anew: hours that are somebody's come and go."""
ROUNDS = 2
"""Of settling what an interval is made of, from what it was before."""
MOST_PREFERENCE = 9
USE = 0.97
"""Of the budget that intervals use up; the rest is for whoever cannot wait."""
FLOOR = 0.5
"""Of that, what the longest intervals may use up: with more they would leave nothing to those who are likelier."""


class Chances(Protocol):
    """How likely somebody is to go live."""

    def rate(self, now: float, *, ended: float | None = None) -> tuple[float, float]:
        """In the next second, given that it is not live, and until when this holds."""


@dataclass(slots=True)
class Asker:
    """Somebody who waits to be looked up."""

    name: str
    habits: Chances
    priority: int = 0
    asked: float | None = None
    """When it was asked last; None where never."""
    ended: float | None = None
    """When its last live did."""
    shortest: float = 0.0
    """How long after `asked` at the least, whatever the others do: an interval of its own, or what it was told."""
    hurries: bool = False
    """It is asked before those who wait for their time: its room was heard a moment ago, or somebody said a word."""
    interval: float = 0.0
    """Between two times that it is asked, as found last."""
    root: float = 0.0
    """The square root of how likely it goes live, weighted by how much it matters."""
    until: float = 0.0
    """Until when that holds."""

    def weigh(self, now: float) -> float:
        """Find the root anew, if it holds no longer."""
        if now >= self.until:
            rate, self.until = self.habits.rate(now, ended=self.ended)
            preference = min(abs(self.priority), MOST_PREFERENCE) + 1
            self.root = sqrt(rate * preference if self.priority >= 0 else rate / preference)
        return self.root


class Plan:
    """Those who wait, by one egress."""

    def __init__(self, budget: Budget, *, shortest: float, longest: float) -> None:
        """`shortest` and `longest`: an interval's bounds, in seconds; the longer one holds where the budget lets it."""
        self._bound = longest
        """The longest interval that can be kept."""
        self._budget = budget
        self._shortest = shortest
        self._longest = longest
        self._waiting: dict[str, Asker] = {}
        self._hurrying: dict[str, Asker] = {}
        self._due: list[tuple[float, int, str]] = []
        """A heap of when, in which order, who; entries of who has gone, or whose interval changed, are passed over."""
        self._stretch = 0.0
        """Seconds, times the square root of a rate: what an interval is made of."""
        self._refreshed: float | None = None
        self._hurried_last = False
        """Then it is the turn of those who wait for their time, so that thousands who hurry do not starve them."""

    def __len__(self) -> int:
        return len(self._waiting)

    def wait(self, asker: Asker, now: float) -> None:
        """Somebody waits from now on, until `next` names it."""
        self._waiting[asker.name] = asker
        if asker.hurries:
            self._hurrying[asker.name] = asker
        else:
            self._place(asker, now)

    def leave(self, name: str) -> None:
        """Somebody waits no longer."""
        self._waiting.pop(name, None)
        self._hurrying.pop(name, None)

    def hurry(self, name: str) -> bool:
        """Ask somebody who waits before the others; whether that is news, and somebody waits by that name.

        Who leaves before its turn, and comes back, hurries still.
        """
        asker = self._waiting.get(name)
        if asker is None or name in self._hurrying:
            return False
        asker.hurries = True
        self._hurrying[name] = asker
        return True

    def due_at(self, name: str, now: float) -> float | None:
        """When somebody is to be asked, as planned now, if the budget lets it; None where nobody waits by that name."""
        asker = self._waiting.get(name)
        if asker is None:
            return None
        return now if name in self._hurrying or asker.asked is None else self._due_at(asker)

    def spend(self, now: float) -> None:
        """A request leaves that nobody waited for here."""
        self._budget.take(now)

    def next(self, now: float) -> Asker | float:
        """Who is asked now, and waits no longer; or until when nobody is, unless somebody comes."""
        if (free := self._budget.free_at(now)) > now:
            return free
        timely = self._timely(now) if self._hurried_last or not self._hurrying else 0.0
        found = timely if isinstance(timely, Asker) else self._hurried() or timely
        if isinstance(found, float):
            return found
        self._hurried_last = found.name in self._hurrying
        self.leave(found.name)
        found.hurries = False
        self._budget.take(now)
        return found

    def _hurried(self) -> Asker | None:
        """Of those who hurry the one that matters most, and of these the first that came."""
        if not self._hurrying:
            return None
        return max(self._hurrying.values(), key=lambda asker: asker.priority)

    def _timely(self, now: float) -> Asker | float:
        if self._refreshed is None or now >= self._refreshed + REFRESH_SECONDS:
            self._refresh(now)
        while self._due:
            due, _, name = self._due[0]
            asker = self._waiting.get(name)
            if asker is None or self._due_at(asker) != due:
                heapq.heappop(self._due)
            elif due > now:
                break
            else:
                heapq.heappop(self._due)
                return asker
        assert self._refreshed is not None
        soon = self._due[0][0] if self._due else float("inf")
        return min(soon, self._refreshed + REFRESH_SECONDS)

    def _place(self, asker: Asker, now: float) -> None:
        asker.interval = self._interval(asker, now)
        heapq.heappush(self._due, (self._due_at(asker), -asker.priority, asker.name))

    def _due_at(self, asker: Asker) -> float:
        if asker.asked is None:
            # Who was never asked is due at once, the likeliest first: before all who were, however long ago.
            return asker.interval - 1e12
        return asker.asked + asker.interval

    def _interval(self, asker: Asker, now: float) -> float:
        return bounded(self._stretch / asker.weigh(now), self._least(asker), self._bound)

    def _least(self, asker: Asker) -> float:
        return max(self._shortest, asker.shortest)

    def _refresh(self, now: float) -> None:
        """Find the stretch by which the intervals use up the budget, and the intervals."""
        self._refreshed = now
        askers = list(self._waiting.values())
        per_second = self._budget.per_second * USE
        self._bound = max(self._longest, len(askers) / (per_second * FLOOR))
        roots = [asker.weigh(now) for asker in askers]
        leasts = [self._least(asker) for asker in askers]
        self._stretch = stretch(roots, leasts, per_second=per_second, longest=self._bound, before=self._stretch)
        self._due.clear()
        for asker, root, least in zip(askers, roots, leasts, strict=True):
            asker.interval = bounded(self._stretch / root, least, self._bound)
            self._due.append((self._due_at(asker), -asker.priority, asker.name))
        heapq.heapify(self._due)


def even_interval(count: int, *, per_second: float, shortest: float) -> float:
    """Seconds between two look-ups of each of so many, of whom nothing is known, with so many requests a second."""
    return max(shortest, count / (per_second * USE))


def bounded(seconds: float, least: float, most: float) -> float:
    """An interval within its bounds; the lower one counts where they cross."""
    return max(least, min(seconds, most))


def stretch(
    roots: Sequence[float], leasts: Sequence[float], *, per_second: float, longest: float, before: float
) -> float:
    """What, divided by each root, gives intervals within their bounds that add up to so many requests a second.

    `before`: what it was. Where the shortest intervals add up to less, it is what gives these.
    """
    if not roots:
        return before
    lowest = min(least * root for least, root in zip(leasts, roots, strict=True))
    highest = longest * max(roots)
    found = before or sum(roots) / per_second
    for _ in range(ROUNDS):
        load = sum(1 / bounded(found / root, least, longest) for root, least in zip(roots, leasts, strict=True))
        found = bounded(found * load / per_second, lowest, highest)
    return found
