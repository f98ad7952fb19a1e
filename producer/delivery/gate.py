"""Between the rooms and the publisher: lets a record through only while its streamer is surely ours.

A worker that was stopped, or whose loop stood still for longer than the group waits, may have lost its claims and not
know it. What it receives then is held back until it is certain again; what turns out to be another worker's is dropped
and counted, for that worker has published it. What was received before is published: nobody else has it.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Publisher
from producer.events.encoding import Record
from producer.observability.metrics import Metrics

HOLD_SECONDS = 10.0
"""How long a record is held back. After so long it is the cluster that is away and nobody else can have been given our
claims; should it be the group's coordinator alone, a record that two workers publish has one event id."""
TICK_SECONDS = 0.5


class Fence(Protocol):
    """Whether a worker still has the right to what it holds."""

    def current(self) -> bool:
        """Whether that is certain now."""

    async def wait(self) -> None:
        """Wait until it is."""

    def allows(self, streamer: str) -> bool:
        """Whether this streamer may be published now."""


class Gate:
    """A publisher behind a fence; use it as an async context manager within the publisher's."""

    def __init__(self, publisher: Publisher, fence: Fence, *, ledger: Ledger, metrics: Metrics, most_held: int) -> None:
        self._publisher = publisher
        self._fence = fence
        self._ledger = ledger
        self._metrics = metrics
        self._most_held = most_held
        self._held: deque[tuple[Record, Callable[[], None] | None]] = deque()
        self._flushing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Gate":
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._flushing is not None:
            self._flushing.cancel()
            await asyncio.wait({self._flushing})
        self._flush()

    @property
    def in_flight(self) -> int:
        """Records handed over and not yet acknowledged."""
        return self._publisher.in_flight + len(self._held)

    def publish(self, record: Record, settled: Callable[[], None] | None = None) -> None:
        """Take charge of a record, at once; call `room` before reading more (`Publisher.publish`)."""
        if self._fence.current():
            self._flush()
            self._pass(record, settled)
            return
        self._held.append((record, settled))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._hold(), name="gate")

    async def room(self) -> None:
        """Wait until there is room for more."""
        while len(self._held) >= self._most_held and self._flushing is not None:
            await asyncio.wait({self._flushing})
        await self._publisher.room()

    async def _hold(self) -> None:
        # Counted in ticks: while we stood still ourselves, the cluster was not away.
        for _ in range(round(HOLD_SECONDS / TICK_SECONDS)):
            with suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await self._fence.wait()
                break
        self._flush()

    def _flush(self) -> None:
        while self._held:
            self._pass(*self._held.popleft())

    def _pass(self, record: Record, settled: Callable[[], None] | None) -> None:
        if self._fence.current() and not self._fence.allows(record.key.decode()):
            self._ledger.fenced += 1
            self._metrics.dropped_by_fence()
            if settled is not None:
                settled()
            return
        self._publisher.publish(record, settled)
