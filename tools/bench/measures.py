"""Each measure of one subject, once: figures by name."""

import asyncio
import json
import pickle
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import trustme
from aiokafka import AIOKafkaConsumer, TopicPartition

from producer.events import schemas
from tests.system.stage import FIRST_ROOM
from tools.bench import corpus
from tools.bench.corpus import Frame
from tools.bench.rooms import Rooms
from tools.bench.subject import Subject, Worker, command, running
from tools.bench.yardstick import percentile

OWN_EVENTS = frozenset({"connect", "disconnect", "live_start", "live_end", "gift_finalized", "room_stats", "streamer"})
"""Events that no message of a room is."""
PARTITIONS = 4
"""Of each topic."""
WARM_FRAMES = 20
"""Of each room, before anything is measured."""
PATIENCE_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where subjects are measured."""

    bootstrap_servers: str
    folder: Path
    core: int
    """Of the worker; Kafka, the rooms and this process have the others."""
    seed: int


def streamers(count: int) -> list[str]:
    """So many names."""
    return [f"bench_{number:04}" for number in range(count)]


def frames(rooms: int, count: int, *, seed: int, skip: int = 0) -> dict[str, list[Frame]]:
    """So many frames of each room, behind those that are skipped."""
    return {
        name: list(corpus.frames(seed, FIRST_ROOM + number, skip + count))[skip:]
        for number, name in enumerate(streamers(rooms))
    }


def messages(sent: Mapping[str, Sequence[Frame]]) -> int:
    """How many messages these frames have."""
    return sum(frame.messages for several in sent.values() for frame in several)


class Field:
    """The rooms of one measure, with a worker that has entered them all."""

    def __init__(
        self, rooms: Rooms, worker: Worker, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
    ) -> None:
        self.rooms = rooms
        self.worker = worker
        self._consumer = consumer
        self._partitions = partitions

    async def stored(self) -> int:
        """Records of messages that Kafka has."""
        ends: Mapping[TopicPartition, int] = await self._consumer.end_offsets(self._partitions)
        return sum(ends.values())

    async def until(self, stored: int) -> None:
        """Wait until Kafka has so many. Raises TimeoutError."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.stored() < stored:
                await asyncio.sleep(0.02)


async def prepare(subject: Subject, place: Place) -> None:
    """Make a subject's topics."""
    await command(subject, "topics", "apply", environ=_environ(subject, place))


@asynccontextmanager
async def field(
    subject: Subject, place: Place, rooms: int, *, tls: bool = False, **settings: str
) -> AsyncIterator[Field]:
    """Start a worker among so many rooms."""
    names = streamers(rooms)
    wanted = place.folder / "list.yaml"
    wanted.write_text("streamers:\n" + "".join(f"  - {name}\n" for name in names))
    async with AsyncExitStack() as stack:
        stage, ssl = Rooms(names), None
        if tls:
            authority, ssl = trustme.CA(), SSLContext(PROTOCOL_TLS_SERVER)
            authority.issue_cert("127.0.0.1").configure_cert(ssl)
            authority.cert_pem.write_to_path(str(place.folder / "ca.pem"))
            settings = {**settings, "PRODUCER_CA_FILE": str(place.folder / "ca.pem")}
        await stack.enter_async_context(stage.serve(ssl))
        environ = _environ(subject, place) | {
            "PRODUCER_UPSTREAM": stage.url,
            "PRODUCER_ASSIGNMENTS_FILE": str(wanted),
            "PRODUCER_MAX_STREAMS": str(rooms),
            **settings,
        }
        consumer = AIOKafkaConsumer(bootstrap_servers=place.bootstrap_servers, enable_auto_commit=False)
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        topics = [f"{_prefix(subject)}.{name}.v1" for name in schemas.events() if name not in OWN_EVENTS]
        partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        log = place.folder / f"{subject.name}.log"
        worker = await stack.enter_async_context(running(subject, environ=environ, core=place.core, log=log))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await stage.entered(names)
        yield Field(stage, worker, consumer, partitions)


async def saturated(subject: Subject, place: Place, *, rooms: int, count: int) -> dict[str, float]:
    """Processor time a message where all frames are there at once: µs, to the record's acknowledgement by Kafka."""
    warm, sent = frames(rooms, WARM_FRAMES, seed=place.seed), frames(rooms, count, seed=place.seed, skip=WARM_FRAMES)
    async with field(subject, place, rooms) as at:
        before = await at.stored()
        await at.rooms.send_all(warm)
        await at.until(before + messages(warm))
        cpu = at.worker.cpu()
        await at.rooms.send_all(sent)
        await at.until(before + messages(warm) + messages(sent))
        taken = at.worker.cpu() - cpu
    return {"µs of CPU a message, saturated": taken / messages(sent) * 1e6}


