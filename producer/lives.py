"""One streamer's lives, as its consumers are told of them: the start of each once, and its end.

Whoever finds a live tells of it: by name, by the room's id, or as another worker left it. What was told goes with the
streamer's status, so that the next worker does not tell it again.
"""

from collections import deque
from dataclasses import replace

from producer import logs
from producer.assignments.claims import Streamer
from producer.assignments.interface import LastLive, Said
from producer.events.life import Found
from producer.memory import Memory, pipeline_for
from producer.strangers import identifier
from producer.surroundings import Surroundings
from producer.webcast.room import LiveRoom, RoomId

REMEMBERED = 8
"""Lives whose starts were told: look-ups lag, and may name one of before again."""


class Lives:
    """One streamer's."""

    def __init__(self, streamer: Streamer, around: Surroundings) -> None:
        self.last: LastLive | None = None
        """The one whose start was told last."""
        self._streamer = streamer
        self._around = around
        self._told: deque[RoomId] = deque(maxlen=REMEMBERED)
        self._ended: RoomId | None = None
        """The last one that ended while it was heard."""
        self._name: str = streamer
        """As TikTok was seen to write it last, in lower case."""
        self._log = logs.get(streamer=streamer)

    def inherit(self, said: Said) -> None:
        """Take up what the worker before us told."""
        self.last = said.live
        known = said.room_id if self.last is None else self.last.room_id
        if (room_id := identifier(known)) is not None:
            self._told.append(RoomId(room_id))
            if self.last is not None and self.last.is_over:
                self._ended = RoomId(room_id)

    @property
    def is_over(self) -> bool:
        """Whether the last one is."""
        return self.last is not None and self.last.is_over

    def has_ended(self, room_id: RoomId) -> bool:
        """Whether a live was heard to its end: look-ups lag behind the message that says so."""
        return room_id == self._ended

    def found(self, live: LiveRoom, memory: Memory) -> None:
        """A live was found that `memory` is of: tell of its start, if it was not, and of the end of the one before."""
        if self.last is not None and self.last.room_id == str(live.room_id):
            memory.started_at = memory.started_at or self.last.started_at
            self.last = replace(self.last, is_over=False)  # it goes on, whatever was said
        name = live.info.unique_id.lower() if live.info is not None and live.info.unique_id else self._name
        if name != self._name:
            self._log.warning("renamed", to=name, user_id=str(live.owner_id))
            self._name = name
        if live.room_id in self._told:
            return
        self.over(memory.owner_id)
        self._told.append(live.room_id)
        self.last = LastLive(str(live.room_id), live.started_at)
        renamed_to = None if self._name == self._streamer else self._name
        found = Found(live.known_by.value, renamed_to, memory.room)
        pipeline_for(self._streamer, memory, self._around).live_started(found)

    def ended(self, room_id: RoomId) -> None:
        """A live ended while it was heard, and was told to have."""
        self._ended = room_id
        if self.last is not None and self.last.room_id == str(room_id):
            self.last = replace(self.last, is_over=True)

    def over(self, owner_id: int | None) -> bool:
        """The last live, of this user's, is over, and nobody heard how: tell of its end, unless it was told.

        Returns whether it was not.
        """
        if self.last is None or self.last.is_over:
            return False
        memory = Memory(RoomId(int(self.last.room_id)))
        memory.owner_id, memory.started_at = owner_id, self.last.started_at
        pipeline_for(self._streamer, memory, self._around).live_ended("room_status")
        self.last = replace(self.last, is_over=True)
        return True
