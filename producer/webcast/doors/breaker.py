"""Whether a door is tried: one breaker for each; pure, times in seconds of one monotonic clock.

An open door is everybody's. One that refused is shut, which costs its rooms nothing, since they go to the next; one
room at a time may try it, once a minute, and as soon as it is heard the door is open again.

A stranger's answer about one room must not shut a door on all. So while others are let in, it takes two rooms.
"""

from enum import StrEnum

from producer.errors import Reason

PROBE_SECONDS = 60.0
"""Between two tries of a door that is shut, where nobody said how long to wait."""
PATIENCE_SECONDS = 90.0
"""A try of which nothing was heard for so long is over."""
ENTERED_SECONDS = 60.0
"""For so long a room that was let in speaks for a door that another was refused at."""
FAILURES = 3
"""So many failures, of two rooms at least and no success between them, shut a door where one says nothing of it."""
MOST_ROOMS = 100
"""Rooms that are kept of those that failed."""


class State(StrEnum):
    """Whether a door may be used."""

    OPEN = "open"
    PROBING = "probing"
    """Shut, and one room tries it just now."""
    SHUT = "shut"


class Breaker:
    """One door, as seen from one egress."""

    def __init__(self) -> None:
        self.reason: Reason | None = None
        """Why it is shut; None while it is open."""
        self.detail = ""
        """What was answered, as it may be shown."""
        self.since = 0.0
        """When it was shut."""
        self.opened_at = float("-inf")
        """When it was opened the last time."""
        self._next_try = 0.0
        self._pause = PROBE_SECONDS
        """Between two tries."""
        self._prober: str | None = None
        """Who tries it, or tried it last, in vain."""
        self._trying_until: float | None = None
        self._entered: tuple[str, float] | None = None
        """Who was let in last, and when."""
        self._failures = 0
        self._failed: set[str] = set()

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
        self._prober, self._trying_until, self._next_try = room, now + PATIENCE_SECONDS, now + self._pause
        return True

    def wait(self, now: float) -> float:
        """Seconds until somebody may try it."""
        if self.reason is None:
            return 0.0
        return max(0.0, self._next_try - now, self._trying_until - now if self._trying_until else 0.0)

    def entered(self, room: str, now: float) -> bool:
        """A room was let in and heard; say whether that opened the door."""
        shut = self.reason is not None
        self._entered = room, now
        self._open(now)
        return shut

    def refused(
        self, room: str, reason: Reason, detail: str, now: float, *, at_once: bool, wait_seconds: float = 0.0
    ) -> bool:
        """A room was refused; say whether that shut the door. `at_once`: such a refusal is about the door.

        `wait_seconds`: how long the other side asked to be left alone; 0 where it did not.
        """
        if self.reason is not None:
            if room == self._prober:
                self._trying_until, self._pause = None, wait_seconds or PROBE_SECONDS
                self._next_try = max(self._next_try, now + self._pause)
            self._next_try = max(self._next_try, now + wait_seconds)
            return False
        self._failures += 1
        if len(self._failed) < MOST_ROOMS:
            self._failed.add(room)
        doubted = self._entered is not None and self._entered[0] != room and now - self._entered[1] < ENTERED_SECONDS
        if len(self._failed) < (2 if doubted or not at_once else 1) or not (at_once or self._failures >= FAILURES):
            return False
        self.reason, self.detail, self.since = reason, detail, now
        self._pause = wait_seconds or PROBE_SECONDS
        self._next_try, self._prober, self._trying_until = now + self._pause, room, None
        return True

    def learnt(self, reason: Reason, detail: str, now: float) -> bool:
        """Another worker found it shut; say whether that is news. One of ours tries it as if ours had been refused."""
        if self.reason is not None:
            return False
        self.reason, self.detail, self.since, self._pause = reason, detail, now, PROBE_SECONDS
        self._next_try = now + self._pause
        return True

    def reopened(self, now: float) -> bool:
        """Another worker was let in; say whether that is news."""
        if self.reason is None:
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
        self._failures = 0
        self._failed.clear()

    def _tried(self, now: float) -> bool:
        return self._trying_until is not None and now < self._trying_until
