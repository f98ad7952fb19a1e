"""Workers without sessions, on either backend: each streamer's session only reports and waits."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from confluent_kafka import Consumer, Producer, TopicPartition

from producer.assignments.catalogue import Catalogue
from producer.assignments.claims import Streamer
from producer.assignments.doors import DoorSaid
from producer.assignments.file import FileAssignments
from producer.assignments.follower import Follower
from producer.assignments.interface import Assignments, Said
from producer.assignments.kafka import KafkaAssignments
from producer.assignments.lease import boot_clock
from producer.assignments.membership import Timing
from producer.assignments.table import Status
from producer.local.kafka import Kafka

STEP_SECONDS = 120.0
SLOTS = 16
TIMING = Timing(balance=0.5, watchdog=5.0, handover=2 * STEP_SECONDS)
"""A hand-over that ends only by its bound ends no test's waiting."""
numbers = count()


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for what no change of a set tells."""
    async with asyncio.timeout(STEP_SECONDS):
        while not condition():
            await asyncio.sleep(0.05)


class Worker:
    """A worker whose sessions report that they are connected, once `connects` is set for their streamer."""

    def __init__(self, name: str, assignments: Assignments, changed: asyncio.Event, *, state: str | None) -> None:
        self.name = name
        self.assignments = assignments
        self.held: frozenset[Streamer] = frozenset()
        self.started: list[Streamer] = []
        """Every session that began, in order."""
        self.told: dict[Streamer, Said | None] = {}
        """What was known of each before its session began."""
        self.state = state
        self._changed = changed
        self._sessions: dict[Streamer, asyncio.Task[None]] = {}

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            async for held in self.assignments.changes():
                self.held = held
                for streamer in self._sessions.keys() - held:
                    self._sessions[streamer].cancel()
                for streamer in held - self._sessions.keys():
                    self.started.append(streamer)
                    self.told[streamer] = self.assignments.last_said(streamer)
                    self._sessions[streamer] = tasks.create_task(self._session(streamer))
                self._changed.set()

    async def _session(self, streamer: Streamer) -> None:
        try:
            if self.state is not None:
                self.assignments.report(streamer, Said(self.state, room_id="7"))
            await asyncio.get_running_loop().create_future()
        finally:
            del self._sessions[streamer]
            await self.assignments.release(streamer)
            self._changed.set()

    def connect(self) -> None:
        """Have all sessions report, now, that they are connected."""
        self.state = "connected"
        for streamer in self._sessions:
            self.assignments.report(streamer, Said("connected", room_id="7"))


class Backend(Protocol):
    """A list, and ways to it."""

    async def prepare(self) -> None: ...

    async def write(self, rows: Mapping[str, Mapping[str, Any]]) -> None:
        """Make the list this."""

    def open(self, worker: str, max_streams: int) -> Assignments: ...


class Fleet:
    """Workers on one list. Use it as an async context manager."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.changed = asyncio.Event()
        self._stack = AsyncExitStack()
        self._exits: dict[str, AsyncExitStack] = {}

    async def __aenter__(self) -> "Fleet":
        await self.backend.prepare()
        return self

    async def __aexit__(self, *_: object) -> None:
        for name in list(self._exits):
            await self.stop(name)

    async def names(self, *names: str) -> None:
        await self.backend.write({name: {} for name in names})

    async def worker(
        self,
        name: str,
        *,
        max_streams: int = 100,
        state: str | None = "connected",
        assignments: Assignments | None = None,
    ) -> Worker:
        stack = AsyncExitStack()
        entered = await stack.enter_async_context(assignments or self.backend.open(name, max_streams))
        worker = Worker(name, entered, self.changed, state=state)
        task = asyncio.create_task(worker.run())
        stack.push_async_callback(_ended, task)
        self._exits[name] = stack
        return worker

    async def stop(self, name: str) -> None:
        """End a worker in order: its sessions, then its claims."""
        await self._exits.pop(name).aclose()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what the workers' changes bring about."""
        async with asyncio.timeout(STEP_SECONDS):
            while not condition():
                await self.changed.wait()
                self.changed.clear()


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


