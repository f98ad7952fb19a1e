"""The egresses of a worker, each with what belongs to it alone: its route, look-ups, visitors and open doors.

Nothing that TikTok gives to one is shown to it from another.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from producer.lookups.queue import Queue
from producer.webcast import opening
from producer.webcast.bench import Bench
from producer.webcast.doors.hall import Hall
from producer.webcast.room import Rooms
from producer.webcast.route import Route


@dataclass(frozen=True, slots=True)
class Lane:
    """One egress."""

    route: Route
    rooms: Rooms
    doors: Hall
    look_ups: Queue
    """Where rooms wait to be looked up."""
    opening: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(opening.AT_ONCE))
    """Whose turn it is to open a socket."""


class Lanes:
    """All of a worker's."""

    def __init__(self, lanes: Sequence[Lane], bench: Bench) -> None:
        self._lanes = {lane.route.name: lane for lane in lanes}
        self._bench = bench

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    @property
    def door_names(self) -> tuple[str, ...]:
        """The names of the doors in their order, which are the same in each."""
        return tuple(door.name for door in next(iter(self)).doors.doors)

    def of(self, room: str) -> Lane:
        """The lane of a streamer's room, for as long as it takes to get in, and to stay there."""
        return self._lanes[self._bench.choose(room)]

    async def gift_list(self) -> dict[str, object]:
        """Fetch the gift list, by any lane. Raises FailedFetchGifts."""
        return await self.of("").rooms.gift_list()

    def benched(self, lane: Lane) -> bool:
        """Whether a lane is left alone, since its proxy failed."""
        return self._bench.benched(lane.route.name)
