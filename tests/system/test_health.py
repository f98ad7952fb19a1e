"""What a worker's probes say when there is nothing to stream, and when Kafka is gone; and at which port."""

import asyncio
import json
from pathlib import Path
from typing import Any

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


def logged(worker: Worker, event: str) -> list[Any]:
    lines = [json.loads(line) for line in worker.output().splitlines()]
    return [line["http_port"] for line in lines if line["event"] == event]


def test_of_two_workers_on_one_machine_without_a_port_set_the_second_takes_a_free_one_and_says_so(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=True, http_port="") as system:
            await system.simulator("--rooms", "4", "--steady")
            workers = [await system.worker("first"), await system.worker("second")]
            ports = {}
            for worker in workers:
                await worker.line_with('"event": "started"')
                [ports[worker.name]] = logged(worker, "started")
                worker.url = f"http://127.0.0.1:{ports[worker.name]}"

            async def both_stream() -> bool:
                statuses = [await worker.status() for worker in workers]
                return all(status is not None and status["streamers"] for status in statuses)

            await until(both_stream)

            # Whichever of them, or whoever else on this machine, has the default.
            told = {worker.name: logged(worker, "another http port") for worker in workers}
            assert told == {name: [port] if port != 9464 else [] for name, port in ports.items()}
            assert ports["first"] != ports["second"]
            for worker in workers:
                assert logged(worker, "starting") == [ports[worker.name]]
                status = await worker.status()
                assert status is not None
                assert status["worker"] == worker.name

    asyncio.run(main())
