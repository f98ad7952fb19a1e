"""What a streamer's entry on the list says of the way into its rooms, as far as this worker can go it.

What it cannot use it says once, and leaves out: nothing in an entry ends a streamer.
"""

from producer import logs
from producer.assignments.claims import Streamer, Wanted
from producer.surroundings import Surroundings
from producer.webcast.room import RoomId


class Way:
    """One streamer's, as the list says it now."""

    def __init__(self, streamer: Streamer, around: Surroundings) -> None:
        self._streamer = streamer
        self._around = around
        self._entry = Wanted(streamer)
        """As it was looked at last."""
        self._problems: list[str] = []
        """Of it, as they were said last."""
        self._log = logs.get(streamer=streamer)

    @property
    def doors(self) -> tuple[str, ...]:
        """The doors of the entry that this worker has, in their order; empty for all of the worker's."""
        return tuple(name for name in self._entry.doors if name in self._names)

    @property
    def room_id(self) -> RoomId | None:
        """The room that the entry names."""
        return None if self._entry.room_id is None else RoomId(self._entry.room_id)

    @property
    def _names(self) -> frozenset[str]:
        return frozenset(door.name for door in self._around.doors.doors)

    def look(self) -> None:
        """Take the entry as it is now; say what of it cannot be used, if that is news."""
        entry = self._entry = self._around.entry(self._streamer)
        problems = [f"{name} of its record says nothing that could be meant" for name in entry.unusable]
        if unknown := [name for name in entry.doors if name not in self._names]:
            problems.append(f"this worker has no door {', '.join(unknown)}: see PRODUCER_DOORS")
        for problem in problems if problems != self._problems else ():
            self._log.warning("entry not used as it stands", problem=problem)
        self._problems = problems

    def is_another(self) -> bool:
        """Whether the entry says something else of the way than when it was looked at."""
        entry, before = self._around.entry(self._streamer), self._entry
        return (entry.doors, entry.room_id, entry.session) != (before.doors, before.room_id, before.session)
