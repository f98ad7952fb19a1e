"""How long it is certain that the group has not given our claims to others."""

import time
from collections.abc import Callable

# The clock that goes on while the machine sleeps: a laptop that wakes has lost its claims, and must know.
boot_clock: Callable[[], float] = (
    (lambda: time.clock_gettime(time.CLOCK_BOOTTIME)) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
)


class Lease:
    """A fence (`interface.Fence`) that runs out by itself.

    The broker gives a member's partitions away once it has heard nothing from it for the session timeout, or once a
    rebalance has waited in vain for it to join again, for the rebalance timeout. It heard each request after we sent
    it, and no rebalance had begun where it answered without an error. So until the shorter of the two after the
    sending of the last request that was answered so, nobody else has them, whatever has become of this process, of
    later requests or of the broker in between.
    """

    def __init__(self, seconds: float, *, lost: Callable[[str], bool], clock: Callable[[], float]) -> None:
        """`seconds`: the shorter of the two; `lost` tells a streamer whose claim was lost when it had run out."""
        self._seconds = seconds
        self._lost = lost
        self._told: list[Callable[[], None]] = []
        self._clock = clock
        self._until = float("-inf")
        self.revoked_at = float("-inf")
        """When the broker last said that it does not know us; -inf if it has answered us as a member since."""

    def current(self) -> bool:
        """Whether it is certain now."""
        return self._clock() < self._until

    def lost(self, streamer: str) -> bool:
        """Whether this streamer's claim is known to be lost."""
        return self._lost(streamer)

    def heed(self, told: Callable[[], None]) -> None:
        """Call this whenever claims come to be known as lost."""
        self._told.append(told)

    def disown(self) -> None:
        """Claims have come to be known as lost."""
        for told in self._told:
            told()

    def renew(self, sent: float) -> None:
        """The broker answered, as a member's in a group that stands, a request that was sent at this time."""
        self._until = max(self._until, sent + self._seconds)
        self.revoked_at = float("-inf")

    def revoke(self) -> None:
        """The broker no longer knows us."""
        self._until = float("-inf")
        self.revoked_at = self._clock()
