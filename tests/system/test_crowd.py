"""Many streamers claimed at once: nobody waits for a timeout of our own making, and no turn of the loop is long.

`CROWD=1000` (in `make chaos-strangers`) is the long form.
"""

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

from producer.local.kafka import Kafka
from producer.local.registry import Registry
from tests.system.harness import System, metric, stop, until

CROWD = int(os.environ.get("CROWD", "90"))
INSTRUMENTS = Path(__file__).parent / "instruments"
TURN_MS = 50.0


def test_a_crowd_that_is_claimed_at_once_is_connected_without_a_long_turn(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    live = [f"sim_room_{number:02}" for number in range(1, 3 * CROWD + 1, 3)]
    offline = [f"nobody_{number}" for number in range(CROWD)]
    turns = tmp_path / "turns.json"

    async def main() -> dict[str, Any]:
        async with System(tmp_path, kafka, registry) as system:
            rooms = str(3 * CROWD)
            simulator = await system.simulator("--rooms", rooms, "--rate", str(CROWD / 2), names=[*live, *offline])
            environ = {"PYTHONPATH": str(INSTRUMENTS / "turns"), "TURNS": str(turns)}
            worker = await system.worker(environ=environ, live_poll_seconds="10", max_streams=str(2 * CROWD))

            async def settled() -> bool:
                worker.check()
                if await worker.status() is None:
                    return False
                states = {
                    state: await metric(worker, f'tiktok_live_streams{{state="{state}"}}')
                    for state in ("connected", "offline", "elsewhere")
                }
                # Of the rooms all but a tenth start within eight seconds.
                return states["connected"] >= 0.85 * CROWD and sum(states.values()) >= 1.85 * CROWD

            await until(settled)
            for reason in ("timeout", "network", "other"):
                assert await metric(worker, f'tiktok_live_connection_error_reasons_total{{reason="{reason}"}}') == 0
            said: dict[str, Any] = json.loads(turns.read_text())
            said["resident_mib"] = round(await metric(worker, "process_resident_memory_bytes") / 2**20)
            assert (await stop(worker))["lost"] == 0
            await simulator.end(signal.SIGTERM)
        return said

    said = asyncio.run(main())

    print(said)
    assert said["answered_at_cpu"] - said["claimed_at_cpu"] <= 1.0
    assert said["longest_ms"] <= TURN_MS
