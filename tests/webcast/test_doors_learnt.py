"""What a fleet's workers do about a door of which one of them learns: two halls, at one clock, that hear each other."""

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from producer.errors import FailedConnection, ProducerError, Reason
from producer.strangers import url
from producer.webcast.doors.breaker import State
from producer.webcast.doors.contract import Address
from producer.webcast.doors.hall import Hall, Standing
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.logins import Login
from producer.webcast.room import RoomId

REFUSAL = "the handshake was answered with 200 (417 illegal secret key)"


class Door:
    """Lets rooms of some workers in, and keeps the times at which it was asked."""

    name = "direct"

    def __init__(self, fleet: "Fleet", worker: str) -> None:
        self._fleet = fleet
        self._worker = worker

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        self._fleet.tries.append((self._fleet.now, self._worker))
        return Address(url("wss://push.test/"), cookie="", door=self.name)

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None: ...


class Heard:
    """A listener."""

    def __init__(self) -> None:
        self.refusals: Counter[str] = Counter()
        self.open = True

    def door_tried(self, door: str, outcome: str, reason: Reason | None) -> None:
        self.refusals[outcome] += 1

    def door_stands(self, door: str, *, is_open: bool) -> None:
        self.open = is_open


class Fleet:
    """Workers that hear each other at once, as they would through Kafka, and the door that refuses some of them."""

    def __init__(self, *names: str, spread: Callable[[], float] = lambda: 0.0) -> None:
        self.now = 1000.0
        self.tries: list[tuple[float, str]] = []
        self.refuses = set(names)
        self.heard = {name: Heard() for name in names}
        self.gone: set[str] = set()
        self.said: list[Standing] = []
        self.halls: dict[str, Hall] = {}
        for name in names:
            self.halls[name] = Hall(
                [Door(self, name)],
                self.heard[name],
                clock=lambda: self.now,
                wall_clock=lambda: self.now + 1_764_000_000,
                say=self._says(name),
                spread=spread,
            )

    def _says(self, name: str) -> Callable[[Standing], None]:
        def say(standing: Standing) -> None:
            self.said.append(standing)
            for other in self.halls.keys() - self.gone - {name}:
                self.halls[other].learnt(standing, said_at=self.now + 1_764_000_000)

        return say

    def attempt(self, worker: str, room: str) -> str:
        """A room of a worker's tries to get in."""
        visit = self.halls[worker].visit(RoomId(7), room)
        try:
            address = asyncio.run(visit.obtain())
        except FailedConnection as error:
            return str(error.reason)
        if worker in self.refuses:
            visit.told(address, FailedConnection(REFUSAL, reason=Reason.UNSIGNED), lived_seconds=0.0)
            return "refused"
        visit.heard(address)
        return "heard"


def test_one_refusal_is_all_that_two_workers_need() -> None:
    fleet = Fleet("one", "two")

    assert fleet.attempt("one", "ann") == "refused"
    assert fleet.attempt("two", "bo") == "no_door"

    assert fleet.heard["two"].refusals == {}
    assert fleet.heard["two"].open is False
    [standing] = fleet.halls["two"].standings()
    assert standing == Standing("direct", State.SHUT, Reason.UNSIGNED, REFUSAL, 1_764_001_000.0)


def test_a_door_is_tried_once_a_minute_by_all_workers_together_and_by_each_of_them_at_times() -> None:
    chance = Random(1)
    fleet = Fleet("one", "two", spread=lambda: chance.uniform(0, 30))

    for second in range(3600):
        fleet.now = 1000.0 + second
        for worker in ("one", "two"):
            fleet.attempt(worker, f"room_{second % 7}")

    moments = [moment for moment, _ in fleet.tries]
    assert min(later - earlier for earlier, later in pairwise(moments)) >= 60.0
    assert len(moments) > 30
    assert min(Counter(worker for _, worker in fleet.tries).values()) > 10


def test_a_worker_that_is_gone_leaves_the_tries_to_the_others() -> None:
    fleet = Fleet("one", "two")
    fleet.attempt("one", "ann")
    fleet.gone.add("one")
    fleet.refuses.clear()

    fleet.now += 59.0
    assert fleet.attempt("two", "bo") == "no_door"
    fleet.now += 1.0
    assert fleet.attempt("two", "bo") == "heard"

    assert fleet.heard["two"].open is True


def test_what_one_worker_finds_open_is_open_for_the_others() -> None:
    fleet = Fleet("one", "two")
    fleet.attempt("one", "ann")
    fleet.refuses.clear()
    fleet.now += 60.0

    assert fleet.attempt("two", "bo") == "heard"

    assert fleet.heard["one"].open is True
    assert fleet.attempt("one", "ann") == "heard"


def test_workers_of_different_egresses_keep_their_own_experience() -> None:
    fleet = Fleet("blocked", "free")
    fleet.refuses = {"blocked"}
    assert fleet.attempt("free", "bo") == "heard"

    for _ in range(600):
        fleet.now += 1.0
        fleet.attempt("blocked", f"ann{fleet.now}")

    assert fleet.heard["blocked"].open is False
    assert fleet.heard["free"].open is True
    assert len(fleet.tries) == 11  # the one that was heard, and one each minute


def test_what_asked_to_be_left_alone_is_left_alone_by_all() -> None:
    fleet = Fleet("one", "two")
    address = asyncio.run(fleet.halls["one"].visit(RoomId(7), "ann").obtain())
    limited = FailedConnection("429", reason=Reason.RATE_LIMITED, retry_after_seconds=300.0)
    fleet.halls["one"].visit(RoomId(7), "ann").told(address, limited, lived_seconds=0.0)

    fleet.now += 299.0
    assert fleet.attempt("two", "bo") == "no_door"
    fleet.now += 1.0
    assert fleet.attempt("two", "bo") == "refused"


@pytest.mark.parametrize(("ago", "shut"), [(299.0, True), (301.0, False)])
def test_an_old_word_shuts_no_door(ago: float, shut: bool) -> None:
    fleet = Fleet("one")
    said = Standing("direct", State.SHUT, Reason.UNSIGNED, REFUSAL, 1_764_000_000.0)

    fleet.halls["one"].learnt(said, said_at=fleet.now + 1_764_000_000 - ago)

    assert fleet.heard["one"].open is not shut


def test_a_word_from_before_a_door_was_shut_does_not_open_it() -> None:
    fleet = Fleet("one")
    fleet.attempt("one", "ann")
    opened = Standing("direct", State.OPEN, None, "", None)

    fleet.halls["one"].learnt(opened, said_at=fleet.now + 1_764_000_000 - 1)
    assert fleet.heard["one"].open is False
    fleet.halls["one"].learnt(opened, said_at=fleet.now + 1_764_000_000)
    assert fleet.heard["one"].open is True


def test_no_word_holds_a_door_for_more_than_an_hour_or_is_of_a_door_that_is_not_here() -> None:
    fleet = Fleet("one")
    fleet.halls["one"].learnt(
        Standing("direct", State.SHUT, Reason.RATE_LIMITED, "", 1_764_001_000.0, 253_402_300_799.0),
        said_at=253_402_300_799.0,
    )
    fleet.halls["one"].learnt(Standing("lease", State.SHUT, Reason.BLOCKED, "", None), said_at=1_764_001_000.0)

    fleet.now += 3599.0
    assert fleet.attempt("one", "ann") == "no_door"
    fleet.now += 1.0
    assert fleet.attempt("one", "ann") == "refused"
