"""Writes the status topic: the newest of what is to be said of each streamer and door, whatever Kafka does."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaProducer

from producer import logs
from producer.assignments.claims import Streamer
from producer.assignments.clients import CLOSE_SECONDS, KAFKA_FAILURES, RETRY_SECONDS, Options, asked, within
from producer.assignments.doors import DoorSaid, door_key, encode_door
from producer.assignments.table import Status, encode_status
from producer.errors import StartRefused

DELIVERY_SECONDS = 10.0
FAILING_SECONDS = 15.0
"""So long statuses may fail to be written before it is said that they are not: a broker restarts in less."""
RECORDS_A_TIME = 250
"""So that thousands of statuses do not hold the loop for more than some milliseconds at a time."""


class Reports:
    """Run `run` as a task; what is put before it runs is written then."""

    def __init__(self, options: Options, *, topic: str) -> None:
        self._options = options
        self._topic = topic
        self._pending: dict[bytes, tuple[Status, int] | DoorSaid | bytes | None] = {}
        """By the record's key."""
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._failing_since: float | None = None
        """By the loop's clock; None where the last word was written, or none has been said."""
        self._log = logs.get()

    @property
    def written(self) -> bool:
        """Whether what is said is written, but for a failure of a moment ago."""
        since = self._failing_since
        return since is None or asyncio.get_running_loop().time() - since < FAILING_SECONDS

    def say(self, streamer: Streamer, status: Status, *, generation: int) -> None:
        """Have this written, as said under a generation, in place of what was not written yet."""
        self._put(streamer.encode(), (status, generation))

    def say_door(self, door: str, said: DoorSaid) -> None:
        """Have it written how a door stands."""
        self._put(door_key(door), said)

    def put(self, key: bytes, value: bytes | None) -> None:
        """Have a record written."""
        self._put(key, value)

    def remove(self, streamer: Streamer) -> None:
        """Have it written that nobody streams a streamer."""
        self._put(streamer.encode(), None)

    def _put(self, key: bytes, what: tuple[Status, int] | DoorSaid | bytes | None) -> None:
        self._pending[key] = what
        self._idle.clear()
        self._more.set()

    async def flush(self, seconds: float) -> None:
        """Wait until all is written, but no longer than this."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._idle.wait()

    async def run(self) -> None:
        """Write, with a new client after each failure, until cancelled."""
        problem = None
        while True:
            try:
                await self._write()
            except (StartRefused, *KAFKA_FAILURES) as cause:  # the former where a file of secrets cannot be used
                self._failing_since = self._failing_since or asyncio.get_running_loop().time()
                before, problem = problem, str(cause) or type(cause).__name__
                if problem != before:
                    self._log.warning("statuses not written; trying again", problem=problem)
            await asyncio.sleep(RETRY_SECONDS)

    async def _write(self) -> None:
        producer = AIOKafkaProducer(
            **{**self._options(), "acks": "all", "linger_ms": 5, "request_timeout_ms": int(DELIVERY_SECONDS * 1000)}
        )
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                await asked(producer.start())
            while True:
                await self._more.wait()
                self._more.clear()
                while self._pending:
                    await self._send(producer)
                self._idle.set()
        finally:
            await _abandon(producer)

    async def _send(self, producer: Any) -> None:
        """Write some of what is pending; what was not acknowledged is pending again, or something newer is."""
        batch = dict(islice(self._pending.items(), RECORDS_A_TIME))
        for key in batch:
            del self._pending[key]
        sent: set[asyncio.Future[object]] = set()
        try:
            async with asyncio.timeout(DELIVERY_SECONDS):
                for key, said in batch.items():
                    sent.add(await asked(producer.send(self._topic, key=key, value=_value(said))))
                await asyncio.wait(sent)
                for future in sent:
                    await asked(future)
            self._failing_since = None
        except BaseException:
            self._pending = batch | self._pending
            self._more.set()
            _retrieve(sent)
            raise


def _value(said: tuple[Status, int] | DoorSaid | bytes | None) -> bytes | None:
    match said:
        case DoorSaid():
            return encode_door(said)
        case (status, generation):
            return encode_status(status.under(generation))
        case bytes():
            return said
    return None


def _retrieve(futures: Iterable["asyncio.Future[object]"]) -> None:
    """Take the failures of futures that nobody waits for, now or later."""
    for future in futures:
        future.add_done_callback(lambda done: done.cancelled() or done.exception())


async def _abandon(producer: Any) -> None:
    """End a client without waiting for what it could not deliver; no batch of it may arrive behind newer ones."""
    sender = producer._sender
    await within(CLOSE_SECONDS, producer.client.close())
    if sender is not None and sender.sender_task is not None:
        sender.sender_task.cancel()
    await within(CLOSE_SECONDS, producer.stop())
