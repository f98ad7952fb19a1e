"""Where sessions wait to be looked up: the plan of one egress, at the clock."""

import asyncio
import time
from collections.abc import Callable

from producer.lookups.plan import Asker, Plan

LONGEST_SLEEP_SECONDS = 30.0
"""However long nobody is due: a hold may be over before it was said to be."""


class Queue:
    """One egress's."""

    def __init__(
        self,
        plan: Plan,
        *,
        held: Callable[[], float] = lambda: 0.0,
        waiting: Callable[[int], None] = lambda _: None,
    ) -> None:
        """`held` tells for how many seconds nobody may be asked; `waiting` is told how many wait."""
        self._plan = plan
        self._held = held
        self._waiting = waiting
        self._places: dict[str, asyncio.Future[None]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._began = time.time() - time.monotonic()

    def now(self) -> float:
        """Seconds since 1970, by a clock that never goes back."""
        return self._began + time.monotonic()

    async def turn(self, asker: Asker) -> None:
        """Wait until this one is to be looked up; whoever leaves before that has given its place up."""
        place = asyncio.get_running_loop().create_future()
        self._places[asker.name] = place
        self._plan.wait(asker, self.now())
        self._look()
        try:
            await place
        finally:
            if self._places.get(asker.name) is place:
                del self._places[asker.name]
            if place.cancelled():
                self._plan.leave(asker.name)
            self._waiting(len(self._plan))

    def hurry(self, name: str) -> bool:
        """Have somebody who waits looked up before the others; whether it does, and did not hurry yet."""
        hurried = self._plan.hurry(name)
        if hurried:
            self._look()
        return hurried

    def due_at(self, name: str) -> float | None:
        """When somebody is to be looked up, as it looks now; a time that has come where it waits for the budget.

        None where nobody waits by that name.
        """
        now, held = self.now(), self._held()
        due = self._plan.due_at(name, now)
        return due if due is None or held <= 0 else max(due, now + held)

    def spend(self) -> None:
        """A request leaves that nobody waited for here."""
        self._plan.spend(self.now())

    def _look(self) -> None:
        """Let go who is next, and look again when somebody else may be."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while len(self._plan):
            now, held = self.now(), self._held()
            found: Asker | float = now + held if held > 0 else self._plan.next(now)
            if isinstance(found, float):
                seconds = min(found - now, LONGEST_SLEEP_SECONDS)
                self._timer = asyncio.get_running_loop().call_later(seconds, self._look)
                break
            place = self._places.get(found.name)
            if place is not None and not place.done():
                place.set_result(None)
        self._waiting(len(self._plan))
