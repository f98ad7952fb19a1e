"""Two doors to Kafka: our publisher, and aiokafka's producer alone, as a common service would use it."""

import asyncio
import gc
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

from aiokafka import AIOKafkaProducer
from aiokafka import errors as kafka_errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import murmur2

from producer.delivery import client
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Bounds, Publisher
from producer.events.encoding import Record
from producer.kafka.diagnosis import Unreached
from producer.observability.metrics import Metrics
from producer.settings import Settings, from_environ
from tests.kafka.reading import read_topics
from tests.patience import HANGS_SECONDS

TIMEOUT_SECONDS = 1.0
"""The request timeout of every aiokafka client here, and how long our publisher gives one batch."""

Kind = Literal["plain", "ours"]


@dataclass(slots=True)
class Account:
    """What became of the records that were handed over, in the door's own words."""

    acknowledged: int = 0
    failed: list[Exception] = field(default_factory=list)
    """Those whose handing over raised, or whose future did: a common service counts them, and goes on."""
    pending: int = 0
    """Neither, when the door was left: nobody is ever told of them."""
    lost: int = 0
    """Given up by a stop, and counted."""
    stop_hung: bool = False
    """Leaving had to be broken off."""


class Door(Protocol):
    """Records go in; leaving it tells what became of them."""

    account: Account
    producers: list[AIOKafkaProducer]
    """Every aiokafka producer that it has started, oldest first."""

    async def publish(self, *records: Record) -> None:
        """Hand records over, and return when there is room for more."""

    async def settled(self) -> None:
        """Wait until all of them have ended. Plain: or for so long that some will not."""


class Plain:
    """aiokafka's producer with the publisher's own settings, `send`, and a count of what the futures say."""

    def __init__(self, chosen: Settings, *, grace_seconds: float) -> None:
        self.account = Account()
        self.producers: list[AIOKafkaProducer] = []
        self._chosen = chosen
        self._grace_seconds = grace_seconds
        self._futures: list[asyncio.Future[Any]] = []

    async def __aenter__(self) -> Self:
        self.producers.append(await started(self._chosen))
        return self

    async def __aexit__(self, *_: object) -> None:
        [producer] = self.producers
        try:
            async with asyncio.timeout(self._grace_seconds):
                await producer.stop()
        except TimeoutError:
            self.account.stop_hung = True
        for future in self._futures:
            if not future.done():
                self.account.pending += 1
            elif (error := future.exception()) is not None:
                assert isinstance(error, Exception)
                self.account.failed.append(error)
            else:
                self.account.acknowledged += 1
        if self.account.stop_hung:
            await producer.client.close()

    async def publish(self, *records: Record) -> None:
        for record in records:
            try:
                future = await self.producers[0].send(
                    record.topic, record.value, record.key, headers=list(record.headers)
                )
            except kafka_errors.KafkaError as error:
                self.account.failed.append(error)
            else:
                future.add_done_callback(_retrieve)
                self._futures.append(future)

    async def settled(self) -> None:
        if self._futures:
            await asyncio.wait(self._futures, timeout=2 * TIMEOUT_SECONDS)


class Ours:
    """The publisher."""

    def __init__(
        self, chosen: Settings, *, partitions: Mapping[str, int], dead_letter_topic: str, grace_seconds: float
    ) -> None:
        self.account = Account()
        self.producers: list[AIOKafkaProducer] = []
        self.ledger = Ledger()
        self.metrics = Metrics(topics=partitions, version="test")
        self._chosen = chosen
        self._first: asyncio.Task[AIOKafkaProducer] | None = None
        self.publisher = publisher(
            self._connect,
            partitions=partitions,
            dead_letter_topic=dead_letter_topic,
            ledger=self.ledger,
            metrics=self.metrics,
            grace_seconds=grace_seconds,
        )

    async def __aenter__(self) -> Self:
        self._first = asyncio.create_task(started(self._chosen))
        await asyncio.wait({self._first})
        await self.publisher.__aenter__()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.publisher.__aexit__(*error)
        self.account.acknowledged = self.ledger.acknowledged
        self.account.lost = self.ledger.lost

    async def publish(self, *records: Record) -> None:
        for record in records:
            self.publisher.publish(record)
        await self.publisher.room()

    async def settled(self) -> None:
        await until(lambda: self.publisher.in_flight == 0)

    async def _connect(self) -> AIOKafkaProducer:
        first, self._first = self._first, None
        self.producers.append(await (first or client.connect(self._chosen)))
        return self.producers[-1]