class FileBackend:
    """A list file and a claims folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def prepare(self) -> None:
        await self.write({})

    async def write(self, rows: Mapping[str, Mapping[str, Any]]) -> None:
        fresh = self._folder / "list.new"
        fresh.write_text(yaml.safe_dump({"streamers": [{"unique_id": name, **row} for name, row in rows.items()]}))
        fresh.replace(self._folder / "list.yaml")

    def open(self, worker: str, max_streams: int) -> Assignments:
        return FileAssignments(
            self._folder / "list.yaml", self._folder / "claims", worker=worker, max_streams=max_streams
        )


class KafkaBackend:
    """Topics of its own; the list is written by librdkafka, which shares nothing with the code under test."""

    def __init__(self, kafka: Kafka, *, slots: int = SLOTS, timing: Timing = TIMING) -> None:
        number = next(numbers)
        self.list_topic, self.status_topic, self.group = (f"{part}{number}" for part in ("list", "status", "group"))
        self.slots = slots
        self._kafka = kafka
        self._timing = timing
        self._written: set[str] = set()

    async def prepare(self) -> None:
        await self.make({self.list_topic: self.slots, self.status_topic: 2})

    async def make(self, topics: Mapping[str, int]) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._kafka.bootstrap_servers)
        await admin.start()
        try:
            compact = {"cleanup.policy": "compact"}
            await admin.create_topics([NewTopic(name, n, 1, topic_configs=compact) for name, n in topics.items()])
            async with asyncio.timeout(STEP_SECONDS):
                while [t for t in await admin.describe_topics(list(topics)) if not t["partitions"]]:
                    await asyncio.sleep(0.05)
        finally:
            await admin.close()

    async def write(self, rows: Mapping[str, Mapping[str, Any]]) -> None:
        records: dict[str, bytes | None] = dict.fromkeys(self._written - rows.keys())
        records.update((name, json.dumps(row).encode()) for name, row in rows.items())
        self._written = set(rows)
        await self.put(records)

    async def put(self, records: Mapping[str, bytes | None], *, partition: int = -1, topic: str | None = None) -> None:
        producer = Producer(
            {"bootstrap.servers": self._kafka.bootstrap_servers, "partitioner": "murmur2_random", "linger.ms": 0}
        )
        for name, value in records.items():
            producer.produce(topic or self.list_topic, key=name.encode(), value=value, partition=partition)
        assert await asyncio.to_thread(producer.flush, STEP_SECONDS) == 0

    def open(
        self, worker: str, max_streams: int = 100, *, bootstrap: str | None = None, **more: Any
    ) -> KafkaAssignments:
        settings: dict[str, Any] = {
            "list_topic": self.list_topic,
            "status_topic": self.status_topic,
            "group": self.group,
            "slots": self.slots,
            "timing": self._timing,
        }
        return KafkaAssignments(
            lambda: {"bootstrap_servers": bootstrap or self._kafka.bootstrap_servers},
            worker=worker,
            max_streams=max_streams,
            **(settings | more),
        )

    def catalogue(self, bootstrap: str | None = None) -> Catalogue:
        """The list as an administrator has it."""
        return Catalogue(
            lambda: {"bootstrap_servers": bootstrap or self._kafka.bootstrap_servers},
            list_topic=self.list_topic,
            status_topic=self.status_topic,
        )

    def follower(self, heard: "Heard", *, bootstrap: str | None = None) -> Follower:
        """A follower on its own."""
        return Follower(
            lambda: {"bootstrap_servers": bootstrap or self._kafka.bootstrap_servers},
            list_topic=self.list_topic,
            status_topic=self.status_topic,
            slots=self.slots,
            listener=heard,
            watchdog_seconds=self._timing.watchdog,
            clock=boot_clock,
        )

    def statuses(self) -> dict[str, dict[str, Any] | None]:
        """What the status topic says last of each streamer."""
        consumer = Consumer({"bootstrap.servers": self._kafka.bootstrap_servers, "group.id": "tests"})
        try:
            said: dict[str, dict[str, Any] | None] = {}
            places = [TopicPartition(self.status_topic, number, 0) for number in range(2)]
            ends = {place.partition: consumer.get_watermark_offsets(place, timeout=STEP_SECONDS)[1] for place in places}
            consumer.assign([place for place in places if ends[place.partition]])
            waiting = {number for number, end in ends.items() if end}
            message: Any
            while waiting:
                for message in consumer.consume(num_messages=1000, timeout=0.5):
                    value = message.value()
                    said[message.key().decode()] = None if value is None else json.loads(value)
                    if message.offset() + 1 >= ends[message.partition()]:
                        waiting.discard(message.partition())
            return said
        finally:
            consumer.close()

    async def said(self, condition: Callable[[dict[str, dict[str, Any] | None]], bool]) -> dict[str, Any]:
        """Ask until the status topic says so: it is another process's."""
        async with asyncio.timeout(STEP_SECONDS):
            while not condition(said := await asyncio.to_thread(self.statuses)):
                await asyncio.sleep(0.1)
        return said


class Heard:
    """Who is told by a follower."""

    def __init__(self) -> None:
        self.statuses: list[tuple[Streamer, Status | None]] = []

    def list_changed(self, changed: object) -> None: ...

    def list_refused(self, records: int) -> None: ...

    def heard(self, streamer: Streamer, status: Status | None) -> None:
        self.statuses.append((streamer, status))

    def door_heard(self, door: str, said: DoorSaid) -> None: ...

    def granted(self, budget: str, grant: object) -> None: ...

    def needed(self, budget: str, worker: str, need: object) -> None: ...

    def poked(self, streamer: Streamer, at: int) -> None: ...


def play(main: Callable[[], Awaitable[None]]) -> None:
    """Run one test."""

    async def bounded() -> None:
        async with asyncio.timeout(2 * STEP_SECONDS):
            await main()

    asyncio.run(bounded())
