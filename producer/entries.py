"""What the list says of the streamers that a worker has, told to consumers."""

import asyncio
from collections.abc import Callable, Iterable
from typing import NoReturn

from producer.assignments.claims import Streamer, Wanted
from producer.events import life
from producer.pipeline import Sink

LOOK_SECONDS = 2.0

Labels = tuple[tuple[str, str], ...]


class Entries:
    """One worker's: an event for each streamer when it is taken, and when its entry says something else."""

    def __init__(self, sink: Sink, worker: str, entry: Callable[[Streamer], Wanted]) -> None:
        self._sink = sink
        self._worker = worker
        self._entry = entry
        self._told: dict[Streamer, tuple[int | None, Labels]] = {}

    async def keep(self, held: Callable[[], Iterable[Streamer]]) -> NoReturn:
        """Tell, until cancelled, whatever is new of those that are held."""
        while True:
            streamers = list(held())
            self._told = {streamer: self._told[streamer] for streamer in streamers if streamer in self._told}
            for streamer in streamers:
                entry = self._entry(streamer)
                if self._told.get(streamer) != (entry.user_id, entry.labels):
                    await self._sink.turns.mine()  # a start has thousands
                    await self._sink.publisher.room()
                    self._tell(entry)
            await asyncio.sleep(LOOK_SECONDS)

    def _tell(self, entry: Wanted) -> None:
        self._told[entry.streamer] = (entry.user_id, entry.labels)
        at = int(self._sink.wall_clock() * 1000)
        event = life.streamer(entry.streamer, entry.user_id, entry.labels, worker=self._worker, at=at)
        self._sink.ledger.own += 1
        self._sink.publisher.publish(self._sink.encoder.encode(event, key=entry.streamer))
