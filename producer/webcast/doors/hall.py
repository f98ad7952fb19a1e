"""The doors of one egress in their order, each with its breaker: which of them a room goes through.

Whoever opens a socket at an address tells what became of it: `heard`, or `told`.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Container, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from producer import logs
from producer.errors import FailedConnection, ProducerError, Reason
from producer.webcast.doors.breaker import Breaker, State
from producer.webcast.doors.contract import Address, Door
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.doors.refusals import Says, says
from producer.webcast.logins import Login
from producer.webcast.room import RoomId

TRIES = 2
"""So often in vain, a room goes on to the next door, though others go through this one."""
VAIN_SECONDS = 600.0
"""How long it keeps away from that door then, while there is another."""
FORGOTTEN_SECONDS = 300.0
"""What another worker said so long ago of a door that is shut counts no more: who is there says it every minute."""
LONGEST_HOLD_SECONDS = 3600.0
"""For which another worker's word is taken."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a door stands, as it is shown."""

    door: str
    state: State
    reason: Reason | None
    detail: str
    since: float | None
    """When it was shut, in seconds since 1970; None while it is open."""
    again_at: float | None = None
    """Before when the other side asked to be left alone, in seconds since 1970; None where it did not."""

    def __str__(self) -> str:
        if self.since is None:
            return f"{self.door} {self.state}"
        began = datetime.fromtimestamp(self.since, UTC).strftime("%H:%M")
        return f"{self.door} {self.state} since {began} UTC: {self.detail}"


@dataclass(frozen=True, slots=True)
class Terms:
    """On which a streamer's rooms go through the doors."""

    names: Sequence[str] = ()
    """Those that it goes by, in their order; empty for all."""
    log_in: Callable[[], Login | None] = lambda: None
    """Its session, where it has one."""
    carriers: Container[str] = frozenset()
    """Those that may carry it."""
    priority: int = 0
    """How much it matters beside others, where rooms wait at a door."""
    was_heard: bool = False
    """Whether another worker hears the room, and hands it over."""


class Listener(Protocol):
    """Who is told what goes on at the doors."""

    def door_tried(self, door: str, outcome: str, reason: Reason | None) -> None:
        """A try ended; `outcome` is `heard`, `refused` (the door lets nobody in) or `failed`."""

    def door_stands(self, door: str, *, is_open: bool) -> None:
        """A door is there, and lets rooms in or does not."""


