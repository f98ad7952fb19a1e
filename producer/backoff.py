"""How long to wait before the next attempt: attempts and a random number in, seconds out."""

BASE_SECONDS = 1.0
CAP_SECONDS = 60.0
LATER_SECONDS = 3600.0
BUG_BASE_SECONDS = 240.0
BUG_CAP_SECONDS = 6 * 3600.0


def delay(attempt: int, random: float, *, retry_after_seconds: float | None = None) -> float:
    """Seconds to wait before attempt number `attempt` + 1, given `random` in [0, 1).

    Exponential from one second to sixty, jittered over its upper half, so that rooms which failed together do not
    come back together and none comes back at once. What the other side asked for (Retry-After) is a floor, and gets
    a jitter of a tenth on top, since a whole fleet is told the same number. Where it asked for no wait at all there is
    none, the first time.
    """
    if retry_after_seconds == 0 and attempt == 1:
        return 0.0
    bound = min(CAP_SECONDS, BASE_SECONDS * 2.0 ** min(attempt - 1, 16))
    jittered = bound * (0.5 + random / 2)
    if retry_after_seconds is None:
        return jittered
    return max(jittered, retry_after_seconds * (1 + random / 10))


def later(random: float, *, retry_after_seconds: float | None = None) -> float:
    """Seconds until what somebody must change is tried again, given `random` in [0, 1)."""
    return (retry_after_seconds or LATER_SECONDS) * (1 + random / 10)


def after_bug(bugs: int, random: float) -> float:
    """Seconds to wait after the `bugs`-th bug in a row, given `random` in [0, 1): minutes at first, then hours.

    What our own code did not foresee, it will do again with the same answer, so there is no hurry.
    """
    bound = min(BUG_CAP_SECONDS, BUG_BASE_SECONDS * 2.0 ** min(bugs - 1, 16))
    return bound * (0.5 + random / 2)
