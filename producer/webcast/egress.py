"""Whether the web site is asked about rooms at all; pure but for its log.

It blocks an address that asks too much, and then answers nobody there. So all rooms of a worker wait together, and one
of them asks once a minute whether that is over (doors sheet section 6, rows 30, 31 and 34).
"""

from collections.abc import Callable

from producer import logs
from producer.errors import FailedFetchRoomInfo, Reason
from producer.webcast.doors.breaker import Breaker

HOLDS = frozenset({Reason.BLOCKED, Reason.CAPTCHA, Reason.RATE_LIMITED})
"""Refusals that are about the address and not about the room."""


class Egress:
    """The look-ups of one address."""

    def __init__(self, clock: Callable[[], float], held: Callable[[bool], None], name: str | None = None) -> None:
        """`held` is told when look-ups are held, and when they go on."""
        self._clock = clock
        self._held = held
        self._breaker = Breaker()
        self._log = logs.get() if name is None else logs.get(egress=name)

    def admit(self, asker: str) -> None:
        """Let a streamer's room ask. Raises FailedFetchRoomInfo while all wait."""
        now = self._clock()
        if self._breaker.admits(asker, now):
            return
        assert self._breaker.reason is not None
        raise FailedFetchRoomInfo(
            f"look-ups are held: {self._breaker.detail}",
            reason=self._breaker.reason,
            retry_after_seconds=self._breaker.wait(now),
        )

    def wait(self) -> float:
        """Seconds until it is worth asking again; 0 where it is now."""
        return self._breaker.wait(self._clock())

    def answered(self, asker: str) -> None:
        """A question was answered, whatever the answer was."""
        if self._breaker.entered(asker, self._clock()):
            self._log.info("look-ups go on")
            self._held(False)

    def failed(self, asker: str, failure: FailedFetchRoomInfo) -> None:
        """A question was not answered."""
        if failure.reason not in HOLDS:
            self._breaker.gave_up(asker)
        elif self._breaker.refused(
            asker,
            failure.reason,
            str(failure),
            self._clock(),
            at_once=True,
            wait_seconds=failure.retry_after_seconds or 0.0,
        ):
            self._log.error("look-ups held", reason=failure.reason, detail=str(failure))
            self._held(True)
