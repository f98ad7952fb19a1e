"""Each error that a broker may give for a batch, for as long as FAULT_SECONDS, for one of two partitions.

`make chaos-delivery` lets each last for half a minute; with `-s` there is a table.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest

from producer.local.kafka import Kafka
from tests.kafka.doors import Ours, by_key, chosen, key_of, make_topics, numbered, play, until
from tests.kafka.liars import KFAKED, ByProxy, Liar, kfaked
from tests.kafka.proxy import ERRORS, Proxy
from tests.kafka.reading import read_topics

# aiokafka does not close the connection over which a client that is cancelled was asking for its first metadata.
pytestmark = pytest.mark.filterwarnings("ignore:.*AIOKafkaConnection:pytest.PytestUnraisableExceptionWarning")
SECONDS = float(os.environ.get("FAULT_SECONDS", "1"))
LEFT, RIGHT = key_of(0, of=2), key_of(1, of=2)
OF_THE_RECORDS = {"MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_TIMESTAMP"}
"""What is wrong with the records themselves makes dead letters of them."""
prefixes = (f"lasting{number}" for number in count())


@dataclass(slots=True)
class Met:
    """One error: how many records each key had, how often it was met, and what became of them."""

    error: str
    topic: str
    dead: str
    sent: int = 0
    fired: int = 0
    clients: int = 0
    lost: int = 0


async def meet(liar: Liar, met: Met, starting: asyncio.Lock) -> None:
    """`starting`: one client at a time, for thirty at once keep each other from it on a busy machine."""
    partitions = {met.topic: 2, met.dead: 1}
    door = Ours(chosen(liar.address), partitions=partitions, dead_letter_topic=met.dead, grace_seconds=20.0)
    async with AsyncExitStack() as stack:
        async with starting:
            await stack.enter_async_context(door)
        await door.publish(*numbered(met.topic, LEFT, range(1)), *numbered(met.topic, RIGHT, range(1)))
        await door.settled()
        lie = await liar.lie(met.topic, met.error)
        ends, met.sent = time.monotonic() + SECONDS, 1
        while time.monotonic() < ends:
            numbers = range(met.sent, met.sent + 1)
            await door.publish(*numbered(met.topic, LEFT, numbers), *numbered(met.topic, RIGHT, numbers))
            met.sent += 1
            await asyncio.sleep(0.1)  # the fault lasts
        # All of the other partition is there while the fault goes on.
        await until(lambda: door.ledger.acknowledged > met.sent)
        while not (fired := await lie.fired()):
            await asyncio.sleep(0.005)
        met.fired = fired
        await lie.lift()
        await until(lambda: door.publisher.in_flight == 0)
    met.clients, met.lost = len(door.producers), door.ledger.lost


async def meet_all(
    bootstrap_servers: str, liar: Callable[[], AbstractAsyncContextManager[Liar]], rows: list[Met]
) -> None:
    await make_topics(bootstrap_servers, {met.topic: 2 for met in rows} | {met.dead: 1 for met in rows})

    starting = asyncio.Lock()

    async def one(met: Met) -> None:
        async with liar() as its:
            await meet(its, met, starting)

    async with asyncio.TaskGroup() as tasks:
        for met in rows:
            tasks.create_task(one(met))


def account(bootstrap_servers: str, rows: list[Met]) -> None:
    """Say what became of each, and judge it."""
    topics = read_topics(bootstrap_servers, [topic for met in rows for topic in (met.topic, met.dead)])
    print()
    for met in rows:
        there = by_key(topics[met.topic])
        left, right = (list(dict.fromkeys(there[key])) for key in (LEFT, RIGHT))
        letters = topics[met.dead]
        print(
            f"{met.error:<40} met {met.fired:>4} times; {len(left):>4} of {met.sent} delivered, {len(letters):>4} dead "
            f"letters, {met.lost} lost, {len(there[LEFT]) - len(left)} twice; {met.clients} clients"
        )
        assert met.fired > 0
        assert met.lost == 0
        assert right == list(range(met.sent))
        assert left == sorted(left)
        if met.error in OF_THE_RECORDS:
            assert len(left) + len(letters) == met.sent
        else:
            assert left == list(range(met.sent))
            assert letters == []


def lasting(errors: Iterable[str]) -> list[Met]:
    return [
        Met(error, f"{prefix}.comment.v1", f"{prefix}.dlq.v1") for error, prefix in zip(errors, prefixes, strict=False)
    ]


def test_an_error_that_lasts_costs_nothing_and_the_other_partition_goes_on(kafka: Kafka) -> None:
    rows = lasting(ERRORS)

    @asynccontextmanager
    async def proxied() -> AsyncIterator[Liar]:
        async with Proxy(kafka.bootstrap_servers) as proxy:
            yield ByProxy(proxy)

    assert play(lambda: meet_all(kafka.bootstrap_servers, proxied, rows)) == []

    account(kafka.bootstrap_servers, rows)


@pytest.mark.skipif(KFAKED is None, reason="KFAKED does not name a kfaked")
def test_an_error_of_kfaked_that_lasts_costs_nothing_either(tmp_path: Path) -> None:
    # kfaked does not store a batch of which it says that it has it, which no broker does.
    rows = lasting(error for error in ERRORS if error != "DUPLICATE_SEQUENCE_NUMBER")

    async def main() -> None:
        async with kfaked(tmp_path) as its:
            await meet_all(its.address, lambda: nullcontext(its), rows)
            await asyncio.to_thread(account, its.address, rows)

    assert play(main) == []
