"""One streamer: resolve, wait until live, connect, stream, recover, again. One task, for as long as the claim lasts."""

import asyncio
from collections.abc import Callable
from enum import StrEnum
from random import random
from typing import NoReturn

from producer import backoff, logs, search, totals
from producer.assignments.claims import Streamer
from producer.assignments.interface import Said
from producer.errors import (
    AlreadyConnected,
    AlreadyConnecting,
    FailedRoomPolling,
    ProducerError,
    Reason,
    Recovery,
)
from producer.lives import Lives
from producer.memory import Memory, pipeline_for
from producer.stay import Stay, Told
from producer.surroundings import Surroundings
from producer.way import Way
from producer.webcast.room import RoomId


class State(StrEnum):
    """What a session is doing; the metrics' `state` label."""

    OFFLINE = "offline"
    ELSEWHERE = "elsewhere"
    """Not known by name here, and looked up rarely: another region's, or misspelt."""
    RESOLVING = "resolving"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    BACKING_OFF = "backing_off"
    PARKED = "parked"
    """A bug of ours ended its last attempt; the next is minutes or hours away."""
    FAILED = "failed"


GOING_IN = frozenset({State.RESOLVING, State.CONNECTING, State.BACKING_OFF})
"""States of who is on the way into a room."""
WAITING = frozenset({State.OFFLINE, State.ELSEWHERE, State.BACKING_OFF})
"""States that last until the streamer is looked up."""


