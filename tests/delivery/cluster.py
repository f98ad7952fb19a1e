"""A Kafka cluster and aiokafka's client as the publisher sees them, which fail on purpose."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiokafka.errors import KafkaConnectionError

from producer.delivery.clients import Client


class FakeBatch:
    def __init__(self, size: int) -> None:
        self.values: list[bytes] = []
        self._size = size

    def append(self, *, timestamp: int | None, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> object:
        if len(self.values) == self._size:
            return None
        self.values.append(value)
        return object()


@dataclass
class Sender:
    """aiokafka's, of which the task is looked at."""

    sender_task: "asyncio.Task[None]"


class FakeClient:
    """A client whose n-th batch ends as its script says: an exception, "hang", "cancel", or well.

    As aiokafka's, it has no more use for a partition that it once failed, and it refuses what the cluster refuses.
    """

    def __init__(self, cluster: "Cluster") -> None:
        self.client = self
        self.stopped = False
        self.spoilt: set[tuple[str, int]] = set()
        self.topics: set[str] = set()
        self._sender = Sender(asyncio.create_task(asyncio.sleep(0 if cluster.senders_end else 3600)))
        cluster.senders_end = False
        self._cluster = cluster

    def create_batch(self) -> FakeBatch:
        assert not self.stopped
        return FakeBatch(self._cluster.batch_size)

    async def send_batch(self, batch: FakeBatch, topic: str, *, partition: int) -> "asyncio.Future[object]":
        assert not self.stopped, "a client that failed was used again"
        self.topics.add(topic)
        self._cluster.under_way += 1
        self._cluster.most_under_way = max(self._cluster.most_under_way, self._cluster.under_way)
        for _ in range(self._cluster.turns):
            await asyncio.sleep(0)
        self._cluster.under_way -= 1
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        assert (topic, partition) not in self.spoilt, "a client that failed a partition was given it again"
        outcome = self._cluster.script.pop(0) if self._cluster.script else self._cluster.verdict(topic, batch)
        self._cluster.met += outcome is not None
        if outcome == "hang":
            return future
        if outcome == "cancel":
            future.cancel()
        elif isinstance(outcome, Exception):
            self.spoilt.add((topic, partition))
            future.set_exception(outcome)
        else:
            self._cluster.log += [(topic, partition, value) for value in batch.values]
            future.set_result(None)
        return future

    async def close(self) -> None:
        self.stopped = True
        if self._cluster.closes is not None:
            await self._cluster.closes.wait()

    async def stop(self) -> None:
        self.stopped = True
        self._sender.sender_task.cancel()


class Cluster:
    """What all clients of one test share."""

    def __init__(self, *script: object, batch_size: int = 3, connects: list[Exception] | None = None) -> None:
        self.script = list(script)
        self.batch_size = batch_size
        self.connects = connects or []
        self.clients: list[FakeClient] = []
        self.log: list[tuple[str, int, bytes]] = []
        self.met = 0
        self.under_way = self.most_under_way = 0
        self.closes: asyncio.Event | None = None
        """What the end of a client waits for."""
        self.turns = 1
        """How many turns of the loop a batch takes."""
        self.away = False
        """Whether nobody can connect."""
        self.senders_end = False
        """Whether the sender of the next client ends at once."""
        self.verdict: Callable[[str, FakeBatch], object] = lambda topic, batch: None
        """What becomes of a batch when the script is at its end."""

    async def connect(self) -> Client:
        if self.away:
            raise KafkaConnectionError("nobody listens")
        if self.connects:
            raise self.connects.pop(0)
        self.clients.append(FakeClient(self))
        return self.clients[-1]