class Hall:
    """All doors of one egress."""

    def __init__(
        self,
        doors: Sequence[Door],
        listener: Listener,
        *,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        say: Callable[[Standing], None] = lambda _: None,
        spread: Callable[[], float] = lambda: 0.0,
        egress: str | None = None,
    ) -> None:
        """`doors` are in the order in which they are tried; `clock` is monotonic; `egress` is told in the log.

        `say` is told what other workers should know: that a door was shut or opened, or that one that is shut is
        tried. `spread` is `Breaker`'s.
        """
        self.doors = tuple(doors)
        self._listener = listener
        self._clock = clock
        self._wall_clock = wall_clock
        self._say = say
        self._breakers = {door.name: Breaker(spread) for door in doors}
        self._inside: dict[str, set[str]] = {door.name: set() for door in doors}
        """Who is heard now, by the door they came in by."""
        self._asking: dict[str, dict[str, asyncio.Timeout]] = {door.name: {} for door in doors}
        """Who asks for an address now, by the door they ask."""
        self._log = logs.get() if egress is None else logs.get(egress=egress)
        for door in doors:
            listener.door_stands(door.name, is_open=True)

    def visit(self, room_id: RoomId, streamer: str) -> "Visit":
        """Begin to look for a way into a room."""
        return Visit(self, room_id, streamer)

    def standings(self) -> list[Standing]:
        """How each door stands."""
        return [self._standing(door.name) for door in self.doors]

    def admits(self, door: Door, room: str) -> bool:
        """Whether a room may go through a door now."""
        breaker = self._breakers[door.name]
        if not breaker.admits(room, self._clock()):
            return False
        if breaker.reason is not None:
            self._say(self._standing(door.name))  # before it is tried, so that no other worker tries it meanwhile
        return True

    def wait_seconds(self, door: Door) -> float:
        """How long until a door may be tried by somebody."""
        return self._breakers[door.name].wait(self._clock())

    def now(self) -> float:
        """Seconds of the doors' clock."""
        return self._clock()

    async def ask(
        self, door: Door, room_id: RoomId, room: str, login: Login | None = None, rank: Rank = ANYBODY
    ) -> Address | None:
        """Obtain an address at a door; None as soon as the door is shut. Raises ProducerError.

        So a room that waits there, for its turn or an answer, goes on to the next, and no crowd asks on.
        """
        try:
            async with asyncio.timeout(None) as asking:
                self._asking[door.name][room] = asking
                return await door.obtain(room_id, room, login, rank)
        except TimeoutError:
            return None
        finally:
            self._asking[door.name].pop(room, None)

    def lets(self, door: str, room: str) -> bool:
        """Whether a room that a door admitted may go on: not where it was shut since."""
        return self._breakers[door].lets(room)

    def heard(self, door: str, room: str) -> None:
        """A room was let in through a door."""
        self._listener.door_tried(door, "heard", None)
        self._inside[door].add(room)
        if self._breakers[door].entered(room, self._clock()):
            self._log.info("door open", door=door)
            self._listener.door_stands(door, is_open=True)
            self._say(self._standing(door))

    def told(
        self, door: str, room: str, error: ProducerError, *, lived_seconds: float, returning: bool = False
    ) -> Says:
        """Something failed at a door, or on a socket behind it; return what that says of the door.

        `returning`: whether the door had let the room in before.
        """
        said, breaker = says(error, lived_seconds=lived_seconds), self._breakers[door]
        if said is Says.NOTHING:
            breaker.gave_up(room)
            return said
        if not lived_seconds:
            self._listener.door_tried(door, "refused" if said is Says.SHUT else "failed", error.reason)
        if breaker.refused(
            room,
            error.reason,
            str(error),
            self._clock(),
            at_once=said is Says.SHUT,
            wait_seconds=error.retry_after_seconds or 0.0,
            others_inside=bool(self._inside[door] - {room}),
            returning=returning and not lived_seconds,
        ):
            self._log.error("door shut", door=door, reason=error.reason, detail=str(error))
            self._close(door)
            self._say(self._standing(door))
        elif breaker.reason is not None and error.retry_after_seconds:
            self._say(self._standing(door))
        return said

    def left(self, door: str, room: str) -> None:
        """A room that was let in is no longer heard."""
        self._inside[door].discard(room)

    def is_open(self, door: str) -> bool:
        """Whether everybody may go through a door."""
        return self._breakers[door].reason is None

    def opened_at(self, door: str) -> float:
        """When a door was opened the last time; -inf where it never was shut."""
        return self._breakers[door].opened_at

    def learnt(self, standing: Standing, *, said_at: float) -> None:
        """Another worker said how a door stands, `said_at` seconds since 1970 by its clock."""
        breaker, now, wall = self._breakers.get(standing.door), self._clock(), self._wall_clock()
        if breaker is None:
            return
        ago = max(0.0, wall - said_at)
        if standing.reason is None:
            if breaker.reopened(now, said=now - ago):
                self._log.info("door open", door=standing.door, learnt=True)
                self._listener.door_stands(standing.door, is_open=True)
        elif ago < FORGOTTEN_SECONDS and breaker.learnt(
            standing.reason,
            standing.detail,
            since=now - max(0.0, wall - (standing.since or said_at)),
            said=now - ago,
            held_until=now + min((standing.again_at or wall) - wall, LONGEST_HOLD_SECONDS),
        ):
            self._log.error(
                "door shut", door=standing.door, reason=standing.reason, detail=standing.detail, learnt=True
            )
            self._close(standing.door)

    def _close(self, door: str) -> None:
        self._listener.door_stands(door, is_open=False)
        asking, self._asking[door] = self._asking[door], {}
        for each in asking.values():
            each.reschedule(0.0)

    def _standing(self, door: str) -> Standing:
        breaker, now = self._breakers[door], self._clock()
        shut = breaker.reason is not None
        since = self._wall_clock() - (now - breaker.since) if shut else None
        held = breaker.held_until - now
        again_at = self._wall_clock() + held if shut and held > 0 else None
        return Standing(door, breaker.state(now), breaker.reason, breaker.detail, since, again_at)


