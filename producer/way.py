"""What a streamer's entry on the list says of the way into its rooms, as far as this worker can go it.

What it cannot use it says once, and leaves out: nothing in an entry ends a streamer.
"""

from producer import logs
from producer.assignments.claims import Streamer, Wanted
from producer.secret_files import SecretUnusable
from producer.surroundings import Surroundings
from producer.webcast.doors.hall import Terms
from producer.webcast.logins import Login
from producer.webcast.room import RoomId


class Way:
    """One streamer's, as the list says it."""

    def __init__(self, streamer: Streamer, around: Surroundings) -> None:
        self.wants_login = False
        """Whether the room is known to let in nobody who is not logged in."""
        self.takes_over = False
        """Whether another worker heard the room a moment ago, and may hear it until we do."""
        self._streamer = streamer
        self._around = around
        self._entry = Wanted(streamer)
        """As it was looked at last."""
        self._login: Login | None = None
        """As it was read last."""
        self._said: dict[str, str] = {}
        """What could not be used, by what it is of, as it was said last."""
        self._log = logs.get(streamer=streamer)

    def look(self) -> None:
        """Take the entry as it is now."""
        entry = self._entry = self._around.entry(self._streamer)
        unknown = ", ".join(name for name in entry.doors if name not in self._names)
        self._say("doors", f"this worker has no door {unknown}: see PRODUCER_DOORS" if unknown else "")
        unusable = ", ".join(entry.unusable)
        self._say("record", f"its record says nothing that could be meant by {unusable}" if unusable else "")

    def is_of(self, owner_id: int | None) -> None:
        """Compare whose room it is, as a look-up said, with whose it should be. It is heard all the same."""
        other = owner_id is not None and self._entry.user_id not in (None, owner_id)
        problem = f"the room is of the user {owner_id}, not {self._entry.user_id}: the name has changed hands"
        self._say("user_id", problem if other else "")

    def is_another(self) -> bool:
        """Whether it is another one than was taken: the entry says something else, or its session is another."""
        entry, before = self._around.entry(self._streamer), self._entry
        if (entry.doors, entry.room_id, entry.session) != (before.doors, before.room_id, before.session):
            return True
        return self._read()[0] != self._login

    @property
    def priority(self) -> int:
        """How much it matters beside others."""
        return self._entry.priority

    @property
    def room_id(self) -> RoomId | None:
        """The room that the entry names."""
        return None if self._entry.room_id is None else RoomId(self._entry.room_id)

    @property
    def user_id(self) -> int | None:
        """The number of the user whom the entry means, where it says."""
        return self._entry.user_id

    def log_in(self) -> Login | None:
        """The session that the entry names, as it is now; None where there is none that can be used."""
        self._login, problem = self._read()
        self._say("session", problem)
        return self._login

    @property
    def may_log_in(self) -> bool:
        """Whether there is a session, and a door that may carry it."""
        return self._login is not None and not self._around.logins.doors.isdisjoint(self._doors)

    @property
    def terms(self) -> Terms:
        """On which it goes through doors: where only who is logged in is let in, by those that carry its session."""
        carriers, rank = self._around.logins.doors, (self.priority, self.takes_over)
        if self.wants_login and self.may_log_in:
            return Terms(tuple(name for name in self._doors if name in carriers), self.log_in, carriers, *rank)
        return Terms(self._doors, self.log_in, carriers, *rank)

    @property
    def _doors(self) -> tuple[str, ...]:
        """Those of the entry that this worker has, in their order; where it has none of them, its own."""
        return tuple(name for name in self._entry.doors if name in self._names) or self._names

    @property
    def _names(self) -> tuple[str, ...]:
        return self._around.lanes.door_names

    def _read(self) -> tuple[Login | None, str]:
        """The session, or what is wrong with it."""
        if self._entry.session is None:
            return None, ""
        try:
            return self._around.logins.read(self._entry.session), ""
        except SecretUnusable as unusable:
            return None, f"its session cannot be used: {unusable}"

    def _say(self, subject: str, problem: str) -> None:
        if problem and problem != self._said.get(subject):
            self._log.warning("entry not used as it stands", problem=problem)
        self._said[subject] = problem
