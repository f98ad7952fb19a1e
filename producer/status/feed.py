"""What a board is fed with: the statuses, the list, and the offsets, from Kafka, for as long as it is looked at."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from producer.assignments.catalogue import Catalogue
from producer.assignments.clients import KAFKA_FAILURES, Options, close_consumer
from producer.errors import StartRefused
from producer.kafka.inquiry import Inquiry
from producer.status.board import Board, Offsets

LOOK_SECONDS = 2.0
"""How often offsets are asked for."""
LIST_SECONDS = 10.0
"""How often the list is read again."""
STEP_SECONDS = 10.0
"""How long Kafka may take for one answer."""
AGAIN_SECONDS = 1.0
"""How long it is left alone where it does not answer."""


class Feed:
    """Everything that a board shows. Kafka may go away and come back meanwhile."""

    def __init__(self, board: Board, catalogue: Catalogue, options: Options, topics: Sequence[str]) -> None:
        self._board = board
        self._catalogue = catalogue
        self._options = options
        self._topics = topics

    async def run(self) -> None:
        """Feed the board until cancelled.

        One client that fails takes the others along, since a client that lived through an outage may hear no more.
        """
        while True:
            try:
                async with asyncio.TaskGroup() as tasks:
                    for part in (self._statuses, self._list, self._offsets):
                        tasks.create_task(part())
            except* (StartRefused, *KAFKA_FAILURES) as group:
                error = _first(group)
                self._board.away = str(error) or type(error).__name__
            await asyncio.sleep(AGAIN_SECONDS)

    async def _statuses(self) -> None:
        async for heard in self._catalogue.follow():
            self._board.said, self._board.doors = heard.said, heard.doors

    async def _list(self) -> None:
        while True:
            self._board.wanted = await self._catalogue.wanted()
            await asyncio.sleep(LIST_SECONDS)

    async def _offsets(self) -> None:
        async with Inquiry(self._options()) as inquiry, self._consumer() as consumer, self._admin() as admin:
            while True:
                async with asyncio.timeout(STEP_SECONDS):
                    self._board.take(await self._look(inquiry, consumer, admin))
                self._board.answered(time.time())
                await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, inquiry: Inquiry, consumer: Any, admin: Any) -> Offsets:
        seen = (await inquiry.cluster(self._topics)).topics  # none is made by asking
        places = [TopicPartition(topic, number) for topic in seen for number in range(seen[topic].partitions)]
        ends = await consumer.end_offsets(places)
        committed = {group: await admin.list_consumer_group_offsets(group) for group in self._board.groups}
        return offsets(time.monotonic(), ends, committed)

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[Any]:
        consumer = AIOKafkaConsumer(**{**self._options(), "enable_auto_commit": False})
        try:
            async with asyncio.timeout(STEP_SECONDS):
                await consumer.start()
            yield consumer
        finally:
            await close_consumer(consumer)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[Any]:
        admin = AIOKafkaAdminClient(**self._options())
        try:
            async with asyncio.timeout(STEP_SECONDS):
                await admin.start()
            yield admin
        finally:
            await admin.close()


def _first(group: BaseExceptionGroup[Any]) -> BaseException:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def offsets(at: float, ends: Mapping[Any, int], committed: Mapping[str, Mapping[Any, Any]]) -> Offsets:
    """What partitions' end offsets, and what groups have committed of them, come to by topic."""
    partitions: dict[str, int] = {}
    sums: dict[str, int] = {}
    for place, end in ends.items():
        partitions[place.topic] = partitions.get(place.topic, 0) + 1
        sums[place.topic] = sums.get(place.topic, 0) + end
    lags: dict[tuple[str, str], int] = {}
    for group, offset_of in committed.items():
        for place, said in offset_of.items():
            if place in ends and said.offset >= 0:
                lags[group, place.topic] = lags.get((group, place.topic), 0) + max(0, ends[place] - said.offset)
    return Offsets(at, partitions, sums, lags)
