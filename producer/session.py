"""One streamer: resolve, wait until live, connect, stream, recover, again. One task, for as long as the claim lasts."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from random import random
from typing import NoReturn

from producer import backoff, logs
from producer.assignments.claims import Streamer
from producer.assignments.interface import Said
from producer.bugs import Bugs
from producer.errors import (
    AlreadyConnected,
    AlreadyConnecting,
    FailedFetchRoomInfo,
    FailedRoomPolling,
    LiveNotFound,
    ProducerError,
    Reason,
    Recovery,
)
from producer.events.event import Origin, Payloads
from producer.events.streaks import Streaks
from producer.observability.metrics import Metrics
from producer.pipeline import Pipeline, Sink
from producer.webcast.address import Address, AddressSource
from producer.webcast.connection import Connection, open_connection
from producer.webcast.protocol import Protocol, Received, RecentIds
from producer.webcast.room import RoomId, Rooms
from producer.webcast.upstream import Upstream


class State(StrEnum):
    """What a session is doing; the metrics' `state` label."""

    OFFLINE = "offline"
    RESOLVING = "resolving"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    BACKING_OFF = "backing_off"
    PARKED = "parked"
    """A bug of ours ended its last attempt; the next is minutes or hours away."""
    FAILED = "failed"


Report = Callable[[Streamer, Said], None]
"""Told of each state of a session (of `connected` once the room is heard)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker's sessions share."""

    worker: str
    upstream: Upstream
    rooms: Rooms
    addresses: AddressSource
    sink: Sink
    metrics: Metrics
    ssl: ssl.SSLContext
    opening: asyncio.Semaphore
    """Whose turn it is to open a socket."""
    user_agent: str
    live_poll_seconds: float
    silence_seconds: float
    payloads: Payloads
    hold_acknowledgements: bool
    """Whether a frame is acknowledged only once its records are acknowledged or spooled."""
    report: Report
    last_said: Callable[[Streamer], Said | None]
    """What was last said of a streamer, by whomever."""
    bugs: Bugs
    shared: Callable[[Streamer], bool]
    """Whether another worker hears a streamer's room too, to which we are handing it over."""


class _Memory:
    """What is known of one room across its connections."""

    def __init__(self, room_id: RoomId | None) -> None:
        self.room_id = room_id
        self.seen = RecentIds()
        self.streaks = Streaks()
        self.watched = False
        """Whether a connection to it was open."""


