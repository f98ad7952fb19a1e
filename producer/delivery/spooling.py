"""Keeps lanes and a spool file in step: what Kafka has not taken in time is written down, and comes back in order.

A record that has waited for longer than `after_seconds` is written to the spool, one that is being sent too, and then
whatever follows it in its lane, so a killed process loses no record that is older than that and the time of one commit.
What is written leaves memory. A spool that cannot be used is tried again and again; meanwhile records stay in memory.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from producer import logs
from producer.delivery.lane import Item, Lane
from producer.delivery.ledger import Ledger
from producer.delivery.spool import Entry, Place, Spool, SpoolFailed, SpoolGone
from producer.delivery.spool_folder import SpoolFolder
from producer.strangers import shown

Result = TypeVar("Result")

TICK_SECONDS = 0.05
RETRY_SECONDS = 1.0
COMMIT_BYTES = 4 * 1024 * 1024
COMMIT_RECORDS = 4_000
READ_BYTES, READ_RECORDS = 32 * 1024 * 1024, 40_000
"""What all lanes together have in memory of what they read, when Kafka is back and each of them reads its first."""
LANE_BYTES, LANE_RECORDS = 512 * 1024, 2_000
"""What one of them reads at a time, at the most."""


@dataclass(frozen=True, slots=True)
class Remains:
    """What became of a file, when it was closed."""

    path: Path
    given: int
    """Records that left it: Kafka has them, or they became dead letters."""
    topics: Mapping[str, int]
    """Records that it still has, by topic."""
    size: int
    """Their bytes."""
    oldest_seconds: float
    """How long ago the oldest of them was handed over; 0 where there is none."""


class Spooling:
    """Between lanes and one file. SQLite works in a thread; whatever changes a lane does so here."""

    def __init__(
        self,
        folder: SpoolFolder,
        lanes: dict[Place, Lane],
        *,
        partitions: Mapping[str, int],
        ledger: Ledger,
        after_seconds: float,
        patience_seconds: float,
        hurried: Callable[[], bool],
        gone: Callable[[Item], None],
        dropped: Callable[[], None],
        committed: Callable[[int], None],
        usable: Callable[[bool], None],
    ) -> None:
        """`hurried`: whether memory fills up, so that nothing should wait for its time.

        `gone` is told of each record that memory alone had and that is now spooled, or dropped; `dropped`, of
        each of the latter; `committed`, of how many records were written, after each change of the file; `usable`, when
        the spool fails or works again.
        """
        self.lanes = lanes
        self.left = 0
        """Records in the file that go to Kafka through these lanes."""
        self._folder = folder
        self._partitions = partitions
        self._ledger = ledger
        self._after_seconds = after_seconds
        self._patience_seconds = patience_seconds
        self._hurried = hurried
        self._gone = gone
        self._dropped = dropped
        self._committed = committed
        self._usable = usable
        self._spool: Spool | None = None
        self._next_id = 1
        self._given = 0
        self._deletions: list[int] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._lock = asyncio.Lock()
        self._failed = False
        self._log = logs.get()

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return self._spool.held_bytes if self._spool is not None else 0

    async def take(self, get: Callable[[], Spool]) -> bool:
        """Take a file, and charge of what is in it; return whether there was one to be had. `run` tries again.

        Records of topics that are not there stay in it, named and counted.
        """
        return await finished(self._take(get), cancelled=self._folder.give_up)

    async def run(self) -> NoReturn:
        """Spool what is due. Cancelled, it ends once it has written what it is writing."""
        while True:
            if self._spool is None:
                # What these lanes have sent by now is newer than what a file with records has: that is the heir's.
                await self.take(lambda: self._folder.own(with_records=False))
            written = self._spool is not None and await finished(self._tick(self._due()))
            await asyncio.sleep(RETRY_SECONDS if self._failed else 0 if written else TICK_SECONDS)

    async def run_out(self) -> None:
        """Delete what Kafka has taken, until it has taken everything."""
        while self.left or self._deletions:
            await finished(self._tick(iter(())))
            await asyncio.sleep(RETRY_SECONDS if self._failed else TICK_SECONDS)

    async def close(self) -> Remains | None:
        """Write down everything that memory has, as far as it goes, and close the file; None where there is none.

        Nothing is being sent any more. Where we are cancelled, it is done all the same.
        """
        return await finished(self._close())

    def forget(self, item: Item) -> None:
        """Delete a record that Kafka has, or that became another, with the next commit."""
        assert item.spool_id is not None
        self._deletions.append(item.spool_id)
        self._given += 1
        self._count(-1)

    async def refill(self, lane: Lane) -> None:
        """Give a lane whose head is empty the next of what only the spool has."""
        if not await finished(self._refill(lane)):
            await asyncio.sleep(RETRY_SECONDS)

    async def _take(self, get: Callable[[], Spool]) -> bool:
        def taken() -> tuple[Spool, Mapping[Place, int], Mapping[str, int]]:
            spool = get()
            try:
                return spool, *spool.holds(self._partitions)
            except BaseException:
                spool.close()
                raise

        async with self._lock:
            try:
                spool, placed, elsewhere = await self._in_thread(taken)
            except SpoolFailed as problem:
                self._fail(problem)
                return False
            self._spool, self._next_id = spool, spool.next_id
            for (topic, partition), count in placed.items():
                self.lanes[topic, partition] = Lane(topic, partition, behind=count, keeper=self)
            self._ledger.recovered += spool.held_records
            self._count(sum(placed.values()))
            for topic, count in elsewhere.items():
                self._ledger.unroutable += count
                self._log.error(
                    "spooled records of a topic that is not there stay in their file",
                    topic=shown(topic),
                    records=count,
                    file=str(spool.path),
                )
            self._log.info("spool", file=str(spool.path), records=spool.held_records)
            self._works()
            self._committed(0)
            return True

    async def _refill(self, lane: Lane) -> bool:
        async with self._lock:
            spool, after_id = self._file, lane.last_id
            max_bytes = min(LANE_BYTES, READ_BYTES // len(self.lanes))
            max_records = max(1, min(LANE_RECORDS, READ_RECORDS // len(self.lanes)))
            try:
                rows = await self._in_thread(
                    lambda: spool.read(
                        lane.topic,
                        partition=lane.partition,
                        of=self._partitions[lane.topic],
                        after_id=after_id,
                        max_bytes=max_bytes,
                        max_records=max_records,
                    )
                )
            except SpoolFailed as problem:
                self._fail(problem)
                return False
            now = time.monotonic()
            lost = lane.behind if not rows else 0
            lane.refill([Item(row.entry.record, row.entry.timestamp_ms, now, spool_id=row.id) for row in rows])
            if lost:  # damaged: the spool has logged and counted each
                self._count(-lost)
                self._ledger.damaged += lost
            return True

    def _due(self) -> Iterator[tuple[Lane, Item]]:
        """What is to be written now, each lane's oldest first; drops what there has been no space for in too long."""
        now = time.monotonic()
        hurried = self._hurried()
        size = count = 0
        for lane in list(self.lanes.values()):
            # Where Kafka is behind already, there is nothing to wait for.
            horizon = now if hurried or lane.spooling else now - self._after_seconds
            oldest = lane.oldest_unspooled()
            if oldest is None or oldest.since > horizon:
                continue
            for item in list(lane.unspooled()):
                if item.since > horizon or size > COMMIT_BYTES or count >= COMMIT_RECORDS:
                    break
                if not self._file.admits(lane.topic, size + item.size):
                    if item.since < now - self._patience_seconds and lane.drop(item):
                        self._ledger.dropped += 1
                        self._dropped()
                        self._gone(item)
                        item.settle()
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
            rows = [(number, Entry(item.record, item.timestamp_ms)) for number, (_, item) in zip(ids, put, strict=True)]
            try:
                await self._in_thread(lambda: self._commit(rows, deletions))
            except SpoolFailed as problem:
                self._deletions += deletions
                self._fail(problem)
                return False
            self._works()
            self._next_id = ids.stop
            for number, (_, item) in zip(ids, put, strict=True):
                item.spool_id = number
                if item.done:  # acknowledged while it was being written
                    self._deletions.append(number)
                    continue
                self._count(+1)
                self._gone(item)
            for lane in {lane for lane, _ in put}:
                lane.release()
            self._committed(len(put))
            for _, item in put:
                item.settle()
            return bool(put)

    def _commit(self, rows: list[tuple[int, Entry]], deletions: list[int]) -> None:
        try:
            self._file.commit(rows, deletions)
        except SpoolGone as gone:
            self._spool = self._folder.moved(self._file)
            self._log.error(
                "spool moved", problem=str(gone), file=str(self._spool.path), records=self._spool.held_records
            )
            self._file.commit(rows, deletions)

    async def _close(self) -> Remains | None:
        self._after_seconds = 0.0
        for lane in self.lanes.values():
            lane.under_way = 0
        if self._spool is None and any(self.lanes.values()):
            await self._take(lambda: self._folder.own(with_records=False))
        while self._spool is not None and await self._tick(self._due()):
            pass
        remains = await self._in_thread(self._end)
        self._thread.shutdown()
        return remains

    def _end(self) -> Remains | None:
        if self._spool is None:
            return None
        try:
            topics, oldest_ms = self._spool.by_topic(), self._spool.oldest_ms()
        except SpoolFailed as problem:
            self._log.error("spool cannot be read", problem=str(problem))
            topics, oldest_ms = {}, None
        age = 0.0 if oldest_ms is None else max(0.0, time.time() - oldest_ms / 1000)
        remains = Remains(self._spool.path, self._given, topics, self._spool.held_bytes, age)
        self._folder.leave(self._spool)
        return remains

    @property
    def _file(self) -> Spool:
        assert self._spool is not None, "a lane of a spool that there is not"
        return self._spool

    def _count(self, records: int) -> None:
        self.left += records
        self._ledger.spooled += records

    def _works(self) -> None:
        self._usable(True)
        if self._failed:
            self._failed = False
            self._log.info("spool works again")

    def _fail(self, problem: SpoolFailed) -> None:
        self._usable(False)
        if not self._failed:
            self._failed = True
            self._log.error("spool cannot be used; records stay in memory, and rooms wait", problem=str(problem))

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


async def finished(work: Coroutine[Any, Any, Result], *, cancelled: Callable[[], None] = lambda: None) -> Result:
    """Wait until work is done, also where we are cancelled meanwhile: `cancelled` is told, and we end so once it is.

    What a thread does goes on when nobody waits for it, and a commit that nobody counts would be made twice.
    """
    task = asyncio.ensure_future(work)
    cancellation: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as error:
            cancellation = error
            cancelled()
    if cancellation is not None:
        if not task.cancelled() and (failure := task.exception()) is not None:
            raise cancellation from failure
        raise cancellation
    return task.result()
