"""Which way out a room goes, and which ways are left alone since their proxies failed; pure but for its log.

A room keeps to one way by a hash of both names, so that nothing is told or remembered, and a way that is left alone
moves its own rooms and no other. Only a proxy that cannot be passed is left alone. What TikTok refuses is waited for
where it was refused.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from producer import logs

BENCH_SECONDS = 600.0


def choose(room: str, ways: Sequence[str], failed: Mapping[str, float], now: float) -> str:
    """The way of a room, by name; `failed`: when each failed last. Where all did lately, the one that did first."""
    sound = [way for way in ways if not _benched(way, failed, now)]
    if not sound:
        return min(ways, key=failed.__getitem__)
    return max(sound, key=lambda way: hashlib.sha256(f"{way} {room}".encode()).digest())


def _benched(way: str, failed: Mapping[str, float], now: float) -> bool:
    return way in failed and now - failed[way] < BENCH_SECONDS


class Bench:
    """All ways of one worker, by name."""

    def __init__(self, ways: Sequence[str], clock: Callable[[], float], benched: Callable[[str], None]) -> None:
        """`benched` is told each that is left alone from now on."""
        self._ways = ways
        self._clock = clock
        self._told = benched
        self._failed: dict[str, float] = {}
        self._log = logs.get()

    def choose(self, room: str) -> str:
        """The way of a room."""
        return choose(room, self._ways, self._failed, self._clock())

    def benched(self, way: str) -> bool:
        """Whether a way is left alone."""
        return _benched(way, self._failed, self._clock())

    def fail(self, way: str, detail: str) -> None:
        """A way's proxy failed."""
        if not self.benched(way):
            self._log.error("egress benched", egress=way, detail=detail, seconds=BENCH_SECONDS)
            self._told(way)
        self._failed[way] = self._clock()
