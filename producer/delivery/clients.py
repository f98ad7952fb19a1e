"""The Kafka clients that records go through: one that all partitions share, and one for those in trouble of their own.

A client that failed is replaced, never used again: after a non-retriable error aiokafka's partition stays poisoned (its
issues 510, 1017), its futures may never finish while brokers are away (1101), and once its sender has ended it takes
records that it never sends (907, 1039). Replacing the shared client costs the other partitions their batch under way,
which they send again; so a partition that fails while others are served goes apart until it is served again.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from random import random
from typing import Any, Protocol

from aiokafka import TopicPartition
from aiokafka import errors as kafka_errors

from producer import backoff, logs
from producer.errors import StartRefused
from producer.kafka.diagnosis import Unreached

ABANDON_SECONDS = 5.0
LONGEST_WAIT_SECONDS = 5.0
"""Between attempts. What waits here is the newest that there is of a live, so it is not left for a minute."""

FAILURES = (kafka_errors.KafkaError, OSError, TimeoutError, RuntimeError)
"""What sending and connecting may raise; aiokafka closes with a bare RuntimeError."""


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


class NotAnswered(Exception):
    """A batch may still be on its way: nothing was heard of it."""


class Standing:
    """A started client, and what it has been good for."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.served = 0
        """Batches that Kafka acknowledged through it."""
        self._waiting: set[asyncio.Future[None]] = set()
        """Of whoever sends by it."""
        for sender in self._sender():
            sender.add_done_callback(self._wake_all)

    async def send(self, batch: Batch, topic: str, *, partition: int, timeout_seconds: float) -> None:
        """Send one batch and wait for its acknowledgement.

        Raises NotAnswered when nothing more is to be expected of this client, otherwise what aiokafka raises.
        """
        future: asyncio.Future[Any] | None = None
        try:
            async with asyncio.timeout(timeout_seconds):
                future = await self.client.send_batch(batch, topic, partition=partition)
                future.add_done_callback(_retrieve)
                await self._done(future)
        except TimeoutError:
            if future is None or not future.done():
                raise NotAnswered(f"not {'' if future else 'taken '}within {timeout_seconds:g} s") from None
        if not future.done():
            raise NotAnswered("aiokafka's sender has ended")
        if future.cancelled():
            raise NotAnswered("aiokafka gave the batch up")
        future.result()
        self.served += 1

    async def _done(self, future: "asyncio.Future[Any]") -> None:
        """Wait until a future is done, or aiokafka's sender, which would have it done.

        It is not awaited: it belongs to aiokafka, and a cancelled one must not look like our own end.
        """
        if future.done() or self._ended():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda _: _wake(waiter))
        self._waiting.add(waiter)
        try:
            await waiter
        finally:
            self._waiting.discard(waiter)

    def _wake_all(self, _: "asyncio.Future[None]") -> None:
        for waiter in self._waiting:
            _wake(waiter)

    def problem(self, topic: str, partition: int) -> str | None:
        """What the cluster's metadata says of a partition that does not answer: a label of PUBLISH_ERRORS, or None."""
        cluster = getattr(self.client.client, "cluster", None)
        if cluster is None:
            return None
        if partition not in (cluster.partitions_for_topic(topic) or ()):
            return "unknown_topic"
        return "no_leader" if cluster.leader_for_partition(TopicPartition(topic, partition)) in (None, -1) else None

    async def abandon(self) -> None:
        """End it without waiting for what it could not deliver.

        Its connections are closed before it is called ended, so that a batch it still holds cannot arrive behind newer
        ones. aiokafka's own `stop` does no more than this, but leaves a task that waits for its batches, for ever.
        """
        try:
            async with asyncio.timeout(ABANDON_SECONDS):
                senders = self._sender()
                if not senders:
                    await self.client.stop()
                    return
                vars(self.client)["_closed"] = True  # or it complains, when it is collected, that nobody stopped it
                for sender in senders:
                    sender.cancel()
                connections = self.client.client
                await connections.close()
                # Who waits for metadata waits for the task that was ended with the connections.
                if (metadata := vars(connections).get("_md_update_fut")) is not None and not metadata.done():
                    metadata.set_result(False)
                await asyncio.wait(senders)
                await connections.close()  # one that was being made meanwhile
        except FAILURES:
            pass  # it has no connection left; there is nothing more to take from it

    def _sender(self) -> "set[asyncio.Task[None]]":
        sender: Any = getattr(self.client, "_sender", None)
        return {sender.sender_task} if sender is not None and sender.sender_task is not None else set()

    def _ended(self) -> bool:
        return any(task.done() for task in self._sender())


