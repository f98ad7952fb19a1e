"""Which streamers this worker holds: those of its slots, as many as it may, and those it hands over; pure.

A live stream cannot be replayed and a duplicate can be removed by its id, so a streamer that goes to another living
worker is held on to until that one is connected too: a bridge. It ends where nothing is heard of the next owner for
a while; it lasts longer where that one says that it is on the way in, for it may have to wait until it may call.

Times are seconds of one monotonic clock.

Thousands are handed over at a time, and each of them is spoken of several times meanwhile: what one word costs does not
depend on how many there are.
"""

import heapq
from collections.abc import Collection, Set
from dataclasses import dataclass, replace

from producer.assignments.claims import Streamer
from producer.assignments.table import CONNECTED, OFFLINE, Status, Table, slot_of

OVERLAP_SECONDS = 0.5
"""How long a streamer is held on to after its next owner said that it hears the room: what was under way arrives."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A streamer that is held for its next owner."""

    generation: int
    """The generation that took it from us: its next owner reports under this or a later one."""
    until: float
    last: float
    """After which it is not held any more, whatever the next owner says."""
    word: int = -1
    """When the next owner said last that it is on the way in, as it said it."""


class Holding:
    """What one worker holds. Call `settle` after what changed it."""

    def __init__(self, *, worker: str, max_streams: int, handover_seconds: float, longest_seconds: float = 0.0) -> None:
        """`longest_seconds`: how long a streamer is held for who says that it is on the way in."""
        self._worker = worker
        self._max_streams = max_streams
        self._handover_seconds = handover_seconds
        self._longest_seconds = max(handover_seconds, longest_seconds)
        self._owned: set[Streamer] = set()
        """Held by right of a slot."""
        self._bridges: dict[Streamer, Bridge] = {}
        self._ends: list[tuple[float, Streamer]] = []
        """A heap of when bridges end by themselves. One that ended otherwise, or ends earlier, is still in it."""
        self._touched: set[Streamer] = set()
        """Of whom something came to be known since it was settled."""
        self._states: dict[Streamer, str] = {}
        self._others: dict[Streamer, Status] = {}
        """The newest that other workers said since we began to listen."""
        self._shown: frozenset[Streamer] = frozenset()
        self._stale = False
        """Whether something else may be held than was shown."""
        self._leaving: set[Streamer] = set()
        self.slots: frozenset[int] = frozenset()
        self.generation = -1
        self.unassigned: frozenset[Streamer] = frozenset()
        """Wanted in our slots, and more than we may hold."""
        self.crossed: set[Streamer] = set()
        """Those whose next owner hears the room, until they are released or ours again."""
        self.fenced: set[Streamer] = set()
        """Lost while we could not know, and not released yet."""
        self.fenced_total = 0

    @property
    def held(self) -> frozenset[Streamer]:
        """All that is held, bridges too."""
        return frozenset(self._owned | self._bridges.keys())

    @property
    def bridged(self) -> Set[Streamer]:
        """Those that are held only until their next owner is connected."""
        return self._bridges.keys()

    def next_deadline(self) -> float | None:
        """When the first bridge ends by itself."""
        while self._ends and self._ends[0][1] not in self._bridges:
            heapq.heappop(self._ends)
        return self._ends[0][0] if self._ends else None

    def assigned(self, slots: frozenset[int], generation: int, table: Table, *, evicted: bool, now: float) -> None:
        """Take in a new assignment. `evicted`: we were out of the group, and others may have had our slots."""
        if generation <= self.generation:
            self._others.clear()  # the group began anew, and its generations with it
        ours = {row.streamer for row in table.enabled(slots)}
        if evicted:
            # Only those with a session: it is what must end before the streamer may be held again.
            lost = (self.held - ours) & self._shown
            self.fenced |= lost
            self.fenced_total += len(lost)
            self._leaving |= lost
            self._bridges.clear()
        else:
            bridge = Bridge(generation, now + self._handover_seconds, now + self._longest_seconds)
            bridged = self._owned - ours
            self._bridges.update(dict.fromkeys(bridged, bridge))
            self._ends.extend((bridge.until, streamer) for streamer in bridged)
            heapq.heapify(self._ends)
        self._owned &= ours
        self.slots, self.generation = slots, generation
        self.listed(table, None)
        self.settle(table, now)

    def missed(self, generation: int) -> bool:
        """Whether others may have had our slots before this generation, if we were out of the group.

        Each assignment is a generation of its own: where none lies between, nobody was given anything in between.
        """
        return generation != self.generation + 1

    def listed(self, table: Table, changed: Collection[Streamer] | None) -> None:
        """Take in that the rows of some streamers changed; None: those of any."""
        if changed is None:
            self._rank(table)
            changed = {*self._bridges, *self._others}
        else:
            self._revise(table, changed)
        self.crossed -= self._owned
        self._touched.update(self._bridges.keys() & changed)
        for streamer in self._others.keys() & changed:
            if table.get(streamer) is None:
                del self._others[streamer]
        self._stale = True

    def reported(self, streamer: Streamer, state: str) -> None:
        """Take in how our own session goes."""
        self._states[streamer] = state
        self._touch(streamer)

    def heard(self, streamer: Streamer, status: Status | None) -> None:
        """Take in what the status topic says of a streamer, from now on."""
        if status is None:
            self._others.pop(streamer, None)
        elif status.worker != self._worker:
            known = self._others.get(streamer)
            if known is None or status.generation >= known.generation:
                self._others[streamer] = status
                self._touch(streamer)

    def settle(self, table: Table, now: float) -> None:
        """Work out which bridges still stand: of those of whom something came to be known, and whose time is over."""
        while self._ends and self._ends[0][0] <= now:
            self._touched.add(heapq.heappop(self._ends)[1])
        while self._touched:
            streamer = self._touched.pop()
            if streamer in self._bridges:
                self._look_at(streamer, self._bridges[streamer], table, now)

    def _touch(self, streamer: Streamer) -> None:
        if streamer in self._bridges:
            self._touched.add(streamer)

    def _rank(self, table: Table) -> None:
        """Own the slots' streamers; where they are too many, the most important of them."""
        rows = table.enabled(self.slots)
        if len(rows) > self._max_streams:
            # Among equals those that are held already come first: a name is no reason to break a stream.
            rows.sort(key=lambda row: (-row.priority, row.streamer not in self._owned, row.streamer))
        self._owned = {row.streamer for row in rows[: self._max_streams]}
        self.unassigned = frozenset(row.streamer for row in rows[self._max_streams :])

    def _revise(self, table: Table, changed: Collection[Streamer]) -> None:
        """Own what some rows have become; where there may be too many, as `_rank` does."""
        rows = [row for row in map(table.get, changed) if row is not None and row.enabled]
        ours = {row.streamer for row in rows if slot_of(row.streamer, table.slots) in self.slots}
        if self.unassigned or len(self._owned) + len(ours) > self._max_streams:
            self._rank(table)
        else:
            self._owned.difference_update(changed)
            self._owned |= ours

    def _look_at(self, streamer: Streamer, bridge: Bridge, table: Table, now: float) -> None:
        if streamer in self._owned:
            del self._bridges[streamer]
            return
        other = self._other(streamer, bridge)
        if other is not None and other.going_in is not None and other.going_in > bridge.word:
            until = max(bridge.until, min(bridge.last, now + self._handover_seconds))
            bridge = replace(bridge, until=until, word=other.going_in)
            self._bridges[streamer] = bridge
            heapq.heappush(self._ends, (bridge.until, streamer))
        if streamer not in self.crossed and other is not None and other.state == CONNECTED:
            bridge = replace(bridge, until=min(bridge.until, now + OVERLAP_SECONDS))
            self._bridges[streamer] = bridge
            heapq.heappush(self._ends, (bridge.until, streamer))
            self.crossed.add(streamer)
        if not self._stands(streamer, bridge, table, now):
            del self._bridges[streamer]
            self._stale = True

    def _stands(self, streamer: Streamer, bridge: Bridge, table: Table, now: float) -> bool:
        row = table.get(streamer)
        if row is None or not row.enabled or now >= bridge.until or self._states.get(streamer) != CONNECTED:
            return False
        # Where the next owner finds it offline there is nothing to bridge.
        other = self._other(streamer, bridge)
        return other is None or other.state != OFFLINE

    def _other(self, streamer: Streamer, bridge: Bridge) -> Status | None:
        """What the next owner says of it; None before its first word."""
        other = self._others.get(streamer)
        return None if other is None or other.generation < bridge.generation else other

    def show(self) -> frozenset[Streamer]:
        """The set for the worker, the same one while it is the same.

        What the worker saw leave the set does not come back before it was released.
        """
        if self._stale:
            self._stale = False
            held = self.held
            self._leaving |= self._shown - held
            if (shown := held - self._leaving) != self._shown:
                self._shown = shown
        return self._shown

    def released(self, streamer: Streamer) -> None:
        """The session of a streamer has ended."""
        self._stale |= streamer in self._leaving
        self._leaving.discard(streamer)
        self.fenced.discard(streamer)
        self.crossed.discard(streamer)
        self._states.pop(streamer, None)
        self._touch(streamer)

    def generation_of(self, streamer: Streamer) -> int:
        """The generation in which we were last a streamer's owner: a bridge must not pass for its next owner."""
        bridge = self._bridges.get(streamer)
        return self.generation if bridge is None else bridge.generation - 1

    def again(self, bridged: Set[Streamer], *, evicted: bool) -> frozenset[Streamer]:
        """Those that had another owner meanwhile, and now are ours again while their session goes on."""
        return frozenset((self._owned & self._shown) - self._leaving if evicted else self._owned & bridged)
