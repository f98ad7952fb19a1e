"""Follows the list and the status topic, all of both, without a group.

Each worker knows the whole list, so a slot that it is given needs no reading before it is streamed, the group's leader
knows what every slot weighs, and a list edit is at its owner with the next fetch. Ten thousand streamers are a few
megabytes.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable
from typing import Any, NoReturn, Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from producer import logs
from producer.assignments.claims import Streamer
from producer.assignments.clients import (
    SPREAD_SECONDS,
    Kept,
    Options,
    Watchdog,
    asked,
    close_consumer,
    partitions,
)
from producer.assignments.table import Status, Table, decode_status, refuse_other_slots

POLL_MILLISECONDS = 500
RECORDS_A_TIME = 500
"""So that a long list does not hold the loop for more than some milliseconds at a time."""


class Listener(Protocol):
    """Who is told. What it raises is a bug, and ends `kept.run`."""

    def list_changed(self, changed: Collection[Streamer] | None) -> None:
        """The list changed in the rows of these streamers, or (None) was read anew."""

    def list_refused(self, records: int) -> None:
        """So many records of the list could not be used."""

    def heard(self, streamer: Streamer, status: Status | None) -> None:
        """A status was written, by whomever."""


class Follower:
    """Run `kept.run` as a task."""

    def __init__(
        self,
        options: Options,
        *,
        list_topic: str,
        status_topic: str,
        slots: int,
        listener: Listener,
        watchdog_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._options = options
        self._list_topic = list_topic
        self._status_topic = status_topic
        self._slots = slots
        self._listener = listener
        self._watchdog_seconds = watchdog_seconds
        self._clock = clock
        self._log = logs.get()
        self.table = Table(slots)
        """The list as last read; during an outage it stands."""
        self.refused = 0
        """Records of the list that could not be used."""
        self.kept = Kept("the list of streamers", self._live)

    async def _live(self) -> NoReturn:
        consumer = AIOKafkaConsumer(
            **{
                **self._options(),
                "group_id": None,
                "enable_auto_commit": False,
                "auto_offset_reset": "earliest",
                "request_timeout_ms": int(self._watchdog_seconds * 1000),
            }
        )
        try:
            async with asyncio.timeout(self._watchdog_seconds + SPREAD_SECONDS):
                await asked(consumer.start())
                places = await self._assign(consumer)
            async with asyncio.timeout(self._watchdog_seconds):
                self.table = await self._read(consumer, places)
            self._listener.list_changed(None)
            self.kept.alive()
            await self._follow(consumer, places)
        finally:
            await close_consumer(consumer)

    async def _assign(self, consumer: Any) -> list[TopicPartition]:
        """Take all partitions of both topics: the list from its beginning, statuses from now on."""
        found = await partitions(consumer, self._list_topic, self._status_topic)
        lists, statuses = found[self._list_topic], found[self._status_topic]
        refuse_other_slots(self._list_topic, found=len(lists), expected=self._slots)
        consumer.assign([*lists, *statuses])
        await asked(consumer.seek_to_end(*statuses))
        return lists

    async def _read(self, consumer: Any, lists: Iterable[TopicPartition]) -> Table:
        """Read the list up to where it ends now."""
        table = Table(self._slots)
        ends = {place: end for place, end in (await asked(consumer.end_offsets(list(lists)))).items() if end}
        while ends:
            self._take(table, await self._poll(consumer))
            ends = {place: end for place, end in ends.items() if await asked(consumer.position(place)) < end}
        return table

    async def _follow(self, consumer: Any, lists: list[TopicPartition]) -> NoReturn:
        watchdog = Watchdog(self._list_topic, seconds=self._watchdog_seconds, clock=self._clock)
        polled: list[int | None] = []
        while True:
            if changed := self._take(self.table, await self._poll(consumer)):
                self._listener.list_changed(changed)
            before, polled = polled, [consumer.last_poll_timestamp(place) for place in lists]
            if polled != before:
                watchdog.alive()
            watchdog.look()

    async def _poll(self, consumer: Any) -> Any:
        await asyncio.sleep(0)  # what was fetched already comes without giving way to anybody
        return await asked(consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=RECORDS_A_TIME))

    def _take(self, table: Table, found: Any) -> set[Streamer]:
        """Take records in; tell whose rows of the list changed."""
        changed: set[Streamer | None] = set()
        refused: list[tuple[Any, ValueError]] = []
        for record in (record for records in found.values() for record in records):
            try:
                if record.topic == self._list_topic:
                    changed.add(table.apply(record.partition, record.offset, record.key, record.value))
                    continue
                streamer, status = decode_status(record.key, record.value)
            except ValueError as problem:
                refused.append((record, problem))
            else:
                self._listener.heard(streamer, status)
        if refused:
            self._complain(refused)
        return {streamer for streamer in changed if streamer is not None}

    def _complain(self, refused: list[tuple[Any, ValueError]]) -> None:
        """Say of records that came at a time, in one line, that they are passed over."""
        record, problem = refused[0]
        self._log.error(
            "records not used; what stood before them stands",
            records=len(refused),
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            problem=str(problem),
        )
        of_the_list = sum(record.topic == self._list_topic for record, _ in refused)
        self.refused += of_the_list
        self._listener.list_refused(of_the_list)