class Clients:
    """Gives out standing clients. Start it, and close it."""

    def __init__(
        self,
        connect: Callable[[], Awaitable[Client]],
        *,
        connected: Callable[[bool], None],
        not_reached: Callable[[str], None],
        patience_seconds: float,
    ) -> None:
        """`connect` makes and starts a new client each time; `connected` is told of the shared one's state, and
        `not_reached` of one of `diagnosis.CAUSES` each time that no client could be had.

        A client that has not started within `patience_seconds` is given up: what it learned when it began (a broker's
        former address, say) it may ask for ever.
        """
        self._make = connect
        self._patience_seconds = patience_seconds
        self._connected = connected
        self._not_reached = not_reached
        self._standing: dict[bool, Standing] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._locks = {False: asyncio.Lock(), True: asyncio.Lock()}
        self._log = logs.get()

    @property
    def shared(self) -> Standing | None:
        """The shared client, while it stands."""
        return self._standing.get(False)

    async def start(self) -> None:
        """Connect for the first time. Raises StartRefused."""
        try:
            self._standing[False] = Standing(await self._connect())
        except (kafka_errors.KafkaError, OSError) as cause:
            raise StartRefused(f"Kafka cannot be used: {_said(cause)}") from cause
        self._connected(True)

    async def close(self) -> None:
        """Give up whatever stands."""
        await asyncio.gather(*map(self._end, self._standing.values()), *self._ending)
        self._standing.clear()
        self._connected(False)

    async def get(self, *, apart: bool) -> Standing:
        """Wait for the shared client, or the one for partitions in trouble."""
        if (standing := self._standing.get(apart)) is not None:
            return standing
        async with self._locks[apart]:
            for attempt in itertools.count(1):
                if apart in self._standing:
                    return self._standing[apart]
                try:
                    self._standing[apart] = Standing(await self._connect())
                except (*FAILURES, StartRefused) as error:
                    cause = _cause(error)
                    self._not_reached(cause)
                    self._log.warning("kafka not reached", attempt=attempt, error=cause, detail=_said(error)[:300])
                    await asyncio.sleep(min(LONGEST_WAIT_SECONDS, backoff.delay(attempt, random())))
                else:
                    self._log.info("kafka client replaced", apart=apart)
                    if not apart:
                        self._connected(True)
        raise AssertionError("unreachable: the loop ends by returning")

    async def _connect(self) -> Client:
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await self._make()
        except TimeoutError:
            raise TimeoutError(f"no client started within {self._patience_seconds:g} s") from None

    async def retire(self, standing: Standing) -> None:
        """Put a client out of use, unless another partition has done so already."""
        apart = standing is not self._standing.get(False)
        async with self._locks[apart]:
            if self._standing.get(apart) is standing:
                del self._standing[apart]
                if not apart:
                    self._connected(False)
                await self._end(standing)

    def _end(self, standing: Standing) -> "asyncio.Future[None]":
        # A lane that is cancelled meanwhile must not leave half a client behind.
        task = asyncio.create_task(standing.abandon())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return asyncio.shield(task)


def _cause(error: BaseException) -> str:
    if isinstance(error, Unreached):
        return error.cause
    if isinstance(error, kafka_errors.ClusterAuthorizationFailedError):
        return "authorization"  # who may write no topic may not be an idempotent producer
    return "timeout" if isinstance(error, TimeoutError) else "other"


def _said(error: BaseException) -> str:
    return str(error) or type(error).__name__


def _wake(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


def _retrieve(future: "asyncio.Future[object]") -> None:
    if not future.cancelled():
        future.exception()
