"""The publisher with a spool: what Kafka does not take in time is written down, and comes back in order."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiokafka import errors as kafka_errors

from producer import backoff
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Bounds, Publisher
from producer.delivery.spool import Spool
from producer.events.encoding import Record
from producer.observability.metrics import Metrics
from tests.delivery.cluster import Cluster, FakeBatch

TOPIC, GIFTS, DEAD = "t.comment.v1", "t.gift.v1", "t.dlq.v1"
AWAY = kafka_errors.KafkaConnectionError("nobody listens")

Act = Callable[[Publisher, Ledger], Awaitable[None]]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.001)


def run(
    folder: Path,
    cluster: Cluster,
    act: Act,
    *,
    max_bytes: int = 1 << 24,
    after: float = 0.05,
    patience: float = 30.0,
    grace: float = 5.0,
    most_records: int = 1000,
) -> Ledger:
    ledger = Ledger()

    async def main() -> None:
        publisher = Publisher(
            cluster.connect,
            partitions={TOPIC: 2, GIFTS: 1, DEAD: 1},
            dead_letter_topic=DEAD,
            dead_letter=lambda record, error: Record(DEAD, record.key, type(error).__name__.encode()),
            ledger=ledger,
            metrics=Metrics(topics=(TOPIC, GIFTS, DEAD), version="test"),
            bounds=Bounds(
                linger_seconds=0.0,
                most_records=most_records,
                delivery_seconds=5.0,
                spool_after_seconds=after,
                spool_patience_seconds=patience,
                grace_seconds=grace,
            ),
            spool=Spool.open(folder, max_bytes=max_bytes, precious=frozenset({GIFTS})),
        )
        async with asyncio.timeout(120), publisher:
            await act(publisher, ledger)

    asyncio.run(main())
    assert ledger.spooled + ledger.acknowledged + ledger.dropped + ledger.dead_lettered >= 0
    return ledger


def record(number: int, *, key: bytes = b"someone", topic: str = TOPIC) -> Record:
    return Record(topic, key, b"%d" % number)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def values(cluster: Cluster, topic: str = TOPIC) -> list[int]:
    return [int(value) for name, _, value in cluster.log if name == topic]


def outage(cluster: Cluster) -> Callable[[], None]:
    """Take the cluster away; the function that is returned brings it back."""
    cluster.verdict = lambda topic, batch: AWAY
    cluster.away = True

    def back() -> None:
        cluster.away = False
        cluster.verdict = lambda topic, batch: None

    return back


def test_an_outage_is_spooled_and_delivered_in_order_before_what_is_newer(tmp_path: Path) -> None:
    cluster = Cluster(batch_size=7)

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(300):
            publisher.publish(record(number))
        await until(lambda: ledger.spooled == 300)
        assert publisher.in_flight == 0
        back()
        for number in range(300, 600):
            publisher.publish(record(number))
            await asyncio.sleep(0)
        await until(lambda: ledger.acknowledged == 600)

    ledger = run(tmp_path, cluster, act)

    assert cluster.met > 0
    assert values(cluster) == list(range(600))
    assert (ledger.spooled, ledger.lost) == (0, 0)


def test_records_go_on_being_spooled_in_order_while_the_spool_is_drained(tmp_path: Path) -> None:
    cluster = Cluster(batch_size=3)

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        for round_ in range(4):
            back = outage(cluster)
            for number in range(100):
                publisher.publish(record(round_ * 100 + number))
                await asyncio.sleep(0.001)
            back()
        await until(lambda: ledger.acknowledged == 400)

    ledger = run(tmp_path, cluster, act, after=0.01)

    assert cluster.met > 0
    assert values(cluster) == list(range(400))
    assert ledger.spooled == 0


def test_what_a_stop_cannot_send_is_spooled_and_the_next_run_sends_it_first(tmp_path: Path) -> None:
    first, second = Cluster(), Cluster()

    async def leave(publisher: Publisher, ledger: Ledger) -> None:
        outage(first)
        for number in range(50):
            publisher.publish(record(number, key=b"%d" % (number % 5)))

    async def come(publisher: Publisher, ledger: Ledger) -> None:
        for number in range(50, 60):
            publisher.publish(record(number, key=b"%d" % (number % 5)))
        await until(lambda: ledger.acknowledged == 60)

    left = run(tmp_path, first, leave, after=60.0, grace=0.05)
    came = run(tmp_path, second, come)

    assert (left.spooled, left.lost) == (50, 0)
    assert (came.recovered, came.spooled, came.acknowledged) == (50, 0, 60)
    by_key: dict[int, list[int]] = {}
    for number in values(second):
        by_key.setdefault(number % 5, []).append(number)
    assert by_key == {key: list(range(key, 60, 5)) for key in range(5)}


def test_a_batch_that_is_under_way_is_spooled_too(tmp_path: Path) -> None:
    cluster = Cluster("hang")

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        publisher.publish(record(1))
        await until(lambda: ledger.spooled == 1)
        assert cluster.met == 1

    ledger = run(tmp_path, cluster, act, grace=0.01)

    assert (ledger.spooled, ledger.lost) == (1, 0)


def test_a_full_spool_makes_callers_wait_and_keeps_a_part_for_gifts(tmp_path: Path) -> None:
    cluster = Cluster()
    waited: list[bool] = []

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(100):
            publisher.publish(Record(TOPIC, b"someone", b"%d" % number + b" " * 100_000))
            await asyncio.sleep(0)
        await until(lambda: ledger.spooled > 0)
        spooled = -1
        while spooled != ledger.spooled:
            spooled = ledger.spooled
            await asyncio.sleep(0.3)
        assert 0 < spooled < 100
        publisher.publish(record(1, topic=GIFTS))
        await until(lambda: ledger.spooled == spooled + 1)
        room = asyncio.create_task(publisher.room())
        await asyncio.sleep(0.05)
        waited.append(not room.done())
        back()
        await room
        await until(lambda: ledger.acknowledged == 101)

    ledger = run(tmp_path, cluster, act, max_bytes=2_000_000, most_records=40)

    assert waited == [True]
    assert values(cluster) == list(range(100))
    assert (ledger.dropped, ledger.lost) == (0, 0)


def test_what_a_full_spool_has_had_no_space_for_is_dropped_in_the_end_and_counted(tmp_path: Path) -> None:
    cluster = Cluster()

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(100):
            publisher.publish(Record(TOPIC, b"someone", b"%d" % number + b" " * 100_000))
        for number in range(3):
            publisher.publish(record(number, topic=GIFTS))
        await until(lambda: publisher.in_flight == 0)
        back()
        await until(lambda: ledger.spooled == 0)

    ledger = run(tmp_path, cluster, act, max_bytes=2_000_000, patience=0.1)

    kept = values(cluster)
    assert values(cluster, GIFTS) == [0, 1, 2]
    assert 0 < len(kept) < 100
    assert kept == sorted(kept)
    assert ledger.dropped == 100 - len(kept)


def test_whoever_hands_a_record_over_is_told_when_it_is_spooled(tmp_path: Path) -> None:
    cluster = Cluster()
    told = asyncio.Event()

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        outage(cluster)
        publisher.publish(record(1), told.set)
        await told.wait()
        assert (ledger.spooled, ledger.acknowledged) == (1, 0)

    run(tmp_path, cluster, act)


def test_a_refused_record_of_the_spool_becomes_a_dead_letter(tmp_path: Path) -> None:
    cluster = Cluster()

    def verdict(topic: str, batch: FakeBatch) -> object:
        return kafka_errors.MessageSizeTooLargeError() if topic == TOPIC and b"2" in batch.values else None

    async def act(publisher: Publisher, ledger: Ledger) -> None:
        back = outage(cluster)
        for number in range(5):
            publisher.publish(record(number))
        await until(lambda: ledger.spooled == 5)
        back()
        cluster.verdict = verdict
        await until(lambda: ledger.acknowledged + ledger.dead_lettered == 5)

    ledger = run(tmp_path, cluster, act)

    assert values(cluster) == [0, 1, 3, 4]
    assert (ledger.dead_lettered, ledger.spooled, ledger.lost) == (1, 0, 0)
