"""Whether a door is tried: one breaker for each; pure, times in seconds of one monotonic clock.

An open door is everybody's. One that refused is shut, which costs its rooms nothing, since they go to the next; one
room at a time may try it, once a minute, and as soon as it is heard the door is open again. Of a fleet, whoever tries
it says so, and all others wait a minute again.

A stranger's answer about one room must not shut a door on all. So while others are let in, it takes two rooms; and
where the answer may be about the room, several that the door had let in before, and none let in between.
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum

from producer.errors import Reason

PROBE_SECONDS = 60.0
"""Between two tries of a door that is shut, where nobody said how long to wait."""
PATIENCE_SECONDS = 90.0
"""A try of which nothing was heard for so long is over, and a failure so long ago is forgotten."""
HEARD_SECONDS = 10.0
"""After so long a room that waits looks whether the one that tries the door was heard: most are, within a second."""
ENTERED_SECONDS = 60.0
"""For so long a room that was let in speaks for a door that another was refused at."""
FAILURES = 3
"""So many failures, of two rooms at least and no success between them, shut a door where one says nothing of it."""
RETURNING = 5
"""So many rooms that had been let in, and are not again, no success between, shut a door while others are inside."""
MOST_FAILURES = 100
"""That are kept."""


class State(StrEnum):
    """Whether a door may be used."""

    OPEN = "open"
    PROBING = "probing"
    """Shut, and one room tries it just now."""
    SHUT = "shut"


class Breaker:
    """One door, as seen from one egress."""

    def __init__(self, spread: Callable[[], float] = lambda: 0.0) -> None:
        """`spread`: seconds that a try is put off, so that of several workers one comes first."""
        self.reason: Reason | None = None
        """Why it is shut; None while it is open."""
        self.detail = ""
        """What was answered, as it may be shown."""
        self.since = 0.0
        """When it was shut."""
        self.opened_at = float("-inf")
        """When it was opened the last time."""
        self.held_until = float("-inf")
        """Until when the other side asked to be left alone."""
        self._spread = spread
        self._next_try = 0.0
        self._pause = PROBE_SECONDS
        """Between two tries."""
        self._prober: str | None = None
        """Who tries it, or tried it last, in vain."""
        self._trying_until: float | None = None
        self._entered: tuple[str, float] | None = None
        """Who was let in last, and when."""
        self._failed: deque[tuple[float, str]] = deque(maxlen=MOST_FAILURES)
        """When, and which room."""

    def state(self, now: float) -> State:
        """Its state now."""
        if self.reason is None:
            return State.OPEN
        return State.PROBING if self._tried(now) else State.SHUT

    def admits(self, room: str, now: float) -> bool:
        """Whether a room may try it now. Where it is shut, whoever is admitted is the one that tries it."""
        if self.reason is None:
            return True
        if self._tried(now) or now < self._next_try:
            return False
        if room == self._prober and now < self._next_try + min(self._pause, PROBE_SECONDS):
            return False  # another first, if there is any: what was refused may have been this room alone
        self._prober, self._trying_until, self._next_try = room, now + PATIENCE_SECONDS, self._later(now)
        return True

    def lets(self, room: str) -> bool:
        """Whether a room that was admitted may go on."""
        return self.reason is None or (room == self._prober and self._trying_until is not None)

    def wait(self, now: float) -> float:
        """Seconds until it is worth looking again: somebody may try it, or whoever tries it may have opened it."""
        if self.reason is None:
            return 0.0
        tried = self._trying_until - now if self._trying_until else 0.0
        return max(0.0, self._next_try - now, min(tried, HEARD_SECONDS))

    def entered(self, room: str, now: float) -> bool:
        """A room was let in and heard; say whether that opened the door."""
        shut = self.reason is not None
        self._entered = room, now
        self._open(now)
        return shut

    def refused(
        self,
        room: str,
        reason: Reason,
        detail: str,
        now: float,
        *,
        at_once: bool,
        wait_seconds: float = 0.0,
        others_inside: bool = False,
        returning: bool = False,
    ) -> bool:
        """A room was refused; say whether that shut the door. `at_once`: such a refusal is about the door.

        `wait_seconds`: how long the other side asked to be left alone; 0 where it did not. `others_inside`: whether
        other rooms that it let in are heard at this moment, who speak for it as long as they are. `returning`: whether
        it had let this one in, and did not again.
        """
        if self.reason is not None:
            if room == self._prober:
                # A wait that was too short is not believed again.
                self._trying_until, self._pause = None, max(wait_seconds, PROBE_SECONDS)
                self._next_try = max(self._next_try, self._later(now))
            self.held_until = max(self.held_until, now + wait_seconds)
            self._next_try = max(self._next_try, self.held_until)
            return False
        if others_inside and not (at_once or returning):
            return False
        self._failed.append((now, room))
        while now - self._failed[0][0] > PATIENCE_SECONDS:
            self._failed.popleft()
        lately = self._entered is not None and self._entered[0] != room and now - self._entered[1] < ENTERED_SECONDS
        doubted = others_inside or lately
        rooms = len({room for _, room in self._failed})
        if at_once:
            enough = rooms >= (2 if doubted else 1)
        elif others_inside:
            enough = rooms >= RETURNING
        else:
            enough = rooms >= 2 and len(self._failed) >= FAILURES
        if not enough:
            return False
        self.reason, self.detail, self.since = reason, detail, now
        self._pause, self.held_until = wait_seconds or PROBE_SECONDS, now + wait_seconds
        self._next_try, self._prober, self._trying_until = self._later(now), room, None
        return True

    def learnt(self, reason: Reason, detail: str, *, since: float, said: float, held_until: float) -> bool:
        """Another worker said that it finds it shut, `since` when; say whether that is news.

        Ours try it as if ours had been refused when it was `said`. It is nothing against a door that is open and lets
        ours in, then or later: the other may have come another way.
        """
        if self.reason is None and self._entered is not None and since < self._entered[1] + ENTERED_SECONDS:
            return False
        self.held_until = max(self.held_until, held_until)
        self._pause = max(self._pause, PROBE_SECONDS)
        self._next_try = max(self._next_try, self._later(said), self.held_until)
        if self.reason is not None:
            return False
        self.reason, self.detail, self.since = reason, detail, since
        return True

    def reopened(self, now: float, *, said: float) -> bool:
        """Another worker said that it was let in; say whether that is news."""
        if self.reason is None or said < self.since:
            return False
        self._open(now)
        return True

    def gave_up(self, room: str) -> None:
        """Who tried it left without an answer that says anything of the door."""
        if room == self._prober:
            self._trying_until = None

    def _open(self, now: float) -> None:
        if self.reason is not None:
            self.opened_at = now
        self.reason, self.detail, self._trying_until, self._prober = None, "", None, None
        self._next_try, self.held_until = 0.0, float("-inf")
        self._failed.clear()

    def _later(self, now: float) -> float:
        """When the next try may be, after one that began or ended now."""
        return now + self._pause + (self._spread() if self._pause >= PROBE_SECONDS else 0.0)

    def _tried(self, now: float) -> bool:
        return self._trying_until is not None and now < self._trying_until
