"""Everything on this machine under one command: Kafka, registry, simulator, two workers, a reader, and a judgement.

The workers, the simulator and the set-up are processes of the product's own command line, as an operator runs them.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from producer.local.kafka import Kafka
from producer.local.processes import LocalFailure, free_ports
from producer.local.programs import STEP_SECONDS, Program, Worker, command, without_settings
from producer.local.reader import Reader
from producer.local.registry import Registry
from producer.local.verdict import Kill, judge
from producer.local.view import Picture, View, print_summary

ROOMS = 20
RATE = 100
PREFIX = "tiktok.live"
WORKERS = ("worker-1", "worker-2")
VICTIM = WORKERS[1]

FAULTS = (
    "api_user_not_found:2",
    "api_other_user:2",
    "handshake_device_blocked:2",
    "close_internal:3",
    "duplicate:20",
    "cut_payload:3",
    "cut_envelope:2",
    "random_frame:2",
    "empty_batch:3",
    "unknown_method:5",
    "silence:1",
)
"""A little of everything that rooms do, but nothing that loses what was sent: that would hide a loss of ours.

Nor what blocks an address: look-ups are held for a minute then, which is longer than a short demo.
"""

KILL_AFTER_SECONDS = 30.0
"""When one worker is killed in a demo without an end."""
LINE_SECONDS = 5.0
LOOK_SECONDS = 2.0
"""How long the picture waits for what a worker says of itself; what is judged by waits for it."""


async def run(environ: Mapping[str, str]) -> int:
    """Run the demo until Ctrl-C, or for DEMO_SECONDS; return the exit status: 0 only if the accounts agree."""
    seconds = _seconds(environ.get("DEMO_SECONDS", ""))
    console = Console(highlight=False)
    stop = _Stop()
    with TemporaryDirectory(prefix="tiktok-live-demo-") as folder:
        try:
            return await _demo(Path(folder), seconds, console, stop)
        except LocalFailure as failure:
            console.print(f"demo: {failure}", style="red", markup=False)
            return 1
        except asyncio.CancelledError:
            console.print("demo: stopped before it had begun")
            return 1


class _Stop:
    """A signal ends the watching in good order once there is something to watch, and before that the demo at once."""

    def __init__(self) -> None:
        self.watched = False
        self.event = asyncio.Event()
        self._task = asyncio.current_task()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, self._received)

    def _received(self) -> None:
        if self.watched or self._task is None:
            self.event.set()
        else:
            self._task.cancel()


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text) if text else None
    except ValueError:
        raise SystemExit(f"demo: DEMO_SECONDS={text!r} is not a number") from None
    if seconds is not None and not 20 <= seconds <= 86_400:
        raise SystemExit(f"demo: DEMO_SECONDS={text} is not between 20 and 86400")
    return seconds


async def _demo(folder: Path, seconds: float | None, console: Console, stop: "_Stop") -> int:
    async with AsyncExitStack() as stack:
        console.print("starting Kafka and the schema registry (the first time, they are downloaded) ...")
        kafka = await stack.enter_async_context(Kafka(folder))
        registry = await stack.enter_async_context(Registry(folder))
        console.print(f"Apache Kafka {kafka.version} at {kafka.bootstrap_servers}")
        console.print(f"Apicurio Registry {registry.version} at {registry.url}")
        environ = _environ(folder, kafka.bootstrap_servers, registry.url)
        topics = await command("topics", "apply", environ=environ)
        schemas = await command("schemas", "register", environ=environ)
        console.print(
            f"{len(topics.splitlines())} topics below {PREFIX}, {len(schemas.splitlines())} schemas registered"
        )

        simulator = await stack.enter_async_context(_simulator(folder))
        url = await simulator.line_with("http://")
        environ["PRODUCER_UPSTREAM"] = url[url.index("http://") :].split()[0]
        console.print(f"simulator at {environ['PRODUCER_UPSTREAM']}: {ROOMS} rooms, about {RATE} events a second")

        workers = {
            name: await stack.enter_async_context(Worker(name, port, environ, folder))
            for name, port in zip(WORKERS, free_ports(len(WORKERS)), strict=True)
        }
        for worker in workers.values():
            console.print(f"{worker.name}: metrics at {worker.url}/metrics")
        with Reader(kafka.bootstrap_servers, registry.url, PREFIX) as reader:
            kill = await _watch(workers, reader, seconds, console, stop)
            console.print("stopping the simulator, then the workers ...")
            await simulator.end(signal.SIGTERM)
            ledgers = await _settle(workers)
            read = await asyncio.to_thread(reader.drain, STEP_SECONDS)
            if reader.failure is not None:
                raise LocalFailure(f"the reader failed: {reader.failure!r}")
            if not read:
                raise LocalFailure(f"the reader had not read all topics after {STEP_SECONDS:.0f} s")
            truth = [json.loads(line) for line in (folder / "truth.jsonl").read_text().splitlines()]
            verdict = judge(truth, reader.records, kill)
            verdict.problems += _imbalances(ledgers)
            faults = [line["name"] for line in truth if line["kind"] == "fault"]
            print_summary(console, verdict, kill=kill, ledgers=ledgers, faults=faults, dead_letters=reader.dead_letters)
            return 1 if verdict.problems else 0


async def _watch(
    workers: Mapping[str, "Worker"], reader: Reader, seconds: float | None, console: Console, stop: "_Stop"
) -> Kill | None:
    """Show what goes on until the time is over; kill one worker on the way."""
    began = time.monotonic()
    kill_at = seconds / 2 if seconds is not None else KILL_AFTER_SECONDS
    kill: Kill | None = None
    stop.watched = True
    with View(console, line_seconds=LINE_SECONDS) as view:
        while not stop.event.is_set():
            elapsed = time.monotonic() - began
            if seconds is not None and elapsed >= seconds:
                break
            if kill is None and elapsed >= kill_at:
                kill = await _kill(workers[VICTIM])
                view.note(f"{VICTIM} killed (SIGKILL); it had {len(kill.streamers)} streamers")
            statuses = {name: await worker.status(timeout_seconds=LOOK_SECONDS) for name, worker in workers.items()}
            for name, worker in workers.items():
                if statuses[name] is None and not (kill and name == kill.worker):
                    worker.check()
            view.show(Picture(elapsed, statuses, dict(reader.by_topic), list(reader.latest), kill))
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.event.wait(), 1.0)
    return kill


async def _kill(worker: "Worker") -> Kill:
    status = await worker.status() or {"streamers": []}
    streamers = frozenset(item["streamer"] for item in status["streamers"])
    at = time.time()
    await worker.end(signal.SIGKILL)
    return Kill(worker.name, at, streamers)


async def _settle(workers: Mapping[str, "Worker"]) -> dict[str, dict[str, Any]]:
    """Wait until the workers have read what the simulator had sent, then stop them; return their accounts."""
    ledgers: dict[str, dict[str, Any]] = {}
    for name, worker in workers.items():
        if worker.ended:
            continue
        async with asyncio.timeout(STEP_SECONDS):
            while _busy(await worker.status()):
                await asyncio.sleep(0.2)
        code = await worker.end(signal.SIGTERM)
        ledgers[name] = worker.ledger() | {"exit_status": code}
    return ledgers


def _busy(status: Mapping[str, Any] | None) -> bool:
    """Whether a worker still has something of the simulator's to read or to deliver."""
    if status is None:
        return False
    connected = any(item["state"] == "connected" for item in status["streamers"])
    return connected or status["ledger"]["in_flight"] > 0


