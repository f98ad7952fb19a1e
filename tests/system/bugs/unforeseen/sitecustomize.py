"""A planted bug: an exception that nobody foresaw, about the streamers of PLANTED alone (`place=streamer`, commas)."""

import os
from typing import Any

from producer.events import mapping
from producer.webcast import room
from producer.webcast.logins import Login
from producer.webcast.protocol import Protocol

PLANTED = dict(each.split("=") for each in os.environ.get("PLANTED", "").split(",") if each)

_to_event, _resolve, _tick = mapping.to_event, room.Rooms.resolve, Protocol.tick
_silent: set[int] = set()
"""The room ids of the streamer whose Protocol is broken."""


def _map(message: Any, origin: Any, **more: Any) -> Any:
    if origin.streamer == PLANTED.get("mapping"):
        raise ZeroDivisionError
    return _to_event(message, origin, **more)


async def _look_up(
    self: room.Rooms, unique_id: str, login: Login | None = None, *, owner_id: int | None = None
) -> room.LiveRoom:
    if unique_id == PLANTED.get("look_up"):
        raise ZeroDivisionError
    live = await _resolve(self, unique_id, login, owner_id=owner_id)
    if unique_id == PLANTED.get("protocol"):
        _silent.add(live.room_id)
    return live


def _beat(self: Protocol, now: float) -> None:
    if self.room_id in _silent:
        raise ZeroDivisionError
    _tick(self, now)


mapping.to_event = _map
room.Rooms.resolve = _look_up  # type: ignore[method-assign]
Protocol.tick = _beat  # type: ignore[method-assign]
