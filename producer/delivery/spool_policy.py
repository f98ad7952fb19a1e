"""Which records a spool takes that is getting full; pure."""

from collections.abc import Callable
from dataclasses import dataclass

from producer.events import schemas

PRECIOUS_EVENTS = ("connect", "disconnect", "gift", "gift_finalized", "live_end", "live_start")
"""Worth money, or what tells the parts of a session apart: the last to be refused."""

Admits = Callable[[str, int], bool]
"""Whether a record of this topic still goes in, given the bytes held with it."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """A part of the space is kept for precious topics; every other topic finds the spool full before it."""

    max_bytes: int
    precious: frozenset[str]
    share: float = 0.25
    """The part that is kept, between 0 and 1."""

    def __call__(self, topic: str, held_bytes: int) -> bool:
        """Whether a record of this topic goes in, if `held_bytes` are held then."""
        limit = self.max_bytes if topic in self.precious else int(self.max_bytes * (1 - self.share))
        return held_bytes <= limit


def precious_topics(prefix: str) -> frozenset[str]:
    """The topics of PRECIOUS_EVENTS."""
    events = schemas.events()
    return frozenset(events[name].topic(prefix) for name in PRECIOUS_EVENTS)
