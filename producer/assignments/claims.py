"""The list of streamers and the arithmetic of sharing it; pure."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from heapq import nsmallest
from typing import NewType

Streamer = NewType("Streamer", str)
"""A normalised unique id: lower case, no @."""

UNIQUE_ID = re.compile(r"[a-z0-9_.]{2,24}")
DOOR = re.compile(r"[a-z][a-z0-9_]{0,31}")
SESSION = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""The name of a file in a folder, and of nothing outside of it."""
LABEL = re.compile(r"[a-z][a-z0-9_]{0,62}")
"""The name of a label."""
MOST_DOORS = 16
MOST_LABELS = 16
MOST_LABEL_LETTERS = 200
"""Of a label's value, which is one line."""
_LABEL_VALUE = re.compile(rf"[^\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]{{1,{MOST_LABEL_LETTERS}}}")
MOST_WEIGHT = 1e6
MOST_PRIORITY = 10**9
"""Either way of 0."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A streamer on the list, with its options."""

    streamer: Streamer
    enabled: bool = True
    priority: int = 0
    """Higher is claimed first where the workers cannot hold all."""
    weight: float = 1.0
    """What it costs beside an ordinary streamer; workers that share by weight even it out."""
    doors: tuple[str, ...] = ()
    """The doors that it goes by, in their order; empty for the worker's own."""
    room_id: int | None = None
    """Of a room that is asked for by its id where its name tells nothing."""
    session: str | None = None
    """Names the session of an account that may watch it."""
    user_id: int | None = None
    """Whose name it is meant to be: a name may change hands, a number does not."""
    labels: tuple[tuple[str, str], ...] = ()
    """What whoever keeps the list says of it, by name and sorted; nothing here asks what it means."""
    unusable: tuple[str, ...] = ()
    """Options of a record that say nothing that could be meant; they are as if they were not there."""


def normalise(name: str) -> Streamer:
    """Normalise a unique id as people write it: with @, in capitals, or as the address of its page.

    Raises ValueError for what cannot be one.
    """
    text = re.sub(r"^https?://(www\.)?tiktok\.com/", "", name.strip(), flags=re.IGNORECASE)
    text = text.split("?")[0].rstrip("/").removesuffix("/live").removeprefix("@").lower()
    if not UNIQUE_ID.fullmatch(text):
        raise ValueError(f"{name!r:.100} is not a unique id (2 to 24 letters, digits, _ and .)")
    return Streamer(text)


def is_weight(value: object) -> bool:
    """Whether something that was read can be a weight."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= MOST_WEIGHT


def is_priority(value: object) -> bool:
    """Whether something that was read can be a priority."""
    return type(value) is int and abs(value) <= MOST_PRIORITY


def is_doors(value: object) -> bool:
    """Whether something that was read can be doors in their order: names, each of them once."""
    return (
        isinstance(value, Sequence)
        and all(isinstance(name, str) and DOOR.fullmatch(name) for name in value)
        and len(set(value)) == len(value) <= MOST_DOORS
    )


def is_labels(value: object) -> bool:
    """Whether something that was read can be labels: texts of one line by name."""
    return (
        isinstance(value, Mapping)
        and len(value) <= MOST_LABELS
        and all(
            isinstance(name, str) and LABEL.fullmatch(name) and isinstance(said, str) and _LABEL_VALUE.fullmatch(said)
            for name, said in value.items()
        )
    )


def sorted_labels(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Labels as `Wanted` has them."""
    return tuple(sorted(labels.items()))


def is_session(value: object) -> bool:
    """Whether something that was read can name a session."""
    return isinstance(value, str) and SESSION.fullmatch(value) is not None


def share(streamers: int, *, workers: int, most: int) -> int:
    """How many streamers one of several workers should hold."""
    return min(most, -(-streamers // max(1, workers)))


def ranked(wanted: Iterable[Wanted]) -> dict[Streamer, int]:
    """The enabled streamers with their priorities, the most important first, then by name."""
    enabled = sorted((-item.priority, item.streamer) for item in wanted if item.enabled)
    return {streamer: -below for below, streamer in enabled}


def to_release(
    held: Set[Streamer], ranking: Mapping[Streamer, int], *, target: int, most_at_once: int = 1
) -> set[Streamer]:
    """Which claims to give up: all that are no longer wanted, and a few of a surplus.

    A surplus goes slowly, the least important first: each hand-over costs a connection.
    """
    unwanted = {streamer for streamer in held if streamer not in ranking}
    surplus = max(0, len(held) - len(unwanted) - target)
    least = nsmallest(min(surplus, most_at_once), held - unwanted, key=lambda streamer: (ranking[streamer], streamer))
    return unwanted | set(least)


def candidates(held: Set[Streamer], ranking: Mapping[Streamer, int]) -> list[Streamer]:
    """What to try to claim, the most important first."""
    return [streamer for streamer in ranking if streamer not in held]
