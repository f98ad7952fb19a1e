"""producer.delivery.publisher: against clients that fail on purpose. Those that Kafka fails are in tests/kafka."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
from aiokafka import errors as kafka_errors

from producer import backoff
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Bounds, Publisher
from producer.errors import StartRefused
from producer.events.encoding import Record
from producer.observability.metrics import Metrics
from tests.delivery.cluster import Cluster, FakeBatch

TOPIC, OTHER, DEAD = "t.comment.v1", "t.like.v1", "t.dlq.v1"


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
    max_in_flight_bytes: int = 1 << 20,
    timeout: float = 0.5,
    grace: float = 5.0,
) -> Ledger:
    ledger = Ledger()

    async def main() -> None:
        publisher = Publisher(
            cluster.connect,
            partitions={TOPIC: partitions, OTHER: 1, DEAD: 1},
            dead_letter_topic=DEAD,
            ledger=ledger,
            metrics=Metrics(topics=(TOPIC, OTHER, DEAD), version="test"),
            dead_letter=lambda record, error: Record(DEAD, record.key, type(error).__name__.encode()),
            bounds=Bounds(
                linger_seconds=0.0,
                most_records=max_in_flight,
                most_bytes=max_in_flight_bytes,
                delivery_seconds=timeout,
                grace_seconds=grace,
            ),
        )
        async with asyncio.timeout(120), publisher:
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


def test_a_publisher_that_is_full_by_bytes_makes_its_callers_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = Cluster("hang")
    waited: list[bool] = []

    async def act(publisher: Publisher) -> None:
        for size in (500, 499):  # of values; the key is a byte
            publisher.publish(Record(TOPIC, b"s", b"." * (size - 1)))
        await asyncio.wait_for(publisher.room(), 120)
        publisher.publish(Record(TOPIC, b"", b"."))
        room = asyncio.create_task(publisher.room())
        await asyncio.sleep(0)
        waited.append(not room.done())
        await room
        waited.append(publisher.in_flight < 3)

    ledger = publish(cluster, act, max_in_flight_bytes=1000)

    assert waited == [True, True]
    assert ledger.acknowledged == 3


def test_a_grace_that_does_not_suffice_is_accounted_for() -> None:
    cluster = Cluster(*["hang"] * 100)

    async def act(publisher: Publisher) -> None:
        for number in range(10):
            publisher.publish(record(number))
        while not cluster.met:
            await asyncio.sleep(0)

    ledger = publish(cluster, act, timeout=60.0, grace=0.05)

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


def test_a_record_that_brokers_refuse_becomes_a_dead_letter_and_its_neighbours_are_delivered() -> None:
    cluster = Cluster(batch_size=10)
    cluster.verdict = lambda topic, batch: (
        kafka_errors.MessageSizeTooLargeError() if b"55" in batch.values and topic == TOPIC else None
    )

    async def act(publisher: Publisher) -> None:
        publisher.publish(*map(record, range(100)))

    ledger = publish(cluster, act)

    kept = [value for topic, _, value in cluster.log if topic == TOPIC]
    assert cluster.met == 2
    assert kept == [b"%d" % number for number in range(100) if number != 55]
    assert [value for topic, _, value in cluster.log if topic == DEAD] == [b"MessageSizeTooLargeError"]
    assert (ledger.acknowledged, ledger.dead_lettered, ledger.lost) == (99, 1, 0)


def test_a_topic_in_trouble_leaves_the_others_their_client() -> None:
    refusals = 0

    def verdict(topic: str, batch: FakeBatch) -> object:
        nonlocal refusals
        if topic != OTHER or refusals == 5:
            return None
        refusals += 1
        return kafka_errors.TopicAuthorizationFailedError(topic)

    cluster = Cluster()
    cluster.verdict = verdict

    async def act(publisher: Publisher) -> None:
        for number in range(200):
            publisher.publish(record(number))
            publisher.publish(record(number, topic=OTHER))
            await asyncio.sleep(0.0005)

    ledger = publish(cluster, act)

    assert refusals == 5
    for topic in (TOPIC, OTHER):
        assert [int(value) for name, _, value in cluster.log if name == topic] == list(range(200))
    used = [client for client in cluster.clients if TOPIC in client.topics]
    assert len(used) == 1, "the healthy topic's client was replaced"
    assert (ledger.acknowledged, ledger.lost) == (400, 0)


def test_two_topics_in_trouble_do_not_keep_each_other_on_a_client_that_is_spoilt() -> None:
    attempts = {OTHER: 0, DEAD: 0}

    def verdict(topic: str, batch: FakeBatch) -> object:
        if topic == TOPIC:
            return None
        attempts[topic] += 1
        # Both leave the client that all share; from then on one of them fails beside the other again and again.
        fails = attempts[topic] == 1 or (topic == OTHER and attempts[topic] < 12)
        return kafka_errors.NotEnoughReplicasError() if fails else None

    cluster = Cluster(batch_size=1)
    cluster.verdict = verdict

    async def act(publisher: Publisher) -> None:
        for number in range(300):
            for topic in (TOPIC, OTHER, DEAD):
                publisher.publish(record(number, topic=topic))
            await asyncio.sleep(0.0005)

    ledger = publish(cluster, act)

    assert cluster.met == 12
    for topic in (TOPIC, OTHER, DEAD):
        assert [int(value) for name, _, value in cluster.log if name == topic] == list(range(300))
    assert (ledger.acknowledged, ledger.dead_lettered, ledger.lost) == (600, 300, 0)


def test_a_client_that_does_not_answer_for_one_topic_is_taken_from_the_others_too() -> None:
    hung = 0

    def verdict(topic: str, batch: FakeBatch) -> object:
        nonlocal hung
        if topic != OTHER or hung:
            return None
        hung += 1
        return "hang"

    cluster = Cluster()
    cluster.verdict = verdict
    ended: list[bool] = []

    async def act(publisher: Publisher) -> None:
        publisher.publish(record(0, topic=OTHER))
        for number in range(3):  # served while the other hangs
            publisher.publish(record(number))
        while not ended:
            if len(cluster.log) == 4:
                ended.append(cluster.clients[0].stopped)
            await asyncio.sleep(0)
        publisher.publish(record(3))

    ledger = publish(cluster, act)

    assert hung == 1
    assert ended == [True], "a client that does not answer was left to the others"
    assert cluster.clients[0] not in [client for client in cluster.clients if not client.stopped]
    assert (ledger.acknowledged, ledger.lost) == (5, 0)


def test_a_client_whose_sender_has_ended_is_not_waited_for() -> None:
    cluster = Cluster("hang")
    cluster.senders_end = True

    ledger = publish(cluster, hundred, timeout=60.0, grace=20.0)

    assert cluster.met == 1
    assert cluster.log == IN_ORDER
    assert ledger.acknowledged == 100


def test_whoever_hands_a_record_over_is_told_once_that_it_is_safe() -> None:
    cluster = Cluster(kafka_errors.KafkaConnectionError())
    told: list[int] = []

    async def act(publisher: Publisher) -> None:
        for number in range(5):
            publisher.publish(record(number), settled=partial(told.append, number))
        assert told == []

    publish(cluster, act)

    assert cluster.met == 1
    assert told == [0, 1, 2, 3, 4]
