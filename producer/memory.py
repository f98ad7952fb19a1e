"""What is known of one room across its sockets, and the way of its events to the sink."""

from dataclasses import asdict
from functools import partial
from typing import cast

from producer.assignments.claims import Streamer
from producer.events import records
from producer.events.event import Origin
from producer.events.streaks import Streaks
from producer.pipeline import Pipeline
from producer.surroundings import Surroundings
from producer.webcast.doors.hall import Visit
from producer.webcast.protocol import RecentIds
from producer.webcast.room import LiveRoom, RoomId
from producer.webcast.room_info import RoomInfo


class Memory:
    """What is known of one room across its sockets."""

    def __init__(self, room_id: RoomId | None) -> None:
        self.room_id = room_id
        self.owner_id: int | None = None
        """Whose room it is, as a look-up said."""
        self.started_at: int | None = None
        """When its live began, in seconds since 1970, as a look-up said."""
        self.info: RoomInfo | None = None
        """What the look-up that found it said of it."""
        self.seen = RecentIds()
        self.streaks = Streaks()
        self.watched = False
        """Whether a connection to it was open."""
        self.visits: dict[str, Visit] = {}
        """What it met at each door, by lane."""
        self.totals_at: float | None = None
        """When its totals were asked for last, by the look-ups' clock."""

    def learn(self, live: LiveRoom, *, owner_id: int | None) -> None:
        """Keep what a look-up said, and from before what it did not."""
        self.owner_id = owner_id
        self.started_at = live.started_at or self.started_at
        self.info = live.info or self.info

    @property
    def room(self) -> records.RoomInfo | None:
        """What its look-up said, as its events say it."""
        return None if self.info is None else cast(records.RoomInfo, asdict(self.info))


def pipeline_for(
    streamer: Streamer, memory: Memory, around: Surroundings, *, connection: str | None = None
) -> Pipeline:
    """A way to the sink for what the room of a memory says by a connection, or said."""
    assert memory.room_id is not None
    owner_id = None if memory.owner_id is None else str(memory.owner_id)
    origin = Origin(
        streamer,
        memory.room_id,
        around.worker,
        around.payloads,
        streamer_id=owner_id,
        connection=connection,
        viewers=around.viewers,
        started_at=None if memory.started_at is None else memory.started_at * 1000,
    )
    shared = partial(around.shared, streamer)
    return Pipeline(around.sink, origin, memory.streaks, watched_before=memory.watched, shared=shared)
