"""A rolling deployment of four real workers: each streamer moves once, nothing is lost, and each move says why.

`make chaos-rolling` has forty rooms; the short form has sixteen.
"""

import asyncio
import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

from producer.local.kafka import Kafka
from producer.local.programs import Worker
from producer.local.registry import Registry
from tests.system.harness import System, cut_off, stop, until

WORKERS = 4
ROOMS = int(os.environ.get("ROLLING_ROOMS", "16"))
STILL_SECONDS = "3600"
"""Longer than any step of it takes on a busy machine; a minute is the default."""


def moves(workers: list[Worker]) -> tuple[Counter[str], int]:
    """Streamers that moved, by reason, as whoever led said in its log; and how many lines said so."""
    reasons: Counter[str] = Counter()
    rounds = 0
    for worker in workers:
        for line in worker.output().splitlines():
            if '"slots shared out"' in line:
                moved = json.loads(line)["streamers_moved"]
                rounds += bool(moved)
                reasons.update(moved)
    return reasons, rounds


def test_each_streamer_moves_once_in_a_rolling_deployment_and_nothing_is_lost(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> dict[str, Any]:
        settings = {"claim_still_seconds": STILL_SECONDS, "room_stats_seconds": "0"}
        async with System(tmp_path, kafka, registry, shared=True, **settings) as system:
            simulator = await system.simulator("--steady", "--rooms", str(ROOMS), "--rate", str(2 * ROOMS))
            every = [await system.worker(f"old-{number}") for number in range(WORKERS + 1)]
            workers = list(every)

            async def settled() -> bool:
                """Whether each worker is in the group, and all rooms are heard by one."""
                states: list[str] = []
                for worker in workers:
                    status = await worker.status()
                    if status is None or '"slots assigned"' not in worker.output():
                        return False
                    states += [each["state"] for each in status["streamers"]]
                return states == ["connected"] * ROOMS

            await until(settled)
            await stop(
                workers.pop()
            )  # a fleet that one has left is not starting any more, and is not made even at once
            await until(settled)
            entered, before = Counter(line["unique_id"] for line in system.truth("entered")), moves(every)[0]
            for number in range(WORKERS):  # as a Deployment with maxSurge 1 and maxUnavailable 0
                workers.append(await system.worker(f"new-{number}"))
                every.append(workers[-1])
                await until(settled)
                assert (await stop(workers.pop(0)))["lost"] == 0
                await until(settled)
            again = Counter(line["unique_id"] for line in system.truth("entered"))
            again.subtract(entered)
            reasons, rounds = moves(every)
            reasons.subtract(before)
            await simulator.end(signal.SIGTERM)  # first: nobody hears what is sent while the last worker leaves
            await cut_off(*workers)
            for worker in workers:
                await stop(worker)
            read = {found.event_id for found in system.read() if found.value["meta"]["message_id"]}
            return {
                "rooms": ROOMS,
                "entered_again": round(again.total() / ROOMS, 2),
                "most": max(again.values()),
                "moves": {why: count for why, count in reasons.items() if count},
                "rounds": rounds,
                "lost": len(system.sent().keys() - read),
            }

    said = asyncio.run(main())

    print(json.dumps(said))
    assert said["lost"] == 0
    assert said["moves"] == {"drain": ROOMS}
    assert said["entered_again"] == said["most"] == 1