async def paced(subject: Subject, place: Place, *, rooms: int, rate: float, seconds: float) -> dict[str, float]:
    """At a rate: from a frame's sending to its acknowledgement, sent once Kafka has its records, in ms; and CPU."""
    count = max(1, round(rate * seconds / rooms / 6.7))
    warm, sent = frames(rooms, 1, seed=place.seed), frames(rooms, count, seed=place.seed, skip=1)
    async with field(subject, place, rooms, tls=True, PRODUCER_ACKNOWLEDGE="delivered") as at:
        before = await at.stored()
        await at.rooms.send_at(rate, warm)
        await at.until(before + messages(warm))
        cpu, began = at.worker.cpu(), time.monotonic()
        at.rooms.seconds.clear()
        await at.rooms.send_at(rate, sent)
        await at.until(before + messages(warm) + messages(sent))
        taken, lasted = at.worker.cpu() - cpu, time.monotonic() - began
        while at.rooms.unacknowledged:
            await asyncio.sleep(0.02)
        latencies = at.rooms.seconds
    said = f"{rooms} TLS rooms, {rate:g} messages/s"
    return {
        f"p50 ms, {said}": percentile(latencies, 0.5) * 1e3,
        f"p95 ms, {said}": percentile(latencies, 0.95) * 1e3,
        f"p99 ms, {said}": percentile(latencies, 0.99) * 1e3,
        f"% of a core, {said}": 100 * taken / lasted,
        f"µs of CPU a message, {said}": taken / messages(sent) * 1e6,
    }


async def idle(subject: Subject, place: Place, *, rooms: int, seconds: float) -> dict[str, float]:
    """What rooms cost in which nothing happens but heartbeats, each five seconds: µs of CPU a room and second.

    What a worker with one room takes is its own, and no room's.
    """
    taken = []
    for count in (1, rooms):
        async with field(subject, place, count) as at:
            await asyncio.sleep(5.0)  # they have all entered, and Python's collector is set up
            before = at.worker.cpu()
            await asyncio.sleep(seconds)
            taken.append(at.worker.cpu() - before)
    return {f"µs of CPU an idle room and second ({rooms})": (taken[1] - taken[0]) / (rooms - 1) / seconds * 1e6}


async def memory(subject: Subject, place: Place, *, rooms: int) -> dict[str, float]:
    """KiB a room: connected, and after three frames; and of a worker with one room alone."""
    async with field(subject, place, 1, tls=True) as at:
        alone = at.worker.resident()
    async with field(subject, place, rooms, tls=True) as at:
        connected = at.worker.resident()
        sent = frames(rooms, 3, seed=place.seed)
        before = await at.stored()
        await at.rooms.send_at(500.0, sent)
        await at.until(before + messages(sent))
        heard = at.worker.resident()
    return {
        "MiB of a worker with one room": alone / 1024,
        f"KiB a TLS room, connected ({rooms})": (connected - alone) / (rooms - 1),
        f"KiB a TLS room, after three frames ({rooms})": (heard - alone) / (rooms - 1),
    }


class Inside:
    """A subject's own process for what needs no Kafka. Use `open`."""

    def __init__(self, process: asyncio.subprocess.Process, said: Mapping[str, object]) -> None:
        self._process = process
        self.sha256 = str(said["sha256"])
        self.is_equal = bool(said["equal"])
        """Whether fastavro wrote the same bytes."""

    @classmethod
    @asynccontextmanager
    async def open(cls, subject: Subject, place: Place, *, count: int) -> AsyncIterator["Inside"]:
        """Start it with so many messages."""
        stream = corpus.stream(place.seed, FIRST_ROOM)
        file = place.folder / "messages.pickle"
        several = [next(stream) for _ in range(count)]
        file.write_bytes(pickle.dumps([(each.number, each.method, each.payload) for each in several]))
        process = await asyncio.create_subprocess_exec(
            *(
                "taskset",
                "-c",
                str(place.core),
                str(subject.python),
                str(Path(__file__).with_name("inside.py")),
                str(file),
            ),
            cwd=subject.root,
            env={"PYTHONPATH": str(subject.root), "PATH": "/usr/bin:/bin"},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None and process.stdin is not None
        try:
            yield cls(process, json.loads(await process.stdout.readline()))
        finally:
            process.stdin.close()
            await process.wait()

    async def round(self) -> dict[str, float]:
        """µs of CPU a message: by the subject, and with fastavro in its writers' place."""
        assert self._process.stdout is not None and self._process.stdin is not None
        self._process.stdin.write(b"\n")
        said = json.loads(await self._process.stdout.readline())
        return {"µs payload to Avro": said["own"], "µs payload to Avro by fastavro": said["fastavro"]}


def calibration() -> float:
    """Seconds of processor time of a loop that is always the same."""
    chance, before = Random(1), time.process_time()
    sum(chance.random() for _ in range(500_000))
    return time.process_time() - before


def _prefix(subject: Subject) -> str:
    return f"bench_{subject.name}"


def _environ(subject: Subject, place: Place) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": place.bootstrap_servers,
        "PRODUCER_TOPIC_PREFIX": _prefix(subject),
        "PRODUCER_TOPIC_PARTITIONS": str(PARTITIONS),
        "PRODUCER_TOPIC_REPLICATION_FACTOR": "1",
        "PRODUCER_UPSTREAM": "http://127.0.0.1:1",
        "PRODUCER_LOOKUPS_PER_SECOND": "1000",
        "PRODUCER_ROOM_STATS_SECONDS": "0",
        "PRODUCER_SILENCE_SECONDS": "3600",
        "PRODUCER_WORKER_NAME": "bench",
        "PRODUCER_LOG_FORMAT": "json",
    }
