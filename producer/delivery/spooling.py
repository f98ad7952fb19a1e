"""Keeps lanes and the spool in step: what Kafka has not taken in time is written down, and comes back in order.

A record that has waited for longer than `after_seconds` is written to the spool, one that is being sent too, and then
whatever follows it in its lane, so a killed process loses no record that is older than that and the time of one commit.
What is written leaves memory.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from producer import logs
from producer.delivery.lane import Item, Lane
from producer.delivery.ledger import Ledger
from producer.delivery.spool import Entry, Place, Spool, SpoolFailed
from producer.observability.metrics import Metrics

Result = TypeVar("Result")

TICK_SECONDS = 0.05
RETRY_SECONDS = 1.0
COMMIT_BYTES = 4 * 1024 * 1024
COMMIT_RECORDS = 4_000
READ_BYTES = 512 * 1024
READ_RECORDS = 2_000


class Spooling:
    """Between a publisher's lanes and its spool. SQLite works in a thread; whatever changes a lane does so here."""

    def __init__(
        self,
        spool: Spool,
        lanes: Mapping[Place, Lane],
        *,
        ledger: Ledger,
        metrics: Metrics,
        after_seconds: float,
        patience_seconds: float,
        hurried: Callable[[], bool],
        gone: Callable[[Item], None],
    ) -> None:
        """`hurried`: whether memory fills up, so that nothing should wait for its time.

        `gone` is told of each record that memory alone had and that is now spooled, or dropped.
        """
        self._spool = spool
        self._lanes = lanes
        self._ledger = ledger
        self._metrics = metrics
        self._after_seconds = after_seconds
        self._patience_seconds = patience_seconds
        self._hurried = hurried
        self._gone = gone
        self._next_id = spool.next_id
        self._deletions: list[int] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._lock = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._failed = False
        self._log = logs.get()

    async def run(self) -> None:
        """Spool what is due, until `stop`."""
        while not self._stopping.is_set():
            written = await self._tick(self._due())
            try:
                async with asyncio.timeout(RETRY_SECONDS if self._failed else 0 if written else TICK_SECONDS):
                    await self._stopping.wait()
            except TimeoutError:
                pass

    def stop(self) -> None:
        """End `run` once it has written what it is writing: a write that nobody waits for would be done twice."""
        self._stopping.set()

    async def close(self) -> None:
        """Write down everything that is left, as far as it goes, and close the spool."""
        self._after_seconds = 0.0
        while await self._tick(self._due()):
            pass
        await asyncio.get_running_loop().run_in_executor(self._thread, self._spool.close)
        self._thread.shutdown()

    def forget(self, item: Item) -> None:
        """Delete a record that Kafka has, or that became another, with the next commit."""
        if item.spool_id is not None:
            self._deletions.append(item.spool_id)

    async def refill(self, lane: Lane) -> None:
        """Give a lane whose head is empty the next of what only the spool has."""
        place = (lane.topic, lane.partition)
        async with self._lock:
            try:
                rows = await self._in_thread(
                    lambda: self._spool.read(
                        place, after_id=lane.last_id, max_bytes=READ_BYTES, max_records=READ_RECORDS
                    )
                )
            except SpoolFailed as problem:
                self._fail(problem)
                await asyncio.sleep(RETRY_SECONDS)
                return
            now = time.monotonic()
            lost = lane.behind if not rows else 0
            lane.refill([Item(row.entry.record, row.entry.timestamp_ms, now, spool_id=row.id) for row in rows])
        if lost:  # damaged: the spool has logged and counted each
            self._ledger.spooled -= lost
            self._ledger.damaged += lost

    def _due(self) -> Iterator[tuple[Lane, Item]]:
        """What is to be written now, each lane's oldest first; drops what there has been no space for in too long."""
        now = time.monotonic()
        hurried = self._hurried()
        size = count = 0
        for lane in list(self._lanes.values()):
            # Where Kafka is behind already, there is nothing to wait for.
            horizon = now if hurried or lane.spooling else now - self._after_seconds
            oldest = lane.oldest_unspooled()
            if oldest is None or oldest.since > horizon:
                continue
            for item in list(lane.unspooled()):
                if item.since > horizon or size > COMMIT_BYTES or count >= COMMIT_RECORDS:
                    break
                if not self._spool.admits(lane.topic, size + item.size):
                    if item.since < now - self._patience_seconds and lane.drop(item):
                        self._drop(item)
                        continue
                    break
                size, count = size + item.size, count + 1
                yield lane, item

    async def _tick(self, due: Iterator[tuple[Lane, Item]]) -> bool:
        """Write, and delete, in one commit; return whether anything was written."""
        async with self._lock:
            put = list(due)
            deletions, self._deletions = self._deletions, []
            if not put and not deletions:
                return False
            ids = range(self._next_id, self._next_id + len(put))
            rows = [
                (number, Entry(item.record, lane.partition, item.timestamp_ms))
                for number, (lane, item) in zip(ids, put, strict=True)
            ]
            try:
                await self._in_thread(lambda: self._spool.commit(rows, deletions))
            except SpoolFailed as problem:
                self._deletions += deletions
                self._fail(problem)
                return False
            if self._failed:
                self._failed = False
                self._log.info("spool works again")
            self._next_id = ids.stop
            for number, (_, item) in zip(ids, put, strict=True):
                item.spool_id = number
                if item.done:
                    self._deletions.append(number)
                    continue
                self._ledger.spooled += 1
                self._gone(item)
                item.settle()
            for lane in {lane for lane, _ in put}:
                lane.release()
            self._metrics.spooled(written=len(put), records=self._ledger.spooled, size=self._spool.held_bytes)
            return bool(put)

    def _drop(self, item: Item) -> None:
        self._ledger.dropped += 1
        self._metrics.dropped_by_full_spool()
        self._gone(item)
        item.settle()

    def _fail(self, problem: SpoolFailed) -> None:
        self._metrics.spool_failed()
        if not self._failed:
            self._failed = True
            self._log.error("spool cannot be used; records stay in memory, and rooms wait", problem=str(problem))

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)
