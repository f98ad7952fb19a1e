"""What of a key's calls each worker of a fleet may make: shares, lent to whoever needs them; pure.

One worker proposes (the group's leader, since it alone knows the members), and the topic decides: a proposal names the
one that it was made from, and counts only if no other came before it. So all read the same row of grants, whoever wrote
them, and two leaders for a moment do no harm.

A share is so many places (`webcast.doors.places`). A decrease counts as soon as it is read. What it freed is given away
only once its worker has said that it read it, and how many places calls still have: places that were used are lent
when their minute is over. So there are never more places than the key allows, however late somebody reads. A share that
each worker worked out by itself, of what it heard of the others, would need a time after which all have surely heard,
and there is none.
"""

import heapq
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from math import inf

MOST_WORKERS = 10_000
"""That a grant speaks of."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a worker says of itself, as the group's member that it is."""

    member: str
    number: int = 0
    """Of the last grant that it has read, and keeps to."""
    wants: int = 0
    """Places that it has a use for: one for each room that waits, and those whose calls were less than a minute ago."""
    in_a_hurry: int = 0
    """How many of the rooms were heard a moment ago."""
    holds: int = 0
    """Places that it may use, or whose calls were less than a minute ago, whichever are more."""
    held_until: int | None = None
    """Before when the other side asked not to be called, in ms since 1970."""
    was: str | None = None
    """The member that the same process was before; `holds` has its places too."""
    gone: bool = False
    """Whether it has ended: places that were used are free within a minute."""


@dataclass(frozen=True, slots=True)
class Share:
    """A member's."""

    calls: int
    bound: int
    """What it may hold, for all that was known when this was written."""
    number: int
    """The grant since which it has these calls."""


@dataclass(frozen=True, slots=True)
class Grant:
    """The shares of all members, and of those that are gone whose places are not free yet."""

    number: int
    """One more than that of the grant from which it was made."""
    at: int
    """When it was written: ms since 1970, by its writer's clock."""
    shares: Mapping[str, Share]


class Ledger:
    """What was granted, and what the workers said since: as each worker reads it."""

    def __init__(self) -> None:
        self.last: Grant | None = None
        self.needs: dict[str, Need] = {}
        """By worker."""
        self.freed: set[str] = set()
        """Members with shares that have ended, and left no place in use."""

    def granted(self, grant: Grant) -> bool:
        """Take a grant in; say whether it counts."""
        if self.last is not None and grant.number <= self.last.number:
            return False
        self.last = grant
        self.freed &= grant.shares.keys()
        return True

    def said(self, worker: str, need: Need | None) -> None:
        """Take in what a worker said of itself."""
        if need is None:
            self.needs.pop(worker, None)
        else:
            self.needs[worker] = need
            if need.gone and not need.holds and self.of(need.member) is not None:
                self.freed.add(need.member)

    def of(self, member: str) -> Share | None:
        """A member's share; None where it was given none yet."""
        return None if self.last is None else self.last.shares.get(member)

    def next(self, total: int, members: Collection[str], over: Collection[str], *, at: int, turn: int) -> Grant:
        """The grant that follows. `over`: members that are gone, and whose places are free.

        Where there are not enough for each that needs one, `turn` tells whose turn it is.
        """
        number = 1 if self.last is None else self.last.number + 1
        before = {} if self.last is None else {m: s for m, s in self.last.shares.items() if m not in over}
        needs = {need.member: need for need in self.needs.values()}
        ours = sorted(members)
        wanted = self._wanted(total, ours, needs, before, turn)
        bounds = {m: _bound(before.get(m), needs.get(m)) for m in before.keys() | set(ours)}
        calls = {m: min(before[m].calls if m in before else 0, wanted.get(m, 0)) for m in bounds}
        free = total - sum(max(bounds[m], calls[m]) for m in bounds)
        for member in ours:
            has = max(bounds[member], calls[member])
            more = min(max(0, wanted[member] - has), max(0, free))
            calls[member] = max(calls[member], min(wanted[member], has + more))
            free -= more
        shares = {}
        for member, count in calls.items():
            known = before.get(member)
            since = known.number if known is not None and known.calls == count else number
            shares[member] = Share(count, max(bounds[member], count), since)
        return Grant(number, at, shares)

    def _wanted(
        self, total: int, ours: Sequence[str], needs: Mapping[str, Need], before: Mapping[str, Share], turn: int
    ) -> dict[str, int]:
        # Who has said nothing yet may have rooms that wait.
        part = -(-total // max(1, len(ours)))
        said = {m: (need.in_a_hurry, need.wants) if (need := needs.get(m)) else (0, part) for m in ours}
        if sum(wants > 0 for _, wants in said.values()) > total:
            start = turn % len(ours)
            order = [*ours[start:], *ours[:start]]
        else:  # among equals, as it is
            order = sorted(ours, key=lambda m: -before[m].calls if m in before else 0)
        return dict(zip(order, split(total, [said[m] for m in order]), strict=True))


def split(total: int, needs: Sequence[tuple[int, int]]) -> list[int]:
    """Share out places among workers, of which so many rooms are in a hurry, and which want so many places in all.

    First whoever is in a hurry, then whoever wants one, then all; of each whoever has the least, in the order given.
    """
    shares, left = [0] * len(needs), total
    for caps in ([hurry for hurry, _ in needs], [wants for _, wants in needs], [inf] * len(needs)):
        having = [(share, number) for number, share in enumerate(shares) if share < caps[number]]
        heapq.heapify(having)
        while left and having:
            share, number = heapq.heappop(having)
            shares[number], left = share + 1, left - 1
            if share + 1 < caps[number]:
                heapq.heappush(having, (share + 1, number))
    return shares


def part_of(total: int, *, members: int, rank: int) -> int:
    """What a worker may do that hears nothing of the others: its part, as the one of this rank among so many."""
    return total // members + (rank < total % members)


def _bound(share: Share | None, need: Need | None) -> int:
    """What a member may hold at the most."""
    if share is None:
        return need.holds if need is not None else 0
    if need is not None and need.number >= share.number:
        return need.holds
    return max(share.bound, need.holds if need is not None else 0)
