"""producer.webcast.doors.hall: how long a room waits that no door let in."""

import asyncio

import pytest

from producer.errors import FailedHTTPRequest, ProducerError, Reason
from producer.webcast.doors.contract import Address
from producer.webcast.doors.hall import Hall
from producer.webcast.doors.places import ANYBODY, Rank
from producer.webcast.logins import Login
from producer.webcast.room import RoomId


class Refusing:
    """A door that refuses."""

    def __init__(self, name: str, reason: Reason, wait: float | None) -> None:
        self.name = name
        self._reason, self._wait = reason, wait

    async def obtain(self, room_id: RoomId, streamer: str, login: Login | None = None, rank: Rank = ANYBODY) -> Address:
        raise FailedHTTPRequest("refused", reason=self._reason, retry_after_seconds=self._wait)

    def told(self, address: Address, error: ProducerError, *, lived_seconds: float) -> None: ...


class Silent:
    """A listener that nobody asks."""

    def door_tried(self, door: str, outcome: str, reason: Reason | None) -> None: ...

    def door_stands(self, door: str, *, is_open: bool) -> None: ...


@pytest.mark.parametrize(
    ("first", "second", "waits"),
    [
        (Refusing("direct", Reason.STATUS, None), Refusing("sign", Reason.BLOCKED, 3600.0), (None, None)),
        (Refusing("direct", Reason.BLOCKED, 300.0), Refusing("sign", Reason.BLOCKED, 3600.0), (300.0, 300.0)),
        (Refusing("direct", Reason.BLOCKED, 3600.0), Refusing("sign", Reason.STATUS, 30.0), (30.0, 30.0)),
    ],
    ids=["one has no wait", "both are shut", "one stays open"],
)
def test_a_room_waits_for_the_first_door_and_not_for_the_last(
    first: Refusing, second: Refusing, waits: tuple[float | None, float | None]
) -> None:
    async def main() -> tuple[float | None, ...]:
        hall = Hall([first, second], Silent(), clock=lambda: 1000.0, wall_clock=lambda: 0.0)
        visit = hall.visit(RoomId(7), "ann")
        found = []
        for _ in waits:
            with pytest.raises(ProducerError) as refused:
                await visit.obtain()
            found.append(refused.value.retry_after_seconds)
        return tuple(found)

    assert asyncio.run(main()) == waits