class Session:
    """One streamer's session."""

    def __init__(self, streamer: Streamer, surroundings: Surroundings) -> None:
        self.streamer = streamer
        self.state: State | None = None
        """None while nobody runs it."""
        self.room_id: RoomId | None = None
        self.last_error: str | None = None
        self.leaving = "released"
        """Why it ends, if it is cancelled."""
        self._around = surroundings
        self._metrics = surroundings.metrics
        self._attempt = 0
        self._bugs = 0
        """Attempts that a bug of ours ended, one after the other."""
        self._again_at: int | None = None
        """While it is parked: until when, in ms since 1970."""
        self._memory = _Memory(None)
        self._ended: RoomId | None = None
        self._opened: float | None = None
        """When the last socket opened; None where it did not."""
        self._log = logs.get(streamer=streamer)

    async def run(self) -> NoReturn:
        """Stream until cancelled. Raises AlreadyConnecting or AlreadyConnected if it is running already."""
        if self.state is not None:
            error = AlreadyConnected() if self.state is State.CONNECTED else AlreadyConnecting()
            self._metrics.failed(error)
            raise error
        try:
            await self._inherit()
            while True:
                try:
                    await self._try()
                except Exception as bug:  # nobody foresaw it: it may cost this streamer its minutes, and no other
                    await self._park(bug)
        finally:
            await self._abandon()
            self._move(None)

    async def _try(self) -> None:
        try:
            await self._live()
        except ProducerError as error:
            await self._recover(error)

    async def _live(self) -> None:
        """Follow one live from its discovery to its end."""
        if self.state is not State.OFFLINE:
            self._move(State.RESOLVING)
        room_id = await self._around.rooms.resolve(self.streamer)
        if room_id == self._ended:
            # Look-ups lag behind the control message that ended the live.
            raise LiveNotFound(f"room {room_id} has ended", reason=Reason.OFFLINE)
        if self._memory.room_id != room_id:
            await self._leave()
            self._memory = _Memory(room_id)
        self.room_id = room_id
        self._move(State.CONNECTING)
        await self._connect(room_id)
        await self._leave()
        self._ended, self.room_id, self._bugs = room_id, None, 0
        self._log.info("live ended", room_id=str(room_id))
        self._move(State.OFFLINE)

    async def _connect(self, room_id: RoomId) -> None:
        """Hold one connection, and tell where its address came from what became of it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        self._metrics.connection_attempted()
        address = await self._around.addresses.obtain(room_id)
        self._opened = None
        try:
            await self._converse(room_id, address, began=began)
        except ProducerError as error:
            lived = loop.time() - self._opened if self._opened is not None else 0.0
            self._around.addresses.told(address, error, lived_seconds=lived)
            raise

    async def _converse(self, room_id: RoomId, address: Address, *, began: float) -> None:
        """Hold one connection; return when the live has ended."""
        loop = asyncio.get_running_loop()
        pipeline = self._pipeline(room_id)
        async with open_connection(
            address,
            user_agent=self._around.user_agent,
            origin=self._around.upstream.web_url,
            ssl=self._around.ssl,
            trust_environment=self._around.upstream.is_tiktok,
            turns=self._around.opening,
        ) as connection:
            self._opened = opened = loop.time()
            self._metrics.connection_opened(seconds=opened - began)
            self._move(State.CONNECTED)
            self._log.info("connected", room_id=str(room_id))
            self._memory.watched = True
            pipeline.connected()
            reason: str | None = None
            try:
                protocol = Protocol(
                    room_id,
                    now=opened,
                    seen=self._memory.seen,
                    cursor=address.cursor,
                    heartbeat_seconds=connection.heartbeat_seconds,
                    silence_seconds=self._around.silence_seconds,
                    hold_acknowledgements=self._around.hold_acknowledgements,
                )
                if address.first_batch is not None:
                    await pipeline.deliver(protocol.take(address.first_batch))
                await self._stream(connection, protocol, pipeline)
                reason = "live_ended"
            except FailedRoomPolling as lost:
                if await self._still_live(room_id):
                    reason = str(lost.reason)
                    raise
                reason = "live_ended"
                pipeline.live_ended("room_status")
            except Exception:
                reason = "bug"
                raise
            finally:
                reason = reason or self.leaving
                pipeline.disconnected(reason)
                self._metrics.connection_closed(reason, seconds=loop.time() - opened)

    def _pipeline(self, room_id: RoomId) -> Pipeline:
        origin = Origin(self.streamer, room_id, self._around.worker, self._around.payloads)
        memory = self._memory
        shared = partial(self._around.shared, self.streamer)
        return Pipeline(self._around.sink, origin, memory.streaks, watched_before=memory.watched, shared=shared)

    async def _leave(self) -> None:
        """Settle what is open of a room that nobody goes on watching."""
        if self._memory.room_id is not None:
            pipeline, self._memory = self._pipeline(self._memory.room_id), _Memory(None)
            await pipeline.finish()

    async def _abandon(self) -> None:
        """Leave, whatever state that is in."""
        try:
            await self._leave()
        except Exception as bug:
            self._found(bug)

    async def _stream(self, connection: Connection, protocol: Protocol, pipeline: Pipeline) -> None:
        """Deliver until the live ends. A straight line of waits: while Kafka is slow, nothing is read."""
        entered = False
        while not protocol.ended:
            received = await connection.exchange(protocol, self._around.sink.turns.mine)
            if protocol.entered and not entered:
                entered = True
                self._report()  # whoever holds it for us until then lets go at this word
            if received is None:
                await pipeline.tick()
                continue
            safe = None
            if received.acknowledgement is not None:
                # Without its messages, which are larger than the records that they become, and in no bound.
                safe = partial(protocol.acknowledge, Received(acknowledgement=received.acknowledgement))
            await pipeline.deliver(received, safe)
            if received.messages:
                self._attempt = 0  # not before something was delivered: a room that opens and drops must slow down
            await self._around.sink.publisher.room()

    async def _still_live(self, room_id: RoomId) -> bool:
        """Whether a room whose connection was lost goes on; it does unless it is known not to."""
        try:
            return await self._around.rooms.is_live(room_id)
        except FailedFetchRoomInfo:
            return True

    async def _recover(self, error: ProducerError) -> None:
        """Do what an error asks: wait, back off, or stop for good."""
        self._metrics.failed(error)
        if error.recovery is Recovery.WAIT:
            if self.state is not State.OFFLINE:
                self._log.info("offline")
            await self._leave()
            self.last_error, self.room_id, self._attempt, self._bugs = None, None, 0, 0
            self._move(State.OFFLINE)
            await asyncio.sleep(self._around.live_poll_seconds * (0.8 + 0.4 * random()))
            return
        self.last_error = f"{error.label} ({error.reason}): {error}"
        if error.recovery is not Recovery.RETRY:
            self._log.error("stopped", error=error.label, reason=error.reason, detail=str(error))
            self._move(State.FAILED)
            await asyncio.get_running_loop().create_future()
        self._attempt += 1
        seconds = backoff.delay(self._attempt, random(), retry_after_seconds=error.retry_after_seconds)
        self._log.warning(
            "backing off",
            error=error.label,
            reason=error.reason,
            detail=str(error),
            attempt=self._attempt,
            seconds=round(seconds, 1),
            room_id=str(self.room_id) if self.room_id else None,
        )
        self._move(State.BACKING_OFF)
        await asyncio.sleep(seconds)

    async def _inherit(self) -> None:
        """Stay parked where the worker before us parked it, until it said that it would try again."""
        said = self._around.last_said(self.streamer)
        if said is None or not said.bugs:
            return
        self._bugs, self.last_error = said.bugs, said.error
        seconds = (said.again_at or 0) / 1000 - self._around.sink.wall_clock()
        if seconds > 0:
            await self._stay_parked(min(seconds, backoff.BUG_CAP_SECONDS))

    async def _park(self, bug: Exception) -> None:
        """Wait for long after what nobody foresaw, the longer the oftener it came."""
        self.last_error = self._found(bug)
        await self._abandon()
        self.room_id = None
        self._bugs += 1
        await self._stay_parked(backoff.after_bug(self._bugs, random()))

    async def _stay_parked(self, seconds: float) -> None:
        self._again_at = int((self._around.sink.wall_clock() + seconds) * 1000)
        self._log.warning("parked", bugs=self._bugs, seconds=round(seconds), detail=self.last_error)
        self._move(State.PARKED)
        self._again_at = None
        await asyncio.sleep(seconds)

    def _found(self, bug: Exception) -> str:
        return self._around.bugs.found(bug, self._log)

    def _move(self, state: State | None) -> None:
        self._metrics.session_moved(self.state, state)
        self._metrics.streamer_moved(self.streamer, state)
        self.state = state
        if state is not State.CONNECTED:
            self._report()

    def _report(self) -> None:
        if self.state is None:
            return
        room_id = str(self.room_id) if self.room_id else None
        error = self.last_error if self.state in (State.BACKING_OFF, State.PARKED, State.FAILED) else None
        said = Said(self.state, room_id, error, self._bugs, self._again_at)
        try:
            self._around.report(self.streamer, said)
        except Exception as bug:  # it does not keep the session from going on
            self._found(bug)


SessionFactory = Callable[[Streamer], Session]
