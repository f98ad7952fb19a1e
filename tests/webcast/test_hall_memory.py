"""producer.webcast.doors.hall: what whoever finds every door shut is told."""

import asyncio
from collections.abc import Callable

import pytest

from producer.errors import FailedConnection, Reason
from producer.webcast.doors.contract import Address
from producer.webcast.doors.hall import Hall
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.logins import Login
from producer.webcast.room import RoomId


class Shut:
    """A door that lets nobody in."""

    name = "gateway"

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        raise FailedConnection("no", reason=Reason.CREDENTIALS)

    def told(self, *_: object, **__: object) -> None: ...


class Nobody:
    def door_tried(self, *_: object) -> None: ...

    def door_stands(self, *_: object, **__: object) -> None: ...


def refusal(act: Callable[[], object]) -> FailedConnection:
    with pytest.raises(FailedConnection) as refused:
        act()
    return refused.value


def test_who_may_not_try_though_another_may_is_not_told_to_come_back_at_once() -> None:
    """A wait of no seconds would be none; without one there is a back-off."""
    now = [1000.0]
    hall = Hall([Shut()], Nobody(), clock=lambda: now[0], wall_clock=lambda: 0.0)
    visit = hall.visit(RoomId(7), "ann")

    first = refusal(lambda: asyncio.run(visit.obtain()))
    now[0] += 20.0
    second = refusal(lambda: asyncio.run(visit.obtain()))
    now[0] += 50.0
    third = refusal(lambda: asyncio.run(visit.obtain()))

    assert [each.reason for each in (first, second, third)] == [Reason.CREDENTIALS, Reason.NO_DOOR, Reason.NO_DOOR]
    assert [second.retry_after_seconds, third.retry_after_seconds] == [40.0, None]
