"""SIGTERM at random moments of a start: with a Kafka that is silent, one that is away, no registry, and all well.

STOP_MOMENTS=20 is the long form, which also holds the time from the signal to the end against the grace.
"""

import asyncio
import json
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from producer.local.kafka import Kafka
from producer.local.processes import free_ports
from producer.local.programs import Program
from producer.local.registry import Registry
from tests.system.harness import System, until

MOMENTS = int(os.environ.get("STOP_MOMENTS", "2"))
MEASURED = "STOP_MOMENTS" in os.environ
GRACE_SECONDS = 5.0
PATIENCE_SECONDS = 600.0
"""How long a registry is waited for that does not answer: longer than any step of a test may take."""
AWAY = "127.0.0.1:9"
REFUSED = "producer: Kafka cannot be used: "


@dataclass(frozen=True, slots=True)
class Ended:
    """How a worker ended that was told to at some moment."""

    status: int
    seconds: float
    output: str

    @property
    def events(self) -> list[str]:
        return [str(line.get("event")) for line in self._lines]

    @property
    def last(self) -> dict[str, Any]:
        return self._lines[-1]

    @property
    def _lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.output.splitlines() if line.startswith("{")]


async def stopped_at_moments(
    folder: Path, environ: Mapping[str, str], waits: Callable[[Program], Awaitable[bool]]
) -> list[Ended]:
    """Start workers, and stop each at another moment: every second one from when it `waits`, others from the first."""
    chance = random.Random(17)

    async def one(number: int, seconds: float) -> Ended:
        worker = Program("worker", ("run",), environ, folder / f"{number}.log")
        async with worker:
            if number % 2 == 0:
                await until(lambda: waits(worker))
            await asyncio.sleep(seconds)
            at = time.monotonic()
            status = await worker.end(signal.SIGTERM)
            return Ended(status, time.monotonic() - at, worker.output())

    return [await one(number, chance.uniform(0.0, 2.0)) for number in range(MOMENTS)]


def assert_obeyed(ended: Ended) -> None:
    """It ended for the signal's sake, in order, and did not wait for anything."""
    assert "Traceback" not in ended.output
    if ended.events:
        assert "stopping" in ended.events, ended.output  # before "starting", where the signal came before that was said
        behind = [event for event in ended.events[ended.events.index("stopping") + 1 :] if event != "starting"]
        assert (ended.status, behind[-1]) == (0, "stopped"), ended.output
        assert "started" in ended.events or behind == ["stopped"]
        assert ended.last["balanced"] is True
    else:
        # Python itself was starting, or the settings were read: nothing had begun.
        assert (ended.status, ended.output) in ((0, ""), (-signal.SIGTERM, ""))
    assert_in_time(ended)


def assert_in_time(ended: Ended) -> None:
    if MEASURED:
        assert ended.seconds < GRACE_SECONDS + 1


def settings(folder: Path, **more: str) -> dict[str, str]:
    listed = folder / "list.yaml"
    listed.write_text("streamers: [someone]\n")
    given = {
        "upstream": f"http://{AWAY}",
        "kafka_bootstrap_servers": AWAY,
        "assignments_file": str(listed),
        "schema_registry_url": f"http://{AWAY}",
        "schema_registry_patience_seconds": str(PATIENCE_SECONDS),
        "grace_seconds": str(GRACE_SECONDS),
        "http_port": "0",
        "log_format": "json",
        **more,
    }
    return {f"PRODUCER_{name.upper()}": value for name, value in given.items()}


@asynccontextmanager
async def silent_kafka() -> AsyncIterator[tuple[str, list[int]]]:
    """A server that takes connections and says nothing; give its address, and the bytes of each request that it had."""
    heard: list[int] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1024):
            heard.append(len(data))
        writer.close()

    [port] = free_ports(1)
    async with await asyncio.start_server(listen, "127.0.0.1", port):
        yield f"127.0.0.1:{port}", heard


def test_a_start_that_waits_for_a_silent_kafka_is_stopped(tmp_path: Path) -> None:
    async def main() -> list[Ended]:
        async with silent_kafka() as (address, heard):
            before: dict[Program, int] = {}

            async def waits(worker: Program) -> bool:
                return len(heard) > before.setdefault(worker, len(heard))

            found = await stopped_at_moments(tmp_path, settings(tmp_path, kafka_bootstrap_servers=address), waits)
            assert heard
            return found

    for ended in asyncio.run(main()):
        assert_obeyed(ended)


def test_a_start_that_waits_for_the_registry_is_stopped(tmp_path: Path, kafka: Kafka, registry: Registry) -> None:
    async def waits(worker: Program) -> bool:
        return "schema registry asked again" in worker.output()

    async def main() -> list[Ended]:
        async with System(tmp_path, kafka, registry) as system:
            environ = settings(tmp_path, kafka_bootstrap_servers=kafka.bootstrap_servers, topic_prefix=system.prefix)
            return await stopped_at_moments(tmp_path, environ, waits)

    found = asyncio.run(main())

    assert "schema registry asked again" in found[0].events
    for ended in found:
        assert_obeyed(ended)


def test_a_start_without_a_kafka_is_stopped_or_ends_by_itself(tmp_path: Path) -> None:
    async def waits(worker: Program) -> bool:
        return worker.output() != ""

    for ended in asyncio.run(stopped_at_moments(tmp_path, settings(tmp_path), waits)):
        if ended.status == 1:
            assert ended.output.splitlines()[-1].startswith(REFUSED)
            assert_in_time(ended)
        else:
            assert_obeyed(ended)


@pytest.mark.parametrize("shared", [True, False] if MEASURED else [True])
def test_a_start_that_waits_for_nothing_is_stopped(
    shared: bool, tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def waits(worker: Program) -> bool:
        return worker.output() != ""

    async def main() -> list[Ended]:
        async with System(tmp_path, kafka, registry, shared=shared) as system:
            environ = settings(
                tmp_path,
                kafka_bootstrap_servers=kafka.bootstrap_servers,
                schema_registry_url=registry.url,
                schema_subject_strategy="record_name",
                topic_prefix=system.prefix,
                **({"assignments_file": ""} if shared else {}),
            )
            return await stopped_at_moments(tmp_path, environ, waits)

    for ended in asyncio.run(main()):
        assert_obeyed(ended)
