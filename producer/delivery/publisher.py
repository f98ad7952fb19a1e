"""Records to brokers: every record ends acknowledged, spooled, or as a dead letter, and is counted.

Each partition has a lane with at most one batch under way, so records of one key keep their order through failures
(`sending`). What Kafka does not take in time goes to the spool (`spooling`) and comes back in order.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from aiokafka.partitioner import murmur2

from producer import logs
from producer.delivery.clients import Client, Clients
from producer.delivery.lane import Item, Lane
from producer.delivery.ledger import Ledger
from producer.delivery.sending import Sending
from producer.delivery.spool import Place, Spool
from producer.delivery.spooling import Spooling
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
    """How long leaving waits for acknowledgements."""


class Publisher:
    """Use it as an async context manager: entering connects, leaving sends what is left, within the grace."""

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
        spool: Spool | None = None,
    ) -> None:
        """`connect` makes and starts a new client each time; `partitions` counts those of each topic.

        `dead_letter` makes a letter of a record that brokers refuse, given the error; of a letter, a shorter one.
        """
        self._partitions = partitions
        self._dead_letter_topic = dead_letter_topic
        self._dead_letter = dead_letter
        self._ledger = ledger
        self._metrics = metrics
        self._bounds = bounds
        self._lanes: dict[Place, Lane] = {}
        self._senders: dict[Place, asyncio.Task[None]] = {}
        self._in_flight = 0
        self._in_flight_bytes = 0
        self._changed = asyncio.Event()
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
        self._tasks = asyncio.TaskGroup()
        self._spooling = self._with(spool) if spool is not None else None

    async def __aenter__(self) -> "Publisher":
        await self._clients.start()
        await self._tasks.__aenter__()
        if self._spooling is not None:
            self._tasks.create_task(self._spooling.run(), name="spool")
        for lane in self._lanes.values():
            self._wake(lane)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._bounds.grace_seconds):
                    await self._until(lambda: self._in_flight == 0)
        finally:
            for sender in self._senders.values():
                sender.cancel()
            if self._spooling is not None:
                self._spooling.stop()
            await self._tasks.__aexit__(None, None, None)
            await self._clients.close()
            if self._spooling is not None:
                for lane in self._lanes.values():
                    lane.under_way = 0
                await self._spooling.close()
            self._ledger.lost += self._in_flight
            self._metrics.dropped_at_shutdown(self._in_flight)
            self._in_flight = 0

    @property
    def in_flight(self) -> int:
        """Records handed over that memory alone has."""
        return self._in_flight

    @property
    def connected(self) -> bool:
        """Whether a Kafka client stands."""
        return self._clients.shared is not None

    def publish(self, record: Record, settled: Callable[[], None] | None = None) -> None:
        """Take charge of a record, at once; call `room` before reading more.

        `settled` is called once the record is acknowledged or spooled, or nothing more can be done for it.
        """
        partition = (murmur2(record.key) & 0x7FFFFFFF) % self._partitions[record.topic]
        lane = self._lanes.get((record.topic, partition))
        if lane is None:
            lane = self._lanes[record.topic, partition] = Lane(record.topic, partition, keeper=self._spooling)
        self._add(lane, Item(record, int(time.time() * 1000), time.monotonic(), settled))

    async def room(self) -> None:
        """Wait until there is room for more; this is how Kafka's slowness reaches the rooms."""
        self._metrics.in_flight(self._in_flight)
        await self._until(lambda: not self._fuller_than(1.0))

    def _with(self, spool: Spool) -> Spooling:
        """Take over what an earlier run left in the spool."""
        for place, count in spool.holds().items():
            topic, partition = place
            if partition < self._partitions.get(topic, 0):
                self._lanes[place] = Lane(topic, partition, behind=count)
                self._ledger.recovered += count
                self._ledger.spooled += count
            else:
                logs.get().error("the spool has records of a topic that is not ours", topic=topic, records=count)
        spooling = Spooling(
            spool,
            self._lanes,
            ledger=self._ledger,
            metrics=self._metrics,
            after_seconds=self._bounds.spool_after_seconds,
            patience_seconds=self._bounds.spool_patience_seconds,
            hurried=lambda: self._fuller_than(0.5),
            gone=self._gone,
        )
        for lane in self._lanes.values():
            lane.keeper = spooling
        return spooling

    def _fuller_than(self, share: float) -> bool:
        return (
            self._in_flight >= share * self._bounds.most_records
            or self._in_flight_bytes >= share * self._bounds.most_bytes
        )

    def _add(self, lane: Lane, item: Item) -> None:
        self._in_flight += 1
        self._in_flight_bytes += item.size
        lane.add(item)
        self._wake(lane)

    def _gone(self, item: Item) -> None:
        """Memory alone no longer has it."""
        self._in_flight -= 1
        self._in_flight_bytes -= item.size
        self._changed.set()

    def _wake(self, lane: Lane) -> None:
        place = lane.topic, lane.partition
        sender = self._senders.get(place)
        if sender is None or sender.done():
            self._senders[place] = self._tasks.create_task(self._sending.drain(lane), name=f"lane {place}")

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _acknowledge(self, lane: Lane) -> None:
        done = lane.acknowledge()
        self._leave(done)
        if lane.topic == self._dead_letter_topic:
            self._ledger.dead_lettered += len(done)
        else:
            self._ledger.acknowledged += len(done)
        self._metrics.published(
            lane.topic,
            lane.partition,
            records=len(done),
            size=sum(len(item.record.value) for item in done),
            seconds=time.monotonic() - done[0].since,
        )
        self._metrics.in_flight(self._in_flight)
        for item in done:
            item.settle()

    def _leave(self, items: Iterable[Item]) -> None:
        """They are counted elsewhere from now on."""
        for item in items:
            if item.spool_id is None:
                self._gone(item)
            else:
                self._ledger.spooled -= 1
                assert self._spooling is not None
                self._spooling.forget(item)

    def _set_aside(self, lane: Lane, error: BaseException) -> None:
        """Put a dead letter in the place of a record that brokers refuse."""
        letter = self._dead_letter(lane.head[0].record, error)
        [item] = lane.acknowledge(1)
        self._leave([item])
        self.publish(letter, item.settled)
