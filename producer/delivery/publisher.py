"""Records to brokers: every record ends acknowledged, or is counted as lost when a stop's grace runs out.

Each partition has a lane: a queue of records and at most one batch under way, so records of one key keep their order
through failures. A batch that fails goes back to the head of its lane, and the client that failed it is replaced, never
used again: after a non-retriable error aiokafka's partition stays poisoned (its issues 510, 1017), and its futures may
never finish while brokers are away (1101). Hence our own deadline for each batch too.
"""

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from random import random
from typing import Any, Protocol

from aiokafka import errors as kafka_errors
from aiokafka.partitioner import murmur2

from producer import backoff, logs
from producer.delivery.ledger import Ledger
from producer.errors import StartRefused
from producer.events.encoding import Record
from producer.observability.metrics import Metrics

ABANDON_SECONDS = 5.0


class Batch(Protocol):
    """What we use of aiokafka's batch builder."""

    def append(
        self, *, timestamp: int | None, key: bytes, value: bytes, headers: list[tuple[str, bytes]]
    ) -> object: ...


class Client(Protocol):
    """What we use of a started AIOKafkaProducer."""

    client: Any

    def create_batch(self) -> Batch: ...

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> "asyncio.Future[object]": ...

    async def stop(self) -> None: ...


class Publisher:
    """Use it as an async context manager: entering connects, leaving sends what is left, within the grace."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Client]],
        *,
        partitions: Mapping[str, int],
        dead_letter_topic: str,
        ledger: Ledger,
        metrics: Metrics,
        linger_seconds: float,
        max_in_flight: int,
        delivery_timeout_seconds: float,
        grace_seconds: float,
    ) -> None:
        """`connect` makes and starts a new client each time; `partitions` counts those of each topic."""
        self._connect = connect
        self._partitions = partitions
        self._dead_letter_topic = dead_letter_topic
        self._ledger = ledger
        self._metrics = metrics
        self._linger_seconds = linger_seconds
        self._max_in_flight = max_in_flight
        self._delivery_timeout_seconds = delivery_timeout_seconds
        self._grace_seconds = grace_seconds
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._in_flight = 0
        self._changed = asyncio.Event()
        self._client: Client | None = None
        self._replacing = asyncio.Lock()
        self._tasks = asyncio.TaskGroup()
        self._log = logs.get()

    async def __aenter__(self) -> "Publisher":
        try:
            self._client = await self._connect()
        except (kafka_errors.KafkaError, OSError) as cause:
            raise StartRefused(f"Kafka cannot be used: {cause or type(cause).__name__}") from cause
        self._metrics.kafka_connected(True)
        await self._tasks.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._grace_seconds):
                    await self._until(lambda: self._in_flight == 0)
        finally:
            for lane in self._lanes.values():
                lane.cancel()
            await self._tasks.__aexit__(None, None, None)
            self._ledger.lost += self._in_flight
            self._metrics.dropped_at_shutdown(self._in_flight)
            self._in_flight = 0
            if self._client is not None:
                await _abandon(self._client)
            self._metrics.kafka_connected(False)

    @property
    def in_flight(self) -> int:
        """Records handed over and not yet acknowledged."""
        return self._in_flight

    @property
    def connected(self) -> bool:
        """Whether a Kafka client stands."""
        return self._client is not None

    def publish(self, record: Record) -> None:
        """Take charge of a record, at once; call `room` before reading more."""
        partition = (murmur2(record.key) & 0x7FFFFFFF) % self._partitions[record.topic]
        lane = self._lanes.get((record.topic, partition))
        if lane is None:
            lane = self._lanes[record.topic, partition] = _Lane(record.topic, partition)
        self._in_flight += 1
        lane.queue.append((record, time.monotonic()))
        if lane.task is None or lane.task.done():
            lane.task = self._tasks.create_task(self._drain(lane), name=f"lane {record.topic}/{partition}")

    async def room(self) -> None:
        """Wait until there is room for more; this is how Kafka's slowness reaches the rooms."""
        self._metrics.in_flight(self._in_flight)
        await self._until(lambda: self._in_flight < self._max_in_flight)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def _drain(self, lane: "_Lane") -> None:
        await asyncio.sleep(self._linger_seconds)
        failures = 0
        while lane.queue:
            client = await self._standing_client()
            batch, count = _fill(client, lane.queue)
            try:
                await self._send(client, batch, lane)
            except (kafka_errors.KafkaError, OSError, TimeoutError, RuntimeError) as error:
                failures += 1
                self._metrics.publish_failed(_label(error))
                self._log.warning(
                    "batch failed",
                    topic=lane.topic,
                    partition=lane.partition,
                    records=count,
                    error=_label(error),
                    detail=repr(error)[:200],
                )
                await self._retire(client)
                await asyncio.sleep(backoff.delay(failures, random()))
                continue
            failures = 0
            self._acknowledge(lane, count)

    async def _send(self, client: Client, batch: Batch, lane: "_Lane") -> None:
        async with asyncio.timeout(self._delivery_timeout_seconds):
            future = await client.send_batch(batch, lane.topic, partition=lane.partition)
        future.add_done_callback(_retrieve)
        # Waited for, not awaited: the future belongs to aiokafka, and a cancelled one must not look like our own end.
        await asyncio.wait({future}, timeout=self._delivery_timeout_seconds)
        if not future.done():
            raise TimeoutError(f"no answer within {self._delivery_timeout_seconds:g} s")
        if future.cancelled():
            raise kafka_errors.KafkaError("aiokafka gave the batch up")
        future.result()

    def _acknowledge(self, lane: "_Lane", count: int) -> None:
        done = [lane.queue.popleft() for _ in range(count)]
        self._in_flight -= count
        if lane.topic == self._dead_letter_topic:
            self._ledger.dead_lettered += count
        else:
            self._ledger.acknowledged += count
        self._metrics.published(
            lane.topic,
            records=count,
            size=sum(len(record.value) for record, _ in done),
            seconds=time.monotonic() - done[0][1],
        )
        self._metrics.in_flight(self._in_flight)
        self._changed.set()

    async def _standing_client(self) -> Client:
        async with self._replacing:
            for attempt in itertools.count(1):
                if self._client is not None:
                    return self._client
                try:
                    self._client = await self._connect()
                except (kafka_errors.KafkaError, OSError, RuntimeError) as error:
                    self._log.warning("kafka not reached", attempt=attempt, detail=str(error)[:200])
                    await asyncio.sleep(min(5.0, backoff.delay(attempt, random())))
                else:
                    self._metrics.kafka_connected(True)
                    self._log.info("kafka client replaced")
        raise AssertionError("unreachable: the loop ends by returning")

    async def _retire(self, client: Client) -> None:
        """Put a client out of use, unless another lane has done so already."""
        async with self._replacing:
            if self._client is not client:
                return
            self._client = None
            self._metrics.kafka_connected(False)
            await _abandon(client)


