"""A whole worker that looks many streamers up, at an address that is blocked beyond so many look-ups.

The short form is part of every run; `make chaos-lookups` has a thousand streamers for ten minutes.
"""

import asyncio
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from producer.local.kafka import Kafka
from producer.local.programs import Worker
from producer.local.registry import Registry
from tests.system.harness import System, connected, metric, until, web

AWAY = int(os.environ.get("LOOKUPS_AWAY", "60"))
LIVE = int(os.environ.get("LOOKUPS_LIVE", "5"))
RATE = int(os.environ.get("LOOKUPS_RATE", "5"))
SECONDS = float(os.environ.get("LOOKUPS_SECONDS", "15"))
WINDOW = 10
NAMES: list[Mapping[str, object]] = [
    *({"unique_id": f"sim_room_{number:02}", "priority": 1} for number in range(1, LIVE + 1)),
    *({"unique_id": f"sim_away_{number:04}"} for number in range(1, AWAY + 1)),
]


def made(folder: Path, kafka: Kafka, registry: Registry) -> System:
    return System(
        folder,
        kafka,
        registry,
        lookups_per_second=str(RATE),
        live_poll_seconds="1",
        lookup_longest_seconds="5",
        silence_seconds="120",
    )


async def started(system: System, limit: str) -> Worker:
    """Give a worker that hears all who are live, at an address with this limit."""
    size = ("--steady", "--rooms", str(LIVE), "--away", str(AWAY), "--rate", "20")
    await system.simulator(*size, "--ip-limit", limit, names=NAMES)
    worker = await system.worker()
    await connected(worker, LIVE)
    return worker


async def asked(worker: Worker) -> int:
    """How many look-ups were made, whatever they were answered."""
    async with web() as client:
        text = (await client.get(f"{worker.url}/metrics")).text
    lines = [line for line in text.splitlines() if line.startswith("tiktok_live_http_requests_total{")]
    return int(sum(float(line.split()[-1]) for line in lines if 'endpoint="room_id"' in line))


async def held(worker: Worker) -> bool:
    return await metric(worker, 'tiktok_live_look_ups_held{egress="default"}') == 1


def test_within_a_limit_that_is_just_above_the_budget_nobody_is_blocked(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> None:
        async with made(tmp_path, kafka, registry) as system:
            limit = f"{RATE * WINDOW + 2}/{WINDOW}:600"
            worker = await started(system, limit)

            async def all_asked() -> bool:
                return await asked(worker) >= LIVE + AWAY

            await until(all_asked)
            before, began = await asked(worker), time.monotonic()
            await asyncio.sleep(SECONDS)  # the time in question
            count, seconds = await asked(worker) - before, time.monotonic() - began
            assert system.truth("blocked") == []
            assert not await held(worker)
            assert RATE * seconds / 10 < count <= RATE * seconds + 3, "it is to use its budget, and not more"
            print(json.dumps({"seconds": round(seconds), "asked": count, "blocks": 0}))

    asyncio.run(main())


def test_a_block_holds_all_look_ups_until_one_that_tries_is_answered(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> None:
        async with made(tmp_path, kafka, registry) as system:
            limit = f"{RATE * WINDOW // 2}/{WINDOW}:30"
            worker = await started(system, limit)
            await until(lambda: held(worker))
            assert len(system.truth("blocked")) == 1
            when_held = await asked(worker)
            # Those that were found before are heard all the time, and nobody who waits is taken for failed.
            status = await worker.status()
            assert status is not None
            states = [each["state"] for each in status["streamers"]]
            assert states.count("connected") == LIVE
            assert states.count("backing_off") <= 3

            async def goes_on() -> bool:
                return not await held(worker)

            await until(goes_on)
            tries = await asked(worker) - when_held
            assert tries <= 4, "one look-up a minute, and its page"
            lines = [line for line in worker.output().splitlines() if '"look-ups' in line]
            assert [json.loads(line)["event"] for line in lines] == ["look-ups held", "look-ups go on"]
            assert json.loads(lines[0])["reason"] == "captcha"

    asyncio.run(main())
