"""producer.delivery.publisher: against clients that fail on purpose. Those that Kafka fails are in tests/kafka."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiokafka import errors as kafka_errors

from producer import backoff
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Client, Publisher
from producer.errors import StartRefused
from producer.events.encoding import Record
from producer.observability.metrics import Metrics

TOPIC, DEAD = "t.comment.v1", "t.dlq.v1"


class FakeBatch:
    def __init__(self, size: int) -> None:
        self.values: list[bytes] = []
        self._size = size

    def append(self, *, timestamp: int | None, key: bytes, value: bytes, headers: list[tuple[str, bytes]]) -> object:
        if len(self.values) == self._size:
            return None
        self.values.append(value)
        return object()


class FakeClient:
    """A client whose n-th batch ends as its script says: an exception, "hang", "refuse" (at once), or well."""

    def __init__(self, cluster: "Cluster") -> None:
        self.client = self
        self.stopped = False
        self._cluster = cluster

    def create_batch(self) -> FakeBatch:
        assert not self.stopped
        return FakeBatch(self._cluster.batch_size)

    async def send_batch(self, batch: FakeBatch, topic: str, *, partition: int) -> "asyncio.Future[object]":
        assert not self.stopped, "a client that failed was used again"
        self._cluster.under_way += 1
        self._cluster.most_under_way = max(self._cluster.most_under_way, self._cluster.under_way)
        await asyncio.sleep(0)
        self._cluster.under_way -= 1
        future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        outcome = self._cluster.script.pop(0) if self._cluster.script else None
        self._cluster.met += outcome is not None
        if outcome == "hang":
            return future
        if outcome == "cancel":
            future.cancel()
        elif isinstance(outcome, Exception):
            future.set_exception(outcome)
        else:
            self._cluster.log += [(topic, partition, value) for value in batch.values]
            future.set_result(None)
        return future

    async def close(self) -> None:
        self.stopped = True

    async def stop(self) -> None:
        self.stopped = True


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

    async def connect(self) -> Client:
        if self.connects:
            raise self.connects.pop(0)
        self.clients.append(FakeClient(self))
        return self.clients[-1]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.001)


def record(number: int, *, key: bytes = b"someone", topic: str = TOPIC) -> Record:
    return Record(topic, key, str(number).encode())


def publish(
    cluster: Cluster,
    act: Callable[[Publisher], Awaitable[None]],
    *,
    partitions: int = 1,
    max_in_flight: int = 1000,
    timeout: float = 0.05,
    grace: float = 5.0,
) -> Ledger:
    ledger = Ledger()

    async def main() -> None:
        publisher = Publisher(
            cluster.connect,
            partitions={TOPIC: partitions, DEAD: 1},
            dead_letter_topic=DEAD,
            ledger=ledger,
            metrics=Metrics(topics=(TOPIC, DEAD), version="test"),
            linger_seconds=0.0,
            max_in_flight=max_in_flight,
            delivery_timeout_seconds=timeout,
            grace_seconds=grace,
        )
        async with asyncio.timeout(20), publisher:
            await act(publisher)

    asyncio.run(main())
    return ledger


def hundred(publisher: Publisher) -> Awaitable[None]:
    async def act() -> None:
        for number in range(100):
            publisher.publish(record(number))
            await asyncio.sleep(0)

    return act()


IN_ORDER = [(TOPIC, 0, str(number).encode()) for number in range(100)]


def test_every_record_is_delivered_in_order() -> None:
    cluster = Cluster()

    ledger = publish(cluster, hundred)

    assert cluster.log == IN_ORDER
    assert (ledger.acknowledged, ledger.lost) == (100, 0)


def test_one_batch_of_a_partition_is_under_way_at_a_time() -> None:
    cluster = Cluster()

    publish(cluster, hundred)

    assert cluster.most_under_way == 1


@pytest.mark.parametrize(
    "failure",
    [
        kafka_errors.OutOfOrderSequenceNumber(),
        kafka_errors.MessageSizeTooLargeError(),
        kafka_errors.NotEnoughReplicasError(),
        kafka_errors.KafkaError("Unexpected error during batch delivery"),
        ConnectionResetError(),
        "hang",
        "cancel",
    ],
    ids=lambda failure: failure if isinstance(failure, str) else type(failure).__name__,
)
def test_a_failed_batch_is_sent_again_in_order_by_a_new_client(failure: object) -> None:
    cluster = Cluster(None, failure, failure, None)

    ledger = publish(cluster, hundred)

    assert cluster.met == 2
    assert cluster.log == IN_ORDER
    assert len(cluster.clients) == 3
    assert all(client.stopped for client in cluster.clients)
    assert (ledger.acknowledged, ledger.lost) == (100, 0)


def test_a_cluster_that_is_away_for_a_while_loses_nothing() -> None:
    cluster = Cluster(None, kafka_errors.KafkaConnectionError())

    async def act(publisher: Publisher) -> None:
        publisher.publish(record(0))
        while publisher.in_flight:
            await asyncio.sleep(0)
        cluster.connects = [kafka_errors.KafkaConnectionError(), OSError(), kafka_errors.KafkaConnectionError()]
        publisher.publish(record(1))
        while publisher.connected:
            await asyncio.sleep(0)
        publisher.publish(record(2))

    ledger = publish(cluster, act)

    assert cluster.connects == []
    assert [value for _, _, value in cluster.log] == [b"0", b"1", b"2"]
    assert ledger.acknowledged == 3


def test_one_key_keeps_one_partition_and_its_order_while_others_fail() -> None:
    cluster = Cluster(*[kafka_errors.KafkaConnectionError(), None] * 10)
    keys = [b"a", b"b", b"c", b"d"]

    async def act(publisher: Publisher) -> None:
        for number in range(40):
            publisher.publish(record(number, key=keys[number % 4]))
            await asyncio.sleep(0)

    publish(cluster, act, partitions=3)

    # Partitions by Kafka's own partitioner: murmur2 of each key, positive, modulo 3.
    by_partition: dict[int, list[int]] = {}
    for _, partition, value in cluster.log:
        by_partition.setdefault(partition, []).append(int(value))
    assert sorted(number for numbers in by_partition.values() for number in numbers) == list(range(40))
    for numbers in by_partition.values():
        assert numbers == sorted(numbers)


def test_a_full_publisher_makes_its_callers_wait() -> None:
    cluster = Cluster("hang")
    waited: list[bool] = []

    async def act(publisher: Publisher) -> None:
        for number in range(10):
            publisher.publish(record(number))
        room = asyncio.create_task(publisher.room())
        await asyncio.sleep(0)
        waited.append(not room.done())
        await room
        waited.append(publisher.in_flight < 5)

    ledger = publish(cluster, act, max_in_flight=5)

    assert waited == [True, True]
    assert ledger.acknowledged == 10


def test_a_grace_that_does_not_suffice_is_accounted_for() -> None:
    cluster = Cluster(*["hang"] * 100)

    async def act(publisher: Publisher) -> None:
        for number in range(10):
            publisher.publish(record(number))

    ledger = publish(cluster, act, timeout=5.0, grace=0.05)

    assert cluster.met == 1
    assert (ledger.acknowledged, ledger.lost) == (0, 10)


def test_records_in_flight_are_shown_until_they_are_acknowledged() -> None:
    shown: list[float | None] = []

    async def act(publisher: Publisher) -> None:
        def gauge() -> float | None:
            return publisher._metrics.registry.get_sample_value("tiktok_live_inflight_records")

        publisher.publish(record(1))
        await publisher.room()
        shown.append(gauge())
        while publisher.in_flight:
            await asyncio.sleep(0)
        shown.append(gauge())

    publish(Cluster(), act)

    assert shown == [1.0, 0.0]


def test_dead_letters_are_counted_apart() -> None:
    async def act(publisher: Publisher) -> None:
        publisher.publish(record(1))
        publisher.publish(record(2, topic=DEAD))

    ledger = publish(Cluster(), act)

    assert (ledger.acknowledged, ledger.dead_lettered) == (1, 1)


def test_a_cluster_that_is_away_at_the_start_refuses_it() -> None:
    with pytest.raises(StartRefused, match="Kafka cannot be used"):
        publish(Cluster(connects=[kafka_errors.KafkaConnectionError("Unable to bootstrap")]), hundred)
