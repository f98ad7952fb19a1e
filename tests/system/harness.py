"""The whole service in one test: a simulator, workers and topics of their own on a real Kafka, all as processes."""

import asyncio
import io
import json
import os
import signal
import struct
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, fields
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
import fastavro
import httpx
import pytest

from producer.local.kafka import Kafka
from producer.local.processes import LocalFailure, free_ports
from producer.local.programs import STEP_SECONDS, Program, Worker, command
from producer.local.registry import Registry
from tests import published
from tests.kafka.reading import each_record, read_topics

ROOT = Path(__file__).resolve().parents[2]
prefixes = (f"system{number}" for number in count())
registered: set[str] = set()
"""The registries, by URL, that have the subjects which all tests share: those without a topic's name in theirs."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record as an independent client and decoder see it."""

    event: str
    value: dict[str, Any]

    @property
    def event_id(self) -> str:
        return str(self.value["meta"]["event_id"])


@dataclass(frozen=True, slots=True)
class Mark:
    """Which event a record is, and where it stood: all that is asked of one where there are many."""

    event: str
    event_id: str
    streamer: str
    room_id: str
    message_id: str | None
    received_at: datetime
    room_sequence: int
    worker: str


MARKS = tuple(field.name for field in fields(Mark))[1:]


class System:
    """One test's processes. Use it as an async context manager."""

    def __init__(
        self, folder: Path, kafka: Kafka, registry: Registry, *, shared: bool = False, **settings: str
    ) -> None:
        """`shared`: the list is a Kafka topic, and not a file."""
        self.prefix = next(prefixes)
        self.truth_file = folder / "truth.jsonl"
        self._folder = folder
        self._kafka = kafka
        self._registry = registry
        self._stack = AsyncExitStack()
        self._schemas: dict[tuple[Callable[[str], Any], int], Any] = {}
        self._environ = {
            "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
            "PRODUCER_SCHEMA_REGISTRY_URL": registry.url,
            "PRODUCER_SCHEMA_SUBJECT_STRATEGY": "record_name",
            "PRODUCER_TOPIC_PREFIX": self.prefix,
            "PRODUCER_TOPIC_PARTITIONS": "2",
            "PRODUCER_TOPIC_REPLICATION_FACTOR": "1",
            "PRODUCER_ASSIGNMENTS_FILE": str(folder / "list.yaml"),
            "PRODUCER_UPSTREAM": "http://127.0.0.1:1",
            "PRODUCER_LOOKUPS_PER_SECOND": "1000",
            "PRODUCER_LIVE_POLL_SECONDS": "0.5",
            "PRODUCER_LOOKUP_LONGEST_SECONDS": "1",
            "PRODUCER_SILENCE_SECONDS": "30",
            "PRODUCER_CLAIM_STILL_SECONDS": "0",
            "PRODUCER_LOG_FORMAT": "json",
        } | {f"PRODUCER_{name.upper()}": value for name, value in settings.items()}
        self._shared = shared
        if shared:
            del self._environ["PRODUCER_ASSIGNMENTS_FILE"]

    async def __aenter__(self) -> "System":
        shared = self._environ["PRODUCER_SCHEMA_SUBJECT_STRATEGY"] == "record_name"
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(command("topics", "apply", environ=self._environ))
            if not (shared and self._registry.url in registered):
                tasks.create_task(command("schemas", "register", environ=self._environ))
        if shared:
            registered.add(self._registry.url)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def simulator(self, *arguments: str, names: Sequence[str | Mapping[str, object]] | None = None) -> Program:
        """Start a simulator; workers that are started later talk to it, about all its rooms or those named."""
        files = ("--truth", str(self.truth_file), "--list", str(self._folder / "list.yaml"))
        program = Program(
            "simulator", ("simulate", "--port", "0", *files, *arguments), {}, self._folder / "simulator.log"
        )
        await self._stack.enter_async_context(program)
        line = await program.line_with("http://")
        self._environ["PRODUCER_UPSTREAM"] = line[line.index("http://") :].split()[0]
        if names is not None:
            await self.wants(names)
        elif self._shared:
            await command("assign", "apply", str(self._folder / "list.yaml"), environ=self._environ)
        return program

    async def wants(self, names: Iterable[str | Mapping[str, object]]) -> None:
        """Make the list these streamers, by name or with what else an entry says."""
        text = json.dumps({"streamers": list(names)})
        edited = self._folder / "edited.json"
        edited.write_text(text)
        if self._shared:
            await command("assign", "apply", "--yes", str(edited), environ=self._environ)
        else:
            edited.replace(self._folder / "list.yaml")

    async def worker(
        self, name: str = "worker", *, environ: Mapping[str, str] | None = None, **settings: str
    ) -> Worker:
        [port] = free_ports(1)
        environ = {**self._environ, **(environ or {})}
        environ |= {f"PRODUCER_{key.upper()}": value for key, value in settings.items()}
        if instruments := environ.get("PYTHONPATH"):
            # What they import is of this checkout: Python adds the current folder only later.
            environ["PYTHONPATH"] = os.pathsep.join((instruments, str(ROOT)))
        return await self._stack.enter_async_context(Worker(name, port, environ, self._folder))

    async def producer(self, *arguments: str) -> str:
        """Run one of the product's commands with this test's settings; return what it printed."""
        return await command(*arguments, environ=self._environ)

    async def refused(self) -> list[str]:
        """Start a worker that must not start; return the lines that say why."""
        with pytest.raises(LocalFailure) as failure:
            await command("run", environ=self._environ | {"PRODUCER_HTTP_PORT": "0"})
        return [line.removeprefix("producer: ") for line in str(failure.value).splitlines() if "producer: " in line]

    @property
    def upstream(self) -> str:
        return self._environ["PRODUCER_UPSTREAM"]

    def truth(self, kind: str = "message") -> list[dict[str, Any]]:
        """The simulator's own account, as far as it is written."""
        return list(self._truth(kind))

    def _truth(self, kind: str) -> Iterator[dict[str, Any]]:
        if self.truth_file.exists():
            with self.truth_file.open() as lines:
                yield from (line for line in map(_parsed, lines) if line and line["kind"] == kind)

    def sent(self) -> dict[str, str]:
        """What was sent to somebody: event ids and the event that each must become."""
        return {_event_id(line): line["event"] for line in self._truth("message") if line["sockets"]}

    def senders(self) -> dict[str, str]:
        """What was sent to somebody: event ids and their streamers."""
        return {_event_id(line): line["unique_id"] for line in self._truth("message") if line["sockets"]}

    def emitted(self) -> dict[str, str]:
        """The same of all that the rooms emitted, heard at the time or only later, as history."""
        return {_event_id(line): line["event"] for line in self.truth()}

    def read(self, *events: str) -> list[Found]:
        """Every event on the topics, or some, by librdkafka and Apache's avro, with the registry's schemas."""
        found = read_topics(self._kafka.bootstrap_servers, self._topics(events or published.EVENTS))
        return [
            Found(self._event(topic), self._decode(message.value()))
            for topic, messages in found.items()
            for message in messages
        ]

    def marks(self) -> list[Mark]:
        """Which events there are, by librdkafka and fastavro: Apache's decoder takes half an hour over millions."""
        return [
            Mark(self._event(message.topic()), **self._meta(message.value()))
            for message in each_record(self._kafka.bootstrap_servers, self._topics(published.EVENTS))
        ]

    def stored(self) -> set[bytes]:
        """Every event's bytes as they are on the topics."""
        topics = self._topics(published.EVENTS)
        return {message.value() for message in each_record(self._kafka.bootstrap_servers, topics)}

    def _topics(self, events: Iterable[str]) -> list[str]:
        return [f"{self.prefix}.{event}.v1" for event in events]

    def _event(self, topic: str) -> str:
        return topic.removeprefix(f"{self.prefix}.").removesuffix(".v1")

    def dead_letters(self) -> list[Any]:
        topic = f"{self.prefix}.dlq.v1"
        return list(read_topics(self._kafka.bootstrap_servers, [topic])[topic])

    def _written(self, data: bytes, parse: Callable[[str], Any]) -> Any:
        """Give the schema that a record was written with, from the registry."""
        magic, schema_id = struct.unpack(">bI", data[:5])
        assert magic == 0
        if (parse, schema_id) not in self._schemas:
            url = f"{self._registry.url}/schemas/ids/{schema_id}"
            answer = httpx.get(url, trust_env=False, verify=False, timeout=STEP_SECONDS).json()
            self._schemas[parse, schema_id] = parse(answer["schema"])
        return self._schemas[parse, schema_id]

    def _meta(self, data: bytes) -> dict[str, Any]:
        writer, reader = self._written(data, _narrowed)
        value: Any = fastavro.schemaless_reader(io.BytesIO(data[5:]), writer, reader)
        return dict(value["meta"])

    def _decode(self, data: bytes) -> dict[str, Any]:
        reader = avro.io.DatumReader(self._written(data, avro.schema.parse))
        stream = io.BytesIO(data[5:])
        value = reader.read(avro.io.BinaryDecoder(stream))
        assert stream.read() == b""
        assert isinstance(value, dict)
        return value


