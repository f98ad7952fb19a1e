"""producer.webcast.doors.hall: scripted doors, a number for a clock."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from producer import strangers
from producer.errors import FailedConnection, FailedHTTPRequest, FailedRoomPolling, ProducerError, Reason
from producer.webcast.doors.breaker import State
from producer.webcast.doors.contract import Address
from producer.webcast.doors.hall import Hall, Standing, Terms
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.logins import Login
from producer.webcast.room import RoomId

ROOM = RoomId(7)
NOW = 1_790_001_000.0


class Scripted:
    """A door that raises what it is given, one by one, and then gives addresses."""

    def __init__(self, name: str, *failures: ProducerError) -> None:
        self.name = name
        self.failures = list(failures)
        self.asked: list[str] = []
        self.ranks: list[Rank] = []
        self.heard: list[tuple[Address, Reason, float]] = []

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        self.asked.append(streamer)
        self.ranks.append(rank)
        if self.failures:
            raise self.failures.pop(0)
        return Address(strangers.url(f"wss://x/?room_id={room_id}"), cookie="c", door=self.name)

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None:
        self.heard.append((address, error.reason, lived_seconds))


class Given:
    """A hall, what it tells, and its clock."""

    def __init__(self, *doors: Scripted) -> None:
        self.now = 1000.0
        self.tries: list[tuple[str, str, Reason | None]] = []
        self.stands: list[tuple[str, bool]] = []
        self.hall = Hall(doors, self, clock=lambda: self.now, wall_clock=lambda: self.now + 1_790_000_000.0)

    def door_tried(self, door: str, outcome: str, reason: Reason | None) -> None:
        self.tries.append((door, outcome, reason))

    def door_stands(self, door: str, *, is_open: bool) -> None:
        self.stands.append((door, is_open))

    def enter(self, *streamers: str) -> list[str]:
        """The doors by which rooms obtain an address."""
        visits = [self.hall.visit(ROOM, streamer) for streamer in streamers]
        return [asyncio.run(visit.obtain()).door for visit in visits]

    def refuse(self, streamer: str, error: ProducerError, *, lived_seconds: float = 0.0) -> None:
        visit = self.hall.visit(ROOM, streamer)
        visit.told(asyncio.run(visit.obtain()), error, lived_seconds=lived_seconds)


class Queue(Scripted):
    """A door at which all wait."""

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        await super().obtain(room_id, streamer, login)
        forever: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        return await forever


def unsigned() -> FailedConnection:
    return FailedConnection("417 illegal secret key", reason=Reason.UNSIGNED)


def test_the_first_door_is_everybodys_while_it_is_open() -> None:
    first, second = Scripted("direct"), Scripted("sign")
    given = Given(first, second)

    assert given.enter("ann", "ben") == ["direct", "direct"]
    assert second.asked == []
    assert given.stands == [("direct", True), ("sign", True)]


def test_a_door_that_refuses_sends_everybody_to_the_next() -> None:
    first, second = Scripted("direct"), Scripted("sign")
    given = Given(first, second)

    given.refuse("ann", unsigned())

    assert given.enter("ann", "ben", "cay") == ["sign", "sign", "sign"]
    assert first.asked == ["ann"]
    assert first.heard[0][1:] == (Reason.UNSIGNED, 0.0)
    assert given.tries == [("direct", "refused", Reason.UNSIGNED)]
    assert given.stands[2:] == [("direct", False)]
    [direct, sign] = given.hall.standings()
    assert direct == Standing("direct", State.SHUT, Reason.UNSIGNED, "417 illegal secret key", NOW)
    assert str(direct) == "direct shut since 14:30 UTC: 417 illegal secret key"
    assert str(sign) == "sign open"


def test_who_waits_at_a_door_goes_to_the_next_as_soon_as_it_is_shut() -> None:
    first = Queue("sign")
    given = Given(first, Scripted("direct"))

    async def main() -> list[str]:
        visits = [given.hall.visit(ROOM, streamer) for streamer in ("ann", "ben")]
        waiting = [asyncio.create_task(visit.obtain()) for visit in visits]
        while len(first.asked) < len(visits):
            await asyncio.sleep(0)
        given.hall.told("sign", "cay", unsigned(), lived_seconds=0.0)
        return [(await each).door for each in waiting]

    assert asyncio.run(main()) == ["direct", "direct"]
    assert given.tries == [("sign", "refused", Reason.UNSIGNED)]


def test_where_the_last_door_is_shut_on_who_waits_there_it_is_said_why_and_until_when() -> None:
    first = Queue("sign")
    given = Given(first)

    async def main() -> None:
        waiting = asyncio.create_task(given.hall.visit(ROOM, "ann").obtain())
        while not first.asked:
            await asyncio.sleep(0)
        said = Standing("sign", State.SHUT, Reason.UNSIGNED, "417", NOW)
        given.hall.learnt(said, said_at=NOW)
        await waiting

    with pytest.raises(FailedConnection, match="no door is open: sign shut") as none:
        asyncio.run(main())

    assert none.value.retry_after_seconds == 60.0


def test_who_waits_for_a_turn_to_open_a_socket_opens_none_at_a_door_that_was_shut_meanwhile() -> None:
    given = Given(Scripted("direct"))
    visits = {streamer: given.hall.visit(ROOM, streamer) for streamer in ("ann", "ben")}

    async def turn(streamer: str) -> None:
        async with visits[streamer].turn(addresses[streamer], asyncio.Semaphore(1)):
            pass

    addresses = {streamer: asyncio.run(visit.obtain()) for streamer, visit in visits.items()}
    asyncio.run(turn("ben"))
    given.hall.told("direct", "cay", unsigned(), lived_seconds=0.0)

    with pytest.raises(FailedConnection, match="the door direct was shut meanwhile") as shut:
        asyncio.run(turn("ben"))

    assert shut.value.reason is Reason.NO_DOOR
    given.now += 60.0
    asyncio.run(visits["ann"].obtain())
    asyncio.run(turn("ann"))  # the one that tries it


def test_where_asking_fails_the_next_door_is_asked_at_once() -> None:
    first = Scripted("sign", FailedHTTPRequest("no", reason=Reason.ENTITLEMENT))
    given = Given(first, Scripted("direct"))

    assert given.enter("ann") == ["direct"]
    assert given.enter("ben") == ["direct"]
    assert first.asked == ["ann"]


def test_where_a_proxy_lets_nobody_through_no_other_door_is_asked_and_none_is_blamed() -> None:
    second = Scripted("sign")
    proxy = FailedHTTPRequest("ttwid: the proxy a:1 failed", reason=Reason.PROXY, retry_after_seconds=5.0)
    given = Given(Scripted("direct", *[proxy] * 5), second)

    for _ in range(5):
        with pytest.raises(FailedHTTPRequest) as failure:
            given.enter("ann")

    assert failure.value.retry_after_seconds == 0.0
    assert second.asked == []
    assert given.tries == []
    assert [str(each) for each in given.hall.standings()] == ["direct open", "sign open"]


def test_where_every_door_fails_the_last_failure_is_told() -> None:
    given = Given(
        Scripted("direct", FailedHTTPRequest("a", reason=Reason.NETWORK)),
        Scripted("sign", FailedHTTPRequest("b", reason=Reason.TIMEOUT)),
    )

    with pytest.raises(FailedHTTPRequest, match="b"):
        given.enter("ann")


def test_where_no_door_is_open_it_is_said_why_and_until_when() -> None:
    given = Given(Scripted("direct"))
    given.refuse("ann", unsigned())
    given.now += 20.0

    with pytest.raises(FailedConnection, match="no door is open: direct shut since 14:30 UTC: 417 illegal") as none:
        given.enter("ben")

    assert (none.value.reason, none.value.retry_after_seconds) == (Reason.NO_DOOR, 40.0)


def test_one_room_a_minute_tries_a_shut_door_and_the_others_follow_it_back() -> None:
    first = Scripted("direct")
    given = Given(first, Scripted("sign"))
    given.refuse("ann", unsigned())
    visits = {name: given.hall.visit(ROOM, name) for name in ("ben", "cay", "dee")}
    by_sign = {name: asyncio.run(visit.obtain()) for name, visit in visits.items()}

    def better(name: str) -> str | None:
        address = asyncio.run(visits[name].better(by_sign[name]))
        return address.door if address is not None else None

    assert [better(name) for name in visits] == [None, None, None]
    given.now += 60.0
    assert [better(name) for name in visits] == ["direct", None, None]
    visits["ben"].heard(Address(strangers.url("wss://x/"), cookie="c", door="direct"))
    assert [better(name) for name in ("cay", "dee")] == ["direct", "direct"]
    assert given.stands[2:] == [("direct", False), ("direct", True)]
    assert first.asked == ["ann", "ben", "cay", "dee"]


def test_who_is_at_the_first_door_looks_for_no_better() -> None:
    given = Given(Scripted("direct"), Scripted("sign"))
    visit = given.hall.visit(ROOM, "ann")

    assert asyncio.run(visit.better(asyncio.run(visit.obtain()))) is None


def test_a_room_that_is_refused_at_an_open_door_goes_to_the_next_for_ten_minutes() -> None:
    """Others get in, so the door stays open."""
    given = Given(Scripted("direct"), Scripted("sign"))
    others = given.hall.visit(ROOM, "others")
    others.heard(asyncio.run(others.obtain()))
    visit = given.hall.visit(ROOM, "ann")
    address = asyncio.run(visit.obtain())

    visit.told(
        address, FailedConnection("429", reason=Reason.RATE_LIMITED, retry_after_seconds=60.0), lived_seconds=0.0
    )

    assert visit.elsewhere(address)
    assert given.stands == [("direct", True), ("sign", True)]
    assert asyncio.run(visit.obtain()).door == "sign"
    given.now += 599.0
    assert asyncio.run(visit.obtain()).door == "sign"
    given.now += 1.0
    assert asyncio.run(visit.obtain()).door == "direct"


def test_what_may_be_anything_is_tried_twice_before_the_next_door() -> None:
    given = Given(Scripted("direct"), Scripted("sign"))
    others = given.hall.visit(ROOM, "others")
    others.heard(asyncio.run(others.obtain()))
    visit = given.hall.visit(ROOM, "ann")
    found: Sequence[str] = []

    for _ in range(3):
        address = asyncio.run(visit.obtain())
        found = [*found, address.door]
        visit.told(address, FailedConnection("200", reason=Reason.HANDSHAKE), lived_seconds=0.0)

    assert found == ["direct", "direct", "sign"]


def test_a_socket_that_is_lost_after_a_while_says_nothing_of_its_door() -> None:
    first = Scripted("direct")
    given = Given(first, Scripted("sign"))

    for _ in range(5):
        given.refuse("ann", FailedRoomPolling("1006", reason=Reason.CLOSED), lived_seconds=600.0)

    assert given.enter("ann") == ["direct"]
    assert given.tries == []
    assert [reason for _, reason, _ in first.heard] == [Reason.CLOSED] * 5


def test_what_another_worker_learnt_of_a_door_counts() -> None:
    first = Scripted("direct")
    given = Given(first, Scripted("sign"))

    given.hall.learnt(Standing("direct", State.SHUT, Reason.UNSIGNED, "417", NOW), said_at=NOW)
    given.hall.learnt(Standing("nobody's", State.SHUT, Reason.UNSIGNED, "417", NOW), said_at=NOW)
    assert given.enter("ann") == ["sign"]
    given.hall.learnt(Standing("direct", State.OPEN, None, "", None), said_at=NOW)

    assert given.enter("ann") == ["direct"]
    assert given.stands[2:] == [("direct", False), ("direct", True)]


def test_failures_that_may_be_anything_shut_no_door_by_which_another_room_is_heard() -> None:
    given = Given(Scripted("direct"), Scripted("sign"))
    inside = given.hall.visit(ROOM, "inside")
    address = asyncio.run(inside.obtain())
    inside.heard(address)
    odd = FailedConnection("200", reason=Reason.HANDSHAKE)

    for name in ("ann", "ben", "cay", "dee"):
        given.refuse(name, odd)
    assert given.stands == [("direct", True), ("sign", True)]

    inside.left(address)
    for name in ("ann", "ben", "cay"):
        given.refuse(name, odd)
    assert given.stands[2:] == [("direct", False)]


def test_a_few_that_had_been_heard_by_a_door_and_are_refused_shut_it_though_another_is_still_heard() -> None:
    given = Given(Scripted("direct"), Scripted("sign"))
    visits = [given.hall.visit(ROOM, name) for name in ("inside", "ann", "ben", "cay", "dee", "eve")]
    addresses = [asyncio.run(visit.obtain()) for visit in visits]
    for visit, address in zip(visits, addresses, strict=True):
        visit.heard(address)
    returning = list(zip(visits, addresses, strict=True))[1:]

    for visit, address in returning:
        visit.left(address)
        visit.told(address, FailedRoomPolling("reset", reason=Reason.CLOSED), lived_seconds=5.0)
    assert given.stands == [("direct", True), ("sign", True)]
    for visit, address in returning:
        visit.told(address, FailedConnection("200", reason=Reason.DEVICE_BLOCKED), lived_seconds=0.0)

    assert given.stands[2:] == [("direct", False)]


def test_a_room_goes_by_the_doors_that_its_visit_names_in_their_order() -> None:
    given = Given(Scripted("direct"), Scripted("sign"), Scripted("lease"))
    visit = given.hall.visit(ROOM, "ann")
    visit.terms = Terms(names=("lease", "sign"))
    at_lease = asyncio.run(visit.obtain())

    visit.told(at_lease, unsigned(), lived_seconds=0.0)
    at_sign = asyncio.run(visit.obtain())

    assert (at_lease.door, at_sign.door) == ("lease", "sign")
    assert (visit.elsewhere(at_lease), visit.elsewhere(at_sign)) == (True, False)
    given.now += 600.0
    better = asyncio.run(visit.better(at_sign))
    assert better is not None
    assert better.door == "lease"


def test_where_none_of_the_doors_that_a_visit_names_is_open_these_are_told() -> None:
    given = Given(Scripted("direct"), Scripted("sign"))
    visit = given.hall.visit(ROOM, "ann")
    visit.terms = Terms(names=("sign",))
    visit.told(asyncio.run(visit.obtain()), unsigned(), lived_seconds=0.0)

    with pytest.raises(FailedConnection, match=r"no door is open: sign shut since 14:30 UTC: 417 illegal secret key$"):
        asyncio.run(visit.obtain())


def test_a_visit_that_names_no_door_of_the_hall_goes_by_all() -> None:
    given = Given(Scripted("direct"))
    visit = given.hall.visit(ROOM, "ann")
    visit.terms = Terms(names=("gateway",))

    assert asyncio.run(visit.obtain()).door == "direct"


def test_who_was_heard_goes_first_at_a_door_and_who_is_in_elsewhere_has_no_hurry() -> None:
    first, second = Scripted("first"), Scripted("second")
    given = Given(first, second)
    visit = given.hall.visit(ROOM, "ann")
    visit.terms = Terms(priority=3)

    address = asyncio.run(visit.obtain())
    given.now += 5
    asyncio.run(visit.obtain())
    visit.heard(address)
    given.now += 5
    asyncio.run(visit.better(replace(address, door="second")))
    asyncio.run(visit.obtain())

    assert first.ranks == [Rank(False, 3, 1000.0), Rank(False, 3, 1000.0), Rank(priority=3), Rank(True, 3, 1010.0)]


def test_who_takes_a_room_over_goes_first_at_a_door() -> None:
    door = Scripted("sign")
    visit = Given(door).hall.visit(ROOM, "ann")
    visit.terms = Terms(was_heard=True)

    asyncio.run(visit.obtain())

    assert door.ranks == [Rank(was_heard=True, since=1000.0)]