class Session:
    """One streamer's session."""

    def __init__(self, streamer: Streamer, surroundings: Surroundings) -> None:
        self.streamer = streamer
        self.state: State | None = None
        """None while nobody runs it."""
        self.room_id: RoomId | None = None
        self.door: str | None = None
        """By which door the room is heard; None while it is not."""
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
        self._way = Way(streamer, surroundings)
        self._memory = Memory(None)
        self._lives = Lives(streamer, surroundings)
        self._search = search.Search(
            streamer, surroundings, self._way, self._lives, asking=self._asking, over=self._over
        )
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

    @property
    def asked_at(self) -> float | None:
        """When the streamer was looked up last, by name, in seconds since 1970; None where it was not yet, by us."""
        return self._search.asked_at

    @property
    def next_look_up_at(self) -> float | None:
        """When it is to be looked up, as planned now, in seconds since 1970; None while it waits for no look-up.

        A time that has come: it is its turn, as soon as the budget lets it.
        """
        return self._search.due_at

    def poke(self) -> None:
        """Look the streamer up at once, if it waits for its time: somebody says that it went live."""
        if self._search.hurry():
            self._log.info("looked up at once, since somebody said that it went live")

    async def _try(self) -> None:
        try:
            await self._live()
        except ProducerError as error:
            await self._recover(error)

    async def _live(self) -> None:
        """Follow one live from its discovery to its end."""
        if self.state not in WAITING:
            self._move(State.RESOLVING)
        self._way.look()
        live = await self._search.live(attempt=self._attempt)
        room_id = live.room_id
        if self._memory.room_id != room_id:
            self._search.learn_start(live, was_offline=self.state in (State.OFFLINE, State.ELSEWHERE))
            await self._leave()
            self._memory = Memory(room_id)
        self._memory.learn(live, owner_id=self._search.owner_id)
        self._way.is_of(self._search.owner_id)
        self._lives.found(live, self._memory)
        self.room_id = room_id
        self._move(State.CONNECTING)
        await self._stay(room_id)
        await self._leave()
        self.room_id, self._bugs = None, 0
        self._way.wants_login = self._way.takes_over = False
        self._log.info("live ended", room_id=str(room_id))
        self._move(State.OFFLINE)

    async def _stay(self, room_id: RoomId) -> None:
        """Stay in a room until its live has ended."""
        told = Told(
            connected=lambda: self._move(State.CONNECTED),
            entered=self._entered,
            delivered=self._delivered,
            ended=self._ended,
        )
        beside = asyncio.create_task(self._totals(room_id), name=f"{self.streamer} totals")
        stay = Stay(
            self.streamer,
            room_id,
            self._memory,
            self._around,
            self._search.lane,
            told,
            way=self._way,
            why=lambda: self.leaving,
        )
        try:
            await stay.run()
        except FailedRoomPolling:
            self._search.lost()
            raise
        finally:
            beside.cancel()

    async def _totals(self, room_id: RoomId) -> None:
        """Have the room's totals published while it is heard."""

        def heard() -> bool:
            return self.door is not None

        try:
            await totals.follow(self.streamer, room_id, self._memory, self._around, self._search.lane, heard=heard)
        except Exception as bug:  # it costs the totals, and not the room
            self._found(bug)

    def _entered(self, door: str) -> None:
        self.door = door
        self._way.takes_over = False
        self._report()

    def _delivered(self) -> None:
        self._attempt = 0  # not before something was delivered: a room that opens and drops must slow down

    def _ended(self) -> None:
        assert self.room_id is not None
        self._lives.ended(self.room_id)
        self._search.ended()
        self._report()  # at once: should we be let go now, whoever has it next is not to tell of its end again

    async def _leave(self) -> None:
        """Settle what is open of a room that nobody goes on watching."""
        if self._memory.room_id is not None:
            pipeline = pipeline_for(self.streamer, self._memory, self._around)
            self._memory = Memory(None)
            await pipeline.finish()

    def _asking(self) -> None:
        if self.state is State.BACKING_OFF:
            self._move(State.RESOLVING)

    async def _over(self) -> None:
        await self._leave()
        if self._lives.over(self._search.owner_id):
            self._report()  # as in `_ended`

    async def _abandon(self) -> None:
        """Leave, whatever state that is in."""
        try:
            await self._leave()
        except Exception as bug:  # it is left all the same
            self._found(bug)

    async def _recover(self, error: ProducerError) -> None:
        """Do what an error asks: wait, back off, or stop for good."""
        self._metrics.failed(error)
        if error.recovery is Recovery.WAIT:
            elsewhere = error.reason is Reason.ELSEWHERE
            state = State.ELSEWHERE if elsewhere else State.OFFLINE
            if self.state is not state:
                self._log.info(state)
            await self._leave()
            self._way.takes_over = False
            self.last_error, self.room_id, self._attempt, self._bugs = None, None, 0, 0
            self._search.offline(shortest=self._around.elsewhere_poll_seconds if elsewhere else 0.0)
            self._move(state)
            return
        self.last_error = f"{error.label} ({error.reason}): {error}"
        if error.recovery is not Recovery.RETRY:
            self._log.error("stopped", error=error.label, reason=error.reason, detail=str(error))
            await self._leave()
            self._move(State.FAILED)
            if error.recovery is Recovery.LATER:
                await self._wait(backoff.later(random(), retry_after_seconds=error.retry_after_seconds))
                return
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

    async def _wait(self, seconds: float) -> None:
        """Wait, and no longer than until another way is named."""
        while seconds > 0 and not self._way.is_another():
            await asyncio.sleep(min(seconds, search.LOOK_SECONDS))
            seconds -= search.LOOK_SECONDS

    async def _inherit(self) -> None:
        """Take up what the worker before us left: its room, or how long it is to stay parked."""
        said = self._around.last_said(self.streamer)
        if said is None:
            return
        self._lives.inherit(said)
        self._way.takes_over = heard = said.state == State.CONNECTED and not self._lives.is_over
        self._search.inherit(said, heard=heard)
        if not said.bugs:
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
            self.door = None
            self._report()

    def _report(self) -> None:
        if self.state is None:
            return
        room_id = str(self.room_id) if self.room_id else None
        error = self.last_error if self.state in (State.BACKING_OFF, State.PARKED, State.FAILED) else None
        how = self.state, room_id, error, self._bugs, self._again_at, self.door
        going_in = self._way.takes_over and self.state in GOING_IN
        said = Said(*how, *self._search.learnt, self._lives.last, going_in=going_in)
        try:
            self._around.report(self.streamer, said)
        except Exception as bug:  # it does not keep the session from going on
            self._found(bug)


SessionFactory = Callable[[Streamer], Session]
