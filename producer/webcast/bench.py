"""Which route a room takes, and which are left alone since their proxies failed; pure but for its log.

A room keeps to one route by a hash of both names, so that nothing is told or remembered, and a route that is left alone
moves its own rooms and no other. Only a proxy that cannot be passed is left alone. What TikTok refuses is waited for
where it was refused.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence

from producer import logs

BENCH_SECONDS = 600.0


def choose(room: str, routes: Sequence[str], failed: Mapping[str, float], now: float) -> str:
    """The route of a room, by name; `failed`: when each failed last. Where all did lately, the one that did first."""
    sound = [route for route in routes if not _benched(route, failed, now)]
    if not sound:
        return min(routes, key=failed.__getitem__)
    return max(sound, key=lambda route: hashlib.sha256(f"{route} {room}".encode()).digest())


def _benched(route: str, failed: Mapping[str, float], now: float) -> bool:
    return route in failed and now - failed[route] < BENCH_SECONDS


class Bench:
    """All routes of one worker, by name."""

    def __init__(self, routes: Sequence[str], clock: Callable[[], float], benched: Callable[[str], None]) -> None:
        """`benched` is told each that is left alone from now on."""
        self._routes = routes
        self._clock = clock
        self._told = benched
        self._failed: dict[str, float] = {}
        self._log = logs.get()

    def choose(self, room: str) -> str:
        """The route of a room."""
        return choose(room, self._routes, self._failed, self._clock())

    def benched(self, route: str) -> bool:
        """Whether a route is left alone."""
        return _benched(route, self._failed, self._clock())

    def fail(self, route: str, detail: str) -> None:
        """A route's proxy failed."""
        if not self.benched(route):
            self._log.error("egress benched", egress=route, detail=detail, seconds=BENCH_SECONDS)
            self._told(route)
        self._failed[route] = self._clock()
