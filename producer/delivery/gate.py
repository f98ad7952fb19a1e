"""Between the rooms and the publisher: holds back what may be another worker's by now.

A worker that stood still for longer than the group waits may have lost its claims and not know it. What it receives
from then on is held until the group has confirmed what is ours, and so is what comes after the group said that we are
no member of it. What turns out to be another worker's is dropped and counted, for that worker has published it.

A group that merely does not answer disowned nobody. What comes meanwhile goes on to the publisher, and so to the spool:
in an outage nobody else has it. Should the coordinator be cut off from us alone, a record that two workers publish has
one event id.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NoReturn, Protocol

from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Publisher
from producer.events.encoding import Record
from producer.observability.metrics import Metrics

HOLD_SECONDS = 30.0
"""How long a doubt lasts at the most: longer than a rebalance. Who cannot ask the group for so long is in an outage,
and memory is no place for one."""
STALL_SECONDS = 2.0
"""A longer pause between two looks at the clock is one in which this process stood still."""
TICK_SECONDS = 0.5


class Fence(Protocol):
    """Whether a worker still has the right to what it holds."""

    @property
    def revoked_at(self) -> float:
        """When the group last said that we are no member of it, by the gate's clock."""

    def current(self) -> bool:
        """Whether it is certain now."""

    def lost(self, streamer: str) -> bool:
        """Whether this streamer's claim is known to be lost."""

    def heed(self, told: Callable[[], None]) -> None:
        """Call this whenever claims come to be known as lost, before any of them is released."""


class Gate:
    """A publisher behind a fence; use it as an async context manager within the publisher's."""

    def __init__(
        self,
        publisher: Publisher,
        fence: Fence,
        *,
        ledger: Ledger,
        metrics: Metrics,
        most_held: int,
        most_held_bytes: int,
        clock: Callable[[], float],
    ) -> None:
        """`most_held` records, or so many bytes of keys and values, make rooms wait. `clock` is the fence's."""
        self._publisher = publisher
        self._fence = fence
        self._ledger = ledger
        self._metrics = metrics
        self._most_held = most_held
        self._most_held_bytes = most_held_bytes
        self._clock = clock
        self._looked = clock()
        self._woke_at = float("-inf")
        """When we last found that we had stood still."""
        self._held: deque[tuple[Record, Callable[[], None] | None]] = deque()
        self._held_bytes = 0
        self._emptied = asyncio.Event()
        self._watching: asyncio.Task[NoReturn] | None = None
        fence.heed(self._sift)

    async def __aenter__(self) -> "Gate":
        self._looked = self._clock()
        self._watching = asyncio.create_task(self._watch(), name="gate")
        return self

    async def __aexit__(self, *_: object) -> None:
        # First, since we may be cancelled while we wait; and the watch has nothing left to hand on.
        self._flush()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})

    @property
    def in_flight(self) -> int:
        """Records handed over and not yet acknowledged."""
        return self._publisher.in_flight + len(self._held)

    def publish(self, *records: Record, settled: Callable[[], None] | None = None) -> None:
        """Take charge of records of one streamer, at once; call `room` before reading more (`Publisher.publish`)."""
        if self._is_lost(records[0]):
            for _ in records:
                self._drop(settled)
            return
        if self._in_doubt():
            self._held.extend((record, settled) for record in records)
            self._held_bytes += sum(map(_size, records))
            return
        self._flush()
        self._publisher.publish(*records, settled=settled)

    async def room(self) -> None:
        """Wait until there is room for more."""
        while len(self._held) >= self._most_held or self._held_bytes >= self._most_held_bytes:
            self._emptied.clear()
            await self._emptied.wait()
        await self._publisher.room()

    async def _watch(self) -> NoReturn:
        """Look again and again, so that a pause is seen, and hand on what is no longer in doubt."""
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if not self._in_doubt():
                self._flush()

    def _in_doubt(self) -> bool:
        """Whether others may have been given what is ours without our knowing of it."""
        now = self._clock()
        if now - self._looked > STALL_SECONDS:
            self._woke_at = now
        self._looked = now
        if self._fence.current():
            self._woke_at = float("-inf")
            return False
        return now - max(self._woke_at, self._fence.revoked_at) < HOLD_SECONDS

    def _flush(self) -> None:
        while self._held:
            record, settled = self._held.popleft()
            self._held_bytes -= _size(record)
            self._publisher.publish(record, settled=settled)
        self._emptied.set()

    def _sift(self) -> None:
        """Drop what is held of lost claims, at once: once they are released nobody knows any more that they were."""
        held, self._held = self._held, deque()
        self._held_bytes = 0
        for record, settled in held:
            if self._is_lost(record):
                self._drop(settled)
            else:
                self._held.append((record, settled))
                self._held_bytes += _size(record)
        self._emptied.set()

    def _is_lost(self, record: Record) -> bool:
        return self._fence.lost(record.key.decode())

    def _drop(self, settled: Callable[[], None] | None) -> None:
        self._ledger.fenced += 1
        self._metrics.dropped_by_fence()
        if settled is not None:
            settled()


def _size(record: Record) -> int:
    return len(record.key) + len(record.value)
