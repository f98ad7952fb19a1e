"""The list of streamers and the arithmetic of sharing it; pure."""

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import NewType

Streamer = NewType("Streamer", str)
"""A normalised unique id: lower case, no @."""

UNIQUE_ID = re.compile(r"[a-z0-9_.]{2,24}")
MOST_WEIGHT = 1e6


@dataclass(frozen=True, slots=True)
class Wanted:
    """A streamer on the list, with its options."""

    streamer: Streamer
    enabled: bool = True
    priority: int = 0
    """Higher is claimed first where the workers cannot hold all."""
    weight: float = 1.0
    """What it costs beside an ordinary streamer; workers that share by weight even it out."""


def normalise(name: str) -> Streamer:
    """Normalise a unique id as people write it: with @, in capitals, or as the address of its page.

    Raises ValueError for what cannot be one.
    """
    text = re.sub(r"^https?://(www\.)?tiktok\.com/", "", name.strip(), flags=re.IGNORECASE)
    text = text.split("?")[0].rstrip("/").removesuffix("/live").removeprefix("@").lower()
    if not UNIQUE_ID.fullmatch(text):
        raise ValueError(f"{name!r} is not a unique id (2 to 24 letters, digits, _ and .)")
    return Streamer(text)


def is_weight(value: object) -> bool:
    """Whether something that was read can be a weight."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST_WEIGHT


def share(streamers: int, *, workers: int, most: int) -> int:
    """How many streamers one of several workers should hold."""
    return min(most, -(-streamers // max(1, workers)))


def to_release(held: Set[Streamer], wanted: Iterable[Wanted], *, target: int, most_at_once: int = 1) -> set[Streamer]:
    """Which claims to give up: all that are no longer wanted, and a few of a surplus.

    A surplus goes slowly, the least important first: each hand-over costs a connection.
    """
    enabled = {item.streamer: item.priority for item in wanted if item.enabled}
    unwanted = set(held - enabled.keys())
    kept = sorted(held & enabled.keys(), key=lambda streamer: (enabled[streamer], streamer))
    surplus = max(0, len(kept) - target)
    return unwanted | set(kept[: min(surplus, most_at_once)])


def candidates(held: Set[Streamer], wanted: Iterable[Wanted]) -> list[Streamer]:
    """What to try to claim, the most important first."""
    free = (item for item in wanted if item.enabled and item.streamer not in held)
    return [item.streamer for item in sorted(free, key=lambda item: (-item.priority, item.streamer))]