def _narrowed(schema: str) -> tuple[Any, Any]:
    """A schema, and one that reads nothing of it but the marks."""
    writer = json.loads(schema)
    [(_, meta)] = [field["type"] for field in writer["fields"] if field["name"] == "meta"]  # null, or the record
    asked = [field for field in meta["fields"] if field["name"] in MARKS]
    reader = writer | {"fields": [{"name": "meta", "type": ["null", meta | {"fields": asked}]}]}
    return fastavro.parse_schema(writer), fastavro.parse_schema(reader)


def _event_id(line: Mapping[str, Any]) -> str:
    return f"{line['room_id']}:{line['message_id']}"


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        return dict(json.loads(line))
    except ValueError:
        return None  # the last line, half written


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for other processes to come to a state; each test's deadline is theirs together."""
    async with asyncio.timeout(STEP_SECONDS):
        while not await condition():
            await asyncio.sleep(0.1)


def web() -> httpx.AsyncClient:
    """A client for this machine alone: no proxy, patient, and not busy with authorities' certificates."""
    return httpx.AsyncClient(trust_env=False, verify=False, timeout=STEP_SECONDS)


async def connected(worker: Worker, streamers: int) -> None:
    """Wait until so many of a worker's sessions are connected."""

    async def enough() -> bool:
        worker.check()
        status = await worker.status()
        return status is not None and sum(item["state"] == "connected" for item in status["streamers"]) >= streamers

    await until(enough)


