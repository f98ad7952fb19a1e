"""One stay in a room, until its live ends: on one socket, or for a moment on two, while it moves to a better door."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import uniform
from secrets import token_hex
from typing import NoReturn

from producer import logs
from producer.assignments.claims import Streamer
from producer.errors import (
    FailedConnection,
    FailedFetchRoomInfo,
    FailedRoomPolling,
    InvalidSessionId,
    LiveEnded,
    LiveNotFound,
    ProducerError,
    Reason,
)
from producer.memory import Memory, pipeline_for
from producer.pipeline import Pipeline
from producer.surroundings import Surroundings
from producer.way import Way
from producer.webcast.connection import Connection
from producer.webcast.doors.contract import Address
from producer.webcast.lanes import Lane
from producer.webcast.protocol import Protocol, Received
from producer.webcast.room import RoomId

LOOK_SECONDS = (10.0, 30.0)
"""Between two looks at the doors before the one that a socket came through."""
OVERLAP_SECONDS = 0.5
"""How long a socket is held, at the least, after the next one was heard: what was under way arrives."""
CATCH_UP_SECONDS = 60.0
"""How long it is held at the most once it is read again, where much waited on it: all comes twice meanwhile."""
MOVED = "moved"
CONNECTION_BYTES = 8
"""Of a connection's id, which is by chance: no two of a room will have the same."""


@dataclass(frozen=True, slots=True)
class Told:
    """Whom a stay tells how it goes."""

    connected: Callable[[], None]
    entered: Callable[[str], None]
    """The room is heard, by this door."""
    delivered: Callable[[], None]
    ended: Callable[[], None]
    """The live has ended, and its end was handed over."""


class _Line:
    """One socket of a stay."""

    def __init__(self) -> None:
        self.heard = asyncio.Event()
        self.connection: Connection | None = None
        """None until it is open."""
        self.protocol: Protocol | None = None
        """The same."""

    async def caught_up(self, holding: "asyncio.Task[None]", following: "_Line") -> None:
        """Wait until one of the two lines brings what the other brought last, or whoever holds this one is done.

        While Kafka is slow, much waits on a socket, and more at the server, who sends it as we read. Where they never
        bring the same (the server need not send all to each), it is over once nothing comes, and after a while anyway.
        """
        if self.connection is None or self.protocol is None or following.protocol is None:
            return
        self.protocol.await_last_of(following.protocol)
        await _either(holding, self.connection.waits)
        left = CATCH_UP_SECONDS
        while left > 0:
            frames = self.connection.frames
            await asyncio.wait({holding}, timeout=OVERLAP_SECONDS)
            is_read = self.connection.waits.is_set()
            have_met = self.protocol.has_met or following.protocol.has_met
            if holding.done() or have_met or (is_read and self.connection.frames == frames):
                return
            left -= OVERLAP_SECONDS if is_read else 0


