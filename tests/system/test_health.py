"""What a worker's probes say when there is nothing to stream, and when Kafka is gone."""

import asyncio
from pathlib import Path

import httpx

from producer.local.kafka import Kafka
from producer.local.programs import Worker
from producer.local.registry import Registry
from tests.system.harness import System, until, web

PROBES = ("livez", "readyz", "startupz")


async def probes(worker: Worker) -> list[int]:
    """The status of each probe; 0 while nobody answers."""
    async with web() as client:
        try:
            return [(await client.get(f"{worker.url}/{name}")).status_code for name in PROBES]
        except httpx.ConnectError:
            return [0, 0, 0]


async def come_to(worker: Worker, *expected: int) -> None:
    async def there() -> bool:
        worker.check()
        return await probes(worker) == list(expected)

    await until(there)


def test_offline_streamers_leave_a_worker_ready_and_a_lost_kafka_makes_it_unready_and_leaves_it_alive(
    tmp_path: Path, registry: Registry
) -> None:
    async def main() -> None:
        async with Kafka(tmp_path / "kafka") as kafka, System(tmp_path, kafka, registry, shared=True) as system:
            await system.simulator("--rooms", "1")
            offline = tmp_path / "offline.yaml"
            offline.write_text("streamers: [nobody.here, not.there]\n")
            await system.producer("assign", "apply", "--yes", str(offline))
            worker = await system.worker()

            async def all_offline() -> bool:
                status = await worker.status()
                states = [each["state"] for each in status["streamers"]] if status else []
                return states == ["elsewhere", "elsewhere"]  # names that nobody has

            await until(all_offline)
            await come_to(worker, 200, 200, 200)

            await kafka.kill(1)
            await come_to(worker, 200, 503, 200)

            await kafka.start(1)
            await come_to(worker, 200, 200, 200)

    asyncio.run(main())