def _imbalances(ledgers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    return [
        f"{name} ended with status {ledger['exit_status']}; account balanced: {ledger.get('balanced', 'none found')}"
        for name, ledger in ledgers.items()
        if ledger["exit_status"] != 0 or not ledger.get("balanced")
    ]


def _environ(folder: Path, bootstrap_servers: str, registry_url: str) -> dict[str, str]:
    return without_settings(os.environ) | {
        "PRODUCER_UPSTREAM": "http://127.0.0.1:1",
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": bootstrap_servers,
        "PRODUCER_SCHEMA_REGISTRY_URL": registry_url,
        "PRODUCER_TOPIC_PREFIX": PREFIX,
        "PRODUCER_TOPIC_PARTITIONS": "3",
        "PRODUCER_TOPIC_REPLICATION_FACTOR": "1",
        "PRODUCER_ASSIGNMENTS_FILE": str(folder / "list.yaml"),
        "PRODUCER_LOOKUPS_PER_SECOND": "100",
        "PRODUCER_LIVE_POLL_SECONDS": "2",
        "PRODUCER_LOOKUP_LONGEST_SECONDS": "2",
        "PRODUCER_SILENCE_SECONDS": "10",
        "PRODUCER_LOG_FORMAT": "json",
    }


def _simulator(folder: Path) -> Program:
    files = ("--truth", str(folder / "truth.jsonl"), "--list", str(folder / "list.yaml"))
    faults = tuple(part for fault in FAULTS for part in ("--fault", fault))
    size = ("--port", "0", "--rooms", str(ROOMS), "--rate", str(RATE))
    return Program(
        "simulator", ("simulate", *size, *files, *faults), without_settings(os.environ), folder / "simulator.log"
    )
