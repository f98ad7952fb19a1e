"""Slots to workers: sticky, even by weight, with few moves; pure.

The leader of the group runs it at every rebalance. What stays where it is matters more than evenness: a stream that
moves costs a connection, and a worker that is a tenth above its part costs nothing.
"""

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from producer.assignments.claims import is_weight
from producer.strangers import integer, json_object, text

TOLERANCE = 0.10
"""Workers within this of their part are left alone."""
GOAL = 0.05
"""Where one is further away, moves go on until all are within this: a little less than what starts them."""

NEWCOMER = 0.25
"""Who has less of its part has come a moment ago."""

ROUNDING = 1e-9
MOST_BYTES = 1024 * 1024
"""Of what a member says of itself; of 10,000 slots it takes about a fifth."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a slot carries: its enabled streamers, and their weight (1 is an ordinary streamer)."""

    streamers: int
    weight: float


@dataclass(frozen=True, slots=True)
class Member:
    """A worker as it presents itself when it joins."""

    id: str
    """The broker's member id: new with every join after an eviction."""
    worker: str
    owned: frozenset[int] = frozenset()
    generation: int = -1
    """The group's generation in which it owned these; of two who claim one slot, the newer is right."""
    capacity: int = 1_000
    """Streamers, at the most; its part of the whole is in proportion."""
    draining: bool = False
    factors: Mapping[int, float] = field(default_factory=dict)
    """What its slots weigh, measured, against what the list says of them; slots not named are as the list says."""


class Why(StrEnum):
    """Why a slot goes to a member; the metrics' `reason` label."""

    ORPHAN = "orphan"
    """Nobody had it, or who had it is gone."""
    DRAIN = "drain"
    """Who had it is about to leave."""
    RELIEF = "relief"
    """Who had it has more streamers than it may hold."""
    EVEN = "even"
    """Who had it had more than its part."""


def assign(
    members: Collection[Member],
    loads: Sequence[Load],
    *,
    most_moves: int,
    evening: bool = True,
    moved: Callable[[int, Why], None] = lambda *_: None,
) -> dict[str, frozenset[int]]:
    """Give every slot (0 to len(loads) - 1) to one member; the result does not depend on the members' order.

    Slots that nobody owns, or that a draining member gives up, are placed at once. Of the others at most `most_moves`
    move, and none where every member is within TOLERANCE of its part and none has more streamers than it may hold.
    The result, given back as what is owned, is the result again, unless `most_moves` cut it short. Without `evening`
    nothing moves only to make shares even. `moved` is told of each slot that goes to somebody new.
    """
    active = [member for member in members if not member.draining] or list(members)
    active.sort(key=lambda member: member.id)
    shares = _Shares(active, loads)
    owners = _owners(active, len(loads))
    for slot, owner in owners.items():
        shares.give(slot, owner)
    orphans = [slot for slot in range(len(loads)) if slot not in owners]
    drained = {slot for member in members if member.draining for slot in member.owned}
    successor = shares.successor() if drained else None
    for slot in sorted(orphans, key=lambda slot: (-shares.weights[slot], slot)):
        shares.give(slot, shares.best_for(slot, first=successor if slot in drained else None))
        moved(slot, Why.DRAIN if slot in drained else Why.ORPHAN)
    for _, (slot, giver, taker, why) in zip(range(most_moves), _moves(shares, evening=evening), strict=False):
        shares.take(slot, giver)
        shares.give(slot, taker)
        moved(slot, why)
    given = {member.id: frozenset(shares.slots.get(member.id, ())) for member in members}
    return dict(sorted(given.items()))


def _owners(members: Sequence[Member], slots: int) -> dict[int, str]:
    """Who owns each slot already. After a stall two may think so: the newer generation is right."""
    owners: dict[int, str] = {}
    for member in sorted(members, key=lambda member: member.generation):
        owners.update((slot, member.id) for slot in member.owned if slot < slots)
    return owners


class _Shares:
    """Who has what, while it is being decided."""

    def __init__(self, members: Sequence[Member], loads: Sequence[Load]) -> None:
        self.loads = loads
        self.any_loaded = any(load.streamers for load in loads)
        # An empty slot weighs nothing beside one with streamers; where all are empty, they are shared by number.
        self.weights = [load.weight if load.streamers or not self.any_loaded else 0.0 for load in loads]
        if not self.any_loaded:
            self.weights = [1.0] * len(loads)
        self.ids = [member.id for member in members]
        self.capacity = {member.id: max(1, member.capacity) for member in members}
        total, capacity = sum(self.weights), sum(self.capacity.values())
        # Weights can be so small that a part of them is nothing.
        self.part = {name: max(total * of / capacity, sys.float_info.min) for name, of in self.capacity.items()}
        self.slots: dict[str, set[int]] = {name: set() for name in self.ids}
        self.weight = dict.fromkeys(self.ids, 0.0)
        self.streamers = dict.fromkeys(self.ids, 0)

    def give(self, slot: int, member: str) -> None:
        self.slots[member].add(slot)
        self.weight[member] += self.weights[slot]
        self.streamers[member] += self.loads[slot].streamers

    def take(self, slot: int, member: str) -> None:
        self.slots[member].remove(slot)
        self.weight[member] -= self.weights[slot]
        self.streamers[member] -= self.loads[slot].streamers

    def level(self, member: str, more: float = 0.0) -> float:
        """What a member has of its part; 1 is exactly its part."""
        return (self.weight[member] + more) / self.part[member]

    def room(self, member: str) -> int:
        """How many more streamers a member may hold; below zero where it has too many."""
        return self.capacity[member] - self.streamers[member]

    def successor(self) -> str | None:
        """Who has come to take the place of one that leaves: the emptiest, if it has hardly anything.

        What another one took of it would move again when that one leaves, in a rolling deployment soon.
        """
        emptiest = min(self.ids, key=lambda name: (self.level(name), name))
        return emptiest if self.level(emptiest) < NEWCOMER else None

    def best_for(self, slot: int, *, first: str | None = None) -> str:
        """Who should take a slot that is nobody's: `first`, as far as it is not too much for that one."""
        streamers, weight = self.loads[slot].streamers, self.weights[slot]
        if first is not None and self.room(first) >= streamers and self.level(first, weight) <= 1.0 + TOLERANCE:
            return first
        if not weight:
            return min(self.ids, key=lambda name: (len(self.slots[name]) / self.capacity[name], name))
        return min(self.ids, key=lambda name: (self.room(name) < streamers, self.level(name, weight), name))


