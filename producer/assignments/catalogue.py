"""The shared list's topics as an administrator sees them: read whole, edited, without any worker's help."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from producer import logs
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.clients import KAFKA_FAILURES, Options, asked, close_consumer, partitions, spread
from producer.assignments.doors import DoorSaid, decode_door, is_door
from producer.assignments.lists import Difference
from producer.assignments.pokes import decode_poke, encode_poke, is_poke, poke_key
from producer.assignments.share_records import is_share
from producer.assignments.table import Status, Table, decode_status, encode_row, slot_of
from producer.errors import StartRefused
from producer.kafka.diagnosis import unreached

START_SECONDS = 15.0
"""How long Kafka may take to answer at all."""
DONE_SECONDS = 60.0
"""How long a whole list may take."""
POLL_MILLISECONDS = 500

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that cannot be used, and why."""

    topic: str
    partition: int
    offset: int
    problem: str


@dataclass(frozen=True, slots=True)
class Read:
    """The list's topic, read whole."""

    wanted: dict[Streamer, Wanted]
    partitions: int
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class Heard:
    """What workers said last."""

    said: dict[Streamer, Status]
    doors: dict[str, DoorSaid]


class Catalogue:
    """The list and who streams it. Every method raises StartRefused where Kafka cannot be used."""

    def __init__(self, options: Options, *, list_topic: str, status_topic: str) -> None:
        self._options = options
        self._list_topic = list_topic
        self._status_topic = status_topic

    async def wanted(self) -> dict[Streamer, Wanted]:
        """The list as it stands, by name; a record that cannot be used is logged and left out, as workers do."""
        read = await self.read()
        for refusal in read.refused:
            logs.get().warning("record not used", **asdict(refusal))
        return read.wanted

    async def read(self) -> Read:
        """The whole topic: the list, and the records that cannot be used."""
        refused: list[Refusal] = []
        async with self._consumer(self._list_topic) as (consumer, partitions):
            table = Table(partitions)
            async with asyncio.timeout(DONE_SECONDS):
                async for record in _whole(consumer):
                    try:
                        table.apply(record.partition, record.offset, record.key, record.value)
                    except ValueError as problem:
                        refused.append(Refusal(record.topic, record.partition, record.offset, str(problem)))
        wanted = {streamer: row for slot in range(partitions) for streamer, row in table.rows(slot).items()}
        return Read(wanted, partitions, tuple(refused))

    async def edit(self, difference: Difference) -> None:
        """Write what makes the list the other; return once all of it is acknowledged."""
        async with self._producer(self._list_topic) as (producer, slots):
            await asyncio.gather(
                *[
                    await producer.send(self._list_topic, key=key, value=value, partition=slot_of(streamer, slots))
                    for streamer, key, value in _edits(difference)
                ]
            )

    async def poke(self, streamers: Collection[Streamer], *, at: int) -> None:
        """Have streamers looked up by the workers that have them, as said now, in ms since 1970."""
        async with self._producer(self._status_topic) as (producer, _):
            await asyncio.gather(
                *[
                    await producer.send(self._status_topic, key=poke_key(streamer), value=encode_poke(at))
                    for streamer in streamers
                ]
            )

    async def follow(self) -> AsyncGenerator[Heard]:
        """Yield what workers said last of each streamer and door: once all that is there, then whenever it changes."""
        async with self._consumer(self._status_topic) as (consumer, _):
            heard = Heard({}, {})
            async with asyncio.timeout(DONE_SECONDS):
                async for record in _whole(consumer):
                    _take(record, heard)
            yield heard
            while True:
                found = await asked(consumer.getmany(timeout_ms=POLL_MILLISECONDS))
                for record in (record for records in found.values() for record in records):
                    _take(record, heard)
                if found:
                    yield heard

    @asynccontextmanager
    async def _producer(self, topic: str) -> AsyncIterator[tuple[Any, int]]:
        """A producer for a topic that is there, for as long as a whole list takes, and the topic's partitions."""
        async with self._translated():
            producer = AIOKafkaProducer(**{**self._options(), "acks": "all", "enable_idempotence": True})
            try:
                async with asyncio.timeout(START_SECONDS):
                    await producer.start()
                    found = await self._partitions(producer, topic)
                async with asyncio.timeout(DONE_SECONDS):
                    yield producer, found
            finally:
                await producer.stop()

    async def _partitions(self, producer: Any, topic: str) -> int:
        """How many partitions a topic has."""
        found: Collection[int] = ()

        async def missing() -> list[str]:
            nonlocal found
            cluster = await asked(producer.client.fetch_all_metadata())  # of all topics, so none is created by asking
            found = cluster.partitions_for_topic(topic) or ()
            return [] if found else [topic]

        await spread(missing)
        return len(found)

    @asynccontextmanager
    async def _consumer(self, topic: str) -> AsyncIterator[tuple[Any, int]]:
        """A consumer of all partitions of a topic, from the beginning, and how many they are."""
        async with self._translated():
            consumer = AIOKafkaConsumer(
                **{**self._options(), "enable_auto_commit": False, "auto_offset_reset": "earliest"}
            )
            try:
                async with asyncio.timeout(START_SECONDS):
                    await consumer.start()
                    places = (await partitions(consumer, topic))[topic]
                    consumer.assign(places)
                yield consumer, len(places)
            finally:
                await close_consumer(consumer)

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except KAFKA_FAILURES as cause:
            detail = await unreached(self._options()) or cause
            raise StartRefused(f"the shared list cannot be used: {str(detail) or type(detail).__name__}") from cause


async def _whole(consumer: Any) -> AsyncIterator[Any]:
    """Every record up to where the partitions end now."""
    ends = {place: end for place, end in (await consumer.end_offsets(consumer.assignment())).items() if end}
    while ends:
        found = await asked(consumer.getmany(timeout_ms=POLL_MILLISECONDS))
        for records in found.values():
            for record in records:
                yield record
        ends = {place: end for place, end in ends.items() if await consumer.position(place) < end}


def _edits(difference: Difference) -> Iterator[tuple[Streamer, bytes, bytes | None]]:
    for item in (*difference.added, *(after for _, after in difference.changed)):
        yield item.streamer, *encode_row(item)
    for item in difference.removed:
        yield item.streamer, item.streamer.encode(), None


def _take(record: Any, heard: Heard) -> None:
    try:
        if is_share(record.key):
            return
        if is_poke(record.key):
            decode_poke(record.key, record.value)  # it is nothing to show, and one that cannot be read is
            return
        if is_door(record.key):
            _put(heard.doors, *decode_door(record.key, record.value))
        else:
            _put(heard.said, *decode_status(record.key, record.value))
    except ValueError as problem:
        refusal = Refusal(record.topic, record.partition, record.offset, str(problem))
        logs.get().warning("record not used", **asdict(refusal))


def _put(table: dict[K, V], key: K, value: V | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