async def started(chosen: Settings) -> AIOKafkaProducer:
    """Start a first client: on a busy machine that may take longer than such impatient settings give it."""
    while True:
        with suppress(Unreached, kafka_errors.KafkaConnectionError, kafka_errors.KafkaTimeoutError):
            return await client.connect(chosen)


def publisher(
    connect: Callable[[], Awaitable[AIOKafkaProducer]],
    *,
    partitions: Mapping[str, int],
    dead_letter_topic: str,
    ledger: Ledger,
    metrics: Metrics,
    grace_seconds: float,
) -> Publisher:
    """Make one for these tests: the only place that knows its keywords."""
    return Publisher(
        connect,
        partitions=partitions,
        dead_letter_topic=dead_letter_topic,
        ledger=ledger,
        metrics=metrics,
        dead_letter=lambda record, _: Record(dead_letter_topic, record.key, b""),
        bounds=Bounds(linger_seconds=0.005, delivery_seconds=TIMEOUT_SECONDS, grace_seconds=grace_seconds),
    )


def chosen(bootstrap_servers: str) -> Settings:
    """Settings of a service, short of patience."""
    return from_environ(
        {
            "PRODUCER_UPSTREAM": "http://127.0.0.1:1",
            "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
            "PRODUCER_KAFKA_DELIVERY_TIMEOUT_SECONDS": str(TIMEOUT_SECONDS),
        }
    )


@asynccontextmanager
async def administering(bootstrap_servers: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Give aiokafka's admin client."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


async def make_topics(
    bootstrap_servers: str, topics: Mapping[str, int], *, configs: Mapping[str, str] | None = None
) -> None:
    """Create topics with so many partitions each."""
    async with administering(bootstrap_servers) as admin:
        await admin.create_topics([NewTopic(name, count, 1, topic_configs=configs) for name, count in topics.items()])


def key_of(partition: int, *, of: int) -> bytes:
    """Find a key that Kafka's partitioner puts in a partition of so many."""
    keys = (b"key%d" % number for number in itertools.count())
    return next(key for key in keys if (murmur2(key) & 0x7FFFFFFF) % of == partition)


def numbered(topic: str, key: bytes, numbers: range, *, size: int = 0) -> list[Record]:
    """Make records whose values begin with their numbers; the value is what tells duplicates by."""
    return [Record(topic, key, b"%d " % number + b"." * size) for number in numbers]


def stored(bootstrap_servers: str, topic: str) -> dict[bytes, list[int]]:
    """Read the numbers back, as `by_key` tells them."""
    return by_key(read_topics(bootstrap_servers, [topic])[topic])


def by_key(messages: Iterable[Any]) -> dict[bytes, list[int]]:
    """Tell the numbers by key, in the order of their partition, duplicates and all."""
    found: dict[bytes, list[int]] = {}
    for message in messages:
        found.setdefault(message.key(), []).append(int(message.value().split()[0]))
    return found


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what no event tells of."""
    while not condition():
        await asyncio.sleep(0.005)


def play(act: Callable[[], Coroutine[Any, Any, None]]) -> list[str]:
    """Run to its end, which must come, and give what nobody had caught: what asyncio's exception handler was told."""
    complaints: list[str] = []

    async def bounded() -> None:
        async with asyncio.timeout(HANGS_SECONDS):
            await act()

    with asyncio.Runner() as runner:
        runner.get_loop().set_exception_handler(lambda _, context: complaints.append(str(context["message"])))
        runner.run(bounded())
        # A future says that nobody asked it when it is collected.
        gc.collect()
    return complaints


def _retrieve(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled():
        future.exception()
