"""Publishers with a spool through random troubles, one after another on one disk: every record is in a sum, and there.

Kafka fails in five ways, the disk now and then, bugs end a run, workers die beside it and leave files, topics come with
other partitions or not at all. What happens when is the machine's; a seed only says what. DELIVERY_SEEDS makes it long.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from aiokafka import errors as kafka_errors

from producer import backoff
from producer.delivery import heir, spooling
from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Publisher
from producer.delivery.spool import Entry, Spool, SpoolFailed
from producer.delivery.spool_folder import SpoolFolder
from producer.events.encoding import Record
from tests.delivery.cluster import Cluster, FakeBatch
from tests.delivery.running import DEAD, GIFTS, TOPIC, Bug, balances, made

SEEDS = int(os.environ.get("DELIVERY_SEEDS", "5"))
COMMIT = Spool.commit


@dataclass
class World:
    """What outlives a publisher: the disk, and the account of what was handed over."""

    folder: Path
    chance: Random
    handed_over: int = 0
    """Records, numbered from 0: each one's value."""
    sent: set[int] = field(default_factory=set)
    lost: int = 0
    disk_fails: float = 0.0
    """How probably a commit fails."""

    def commit(self, spool: Spool, put: Sequence[tuple[int, Entry]], delete: Sequence[int]) -> None:
        if self.chance.random() < self.disk_fails:
            raise SpoolFailed("the disk is full")
        COMMIT(spool, put, delete)

    def record(self, topics: Sequence[str], key: str) -> Record:
        self.handed_over += 1
        return Record(self.chance.choice(topics), key.encode(), b"%d" % (self.handed_over - 1))

    def die(self) -> None:
        """Leave a file as a worker does that is killed."""
        spool = SpoolFolder(self.folder, max_bytes=1 << 24).own(with_records=False)
        records = [self.record((TOPIC, GIFTS), f"dead{number % 5}") for number in range(self.chance.randrange(20))]
        COMMIT(spool, [(number, Entry(each, 1)) for number, each in enumerate(records, spool.next_id)], ())
        spool.close()

    def on_disk(self) -> Iterator[int]:
        for path in self.folder.glob("spool-*.db"):
            with closing(sqlite3.connect(path)) as file:
                yield from (int(value) for (value,) in file.execute("SELECT value FROM records"))


def trouble(chance: Random) -> Callable[[str, FakeBatch], object]:
    """One way of Kafka's to take batches, or not."""
    ways: list[Callable[[str, FakeBatch], object]] = [
        lambda topic, batch: kafka_errors.KafkaConnectionError("away"),
        lambda topic, batch: kafka_errors.NotEnoughReplicasError() if topic == GIFTS else None,
        lambda topic, batch: "cancel",
        lambda topic, batch: "hang" if topic == GIFTS else None,
        lambda topic, batch: (
            kafka_errors.MessageSizeTooLargeError()
            if topic != DEAD and any(int(value) % 17 == 0 for value in batch.values)
            else None
        ),
        *[lambda topic, batch: None] * 5,
    ]
    return chance.choice(ways)


def raising(topic: str, batch: FakeBatch) -> object:
    raise Bug("in a lane")


async def live(world: World, cluster: Cluster, publisher: Publisher, *, topics: Sequence[str], bug: bool) -> None:
    """Hand records over while trouble comes and goes."""
    chance = world.chance
    for _ in range(chance.randint(5, 30)):
        cluster.verdict = trouble(chance)
        cluster.away = chance.random() < 0.1
        world.disk_fails = chance.choice((0.0, 0.0, 0.5, 1.0))
        for _ in range(chance.randrange(30)):
            publisher.publish(world.record(topics, f"k{chance.randrange(7)}"))
        if chance.random() < 0.15:
            world.die()
        await asyncio.sleep(chance.choice((0.0, 0.001, 0.01)))
    if bug:
        cluster.verdict, cluster.away = raising, False
        publisher.publish(world.record(topics, "bug"))
        await asyncio.sleep(chance.choice((0.0, 0.001, 0.02)))


def run(world: World, *, last: bool) -> Ledger:
    """One publisher's life; the last one finds everything well in the end, and has all the time that it needs."""
    chance = world.chance
    cluster, ledger = Cluster(batch_size=chance.choice((1, 3, 10))), Ledger()
    partitions = {TOPIC: chance.choice((1, 2, 5)), DEAD: 1}
    if last or chance.random() < 0.7:
        partitions[GIFTS] = chance.choice((1, 3))
    topics = [topic for topic in (TOPIC, GIFTS) if topic in partitions]
    bug = not last and chance.random() < 0.3
    mine = 0

    async def main() -> None:
        nonlocal mine
        async with made(
            cluster,
            ledger,
            world.folder,
            after=chance.choice((0.0, 0.01, 0.05)),
            delivery=0.05,
            grace=60.0 if last else chance.choice((0.02, 0.2)),
            quiet=60.0 if last else 0.1,
            most_records=1 << 20,
            partitions=partitions,
            dead_letter=lambda record, _: Record(DEAD, record.key, record.value),
        ) as publisher:
            publish = publisher.publish

            def counted(*records: Record, settled: Callable[[], None] | None = None) -> None:
                nonlocal mine
                mine += sum(record.topic != DEAD for record in records)
                publish(*records, settled=settled)

            publisher.publish = counted  # type: ignore[method-assign]
            await live(world, cluster, publisher, topics=topics, bug=bug)
            if last:
                cluster.verdict, cluster.away = (lambda topic, batch: None), False
            world.disk_fails = 0.0 if last else chance.choice((0.0, 0.3))

    try:
        asyncio.run(main())
    except ExceptionGroup as group:
        assert bug
        assert {type(error) for error in group.exceptions} == {Bug}
    world.sent |= {int(value) for _, _, value in cluster.log}
    world.lost += ledger.lost + ledger.dropped + ledger.damaged
    assert balances(ledger, handed_over=mine), ledger
    return ledger


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_record_is_in_a_sum_and_there(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "BASE_SECONDS", 0.001)
    monkeypatch.setattr(spooling, "TICK_SECONDS", 0.005)
    monkeypatch.setattr(spooling, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(heir, "LOOK_SECONDS", 0.02)
    world = World(tmp_path / "spool", Random(seed))
    monkeypatch.setattr(Spool, "commit", lambda spool, put, delete: world.commit(spool, put, delete))

    for number in range(lives := world.chance.randint(1, 4)):
        last = number == lives - 1
        ledger = run(world, last=last)
        left = list(world.on_disk())
        missing = set(range(world.handed_over)) - world.sent - set(left)
        assert len(missing) <= world.lost
        assert len(left) >= ledger.spooled + ledger.unroutable

    assert (ledger.spooled, ledger.unroutable, left) == (0, 0, [])