def _moves(shares: _Shares, *, evening: bool) -> Iterator[tuple[int, str, str, Why]]:
    """Yield moves (slot, from, to, why), each decided after the one before it was made, until nothing needs to move.

    It ends: relief lowers the number of streamers that nobody may hold, evening never raises it and lowers the higher
    of two levels.
    """
    uneven = False
    while True:
        move, why = _relief(shares), Why.RELIEF
        if move is None and evening:
            uneven = uneven or any(_beyond(shares.level(name), TOLERANCE) for name in shares.ids)
            move, why = _evening(shares) if uneven else None, Why.EVEN
        if move is None:
            return
        yield *move, why


def _beyond(level: float, distance: float) -> bool:
    return abs(level - 1.0) > distance + ROUNDING


def _relief(shares: _Shares) -> tuple[int, str, str] | None:
    """A slot of a member that has more streamers than it may hold, to one that has room for it."""
    for giver in sorted(shares.ids, key=lambda name: (shares.room(name), name)):
        excess = -shares.room(giver)
        if excess <= 0:
            return None
        for taker in sorted(shares.ids, key=lambda name: (shares.level(name), name)):
            room = shares.room(taker)
            fitting = [slot for slot in shares.slots[giver] if 0 < shares.loads[slot].streamers <= room]
            if fitting:
                return min(fitting, key=lambda slot: (abs(shares.loads[slot].streamers - excess), slot)), giver, taker
    return None


def _evening(shares: _Shares) -> tuple[int, str, str] | None:
    """A slot from one of those who have most to one of those who have least, if that leaves the two more even."""
    by_level = sorted(shares.ids, key=lambda name: (shares.level(name), name))
    for giver in reversed(by_level):
        for taker in by_level:
            high, low = shares.level(giver), shares.level(taker)
            if high <= low:
                break
            if high <= 1.0 + GOAL and low >= 1.0 - GOAL:
                continue
            slot = _fitting(shares, giver, taker)
            if slot is not None:
                return slot, giver, taker
    return None


def _fitting(shares: _Shares, giver: str, taker: str) -> int | None:
    """Of the giver's slots that may go, the one nearest to what it has too much and the taker too little."""
    wanted = min(shares.weight[giver] - shares.part[giver], shares.part[taker] - shares.weight[taker])
    fitting = [
        slot
        for slot in shares.slots[giver]
        if (shares.loads[slot].streamers or not shares.any_loaded)
        and shares.loads[slot].streamers <= shares.room(taker)
        and shares.level(taker, shares.weights[slot]) < shares.level(giver) - ROUNDING
    ]
    return min(fitting, key=lambda slot: (abs(shares.weights[slot] - wanted), slot), default=None)


def protocol(list_topic: str, slots: int) -> str:
    """Name the group's protocol. A group is one fleet's: by the topic and slots in it, the broker refuses others."""
    return f"weighted-sticky-v1:{list_topic}:{slots}"


def encode_member(member: Member) -> bytes:
    """What a member says of itself when it joins, as JSON."""
    return json.dumps(
        {
            "worker": member.worker,
            "owned": sorted(member.owned),
            "generation": member.generation,
            "capacity": member.capacity,
            "draining": member.draining,
            "factors": {str(slot): round(factor, 3) for slot, factor in sorted(member.factors.items())},
        },
        separators=(",", ":"),
    ).encode()


def decode_member(member_id: str, data: bytes) -> Member:
    """Read what a member says of itself; unknown keys are a newer worker's. Raises ValueError: it is none of ours."""
    try:
        said = json_object(data, most_bytes=MOST_BYTES)
        worker, draining = text(said.get("worker")), said.get("draining")
        generation, capacity = integer(said.get("generation"), least=-1), integer(said.get("capacity"))
        owned, factors = said.get("owned"), said.get("factors", {})
        if worker is None or generation is None or capacity is None or not isinstance(draining, bool):
            raise ValueError("it does not say what each says")
        if not isinstance(owned, list) or not all(integer(slot, least=0) is not None for slot in owned):
            raise ValueError("it does not say which slots it owns")
        if not isinstance(factors, dict):
            raise ValueError("it does not say what its slots weigh")
        weights = {int(slot): float(factor) for slot, factor in factors.items() if is_weight(factor)}
    except ValueError as cause:
        raise ValueError(f"member {member_id} says of itself what cannot be read: {cause}") from cause
    return Member(member_id, worker, frozenset(owned), generation, capacity, draining, weights)


def encode_place(rank: int, members: int) -> bytes:
    """What each member is told beside its slots: which of the members it is."""
    return json.dumps([rank, members]).encode()


def decode_place(data: bytes) -> tuple[int | None, int]:
    """Read a rank, and of how many; None and 0 where an older worker leads, or another program."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return None, 0
    if not isinstance(said, list) or len(said) != 2:
        return None, 0
    rank, members = (integer(each, least=0) for each in said)
    return (rank, members) if rank is not None and members is not None and rank < members else (None, 0)