class Stay:
    """One streamer's, in one room."""

    def __init__(
        self,
        streamer: Streamer,
        room_id: RoomId,
        memory: Memory,
        around: Surroundings,
        lane: Lane,
        told: Told,
        *,
        way: Way,
        why: Callable[[], str],
    ) -> None:
        """`why` tells why it ends, if it is cancelled."""
        self._why = why
        self._streamer = streamer
        self._room_id = room_id
        self._memory = memory
        self._around = around
        self._lane = lane
        self._told = told
        self._log = logs.get(streamer=streamer)
        self._visit = memory.visits.setdefault(lane.route.name, lane.doors.visit(room_id, streamer))
        self._visit.terms = way.terms
        self._way = way
        self._address: Address | None = None
        self._holding: asyncio.Task[None] | None = None
        """The socket that counts."""
        self._line = _Line()
        """The same."""
        self._moved: set[asyncio.Task[None]] = set()
        """Those that another took the place of."""

    async def run(self) -> None:
        """Stay until the live has ended. Raises ProducerError, and what nobody foresaw, where the socket is lost."""
        self._around.metrics.connection_attempted()
        self._address = await self._visit.obtain()
        self._holding = asyncio.create_task(self._hold(self._address, self._line), name=f"{self._streamer} socket")
        moving = asyncio.create_task(self._move(), name=f"{self._streamer} moving")
        try:
            while True:
                holding = self._holding
                await asyncio.wait({holding, moving}, return_when=asyncio.FIRST_COMPLETED)
                if moving.done():
                    moving.result()
                if holding.done() and holding is self._holding:
                    return holding.result()
        finally:
            await _end(moving)
            await _end(self._holding)

    async def _move(self) -> NoReturn:
        """Go back to a door that is preferred, once it lets us in; the socket in use is held until then."""
        while True:
            await asyncio.sleep(uniform(*LOOK_SECONDS))
            assert self._address is not None
            if (address := await self._visit.better(self._address)) is None:
                continue
            line = _Line()
            following = asyncio.create_task(self._hold(address, line), name=f"{self._streamer} socket")
            try:
                await _either(following, line.heard)
                if following.done():
                    continue  # it was told what became of it
                await asyncio.sleep(OVERLAP_SECONDS)
                if not following.done():
                    assert self._holding is not None
                    before, self._holding, self._address, following = self._holding, following, address, self._holding
                    self._line, line = line, self._line
                    self._moved.add(before)
                    self._log.info("moved", door=address.door)
                    await line.caught_up(before, self._line)
            finally:
                await _end(following)
                self._moved.discard(following)

    async def _hold(self, address: Address, line: _Line) -> None:
        """Hold one socket until the live has ended; tell its door what became of it."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        opened: list[float] = []
        metrics = self._around.metrics

        def entered() -> None:
            if not line.heard.is_set():
                line.heard.set()
                metrics.door_entered(address.door, +1, egress=self._lane.route.name)
                self._visit.heard(address)
                self._told.entered(self._lane.route.door(address.door))

        try:
            async with self._around.opener.open(
                address, turns=self._visit.turn(address, self._lane.opening), route=self._lane.route
            ) as connection:
                line.connection = connection
                opened.append(loop.time())
                metrics.connection_opened(seconds=opened[0] - began)
                self._told.connected()
                self._log.info("connected", room_id=str(self._room_id), door=self._lane.route.door(address.door))
                await self._converse(connection, address, entered, opened[0], line)
        except ProducerError as error:
            # Whoever is between may open a socket only to close it with the reason why there is none.
            let_in = opened and not isinstance(error, FailedConnection)
            self._visit.told(address, error, lived_seconds=max(loop.time() - opened[0], 1e-9) if let_in else 0.0)
            if error.retry_after_seconds and self._visit.elsewhere(address):
                error.retry_after_seconds = None  # the door is left alone for that time, and there is another
            raise
        finally:
            if line.heard.is_set():
                metrics.door_entered(address.door, -1, egress=self._lane.route.name)
                self._visit.left(address)

    async def _converse(
        self, connection: Connection, address: Address, entered: Callable[[], None], opened: float, line: _Line
    ) -> None:
        pipeline = pipeline_for(self._streamer, self._memory, self._around, connection=token_hex(CONNECTION_BYTES))
        self._memory.watched = True
        pipeline.connected(self._memory.room)
        reason: str | None = None
        try:
            line.protocol = protocol = Protocol(
                self._room_id,
                now=opened,
                seen=self._memory.seen,
                cursor=address.cursor,
                heartbeat_seconds=connection.heartbeat_seconds,
                silence_seconds=self._around.silence_seconds,
                hold_acknowledgements=self._around.hold_acknowledgements,
                manners=address.manners,
            )
            if address.first_batch is not None:
                await self._deliver(pipeline, protocol, protocol.take(address.first_batch))
            await self._stream(connection, protocol, pipeline, entered, logged_in=address.logged_in)
            reason = "live_ended"
        except LiveEnded as ended:
            if asyncio.current_task() is not self._holding:
                reason = str(ended.reason)
                raise  # the room is heard on another socket
            reason = "live_ended"
            pipeline.live_ended("room_status")
            self._told.ended()
        except (FailedConnection, InvalidSessionId, LiveNotFound) as refused:
            reason = str(refused.reason)
            raise
        except FailedRoomPolling as lost:
            if await self._still_live():
                reason = str(lost.reason)
                raise
            reason = "live_ended"
            pipeline.live_ended("room_status")
            self._told.ended()
        except Exception:  # nobody foresaw it; the session is told, and parks
            reason = "bug"
            raise
        finally:
            moved = asyncio.current_task() in self._moved
            reason = reason or (MOVED if moved else self._why())
            pipeline.disconnected(reason)
            seconds = asyncio.get_running_loop().time() - opened
            self._around.metrics.connection_closed(reason, seconds=seconds)

    async def _stream(
        self,
        connection: Connection,
        protocol: Protocol,
        pipeline: Pipeline,
        entered: Callable[[], None],
        *,
        logged_in: bool,
    ) -> None:
        """Deliver until the live ends. A straight line of waits: while Kafka is slow, nothing is read."""
        turns = self._around.sink.turns
        while not protocol.ended:
            received = await connection.exchange(
                protocol, turns.mine, more=lambda: not turns.over(), quiet=pipeline.is_quiet
            )
            if protocol.entered:
                entered()  # whoever holds the room for us until then lets go at this word
            if received is None:
                await pipeline.tick()
                continue
            safe = None
            if received.acknowledgements:
                # Without its messages, which are larger than the records that they become, and in no bound.
                safe = partial(connection.acknowledge, protocol, Received(acknowledgements=received.acknowledgements))
            await self._deliver(pipeline, protocol, received, safe)
            if received.messages:
                self._told.delivered()
            if protocol.barred is not None:
                raise self._barred(protocol.barred, logged_in=logged_in)
            await self._around.sink.publisher.room()

    async def _deliver(
        self, pipeline: Pipeline, protocol: Protocol, received: Received, safe: Callable[[], None] | None = None
    ) -> None:
        try:
            await pipeline.deliver(received, safe)
        finally:
            if protocol.ended:
                self._told.ended()

    def _barred(self, barred: InvalidSessionId, *, logged_in: bool) -> ProducerError:
        """What it means that nobody may stay who is not logged in."""
        self._way.wants_login = True
        if logged_in:
            problem = f"room {self._room_id} does not take its session: it is over, or of another data centre"
            return InvalidSessionId(problem, reason=Reason.CREDENTIALS)
        if self._way.may_log_in:
            return FailedConnection(f"{barred}; a door that carries its session is next", reason=Reason.LOGIN)
        return barred

    async def _still_live(self) -> bool:
        """Whether a room whose socket was lost goes on; it does unless it is known not to."""
        try:
            return await self._lane.rooms.is_live(self._room_id)
        except FailedFetchRoomInfo:
            return True


async def _either(task: "asyncio.Task[None]", event: asyncio.Event) -> None:
    """Wait until a task is done or an event is set."""
    waiting = asyncio.create_task(event.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(waiting)


async def _end(task: "asyncio.Task[None] | asyncio.Task[bool]") -> None:
    """Cancel a task, once, and wait for its end, even if cancelled meanwhile; what it raised is told elsewhere."""
    task.cancel()
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError as again:
            cancelled = again
    if not task.cancelled():
        task.exception()
    if cancelled is not None:
        raise cancelled
