"""What a worker needs around it, on this machine: a broker, a registry and the simulator, until somebody ends it."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp

from producer.local.kafka import Kafka
from producer.local.processes import LocalFailure
from producer.local.programs import Program, without_settings
from producer.local.registry import Registry
from producer.local.repository import Announce

LIST = "streamers.yaml"
LOOK_SECONDS = 1.0


async def up(
    *, keep: Path | None, rooms: int, rate: float, announce: Announce, export: Callable[[Mapping[str, str]], None]
) -> None:
    """Start it all, export the settings that mean it, and stay until SIGINT, SIGTERM or SIGHUP, or until cancelled.

    Raises LocalFailure where a part cannot start or ends by itself, or where `keep` is no folder.
    """
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with _folder(keep) as folder:
        try:
            await _up(folder, rooms, rate, announce, export)
        except asyncio.CancelledError:
            announce("stopped")


async def _up(
    folder: Path, rooms: int, rate: float, announce: Announce, export: Callable[[Mapping[str, str]], None]
) -> None:
    async with AsyncExitStack() as stack:
        announce("starting Kafka; what it needs is downloaded the first time ...")
        kafka = await stack.enter_async_context(Kafka(folder, announce=announce))
        announce("starting the schema registry ...")
        registry = await stack.enter_async_context(Registry(folder, announce=announce))
        announce("starting the simulator ...")
        simulator = await stack.enter_async_context(_simulator(folder, rooms, rate))
        stack.push_async_callback(simulator.end, signal.SIGTERM)
        line = await simulator.line_with("http://")
        upstream = line[line.index("http://") :].split()[0]
        announce(f"Apache Kafka {kafka.version} at {kafka.bootstrap_servers}")
        announce(f"Apicurio Registry {registry.version} at {registry.url}")
        announce(f"simulator at {upstream}, with {rooms} rooms; the list of their streamers is {folder / LIST}")
        export(
            {
                "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
                "PRODUCER_SCHEMA_REGISTRY_URL": registry.url,
                "PRODUCER_TOPIC_REPLICATION_FACTOR": "1",
                "PRODUCER_UPSTREAM": upstream,
            }
        )
        announce("ready: take the exports into another shell; Ctrl-C ends all of it")
        stack.callback(announce, "stopping ...")
        while True:
            for part in (kafka, registry, simulator):
                part.check()
            await asyncio.sleep(LOOK_SECONDS)


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder to keep; or one that is removed at the end, unless that is a failure, whose log is in it."""
    if keep is not None:
        try:
            keep.mkdir(parents=True, exist_ok=True)
        except OSError as cause:
            raise LocalFailure(f"{keep} cannot be made a folder: {cause.strerror}") from cause
        yield keep
        return
    folder = Path(mkdtemp(prefix="tiktok-live-"))
    yield folder
    shutil.rmtree(folder)


def _simulator(folder: Path, rooms: int, rate: float) -> Program:
    size = ("--rooms", str(rooms), "--rate", str(rate))
    arguments = ("simulate", "--port", "0", *size, "--list", str(folder / LIST))
    return Program("simulator", arguments, without_settings(os.environ), folder / "simulator.log")
