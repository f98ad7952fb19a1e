"""Follows the list and the status topic, all of both, without a group.

Each worker knows the whole list, so a slot that it is given needs no reading before it is streamed, the group's leader
knows what every slot weighs, and a list edit is at its owner with the next fetch. Ten thousand streamers are a few
megabytes. So is what was said last of each of them, by whomever: it is read before the first streamer is taken, since
a worker must know of a streamer what the one before it came to know.
"""

import asyncio
from collections.abc import Callable, Collection, Iterator
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
from producer.assignments.doors import DoorSaid, decode_door, is_door
from producer.assignments.pokes import decode_poke, is_poke
from producer.assignments.share_records import NEEDS, decode_grant, decode_need, is_share
from producer.assignments.shares import Grant, Need
from producer.assignments.table import Status, Table, decode_status, refuse_other_slots

POLL_MILLISECONDS = 500
RECORDS_A_TIME = 500
"""So that a long list does not hold the loop for more than some milliseconds at a time."""
STATUS_SECONDS = 10.0
"""How long a start waits for what was said before, at the most: what comes later is known later."""


class Listener(Protocol):
    """Who is told. What it raises is a bug, and ends `kept.run`."""

    def list_changed(self, changed: Collection[Streamer] | None) -> None:
        """The list changed in the rows of these streamers, or (None) was read anew."""

    def list_refused(self, records: int) -> None:
        """So many records of the list could not be used."""

    def heard(self, streamer: Streamer, status: Status | None) -> None:
        """A status of a streamer on the list was written, by whomever, since we began to listen."""

    def door_heard(self, door: str, said: DoorSaid) -> None:
        """A worker said how a door stands, now or before we began to listen."""

    def granted(self, budget: str, grant: Grant) -> None:
        """A budget of the fleet was shared out, now or before we began to listen."""

    def needed(self, budget: str, worker: str, need: Need | None) -> None:
        """A worker said what it needs of a budget, now or before we began to listen."""

    def poked(self, streamer: Streamer, at: int) -> None:
        """Somebody wrote, at this time in ms since 1970, that a streamer went live; since we began to listen."""


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
        self._read_to: dict[TopicPartition, int] = {}
        """Where the reading of the statuses stands: a client that takes another's place goes on there."""
        self._began_at: dict[TopicPartition, int] = {}
        """Where the statuses ended when we began to listen: what is before is known, and no news."""
        self.table = Table(slots)
        """The list as last read; during an outage it stands."""
        self.said: dict[Streamer, Status] = {}
        """What was said last of each streamer on the list."""
        self.refused = 0
        """Records of the list that could not be used."""
        self.refused_statuses = 0
        """Records of the status topic that could not be used."""
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
                found = await partitions(consumer, self._list_topic, self._status_topic)
            lists, statuses = found[self._list_topic], found[self._status_topic]
            refuse_other_slots(self._list_topic, found=len(lists), expected=self._slots)
            async with asyncio.timeout(self._watchdog_seconds):
                behind = await self._place(consumer, lists, statuses)
                self.table = await self._read(consumer, lists)
            self.said = {streamer: status for streamer, status in self.said.items() if self.table.get(streamer)}
            self._listener.list_changed(None)
            consumer.resume(*statuses)
            await self._follow(consumer, lists, behind)
        finally:
            await close_consumer(consumer)

    async def _place(
        self, consumer: Any, lists: list[TopicPartition], statuses: list[TopicPartition]
    ) -> dict[TopicPartition, int]:
        """Take all partitions, the statuses' paused; tell up to where statuses were written before now."""
        consumer.assign([*lists, *statuses])
        # A status counts where the list has its streamer, so the list comes first.
        consumer.pause(*statuses)
        ends: dict[TopicPartition, int] = await asked(consumer.end_offsets(statuses))
        first = not self._began_at
        for place, end in ends.items():
            start = self._read_to.get(place, 0)
            if start > end:  # the topic was made anew
                start = self._began_at[place] = 0
            self._began_at.setdefault(place, end if first else 0)
            self._read_to[place] = start
            if start:
                consumer.seek(place, start)
        return ends

    async def _read(self, consumer: Any, lists: Collection[TopicPartition]) -> Table:
        """Read the list up to where it ends now."""
        table = Table(self._slots)
        behind = await asked(consumer.end_offsets(list(lists)))
        while behind := await _unread(consumer, behind):
            self._take_rows(table, await self._poll(consumer))
        return table

    async def _follow(self, consumer: Any, lists: list[TopicPartition], behind: dict[TopicPartition, int]) -> NoReturn:
        """Take in what is written; `behind`: up to where statuses were written before, which a start waits for."""
        watchdog = Watchdog(self._list_topic, seconds=self._watchdog_seconds, clock=self._clock)
        give_up = self._clock() + STATUS_SECONDS
        polled: list[int | None] = []
        while True:
            behind = await _unread(consumer, behind)
            if not behind or self._clock() > give_up:
                self.kept.alive()
            found = await self._poll(consumer)
            if changed := self._take_rows(self.table, found):
                for streamer in self.said.keys() & changed:
                    if self.table.get(streamer) is None:
                        del self.said[streamer]
                self._listener.list_changed(changed)
            self._take_statuses(found)
            before, polled = polled, [consumer.last_poll_timestamp(place) for place in lists]
            if polled != before:
                watchdog.alive()
            watchdog.look()

    async def _poll(self, consumer: Any) -> Any:
        await asyncio.sleep(0)  # what was fetched already comes without giving way to anybody
        return await asked(consumer.getmany(timeout_ms=POLL_MILLISECONDS, max_records=RECORDS_A_TIME))

    def _take_rows(self, table: Table, found: Any) -> set[Streamer]:
        """Take in the list's records; tell whose rows changed."""
        changed: set[Streamer | None] = set()
        refused: list[tuple[Any, ValueError]] = []
        for record in _of(self._list_topic, found):
            try:
                changed.add(table.apply(record.partition, record.offset, record.key, record.value))
            except ValueError as problem:
                refused.append((record, problem))
        if refused:
            self.refused += len(refused)
            self._complain(refused)
            self._listener.list_refused(len(refused))
        return {streamer for streamer in changed if streamer is not None}

    def _take_statuses(self, found: Any) -> None:
        refused: list[tuple[Any, ValueError]] = []
        for record in _of(self._status_topic, found):
            place = TopicPartition(record.topic, record.partition)
            self._read_to[place] = record.offset + 1
            try:
                if is_door(record.key):
                    self._take_door(record)
                    continue
                if is_share(record.key):
                    self._take_share(record)
                    continue
                if is_poke(record.key):
                    self._take_poke(record, is_news=record.offset >= self._began_at[place])
                    continue
                streamer, status = decode_status(record.key, record.value)
            except ValueError as problem:
                refused.append((record, problem))
                continue
            if self.table.get(streamer) is None:
                continue
            if status is None:
                self.said.pop(streamer, None)
            else:
                self.said[streamer] = status
            if record.offset >= self._began_at[place]:
                self._listener.heard(streamer, status)
        if refused:
            self.refused_statuses += len(refused)
            self._complain(refused)

    def _take_door(self, record: Any) -> None:
        door, said = decode_door(record.key, record.value)
        if said is not None:
            self._listener.door_heard(door, said)

    def _take_share(self, record: Any) -> None:
        if record.key.startswith(NEEDS):
            self._listener.needed(*decode_need(record.key, record.value))
            return
        budget, grant = decode_grant(record.key, record.value)
        if grant is not None:
            self._listener.granted(budget, grant)

    def _take_poke(self, record: Any, *, is_news: bool) -> None:
        streamer, at = decode_poke(record.key, record.value)
        if at is not None and is_news:
            self._listener.poked(streamer, at)

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


def _of(topic: str, found: Any) -> Iterator[Any]:
    return (record for place, records in found.items() if place.topic == topic for record in records)


async def _unread(consumer: Any, behind: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    """What of partitions, up to an end, is not read yet."""
    return {place: end for place, end in behind.items() if end and await asked(consumer.position(place)) < end}
