"""Two whole workers and a door that lets nobody in: what one meets there, the other is told.

DOORS_SECONDS=300 goes on looking for so long.
"""

import asyncio
import json
import os
from itertools import pairwise
from pathlib import Path
from typing import Any

from producer.local.kafka import Kafka
from producer.local.programs import Worker
from producer.local.registry import Registry
from tests.system.harness import System, connected, metric, stop, until

SECONDS = float(os.environ.get("DOORS_SECONDS", "0"))
ROOMS = 6
OPEN = 'tiktok_live_door_open{door="direct",egress="default"}'


def shut(worker: Worker) -> list[dict[str, Any]]:
    """What a worker logged of doors that it took for shut."""
    lines = (json.loads(line) for line in worker.output().splitlines() if line.startswith("{"))
    return [line for line in lines if line["event"] == "door shut"]


async def started(system: System, name: str) -> Worker:
    """A worker with two doors, one of whose rooms is heard."""
    worker = await system.worker(name, doors="direct,sign", sign_url=system.upstream, sign_calls_per_minute="600")
    await connected(worker, 1)
    return worker


def test_a_door_that_refused_one_worker_is_learnt_by_the_other(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=True) as system:
            faults = ("--fault", "register_rate_limited_untold:1000000")
            await system.simulator("--rooms", str(ROOMS), "--rate", "20", *faults)
            one, two = await started(system, "one"), await started(system, "two")
            await asyncio.sleep(SECONDS)

            assert await metric(two, OPEN) == 0.0
            assert [(line["door"], line["reason"]) for line in shut(one)] == [("direct", "rate_limited")]
            assert [(line["door"], line["reason"], line.get("learnt")) for line in shut(two)] == [
                ("direct", "rate_limited", True)
            ]
            [direct, sign] = (await one.status() or {})["doors"]
            assert (direct["door"], direct["state"], direct["reason"]) == ("direct", "shut", "rate_limited")
            assert (sign["door"], sign["state"], sign["reason"], sign["rooms"] > 0) == ("sign", "open", None, True)
            said = json.loads(await system.producer("status", "--json"))
            assert {each["door"]: each.get("reason") for each in said["doors"]} == {
                "direct": "rate_limited",
                "sign": None,
            }
            assert {each["door"] for each in said["streamers"] if each["state"] == "connected"} == {"sign"}
            tries = [line["at"] for line in system.truth("fault") if line["name"] == "register_rate_limited_untold"]
            assert len(tries) > SECONDS / 200
            assert all(later - earlier >= 60.0 for earlier, later in pairwise(tries)), tries
            await stop(one)
            await stop(two)

    asyncio.run(main())


def test_a_door_that_one_worker_finds_open_again_is_open_for_the_other(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=True) as system:
            await system.simulator("--rooms", str(ROOMS), "--rate", "20", "--fault", "register_rate_limited:1")
            one, two = await started(system, "one"), await started(system, "two")

            async def open_again() -> bool:
                return all([await metric(each, OPEN) for each in (one, two)])

            await until(open_again)

            assert len(shut(one)) == len(shut(two)) == 1
            assert len([line for line in system.truth("fault") if line["name"] == "register_rate_limited"]) == 1
            await stop(one)
            await stop(two)

    asyncio.run(main())
