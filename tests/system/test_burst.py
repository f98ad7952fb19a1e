"""Frames that came while nobody read, of many rooms at once: they are taken in turns, and probes are answered between.

`BURST_FRAMES=100` (in `make chaos-strangers`) is the long form; BURST_ROOMS=1000 KEEP_UVLOOP=1 is another.
"""

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import httpx

from producer.local.kafka import Kafka
from producer.local.programs import STEP_SECONDS
from producer.local.registry import Registry
from tests.system.harness import System, stop, until
from tests.system.stage import Stage, chats
from tests.system.watched import Watched, environ

ROOMS = int(os.environ.get("BURST_ROOMS", "100"))
FRAMES = int(os.environ.get("BURST_FRAMES", "12"))
MESSAGES = int(os.environ.get("BURST_MESSAGES", "10"))
"""Of a frame."""
TURN_MS = 50.0


def test_a_burst_of_all_rooms_is_taken_in_turns_with_probes_between(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    names = [f"burst_{number:03}" for number in range(ROOMS)]
    turns = tmp_path / "turns.json"
    total = ROOMS * FRAMES * MESSAGES

    async def main() -> tuple[dict[str, Any], int, int]:
        async with System(tmp_path, kafka, registry) as system, Stage(names).serve() as stage:
            await system.wants(names)
            more = {"PRODUCER_UPSTREAM": stage.url, "KEEP_UVLOOP": os.environ.get("KEEP_UVLOOP", "")}
            worker = await system.worker(environ=environ(turns, **more), max_streams=str(ROOMS))
            watched = Watched(worker, turns)
            async with asyncio.timeout(STEP_SECONDS):
                await stage.entered(names)
            await watched.forget()

            async def received() -> int:
                status = await worker.status()
                return int(status["ledger"]["received"]) if status else 0

            before = await received()
            worker.send(signal.SIGSTOP)
            await stage.send({name: [chats(1 + n * MESSAGES, MESSAGES) for n in range(FRAMES)] for name in names})
            probes = [asyncio.ensure_future(ask(worker.url, path)) for path in ("/livez", "/status")]
            await asyncio.sleep(0.5)  # a look: nothing is answered
            assert not any(probe.done() for probe in probes)
            worker.send(signal.SIGCONT)
            live, status = await asyncio.gather(*probes)
            assert live == "ok\n"
            waited = []

            async def all_received() -> bool:
                asked = time.monotonic()
                assert await ask(worker.url, "/livez") == "ok\n"
                waited.append(time.monotonic() - asked)
                return await received() == before + total

            await until(all_received)
            said = watched.said() | {"longest_probe_seconds": round(max(waited), 3)}
            assert (await stop(worker))["lost"] == 0
        return said, int(json.loads(status)["ledger"]["received"]) - before, total

    said, handled, total = asyncio.run(main())

    print(said, f"{handled} of {total} messages when /livez and /status were answered")
    assert said["longest_ms"] <= TURN_MS
    assert handled < total


async def ask(url: str, path: str) -> str:
    async with httpx.AsyncClient(trust_env=False, verify=False, timeout=STEP_SECONDS) as client:
        return (await client.get(f"{url}{path}")).text
