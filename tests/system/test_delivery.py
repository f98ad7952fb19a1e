"""Whole workers whose Kafka goes away, and that are killed: what is lost, what comes twice, what is out of order.

The short form is part of every run; `make chaos-delivery` makes it long.
"""

import asyncio
import base64
import json
import os
import signal
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from producer.local.kafka import Kafka
from producer.local.programs import Worker
from producer.local.registry import Registry
from tests.conftest import Background
from tests.system.harness import Mark, System, connected, cut_off, metric, stop

OUTAGE_SECONDS = float(os.environ.get("OUTAGE_SECONDS", "30"))
RATE = int(os.environ.get("DELIVERY_RATE", "150"))
KILLS = int(os.environ.get("DELIVERY_KILLS", "1"))
ROLLING_SECONDS = float(os.environ.get("ROLLING_SECONDS", "15"))
STOP_RECORDS = int(os.environ.get("STOP_RECORDS", "500"))
"""So many are in a worker's spool when it is stopped just after an outage."""
GRACE_SECONDS = 30.0
ROOMS = 12
KILLED = [
    (False, "received", False),
    (True, "delivered", True),
    *(
        [
            (True, "received", False),
            (False, "received", True),
            (False, "delivered", False),
            (False, "delivered", True),
            (True, "received", True),
            (True, "delivered", False),
        ]
        if "DELIVERY_KILLS" in os.environ
        else []
    ),
]
"""Kafka away or not; when frames are acknowledged; whether the server sends again what nobody acknowledged."""
BOUND_SECONDS = 2.0
"""What a kill may lose at the most: what was received in the last second before it, and a commit under way. The other
second is for messages under way between the simulator and a worker."""
LOOK_SECONDS = 0.05
STEPS = 10
"""Of a message between the simulator and the disk; on a busy machine each may wait as long as a look at the clock."""


@asynccontextmanager
async def lateness() -> AsyncIterator[list[float]]:
    """How late, in seconds, this process woke up each time that it meant to: how busy the machine is."""
    late = [0.0]

    async def look() -> None:
        while True:
            due = time.monotonic() + LOOK_SECONDS
            await asyncio.sleep(LOOK_SECONDS)
            late.append(time.monotonic() - due)

    looking = asyncio.create_task(look())
    yield late
    looking.cancel()


def made(
    folder: Path,
    kafka: Kafka,
    registry: Registry,
    *,
    acknowledge: str = "received",
    replicas: int = 1,
    grace: float = 8.0,
) -> System:
    return System(
        folder,
        kafka,
        registry,
        spool_directory=str(folder / "spool"),
        spool_max_bytes=str(max(2**30, int(OUTAGE_SECONDS * RATE * 4096))),
        silence_seconds="120",
        topic_partitions="2",
        topic_replication_factor=str(replicas),
        acknowledge=acknowledge,
        grace_seconds=str(grace),
    )


async def value(worker: Worker, name: str) -> float:
    return await metric(worker, f"tiktok_live_{name}")


async def settles(worker: Worker) -> float:
    """Wait until the spool is empty; the most memory that the worker had meanwhile, in bytes."""
    memory = 0.0
    async with asyncio.timeout(60 + OUTAGE_SECONDS):
        while True:
            worker.check()
            memory = max(memory, await metric(worker, "process_resident_memory_bytes"))
            if await value(worker, "spool_records") == 0:
                return memory
            await asyncio.sleep(0.25)


def firsts(found: Iterable[Mark]) -> list[Mark]:
    """Every event once."""
    return list({record.event_id: record for record in reversed(list(found))}.values())[::-1]


def out_of_order(found: Iterable[Mark]) -> int:
    """How many events, duplicates aside, stand behind a later one of the same connection on their topic."""
    latest: dict[tuple[str, str, str, str], int] = defaultdict(int)
    count = 0
    for record in firsts(found):
        place = record.event, record.streamer, record.room_id, record.worker
        count += record.room_sequence < latest[place]
        latest[place] = max(latest[place], record.room_sequence)
    return count


def report(**figures: Any) -> None:
    print(json.dumps(figures))


