"""Which streamers this worker holds: those of its slots, as many as it may, and those it hands over; pure.

A live stream cannot be replayed and a duplicate can be removed by its id, so a streamer that goes to another living
worker is held on to until that one is connected too: a bridge. Times are seconds of one monotonic clock.
"""

from collections.abc import Set
from dataclasses import dataclass, replace

from producer.assignments.claims import Streamer
from producer.assignments.table import CONNECTED, OFFLINE, Status, Table

OVERLAP_SECONDS = 0.5
"""How long a streamer is held on to after its next owner said that it hears the room: what was under way arrives."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A streamer that is held for its next owner."""

    generation: int
    """The generation that took it from us: its next owner reports under this or a later one."""
    until: float


class Holding:
    """What one worker holds. Call `settle` after what changed it."""

    def __init__(self, *, worker: str, max_streams: int, handover_seconds: float) -> None:
        self._worker = worker
        self._max_streams = max_streams
        self._handover_seconds = handover_seconds
        self._owned: frozenset[Streamer] = frozenset()
        """Held by right of a slot."""
        self._bridges: dict[Streamer, Bridge] = {}
        self._states: dict[Streamer, str] = {}
        self._others: dict[Streamer, Status] = {}
        """The newest that other workers said since we began to listen."""
        self._shown: frozenset[Streamer] = frozenset()
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
        return self._owned | self._bridges.keys()

    @property
    def bridged(self) -> Set[Streamer]:
        """Those that are held only until their next owner is connected."""
        return self._bridges.keys()

    def next_deadline(self) -> float | None:
        """When the first bridge ends by itself."""
        return min((bridge.until for bridge in self._bridges.values()), default=None)

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
            bridge = Bridge(generation, now + self._handover_seconds)
            self._bridges.update((streamer, bridge) for streamer in self._owned - ours)
        self._owned &= ours
        self.slots, self.generation = slots, generation
        self.settle(table, now)

    def missed(self, generation: int) -> bool:
        """Whether others may have had our slots before this generation, if we were out of the group.

        Each assignment is a generation of its own: where none lies between, nobody was given anything in between.
        """
        return generation != self.generation + 1

    def reported(self, streamer: Streamer, state: str) -> None:
        """Take in how our own session goes."""
        self._states[streamer] = state

    def heard(self, streamer: Streamer, status: Status | None) -> None:
        """Take in what the status topic says of a streamer, from now on."""
        if status is None:
            self._others.pop(streamer, None)
        elif status.worker != self._worker:
            known = self._others.get(streamer)
            if known is None or status.generation >= known.generation:
                self._others[streamer] = status

    def settle(self, table: Table, now: float) -> None:
        """Work out what is held: of the slots' streamers the most important, and the bridges that still stand."""
        # Among equals those that are held already come first: a name is no reason to break a stream.
        rows = table.enabled(self.slots)
        rows.sort(key=lambda row: (-row.priority, row.streamer not in self._owned, row.streamer))
        self._owned = frozenset(row.streamer for row in rows[: self._max_streams])
        self.unassigned = frozenset(row.streamer for row in rows[self._max_streams :])
        for streamer, bridge in list(self._bridges.items()):
            if streamer not in self.crossed and self._other(streamer, bridge) == CONNECTED:
                until = min(bridge.until, now + OVERLAP_SECONDS)
                self._bridges[streamer] = bridge = replace(bridge, until=until)
                self.crossed.add(streamer)
            if streamer in self._owned or not self._stands(streamer, bridge, table, now):
                del self._bridges[streamer]
        self.crossed -= self._owned

    def _stands(self, streamer: Streamer, bridge: Bridge, table: Table, now: float) -> bool:
        row = table.get(streamer)
        if row is None or not row.enabled or now >= bridge.until or self._states.get(streamer) != CONNECTED:
            return False
        # Where the next owner finds it offline there is nothing to bridge.
        return self._other(streamer, bridge) != OFFLINE

    def _other(self, streamer: Streamer, bridge: Bridge) -> str | None:
        """What the next owner says of it; None before its first word."""
        other = self._others.get(streamer)
        return None if other is None or other.generation < bridge.generation else other.state

    def show(self) -> frozenset[Streamer]:
        """The set for the worker. What it saw leave the set does not come back before it was released."""
        self._leaving |= self._shown - self.held
        self._shown = self.held - self._leaving
        return self._shown

    def released(self, streamer: Streamer) -> None:
        """The session of a streamer has ended."""
        self._leaving.discard(streamer)
        self.fenced.discard(streamer)
        self.crossed.discard(streamer)
        self._states.pop(streamer, None)

    def generation_of(self, streamer: Streamer) -> int:
        """The generation in which we were last a streamer's owner: a bridge must not pass for its next owner."""
        bridge = self._bridges.get(streamer)
        return self.generation if bridge is None else bridge.generation - 1

    def again(self, bridged: Set[Streamer], *, evicted: bool) -> frozenset[Streamer]:
        """Those that had another owner meanwhile, and now are ours again while their session goes on."""
        return (self._owned & self._shown) - self._leaving if evicted else self._owned & bridged
