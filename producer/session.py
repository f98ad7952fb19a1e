"""One streamer: resolve, wait until live, connect, stream, recover, again. One task, for as long as the claim lasts."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from random import random
from typing import NoReturn

from producer import backoff, logs
from producer.assignments.claims import Streamer
from producer.assignments.interface import Said
from producer.errors import (
    AlreadyConnected,
    AlreadyConnecting,
    FailedFetchRoomInfo,
    FailedRoomPolling,
    InvalidSessionId,
    LiveNotFound,
    ProducerError,
    Reason,
    Recovery,
)
from producer.lookups.habits import Habits
from producer.lookups.plan import Asker
from producer.stay import Memory, Stay, Told, pipeline_for
from producer.strangers import identifier
from producer.surroundings import Surroundings
from producer.way import Way
from producer.webcast.lanes import Lane
from producer.webcast.room import LiveRoom, RoomId


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


WAITING = frozenset({State.OFFLINE, State.ELSEWHERE, State.BACKING_OFF})
"""States that last until the streamer is looked up."""
LOOK_SECONDS = 60.0
"""Between two looks, in a long wait, whether the list names another way into the room by now."""
NAME_EVERY = 4
"""Of so many attempts in a row to get into a room that is known one looks its streamer up by name."""
FRESH_SECONDS = 30.0
"""So long a room that was live is taken for it."""
BY_ID = frozenset({Reason.CREDENTIALS, Reason.ELSEWHERE, Reason.LOGIN})
"""Where look-ups by name tell nothing for these reasons, a room may be asked for by its id."""


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
        self._lane: Lane = surroundings.lanes.of(streamer)
        """By which it looks its room up and goes there."""
        self._ended: RoomId | None = None
        self._known: RoomId | None = None
        """The last room, until it is known to have ended."""
        self._seen_live = float("-inf")
        """When its room was last known to be live, by the look-ups' clock."""
        self._owner_id: int | None = None
        """Whose rooms they are, as far as was learnt."""
        self._habits = Habits(self._lane.look_ups.now())
        self._asker = Asker(streamer, self._habits)
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
        if self.state not in WAITING:
            self._move(State.RESOLVING)
        self._lane = self._around.lanes.of(self.streamer)
        self._way.look()
        live = await self._there_still() or await self._find()
        room_id = live.room_id
        if room_id == self._ended:
            # Look-ups lag behind the control message that ended the live.
            raise LiveNotFound(f"room {room_id} has ended", reason=Reason.OFFLINE)
        if self._memory.room_id != room_id:
            self._found_live(live)
            await self._leave()
            self._memory = Memory(room_id)
        self._memory.owner_id = self._owner_id = live.owner_id or self._owner_id
        self._way.is_of(self._owner_id)
        self.room_id = self._known = room_id
        self._move(State.CONNECTING)
        await self._stay(room_id)
        await self._leave()
        self._ended, self._known, self.room_id, self._bugs = room_id, None, None, 0
        self._over()
        self._way.wants_login = False
        self._log.info("live ended", room_id=str(room_id))
        self._move(State.OFFLINE)

    async def _there_still(self) -> LiveRoom | None:
        """The room that is known from before, if it is live; many that ask for theirs cost one look-up together.

        Who cannot get into it, again and again, looks whether there is another by now.
        """
        room_id = self._known
        if room_id is None:
            return None
        now = self._lane.look_ups.now()
        if self._attempt % NAME_EVERY != NAME_EVERY - 1:
            if now - self._seen_live < FRESH_SECONDS:
                return LiveRoom(room_id)
            try:
                if await self._lane.rooms.is_live(room_id):
                    self._seen_live = now
                    return LiveRoom(room_id)
            except FailedFetchRoomInfo as failure:
                self._log.debug("not told whether its room is live", detail=str(failure))
            else:
                self._known = None
                self._over()
                return None
        self._asker.hurries = True
        return None

    def _over(self) -> None:
        """A live has ended; another one may follow soon."""
        self._asker = replace(self._asker, ended=self._lane.look_ups.now(), hurries=False, until=0.0)

    async def _find(self) -> LiveRoom:
        """Find the live room; where its name tells nothing, by the id that is known from before, or by the list."""
        await self._turn()
        if self.state is State.BACKING_OFF:
            self._move(State.RESOLVING)
        self._asker.asked = self._lane.look_ups.now()
        try:
            live = await self._lane.rooms.resolve(self.streamer, self._way.log_in())
        except (LiveNotFound, InvalidSessionId) as error:
            self._way.wants_login |= isinstance(error, InvalidSessionId)
            known = self._known or self._way.room_id if error.reason in BY_ID else None
            if known not in (None, self._ended) and await self._lane.rooms.is_live(known):
                return LiveRoom(known)
            self._known = None
            raise
        except FailedFetchRoomInfo:
            self._asker.asked -= self._asker.interval  # it is due as soon as it comes back
            raise
        self._seen_live = self._asker.asked
        return live

    async def _turn(self) -> None:
        """Wait for our turn to be looked up, which may be long; should another way be named meanwhile, it is now."""
        self._asker.priority = self._way.priority
        while True:
            try:
                async with asyncio.timeout(LOOK_SECONDS):
                    return await self._lane.look_ups.turn(self._asker)
            except TimeoutError:
                self._lane = self._around.lanes.of(self.streamer)
                self._asker.hurries |= self._way.is_another()

    def _found_live(self, live: LiveRoom) -> None:
        """Learn when this streamer goes live: as it is said, or where it was known to be offline until now."""
        now, was_offline = self._lane.look_ups.now(), self.state in (State.OFFLINE, State.ELSEWHERE)
        if live.started_at is not None and was_offline:
            self._metrics.found(seconds=max(0.0, now - live.started_at))
        if live.started_at is not None or was_offline:
            self._habits = self._habits.started(live.started_at or now)
            self._asker = replace(self._asker, habits=self._habits, until=0.0)

    async def _stay(self, room_id: RoomId) -> None:
        """Stay in a room until its live has ended."""
        told = Told(connected=lambda: self._move(State.CONNECTED), entered=self._entered, delivered=self._delivered)
        stay = Stay(
            self.streamer,
            room_id,
            self._memory,
            self._around,
            self._lane,
            told,
            way=self._way,
            why=lambda: self.leaving,
        )
        try:
            await stay.run()
        except FailedRoomPolling:
            self._seen_live = self._lane.look_ups.now()  # it was asked for when it was lost
            raise

    def _entered(self, door: str) -> None:
        self.door = door
        self._report()

    def _delivered(self) -> None:
        self._attempt = 0  # not before something was delivered: a room that opens and drops must slow down

    async def _leave(self) -> None:
        """Settle what is open of a room that nobody goes on watching."""
        if self._memory.room_id is not None:
            pipeline = pipeline_for(self.streamer, self._memory.room_id, self._memory, self._around)
            self._memory = Memory(None)
            await pipeline.finish()

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
            self.last_error, self.room_id, self._known, self._attempt, self._bugs = None, None, None, 0, 0
            self._asker.shortest = self._around.elsewhere_poll_seconds if elsewhere else 0.0
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
            await asyncio.sleep(min(seconds, LOOK_SECONDS))
            seconds -= LOOK_SECONDS

    async def _inherit(self) -> None:
        """Take up what the worker before us left: its room, or how long it is to stay parked."""
        said = self._around.last_said(self.streamer)
        if said is None:
            return
        if said.watched is not None:
            now = self._lane.look_ups.now()
            self._habits = Habits.of_minutes(said.watched, [each for each in said.starts if each * 60 <= now])
            self._asker = replace(self._asker, habits=self._habits, until=0.0)
        self._owner_id = identifier(said.owner_id)
        if said.state == State.CONNECTED and (room_id := identifier(said.room_id)) is not None:
            self._known = RoomId(room_id)
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
        owner_id = str(self._owner_id) if self._owner_id else None
        learnt = owner_id, *self._habits.minutes
        said = Said(self.state, room_id, error, self._bugs, self._again_at, self.door, *learnt)
        try:
            self._around.report(self.streamer, said)
        except Exception as bug:  # it does not keep the session from going on
            self._found(bug)


SessionFactory = Callable[[Streamer], Session]
