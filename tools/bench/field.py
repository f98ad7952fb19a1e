"""A stage for measuring: rooms in this process, workers of a subject that enter them, and Kafka behind."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from ssl import PROTOCOL_TLS_SERVER, SSLContext

import trustme
from aiokafka import AIOKafkaConsumer, TopicPartition

from producer.events import schemas
from tests.system.stage import FIRST_ROOM
from tools.bench import corpus
from tools.bench.corpus import Frame
from tools.bench.rooms import Rooms
from tools.bench.subject import Subject, Worker, command, running

OWN_EVENTS = frozenset({"connect", "disconnect", "live_start", "live_end", "gift_finalized", "room_stats", "streamer"})
"""Events that no message of a room is."""
PARTITIONS = 4
"""Of each topic."""
FRAME_MESSAGES = 6.7
"""Of a frame of the corpus, in the mean."""
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


def frames_each(rooms: int, rate: float, seconds: float) -> int:
    """How many frames each room sends to have so many messages a second of all together, for so long; one at least."""
    return max(1, round(rate * seconds / rooms / FRAME_MESSAGES))


def messages(sent: Mapping[str, Sequence[Frame]]) -> int:
    """How many messages these frames have."""
    return sum(frame.messages for several in sent.values() for frame in several)


class Field:
    """The rooms of one measure, with workers that have entered them all."""

    def __init__(
        self, rooms: Rooms, workers: Sequence[Worker], consumer: AIOKafkaConsumer, partitions: list[TopicPartition]
    ) -> None:
        self.rooms = rooms
        self.workers = workers
        self.worker = workers[0]
        self._consumer = consumer
        self._partitions = partitions

    def cpu(self) -> float:
        """Seconds of processor time that the workers have taken so far."""
        return sum(worker.cpu() for worker in self.workers)

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
    subject: Subject, place: Place, rooms: int, *, tls: bool = False, workers: int = 1, **settings: str
) -> AsyncIterator[Field]:
    """Start workers among so many rooms, of which each has its share; the second has a core that others use too."""
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
            "PRODUCER_MAX_STREAMS": str(ceil(rooms / workers)),
            **settings,
        }
        consumer = AIOKafkaConsumer(bootstrap_servers=place.bootstrap_servers, enable_auto_commit=False)
        await consumer.start()
        stack.push_async_callback(consumer.stop)
        topics = [f"{_prefix(subject)}.{name}.v1" for name in schemas.events() if name not in OWN_EVENTS]
        partitions = [TopicPartition(topic, number) for topic in topics for number in range(PARTITIONS)]
        consumer.assign(partitions)  # or it would ask for each topic's leaders by itself
        consumer.pause(*partitions)
        started = []
        for number in range(workers):
            name = {"PRODUCER_WORKER_NAME": f"bench-{number}"}
            log = place.folder / f"{subject.name}-{number}.log"
            core = place.core if number == 0 else min(os.sched_getaffinity(0))
            started.append(
                await stack.enter_async_context(running(subject, environ=environ | name, core=core, log=log))
            )
        async with asyncio.timeout(PATIENCE_SECONDS):
            await stage.entered(names)
        yield Field(stage, started, consumer, partitions)


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
        "PRODUCER_LOG_FORMAT": "json",
    }
