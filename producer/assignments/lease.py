"""How long it is certain that the group has not given our claims to others."""

import time
from collections.abc import Callable

# The clock that goes on while the machine sleeps: a laptop that wakes has lost its claims, and must know.
boot_clock: Callable[[], float] = (
    (lambda: time.clock_gettime(time.CLOCK_BOOTTIME)) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class Lease:
    """A fence (`interface.Fence`) that runs out by itself.

    The broker gives a member's partitions away once it has heard nothing from it for the session timeout. It heard
    each request after we sent it, so until the session timeout after the sending of the last one that it answered,
    nobody else has them, whatever has become of this process in between.
    """

    def __init__(self, seconds: float, *, lost: Callable[[str], bool], clock: Callable[[], float]) -> None:
        """`lost` tells a streamer whose claim was lost while the lease had run out."""
        self._seconds = seconds
        self._lost = lost
        self._clock = clock
        self._until = float("-inf")
        self.revoked_at = float("-inf")
        """When the broker last said that it does not know us; -inf if it has answered us as a member since."""

    def current(self) -> bool:
        """Whether it is certain now."""
        return self._clock() < self._until

    def allows(self, streamer: str) -> bool:
        """Whether this streamer may be published now."""
        return self.current() and not self._lost(streamer)

    def renew(self, sent: float) -> None:
        """The broker answered, as a member's, a request that was sent at this time."""
        self._until = max(self._until, sent + self._seconds)
        self.revoked_at = float("-inf")

    def revoke(self) -> None:
        """The broker no longer knows us."""
        self._until = float("-inf")
        self.revoked_at = self._clock()