class Visit:
    """One room's way in, and what it met at each door meanwhile."""

    def __init__(self, hall: Hall, room_id: RoomId, streamer: str) -> None:
        self._hall = hall
        self._room_id = room_id
        self._streamer = streamer
        self.terms = Terms()
        self._vain: dict[str, tuple[int, float]] = {}
        """Failures at a door that was open all the same, since the room was heard there, and when the last one was."""
        self._let_in: set[str] = set()
        """The doors by which it was heard."""
        self._wants_since: float | None = None
        """Since when it wants in; None while it is in."""

    async def obtain(self) -> Address:
        """Obtain an address at the first door that lets us try.

        Raises FailedConnection where none does, and otherwise what the last of them that was asked raised.
        """
        last: ProducerError | None = None
        waits: list[float] = []
        self._wants_since = self._hall.now() if self._wants_since is None else self._wants_since
        rank = Rank(bool(self._let_in) or self.terms.was_heard, self.terms.priority, self._wants_since)
        for door in sorted(self._doors, key=self._in_vain):
            if not self._hall.admits(door, self._streamer):
                waits.append(self._hall.wait_seconds(door))
                continue
            try:
                address = await self._ask(door, rank)
            except ProducerError as error:
                self._failed(door.name, error, lived_seconds=0.0)
                if error.reason is Reason.PROXY:
                    error.retry_after_seconds = 0.0  # there may be another way out, which leads to all doors
                    raise
                waits.append(error.retry_after_seconds or 0.0)
                last = error
                continue
            if address is not None:
                return address
            waits.append(self._hall.wait_seconds(door))
        if last is not None:
            # As long as the first of the doors, and no longer: the last may have asked for an hour.
            last.retry_after_seconds = min(waits) or None
            raise last
        names = [door.name for door in self._doors]
        shut = "; ".join(str(each) for each in self._hall.standings() if each.door in names)
        raise FailedConnection(
            f"no door is open: {shut}", reason=Reason.NO_DOOR, retry_after_seconds=min(waits) or None
        )

    async def better(self, address: Address) -> Address | None:
        """Obtain an address at a door before the one that this address is of, where one lets us try."""
        for door in self._doors:
            if door.name == address.door:
                return None
            if not self._in_vain(door) and self._hall.admits(door, self._streamer):
                try:
                    return await self._ask(door, Rank(priority=self.terms.priority))  # it is in
                except ProducerError as error:
                    self._failed(door.name, error, lived_seconds=0.0)
        return None

    @asynccontextmanager
    async def turn(self, address: Address, turns: asyncio.Semaphore) -> AsyncIterator[None]:
        """Wait for a turn to open a socket. Raises FailedConnection where its door was shut meanwhile."""
        async with turns:
            if not self._hall.lets(address.door, self._streamer):
                raise FailedConnection(f"the door {address.door} was shut meanwhile", reason=Reason.NO_DOOR)
            yield

    def heard(self, address: Address) -> None:
        """The room was heard on a socket at this address."""
        self._vain.pop(address.door, None)
        self._wants_since = None
        self._let_in.add(address.door)
        self._hall.heard(address.door, self._streamer)

    def left(self, address: Address) -> None:
        """The room is no longer heard on a socket at this address."""
        self._hall.left(address.door, self._streamer)

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None:
        """A socket at this address ended in `error` after so long, or did not open (0)."""
        for door in self._hall.doors:
            if door.name == address.door:
                door.told(address, error, lived_seconds=lived_seconds)
        self._failed(address.door, error, lived_seconds=lived_seconds)

    def elsewhere(self, address: Address) -> bool:
        """Whether there is another door than the one of this address that is open, and was not tried in vain."""
        return any(
            door.name != address.door and self._hall.is_open(door.name) and not self._in_vain(door)
            for door in self._doors
        )

    async def _ask(self, door: Door, rank: Rank) -> Address | None:
        login = self.terms.log_in() if door.name in self.terms.carriers else None
        return await self._hall.ask(door, self._room_id, self._streamer, login, rank)

    @property
    def _doors(self) -> Sequence[Door]:
        named = [door for name in self.terms.names for door in self._hall.doors if door.name == name]
        return named or self._hall.doors

    def _in_vain(self, door: Door) -> bool:
        failures, last = self._vain.get(door.name, (0, 0.0))
        lately = self._hall.now() - last < VAIN_SECONDS and last > self._hall.opened_at(door.name)
        return failures >= TRIES and lately

    def _failed(self, door: str, error: ProducerError, *, lived_seconds: float) -> None:
        said = self._hall.told(door, self._streamer, error, lived_seconds=lived_seconds, returning=door in self._let_in)
        if said is not Says.NOTHING and self._hall.is_open(door):
            failures, _ = self._vain.get(door, (0, 0.0))
            self._vain[door] = TRIES if said is Says.SHUT else failures + 1, self._hall.now()
