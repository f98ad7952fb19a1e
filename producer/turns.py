"""The loop's time as rooms share it: a little of each turn is for all of them together, and they have it in order.

A room that works for a while is no matter as long as it is one. With a hundred of them that have frames in store, ten
milliseconds each would be a second in which nobody else has a turn: no heartbeat leaves, and no probe is answered.
"""

import asyncio
from collections import deque
from collections.abc import Callable

TURN_SECONDS = 0.005
"""After so much work of rooms the others have their turn. The longest step, one message, may take as long again."""


class Turns:
    """Where rooms wait until it is their turn. While nobody waits and there is time left, nobody has to."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._end: float | None = None
        """Of the rooms' time in this turn of the loop; None while no room has worked in it."""
        self._waiting: deque[asyncio.Future[None]] = deque()

    def over(self) -> bool:
        """Whether the rooms' time in this turn of the loop is over."""
        if self._end is None:
            self._begin()
        return self._end is not None and self._clock() >= self._end

    async def mine(self) -> None:
        """Wait, if others do or the time is over."""
        if self._waiting or self.over():
            await self.next()

    async def next(self) -> None:
        """Wait for a later turn of the loop, behind those that wait already."""
        if self._end is None:
            self._begin()
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        await place

    def _begin(self) -> None:
        self._end = self._clock() + TURN_SECONDS
        asyncio.get_running_loop().call_soon(self._turned)

    def _turned(self) -> None:
        """The loop turned: the next room has its turn, one at a time, so that what comes between them is short."""
        self._end = None
        while self._waiting:
            place = self._waiting.popleft()
            if not place.done():  # who waited for it may have been cancelled
                place.set_result(None)
                self._begin()
                return
