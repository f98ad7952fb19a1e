"""The list of streamers and the arithmetic of sharing it; pure."""

import re
from collections.abc import Iterable, Set
from dataclasses import dataclass
from typing import Any, NewType

from producer.errors import StartRefused

Streamer = NewType("Streamer", str)
"""A normalised unique id: lower case, no @."""

UNIQUE_ID = re.compile(r"[a-z0-9_.]{2,24}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A streamer on the list, with its options."""

    streamer: Streamer
    enabled: bool = True
    priority: int = 0
    """Higher is claimed first where the workers cannot hold all."""


def normalise(name: str) -> Streamer:
    """Normalise a unique id as people write it: with @, in capitals, or as the address of its page.

    Raises ValueError for what cannot be one.
    """
    text = re.sub(r"^https?://(www\.)?tiktok\.com/", "", name.strip(), flags=re.IGNORECASE)
    text = text.split("?")[0].rstrip("/").removesuffix("/live").removeprefix("@").lower()
    if not UNIQUE_ID.fullmatch(text):
        raise ValueError(f"{name!r} is not a unique id (2 to 24 letters, digits, _ and .)")
    return Streamer(text)


def read_list(document: Any, *, source: str) -> tuple[Wanted, ...]:
    """Read a parsed list: `streamers:` with unique ids, or mappings of `unique_id` and options.

    Raises StartRefused with every problem, a line each.
    """
    entries = document.get("streamers") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise StartRefused(f"{source}: expected a mapping with a list `streamers`")
    wanted: dict[Streamer, Wanted] = {}
    problems = [f"unknown key {key!r}" for key in document if key != "streamers"]
    for number, entry in enumerate(entries, 1):
        try:
            item = _entry(entry)
        except ValueError as problem:
            problems.append(f"entry {number}: {problem}")
            continue
        if item.streamer in wanted:
            problems.append(f"entry {number}: {item.streamer} is listed twice")
        wanted[item.streamer] = item
    if problems:
        raise StartRefused("\n".join(f"{source}: {problem}" for problem in problems))
    return tuple(wanted.values())


def _entry(entry: Any) -> Wanted:
    if isinstance(entry, str):
        return Wanted(normalise(entry))
    if not isinstance(entry, dict):
        raise ValueError(f"{entry!r} is neither a unique id nor a mapping (quote a name that YAML reads otherwise)")
    options = dict(entry)
    name = options.pop("unique_id", None)
    if not isinstance(name, str):
        raise ValueError("unique_id is missing or not a text")
    enabled, priority = options.pop("enabled", True), options.pop("priority", 0)
    if not isinstance(enabled, bool):
        raise ValueError(f"{name}: enabled must be true or false, not {enabled!r}")
    if not isinstance(priority, int) or isinstance(priority, bool):
        raise ValueError(f"{name}: priority must be a whole number, not {priority!r}")
    if options:
        raise ValueError(f"{name}: unknown option {', '.join(map(repr, options))}")
    return Wanted(normalise(name), enabled, priority)


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
