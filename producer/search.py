"""Where one streamer's live room is: the one that is known from before, or the one that its name leads to."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from producer import logs
from producer.assignments.claims import Streamer
from producer.assignments.interface import Said
from producer.errors import FailedFetchRoomInfo, InvalidSessionId, LiveNotFound, Reason
from producer.lives import Lives
from producer.lookups.habits import Habits
from producer.lookups.plan import Asker
from producer.strangers import identifier
from producer.surroundings import Surroundings
from producer.way import Way
from producer.webcast.lanes import Lane
from producer.webcast.room import LiveRoom, RoomId

LOOK_SECONDS = 60.0
"""Between two looks, in a long wait, whether the list names another way into the room by now."""
NAME_EVERY = 4
"""Of so many attempts in a row to get into a room that is known one looks its streamer up by name."""
FRESH_SECONDS = 30.0
"""So long a room that was live is taken for it."""
BY_ID = frozenset({Reason.CREDENTIALS, Reason.ELSEWHERE, Reason.LOGIN})
"""Where look-ups by name tell nothing for these reasons, a room may be asked for by its id."""


class Search:
    """One streamer's."""

    def __init__(
        self,
        streamer: Streamer,
        around: Surroundings,
        way: Way,
        lives: Lives,
        *,
        asking: Callable[[], None],
        over: Callable[[], Awaitable[None]],
    ) -> None:
        """`asking` is told when its name is asked for, `over` when the last live is over and nobody heard its end."""
        self.lane: Lane = around.lanes.of(streamer)
        """By which it looks its room up and goes there."""
        self.owner_id: int | None = None
        """Whose rooms they are, as far as was learnt."""
        self.asked_at: float | None = None
        """When its name was asked for last: seconds since 1970."""
        self._streamer = streamer
        self._around = around
        self._way = way
        self._lives = lives
        self._asking = asking
        self._over = over
        self._known: RoomId | None = None
        """The last room, until it is known to have ended."""
        self._seen_live = float("-inf")
        """When its room was last known to be live, by the look-ups' clock."""
        self._habits = Habits(self.lane.look_ups.now())
        self._asker = Asker(streamer, self._habits)
        self._log = logs.get(streamer=streamer)

    @property
    def learnt(self) -> tuple[str | None, int, tuple[int, ...]]:
        """What is to be kept of it, as a status has it."""
        return str(self.owner_id) if self.owner_id else None, *self._habits.minutes

    def inherit(self, said: Said, *, heard: bool) -> None:
        """Take up what the worker before us learnt; `heard`: it heard the room that it names.

        The last live, too, may go on, though nobody has heard it since: many such are asked about in one request.
        """
        if said.watched is not None:
            now = self.lane.look_ups.now()
            self._habits = Habits.of_minutes(said.watched, [each for each in said.starts if each * 60 <= now])
            self._asker = replace(self._asker, habits=self._habits, until=0.0)
        self.owner_id = identifier(said.owner_id)
        last = said.room_id if heard else None
        if said.live is not None and not said.live.is_over:
            last = said.live.room_id
        if (room_id := identifier(last)) is not None:
            self._known = RoomId(room_id)

    async def live(self, *, attempt: int) -> LiveRoom:
        """Find the live room; `attempt`: how many in a row were made to get into it. Raises as `Rooms.resolve` does."""
        self.lane = self._around.lanes.of(self._streamer)
        live = await self._there_still(attempt) or await self._find()
        if self._lives.has_ended(live.room_id):
            raise LiveNotFound(f"room {live.room_id} has ended", reason=Reason.OFFLINE)
        self._known, self.owner_id = live.room_id, live.owner_id or self.owner_id
        return live

    def learn_start(self, live: LiveRoom, *, was_offline: bool) -> None:
        """Learn when this streamer goes live: as it is said, or where it was known to be offline until now."""
        now = self.lane.look_ups.now()
        if live.started_at is not None and was_offline:
            self._around.metrics.found(seconds=max(0.0, now - live.started_at))
        if live.started_at is not None or was_offline:
            self._habits = self._habits.started(live.started_at or now)
            self._asker = replace(self._asker, habits=self._habits, until=0.0)

    @property
    def due_at(self) -> float | None:
        """When its name is to be asked for, in seconds since 1970; None while it waits for no look-up."""
        return self.lane.look_ups.due_at(self._streamer)

    def hurry(self) -> bool:
        """Be looked up before the others, if it waits for that; whether that is news."""
        return self.lane.look_ups.hurry(self._streamer)

    def lost(self) -> None:
        """The room was left and goes on: it was asked for when it was."""
        self._seen_live = self.lane.look_ups.now()

    def ended(self) -> None:
        """The live has ended; another one may follow soon."""
        self._known = None
        self._asker = replace(self._asker, ended=self.lane.look_ups.now(), hurries=False, until=0.0)

    def offline(self, *, shortest: float) -> None:
        """There is no live; how long it is not asked for again at the least."""
        self._known = None
        self._asker.shortest = shortest

    async def _there_still(self, attempt: int) -> LiveRoom | None:
        """The room that is known from before, if it is live; many that ask for theirs cost one look-up together.

        Who cannot get into it, again and again, looks whether there is another by now.
        """
        room_id = self._known
        if room_id is None:
            return None
        now = self.lane.look_ups.now()
        if attempt % NAME_EVERY != NAME_EVERY - 1:
            if now - self._seen_live < FRESH_SECONDS:
                return LiveRoom(room_id)
            try:
                if await self.lane.rooms.is_live(room_id):
                    self._seen_live = now
                    return LiveRoom(room_id)
            except FailedFetchRoomInfo as failure:
                self._log.debug("not told whether its room is live", detail=str(failure))
            else:
                self.ended()
                await self._over()
                return None
        self._asker.hurries = True
        return None

    async def _find(self) -> LiveRoom:
        """Find the live room; where its name tells nothing, by the id that is known from before, or by the list."""
        await self._turn()
        self._asking()
        self._asker.asked = self.asked_at = self.lane.look_ups.now()
        try:
            owner_id = self.owner_id or self._way.user_id
            live = await self.lane.rooms.resolve(self._streamer, self._way.log_in(), owner_id=owner_id)
        except (LiveNotFound, InvalidSessionId) as error:
            self._way.wants_login |= isinstance(error, InvalidSessionId)
            known, is_over = self._known, error.reason is Reason.OFFLINE
            if known is None and error.reason in BY_ID:
                known = self._way.room_id
            if known is not None and not self._lives.has_ended(known):
                if await self.lane.rooms.is_live(known):
                    return LiveRoom(known)
                is_over = True
            self._known = None
            if is_over:
                await self._over()
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
                    return await self.lane.look_ups.turn(self._asker)
            except TimeoutError:
                self.lane = self._around.lanes.of(self._streamer)
                self._asker.hurries |= self._way.is_another()