class _Lane:
    """One partition's records, oldest first, each with its time of hand-over."""

    def __init__(self, topic: str, partition: int) -> None:
        self.topic = topic
        self.partition = partition
        self.queue: deque[tuple[Record, float]] = deque()
        self.task: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        if self.task is not None:
            self.task.cancel()


def _fill(client: Client, queue: deque[tuple[Record, float]]) -> tuple[Batch, int]:
    batch = client.create_batch()
    count = 0
    for record, _ in queue:
        appended = batch.append(timestamp=None, key=record.key, value=record.value, headers=list(record.headers))
        if appended is None:
            break
        count += 1
    return batch, count


async def _abandon(client: Client) -> None:
    """End a client without waiting for what it could not deliver.

    Its connections are closed first, so that a batch it still holds cannot arrive behind newer ones. Its own `stop`
    waits for batches that may never finish, unless its sender has ended.
    """
    sender: Any = getattr(client, "_sender", None)
    try:
        async with asyncio.timeout(ABANDON_SECONDS):
            await client.client.close()
            if sender is not None and sender.sender_task is not None:
                sender.sender_task.cancel()
            await client.stop()
    except (kafka_errors.KafkaError, OSError, TimeoutError):
        pass  # it has no connection left; there is nothing more to take from it


def _retrieve(future: "asyncio.Future[object]") -> None:
    if not future.cancelled():
        future.exception()


_LABELS: tuple[tuple[type[BaseException], str], ...] = (
    (kafka_errors.UnknownTopicOrPartitionError, "unknown_topic"),
    (kafka_errors.TopicAuthorizationFailedError, "authorization"),
    (kafka_errors.ClusterAuthorizationFailedError, "authorization"),
    (kafka_errors.AuthenticationFailedError, "authentication"),
    (kafka_errors.NotEnoughReplicasError, "not_enough_replicas"),
    (kafka_errors.NotEnoughReplicasAfterAppendError, "not_enough_replicas"),
    (kafka_errors.MessageSizeTooLargeError, "message_too_large"),
    (kafka_errors.OutOfOrderSequenceNumber, "out_of_order"),
    (kafka_errors.ProducerFenced, "fenced"),
    (kafka_errors.KafkaConnectionError, "connection"),
    (kafka_errors.NodeNotReadyError, "connection"),
    (TimeoutError, "timeout"),
    (kafka_errors.KafkaTimeoutError, "timeout"),
    (kafka_errors.RequestTimedOutError, "timeout"),
    (OSError, "connection"),
)


def _label(error: BaseException) -> str:
    return next((label for kind, label in _LABELS if isinstance(error, kind)), "other")
