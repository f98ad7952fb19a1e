"""Records to brokers: every record ends acknowledged, spooled, or as a dead letter, and is counted.

Each partition has a lane with at most one batch under way, so records of one key keep their order through failures
(`sending`). What Kafka does not take in time goes to the spool (`spooling`) and comes back in order; what dead workers
left beside it is taken up too (`heir`). Whatever ends it, what memory has is spooled, or counted as lost.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

from producer import logs
from producer.delivery.clients import Client, Clients
from producer.delivery.heir import Heir
from producer.delivery.lane import Item, Lane
from producer.delivery.ledger import Ledger
from producer.delivery.placement import key_hash
from producer.delivery.sending import Sending
from producer.delivery.spool import Place
from producer.delivery.spool_folder import SpoolFolder
from producer.delivery.spooling import Remains, Spooling
from producer.events.encoding import Record
from producer.observability.metrics import Metrics


@dataclass(frozen=True, slots=True)
class Bounds:
    """How long, and how much."""

    linger_seconds: float = 0.02
    """How long a record waits for company."""
    most_records: int = 20_000
    most_bytes: int = 32 * 1024 * 1024
    """What memory alone may hold, of keys and values; beyond either, `room` waits."""
    delivery_seconds: float = 30.0
    """How long a batch, or connecting, may take before the client is given up."""
    spool_after_seconds: float = 1.0
    """After how long without an acknowledgement a record is written to the spool."""
    spool_patience_seconds: float = 30.0
    """How long a record waits for space in a full spool before it is dropped."""
    grace_seconds: float = 10.0
    """How long leaving waits for acknowledgements, of what memory has and of what the spool has."""
    quiet_seconds: float = 10.0
    """After how long without one leaving ends early, if nothing is in memory alone. Kafka is tried again after five
    seconds at the most (`clients.LONGEST_WAIT_SECONDS`): once in that time at least, with five to answer."""

    def leaves_at(self, *, began: float, acknowledged_at: float, memory_alone: bool) -> float:
        """When leaving ends with something left: given when it began, when Kafka last took something, and whether
        memory alone has anything, in seconds of one clock."""
        grace = began + self.grace_seconds
        return grace if memory_alone else min(grace, max(began, acknowledged_at) + self.quiet_seconds)


class Publisher:
    """Use it as an async context manager: entering connects, leaving sends what is left, within the grace.

    An exception that nobody foresaw, in a lane or at the spool, cancels the body and comes out of leaving.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Client]],
        *,
        partitions: Mapping[str, int],
        dead_letter_topic: str,
        dead_letter: Callable[[Record, BaseException], Record],
        ledger: Ledger,
        metrics: Metrics,
        bounds: Bounds,
        spool: SpoolFolder | None = None,
    ) -> None:
        """`connect` makes and starts a new client each time; `partitions` counts those of each topic.

        `dead_letter` makes a letter of a record that brokers refuse, given the error; of a letter, a shorter one.
        `spool` is where files are taken once it is entered.
        """
        self.remains: list[Remains] = []
        """What became of each file of the spool that is closed by now."""
        self._partitions = partitions
        self._dead_letter_topic = dead_letter_topic
        self._dead_letter = dead_letter
        self._ledger = ledger
        self._metrics = metrics
        self._bounds = bounds
        self._folder = spool
        self._lanes: dict[Place, Lane] = {}
        self._senders: dict[Lane, asyncio.Task[None]] = {}
        self._in_flight = 0
        self._in_flight_bytes = 0
        self._changed = asyncio.Event()
        self._acknowledged_at = float("-inf")
        self._ended = False
        """Whether nothing is sent any more: it was left, or something raised that should not."""
        self._clients = Clients(
            connect,
            connected=metrics.kafka_connected,
            not_reached=metrics.kafka_not_reached,
            patience_seconds=bounds.delivery_seconds,
        )
        self._sending = Sending(
            self._clients,
            metrics,
            linger_seconds=bounds.linger_seconds,
            timeout_seconds=bounds.delivery_seconds,
            acknowledged=self._acknowledge,
            unacceptable=self._set_aside,
        )
        self._own: Spooling | None = None
        self._heir: Heir | None = None
        if spool is not None:
            self._own = self._over(spool, self._lanes, usable=metrics.spool_usable)
            self._heir = Heir(
                spool,
                spooling=lambda: self._over(spool, {}, usable=lambda _: None),
                taken=self._send,
                closed=self._closed,
                changed=self._changed.set,
            )
        self._helpers: list[asyncio.Task[None]] = []
        self._tasks = asyncio.TaskGroup()
        self._stack = AsyncExitStack()
        self._log = logs.get()

    async def __aenter__(self) -> "Publisher":
        # What is entered first is left last, whatever raises or is cancelled in between.
        async with AsyncExitStack() as stack:
            stack.callback(self._write_off)
            if self._own is not None and self._folder is not None:
                stack.push_async_callback(self._close, self._own)
                await self._own.take(self._folder.own)
            if self._heir is not None:
                stack.push_async_callback(self._heir.close)
            stack.push_async_callback(self._clients.close)
            await self._clients.start()
            await self._tasks.__aenter__()
            # Not told of what the body raised, which would come out in a group with a lane's.
            stack.push_async_callback(self._tasks.__aexit__, None, None, None)
            stack.push_async_callback(self._leave)
            if self._own is not None:
                self._helpers.append(self._start(self._own.run, name="spool"))
                self._send(self._own)
            if self._heir is not None:
                self._helpers.append(self._start(self._heir.run, name="heir"))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._stack.__aexit__(*error)

    @property
    def in_flight(self) -> int:
        """Records handed over that memory alone has."""
        return self._in_flight

    @property
    def connected(self) -> bool:
        """Whether a Kafka client stands."""
        return self._clients.shared is not None

    def publish(self, *records: Record, settled: Callable[[], None] | None = None) -> None:
        """Take charge of records, at once; call `room` before reading more.

        `settled` is called once for each that is acknowledged or spooled, or that nothing more can be done for.
        """
        timestamp_ms, since = int(time.time() * 1000), time.monotonic()
        for record in records:
            place = record.topic, key_hash(record.key) % self._partitions[record.topic]
            lane = self._lanes.get(place)
            if lane is None:
                lane = self._lanes[place] = Lane(*place, keeper=self._own)
            item = Item(record, timestamp_ms, since, settled)
            self._in_flight += 1
            self._in_flight_bytes += item.size
            lane.add(item)
            self._wake(lane)

    async def room(self) -> None:
        """Wait until there is room for more; this is how Kafka's slowness reaches the rooms."""
        self._metrics.in_flight(self._in_flight)
        while self._fuller_than(1.0):
            self._changed.clear()
            await self._changed.wait()

    # ------------------------------------------------------------------------------------------------ sending

    def _start(self, work: Callable[..., Awaitable[object]], *arguments: object, name: str) -> "asyncio.Task[None]":
        return self._tasks.create_task(self._watched(work, *arguments), name=name)

    async def _watched(self, work: Callable[..., Awaitable[object]], *arguments: object) -> None:
        try:
            await work(*arguments)
        except Exception:  # of any task: the publisher ends with it
            # The group cancels our body in a moment. Until that has ended, records come in, and are kept.
            self._ended = True
            self._changed.set()
            raise

    def _wake(self, lane: Lane) -> None:
        sender = self._senders.get(lane)
        if not self._ended and (sender is None or sender.done()):
            self._senders[lane] = self._start(self._sending.drain, lane, name=f"lane {lane.topic} {lane.partition}")

    def _send(self, spooling: Spooling) -> None:
        """Send what a file has."""
        for lane in spooling.lanes.values():
            self._wake(lane)

    def _fuller_than(self, share: float) -> bool:
        return (
            self._in_flight >= share * self._bounds.most_records
            or self._in_flight_bytes >= share * self._bounds.most_bytes
        )

    # ---------------------------------------------------------------------------------------- what became of it

    def _acknowledge(self, lane: Lane) -> None:
        done = lane.acknowledge()
        self._acknowledged_at = asyncio.get_running_loop().time()
        if lane.topic == self._dead_letter_topic:
            self._ledger.dead_lettered += len(done)
        else:
            self._ledger.acknowledged += len(done)
        self._let_go(lane, done)
        self._metrics.published(
            lane.topic,
            lane.partition,
            records=len(done),
            size=sum([len(item.record.value) for item in done]),
            seconds=time.monotonic() - done[0].since,
        )
        self._metrics.in_flight(self._in_flight)
        for item in done:
            item.settle()

    def _set_aside(self, lane: Lane, error: BaseException) -> None:
        """Put a dead letter in the place of a record that brokers refuse."""
        letter = self._dead_letter(lane.head[0].record, error)
        [item] = lane.acknowledge(1)
        self._let_go(lane, [item])
        self.publish(letter, settled=item.settled)

    def _let_go(self, lane: Lane, items: Iterable[Item]) -> None:
        """They are counted elsewhere from now on."""
        in_memory = []
        for item in items:
            if item.spool_id is None:
                in_memory.append(item)
            else:
                assert lane.keeper is not None
                lane.keeper.forget(item)
        self._gone(*in_memory)

    def _gone(self, *items: Item) -> None:
        """Memory alone no longer has them."""
        for item in items:
            self._in_flight -= 1
            self._in_flight_bytes -= item.size
        self._changed.set()

    # --------------------------------------------------------------------------------------------- the spool

    def _over(self, folder: SpoolFolder, lanes: dict[Place, Lane], *, usable: Callable[[bool], None]) -> Spooling:
        return Spooling(
            folder,
            lanes,
            partitions=self._partitions,
            ledger=self._ledger,
            after_seconds=self._bounds.spool_after_seconds,
            patience_seconds=self._bounds.spool_patience_seconds,
            hurried=lambda: self._fuller_than(0.5),
            gone=self._gone,
            dropped=self._metrics.dropped_by_full_spool,
            committed=self._committed,
            usable=usable,
        )

    def _committed(self, written: int) -> None:
        guest = self._heir.guest if self._heir is not None else None
        size = sum(spooling.size for spooling in (self._own, guest) if spooling is not None)
        self._metrics.spooled(
            written=written, records=self._ledger.spooled, unroutable=self._ledger.unroutable, size=size
        )

    def _closed(self, remains: Remains) -> None:
        self.remains.append(remains)
        self._committed(0)
        self._senders = {lane: sender for lane, sender in self._senders.items() if not sender.done()}
        if remains.topics:
            self._log.warning(
                "records stay in the spool",
                file=str(remains.path),
                records=sum(remains.topics.values()),
                bytes=remains.size,
                oldest_seconds=round(remains.oldest_seconds, 1),
            )

    # ----------------------------------------------------------------------------------------------- leaving

    async def _leave(self) -> None:
        try:
            await self._emptied()
        finally:
            self._ended = True
            for task in (*self._senders.values(), *self._helpers):
                task.cancel()

    async def _emptied(self) -> None:
        """Wait until Kafka has what memory and the spool have; until the grace is over, or Kafka takes nothing."""
        if self._heir is not None:
            self._heir.hurry()
        clock = asyncio.get_running_loop().time
        began = clock()
        while not self._ended and not self._empty():
            until = self._bounds.leaves_at(
                began=began, acknowledged_at=self._acknowledged_at, memory_alone=self._in_flight > 0
            )
            if clock() >= until:
                self._log.warning(
                    "leaving before Kafka has everything",
                    waited_seconds=round(clock() - began, 1),
                    quiet_seconds=round(clock() - max(began, self._acknowledged_at), 1),
                    in_memory=self._in_flight,
                    spooled=self._ledger.spooled,
                )
                return
            self._changed.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout_at(until):
                    await self._changed.wait()

    def _empty(self) -> bool:
        return not self._in_flight and not self._ledger.spooled and (self._heir is None or self._heir.idle)

    async def _close(self, own: Spooling) -> None:
        if (remains := await own.close()) is not None:
            self._closed(remains)

    def _write_off(self) -> None:
        """Count as lost what nobody took."""
        if self._in_flight:
            self._log.error("records are lost", records=self._in_flight)
        self._ledger.lost += self._in_flight
        self._metrics.dropped_at_shutdown(self._in_flight)
        self._in_flight = self._in_flight_bytes = 0
        self._metrics.in_flight(0)
