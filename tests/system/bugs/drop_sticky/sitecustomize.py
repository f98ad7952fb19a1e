"""A planted bug: the assignor deals the slots out anew at each rebalance."""

from collections.abc import Collection, Sequence
from typing import Any

from producer.assignments import assignor
from producer.assignments.assignor import Load, Member


def _deal(members: Collection[Member], loads: Sequence[Load], **_: Any) -> dict[str, frozenset[int]]:
    ids = sorted(member.id for member in members)
    first = len(ids) % 2  # from another place each time that one joins
    return {each: frozenset(range((place - first) % len(ids), len(loads), len(ids))) for place, each in enumerate(ids)}


assignor.assign = _deal