def test_an_outage_of_kafka_loses_and_reorders_nothing(
    tmp_path: Path, kafka: Kafka, registry: Registry, background: Background
) -> None:
    async def main() -> None:
        async with made(tmp_path, kafka, registry) as system:
            simulator = await system.simulator("--rooms", str(ROOMS), "--rate", str(RATE))
            worker = await system.worker()
            await connected(worker, ROOMS // 2)
            before = await metric(worker, "process_resident_memory_bytes")
            await asyncio.to_thread(background.run, kafka.kill(1))
            most, size, memory = 0.0, 0.0, 0.0
            until_then = time.monotonic() + OUTAGE_SECONDS
            while time.monotonic() < until_then:
                await asyncio.sleep(0.5)  # the outage itself
                most = max(most, await value(worker, "spool_records"))
                size = max(size, await value(worker, "spool_bytes"))
                memory = max(memory, await metric(worker, "process_resident_memory_bytes"))
            held = await worker.status()
            await asyncio.to_thread(background.run, kafka.start(1))
            back = time.monotonic()
            memory = max(memory, await settles(worker))
            drained = time.monotonic() - back
            await simulator.end(signal.SIGTERM)
            await cut_off(worker)
            ledger = await stop(worker)
            found = await asyncio.to_thread(system.marks)

        sent, read = system.sent(), {record.event_id for record in found}
        grown = (memory - before) / 2**20
        report(
            outage_seconds=OUTAGE_SECONDS,
            rate=RATE,
            sent=len(sent),
            lost=len(sent.keys() - read),
            duplicates=len(found) - len(read),
            spool_records=most,
            spool_mib=round(size / 2**20, 1),
            drain_seconds=round(drained, 1),
            memory_growth_mib=round(grown, 1),
        )
        assert most > OUTAGE_SECONDS * RATE / 10, "the outage was not met"
        assert held is not None
        assert held["ledger"]["balanced"]
        assert sent.keys() - read == set()
        assert out_of_order(found) == 0
        assert ledger["lost"] == ledger["dropped"] == ledger["damaged"] == ledger["spooled"] == 0
        assert grown <= 64

    asyncio.run(main())


@pytest.mark.parametrize(("away", "acknowledge", "resend"), KILLED)
def test_a_killed_worker_loses_no_more_than_the_last_moments(
    away: bool,
    acknowledge: str,
    resend: bool,
    tmp_path: Path,
    kafka: Kafka,
    registry: Registry,
    background: Background,
) -> None:
    chance = Random(7)

    async def main() -> None:
        async with made(tmp_path, kafka, registry, acknowledge=acknowledge) as system, lateness() as late:
            again = ("--resend",) if resend else ()
            simulator = await system.simulator("--rooms", str(ROOMS), "--rate", str(RATE), *again)
            kills: list[float] = []
            worker = await system.worker("worker-0")
            for number in range(KILLS):
                await connected(worker, ROOMS // 2)
                if away:
                    await asyncio.to_thread(background.run, kafka.kill(1))
                await asyncio.sleep(chance.uniform(1.0, 4.0))  # a random moment
                await worker.end(signal.SIGKILL)
                kills.append(time.time())
                if away:
                    await asyncio.to_thread(background.run, kafka.start(1))
                worker = await system.worker(f"worker-{number + 1}")
            await connected(worker, ROOMS // 2)
            await settles(worker)
            await simulator.end(signal.SIGTERM)
            await cut_off(worker)
            ledger = await stop(worker)
            found = await asyncio.to_thread(system.marks)

        assert ledger["lost"] == ledger["damaged"] == 0
        assert (ledger["recovered"] > 0) or not away, "nothing was left in the spool: the outage was not met"
        read = {record.event_id for record in found}
        lost = [line for line in system.truth() if line["sockets"] and _id(line) not in read]
        ages = []
        for line in lost:
            # Before a kill; or behind one, by the moment that it takes to see that nobody listens any more.
            ages.append(min(abs(kill - line["at"]) for kill in kills))
        report(
            kafka_away=away,
            acknowledge=acknowledge,
            resend=resend,
            kills=KILLS,
            sent=len(system.sent()),
            lost=len(lost),
            lost_for_each_kill=round(len(lost) / KILLS, 1),
            oldest_lost_ms=round(1000 * max(ages, default=0.0)),
            late_ms=round(1000 * max(late)),
            duplicates=len(found) - len(read),
        )
        assert max(ages, default=0.0) < BOUND_SECONDS + STEPS * max(late)

    asyncio.run(main())


def _id(line: dict[str, Any]) -> str:
    return f"{line['room_id']}:{line['message_id']}"


def test_a_worker_stopped_just_after_an_outage_sends_what_it_and_two_dead_ones_had_spooled(
    tmp_path: Path, kafka: Kafka, registry: Registry, background: Background
) -> None:
    async def main() -> None:
        async with made(tmp_path, kafka, registry, grace=GRACE_SECONDS) as system:
            simulator = await system.simulator("--rooms", str(ROOMS), "--rate", str(RATE))
            dead = [await system.worker(f"dead-{number}") for number in range(2)]
            worker = await system.worker("alive")
            for each in (worker, *dead):
                await connected(each, 1)
            await asyncio.to_thread(background.run, kafka.kill(1))
            for each in (worker, *dead):
                while await value(each, "spool_records") < 100:
                    await asyncio.sleep(0.2)
            for each in dead:
                await each.end(signal.SIGKILL)
            while await value(worker, "spool_records") < STOP_RECORDS:
                await asyncio.sleep(0.2)
            files = json.loads(await system.producer("spool", "stat", "--json"))
            lines = [json.loads(line) for line in worker.output().splitlines()]
            own = next(line["file"] for line in lines if line["event"] == "spool")
            lay = {file["path"]: file["records"] for file in files if file["path"] != own}
            exported = [json.loads(line) for line in (await system.producer("spool", "export")).splitlines()]
            await asyncio.to_thread(background.run, kafka.start(1))
            back = time.monotonic()
            ledger = await stop(worker)
            took = time.monotonic() - back
            await simulator.end(signal.SIGTERM)
            files = json.loads(await system.producer("spool", "stat", "--json"))
            stored = await asyncio.to_thread(system.stored)

        report(
            grace_seconds=GRACE_SECONDS,
            rate=RATE,
            spooled=len(exported),
            of_the_dead=list(lay.values()),
            recovered=ledger["recovered"],
            left=ledger["spooled"],
            stop_seconds=round(took, 1),
        )
        assert len(exported) >= STOP_RECORDS + 200
        assert len(lay) == 2
        assert min(lay.values()) >= 100, "nobody left anything: the outage was not met"
        assert ledger["recovered"] == sum(lay.values()), "one of the files was not taken up"
        assert ledger["lost"] == ledger["spooled"] == ledger["unroutable"] == 0, worker.output()[-2000:]
        assert [file["records"] for file in files] == [0] * len(files)
        missing = [line for line in exported if base64.b64decode(line["value"]) not in stored]
        assert missing == []

    asyncio.run(main())


def test_brokers_that_restart_and_die_in_turn_lose_and_reorder_nothing(tmp_path: Path, registry: Registry) -> None:
    chance = Random(3)

    async def main() -> None:
        async with (
            Kafka(tmp_path / "kafka", brokers=3) as kafka,
            made(tmp_path, kafka, registry, replicas=3) as system,
        ):
            simulator = await system.simulator("--rooms", str(ROOMS), "--rate", str(RATE))
            worker = await system.worker()
            await connected(worker, ROOMS // 2)
            done: list[str] = []
            until_then = time.monotonic() + ROLLING_SECONDS
            while time.monotonic() < until_then or len(done) < 3:
                node = len(done) % 3 + 1
                how = chance.choice(("stop", "kill")) if done else "kill"
                await (kafka.stop(node) if how == "stop" else kafka.kill(node))
                await asyncio.sleep(chance.uniform(0.0, 3.0))  # how long it is away
                await kafka.start(node)
                done.append(how)
            await settles(worker)
            failed = await metric(worker, 'tiktok_live_publish_errors_total{error="connection"}')
            failed += await metric(worker, 'tiktok_live_publish_errors_total{error="timeout"}')
            failed += await metric(worker, 'tiktok_live_publish_errors_total{error="no_leader"}')
            spooled = await value(worker, "spool_records_written_total")
            await simulator.end(signal.SIGTERM)
            await cut_off(worker)
            ledger = await stop(worker)
            found = await asyncio.to_thread(system.marks)

        sent, read = system.sent(), {record.event_id for record in found}
        assert "kill" in done
        assert failed + spooled > 0, "no fault was met"
        assert sent.keys() - read == set()
        assert out_of_order(found) == 0
        assert ledger["lost"] == ledger["dropped"] == ledger["damaged"] == ledger["spooled"] == 0
        report(
            brokers=3,
            seconds=ROLLING_SECONDS,
            restarts=done.count("stop"),
            kills=done.count("kill"),
            rate=RATE,
            sent=len(sent),
            lost=len(sent.keys() - read),
            failed_batches=failed,
            spooled=spooled,
            duplicates=len(found) - len(read),
        )

    asyncio.run(main())
