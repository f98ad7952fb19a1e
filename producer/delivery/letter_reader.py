"""The dead-letter topic as an administrator sees it: read up to where it ends now, without a group."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition

from producer.delivery import client, topic_plan, topics
from producer.delivery.dead_letters import Place
from producer.errors import StartRefused, TopicsMissing
from producer.settings import Settings

STEP_SECONDS = 15.0
"""How long Kafka may take to start with, and for each further step."""
CLOSE_SECONDS = 3.0
POLL_MILLISECONDS = 500
CLOCKS_DIFFER_MS = 60_000
"""Kafka finds records by their own time, which is a moment after the receipt, and where the brokers set it, theirs."""

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Found:
    """One record of the topic, which may or may not be a letter of ours."""

    place: Place
    headers: tuple[tuple[str, bytes], ...]
    data: bytes


class LetterReader:
    """One cluster's dead letters. Every method raises StartRefused where Kafka cannot be used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = topic_plan.dead_letter_topic(settings.topic_prefix)

    async def since(self, time: int | None) -> AsyncGenerator[Found]:
        """Read every record up to the topic's present end, each partition in its order.

        `time` (ms since 1970) leaves most of what was received before it unread; None reads from the beginning.
        """
        async with self._consumer() as consumer:
            ends = await _within(consumer.end_offsets(consumer.assignment()))
            if time is not None:
                await _within(_seek(consumer, ends, max(0, time - CLOCKS_DIFFER_MS)))
            left = {place: end for place, end in ends.items() if end}
            while left:
                for record in await _within(_some(consumer, left)):
                    if record.offset < ends[TopicPartition(record.topic, record.partition)]:
                        yield _found(record)

    async def at(self, places: Iterable[Place]) -> list[Found]:
        """Read these records alone. Raises StartRefused, naming the first that is not there."""
        async with self._consumer() as consumer:
            begins = await _within(consumer.beginning_offsets(consumer.assignment()))
            ends = await _within(consumer.end_offsets(consumer.assignment()))
            found: list[Found] = []
            for place in places:
                where = TopicPartition(self._topic, place.partition)
                if where not in ends or not begins[where] <= place.offset < ends[where]:
                    raise StartRefused(f"there is no record at {place}; {self._topic} has {_extent(begins, ends)}")
                consumer.seek(where, place.offset)
                found.append(_found(await _within(consumer.getone(where))))
            return found

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[Any]:
        """A consumer of all partitions, from the beginning."""
        counts = await topics.counts_of(self._settings, [self._topic])
        if self._topic not in counts:
            raise TopicsMissing([self._topic])
        async with self._translated():
            consumer = AIOKafkaConsumer(
                **client.options(self._settings), enable_auto_commit=False, auto_offset_reset="earliest"
            )
            try:
                await _within(self._start(consumer, counts[self._topic]))
                yield consumer
            finally:
                await _close(consumer)

    async def _start(self, consumer: Any, partitions: int) -> None:
        await consumer.start()
        consumer.assign([TopicPartition(self._topic, number) for number in range(partitions)])
        await consumer.end_offsets(consumer.assignment())  # returns once the metadata is here

    @asynccontextmanager
    async def _translated(self) -> AsyncIterator[None]:
        try:
            yield
        except client.KAFKA_FAILURES as cause:
            raise await client.unreachable(self._settings, cause) from cause
        except UnicodeDecodeError as cause:  # aiokafka's, of a header's name
            raise StartRefused(f"{self._topic} has a record that cannot be read: {cause.reason}") from cause


async def _seek(consumer: Any, ends: Mapping[TopicPartition, int], time: int) -> None:
    """Go to the first record of each partition that is as late as this, or to its end."""
    for where, there in (await consumer.offsets_for_times(dict.fromkeys(ends, time))).items():
        consumer.seek(where, ends[where] if there is None else there.offset)


async def _some(consumer: Any, left: dict[TopicPartition, int]) -> list[Any]:
    """Wait for records, and take the partitions that have come to their ends out of `left`; none where all have."""
    found: dict[TopicPartition, list[Any]] = {}
    while left and not found:
        found = await consumer.getmany(timeout_ms=POLL_MILLISECONDS)
        for where in [where for where, end in left.items() if await consumer.position(where) >= end]:
            del left[where]
    return [record for records in found.values() for record in records]


def _found(record: Any) -> Found:
    headers = tuple((name, value or b"") for name, value in record.headers)
    return Found(Place(record.partition, record.offset), headers, record.value or b"")


def _extent(begins: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]) -> str:
    held = (
        f"{where.partition}:{begins[where]} to {ends[where] - 1}"
        for where in sorted(ends)
        if begins[where] < ends[where]
    )
    return ", ".join(held) or "none at all"


async def _within(step: Awaitable[Answer]) -> Answer:
    async with asyncio.timeout(STEP_SECONDS):
        return await step


async def _close(consumer: Any) -> None:
    """Close a consumer, with a bound: aiokafka's `stop` waits for whatever its client waits for (its issue 773)."""
    closing = asyncio.ensure_future(consumer.stop())
    closing.add_done_callback(lambda done: done.cancelled() or done.exception())
    await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
    closing.cancel()
