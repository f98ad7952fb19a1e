"""A publisher with a spool and a cluster that fails on purpose, run for as long as a test wants."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

from aiokafka import errors as kafka_errors

from producer.delivery.ledger import Ledger
from producer.delivery.publisher import Bounds, Publisher
from producer.delivery.spool_files import numbered
from producer.delivery.spool_folder import SpoolFolder
from producer.events.encoding import Record
from producer.observability.metrics import Metrics
from tests.delivery.cluster import Cluster

TOPIC, GIFTS, DEAD = "t.comment.v1", "t.gift.v1", "t.dlq.v1"
AWAY = kafka_errors.KafkaConnectionError("nobody listens")

Act = Callable[[Publisher, Ledger], Awaitable[None]]


class Bug(Exception):
    """Something that nobody foresaw."""


def made(
    cluster: Cluster,
    ledger: Ledger,
    folder: Path | None,
    *,
    max_bytes: int = 1 << 24,
    after: float = 0.05,
    patience: float = 30.0,
    delivery: float = 5.0,
    grace: float = 5.0,
    quiet: float = 0.2,
    most_records: int = 1000,
    most_bytes: int = 1 << 25,
    partitions: Mapping[str, int] | None = None,
    dead_letter: Callable[[Record, BaseException], Record] | None = None,
) -> Publisher:
    return Publisher(
        cluster.connect,
        partitions=partitions or {TOPIC: 2, GIFTS: 1, DEAD: 1},
        dead_letter_topic=DEAD,
        dead_letter=dead_letter or (lambda record, error: Record(DEAD, record.key, type(error).__name__.encode())),
        ledger=ledger,
        metrics=Metrics(topics=(TOPIC, GIFTS, DEAD), version="test"),
        bounds=Bounds(
            linger_seconds=0.0,
            most_records=most_records,
            most_bytes=most_bytes,
            delivery_seconds=delivery,
            spool_after_seconds=after,
            spool_patience_seconds=patience,
            grace_seconds=grace,
            quiet_seconds=quiet,
        ),
        spool=SpoolFolder(folder, max_bytes=max_bytes, precious=frozenset({GIFTS})) if folder is not None else None,
    )


def run(folder: Path | None, cluster: Cluster, act: Act, **more: object) -> Ledger:
    """Run one for as long as `act` takes; return its account."""
    ledger = Ledger()

    async def main() -> None:
        async with asyncio.timeout(120), made(cluster, ledger, folder, **more) as publisher:  # type: ignore[arg-type]
            await act(publisher, ledger)

    asyncio.run(main())
    return ledger


def balances(ledger: Ledger, *, handed_over: int) -> bool:
    """Whether the sums agree, where nobody counted what was mapped."""
    return replace(ledger, received=handed_over, mapped=handed_over).balances(in_flight=0)


def record(number: int, *, key: bytes = b"someone", topic: str = TOPIC) -> Record:
    return Record(topic, key, b"%d" % number)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def values(cluster: Cluster, topic: str = TOPIC) -> list[int]:
    return [int(value) for name, _, value in cluster.log if name == topic]


def spooled(folder: Path) -> list[int]:
    """The values in the files that nobody has, in their order."""
    found: list[int] = []
    spools = SpoolFolder(folder, max_bytes=1 << 30)
    for _ in range(len(numbered(folder))):
        if (spool := spools.left()) is None:
            break
        for topic in (TOPIC, GIFTS, DEAD):
            after = 0
            while part := spool.read(topic, partition=0, of=1, after_id=after, max_bytes=1 << 20, max_records=1000):
                found += [int(each.entry.record.value) for each in part]
                after = part[-1].id
        spools.leave(spool)
    return found


def outage(cluster: Cluster) -> Callable[[], None]:
    """Take the cluster away; the function that is returned brings it back."""
    cluster.verdict = lambda topic, batch: AWAY
    cluster.away = True

    def back() -> None:
        cluster.away = False
        cluster.verdict = lambda topic, batch: None

    return back