async def cut_off(*workers: Worker) -> None:
    """Wait until no session of some workers is connected: then all that their sockets brought is taken."""

    async def none() -> bool:
        statuses = [await worker.status() for worker in workers]
        return all(
            status is not None and all(item["state"] != "connected" for item in status["streamers"])
            for status in statuses
        )

    await until(none)


async def stop(worker: Worker) -> Mapping[str, Any]:
    """Stop a worker as Kubernetes does, and return the account that it leaves."""
    status = await worker.end(signal.SIGTERM)
    ledger = worker.ledger()
    assert status == 0, worker.output()
    assert ledger["balanced"] is True
    assert ledger["received"] == ledger["mapped"] + ledger["refused"]
    ended = ("acknowledged", "dead_lettered", "spooled", "unroutable", "fenced", "dropped", "damaged", "capped", "lost")
    given = ("mapped", "own", "refused", "recovered")
    assert sum(ledger[name] for name in given) == sum(ledger[name] for name in ended)
    return ledger


async def metric(worker: Worker, series: str) -> float:
    """The value of one series, written as Prometheus writes it."""
    async with web() as client:
        text = (await client.get(f"{worker.url}/metrics")).text
    values: Sequence[str] = [line.rpartition(" ")[2] for line in text.splitlines() if line.startswith(f"{series} ")]
    assert len(values) == 1, f"{series} is not exported"
    return float(values[0])
