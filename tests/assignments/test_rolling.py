"""Rolling deployments, in virtual time: how often a streamer moves until all workers are new ones."""

import json
import math
from collections.abc import Callable

import pytest

from producer.assignments.assignor import Member, encode_member
from producer.assignments.claims import Streamer
from producer.assignments.leading import Leader
from producer.assignments.table import Table, slot_of

SLOTS, STREAMERS = 128, 2_000
STILL = 60.0


class Fleet:
    """Workers that join, drain and leave; the leader shares out whenever one does."""

    def __init__(self, *, still: float = STILL, slots: int = SLOTS) -> None:
        self.now = 0.0
        self.table = Table(slots)
        for number in range(STREAMERS):
            name = f"streamer_{number:04}"
            slot = slot_of(Streamer(name), slots)
            self.table.apply(slot, number, name.encode(), json.dumps({}).encode())
        self.leader = Leader(lambda: self.table, still_seconds=still, clock=lambda: self.now)
        self.members: dict[str, Member] = {}

    def _shared(self) -> None:
        shares = self.leader.plan({name: encode_member(member) for name, member in self.members.items()})
        self.members = {
            name: Member(name, name, shares[name], draining=member.draining) for name, member in self.members.items()
        }

    def joins(self, name: str) -> None:
        self.members[name] = Member(name, name)
        self._shared()

    def leaves(self, name: str) -> None:
        self.members[name] = Member(name, name, self.members[name].owned, draining=True)
        self._shared()
        assert not self.members.pop(name).owned
        self._shared()

    def passes(self, seconds: float) -> None:
        """Time in which the leader looks every 5 s whether shares are even."""
        until = self.now + seconds
        while self.now < until:
            self.now += 5.0
            if self.leader.is_uneven():
                self._shared()

    @property
    def moved(self) -> float:
        """How often a streamer moved, on average."""
        return self.leader.moves.total() / STREAMERS

    @property
    def spread(self) -> float:
        """How far the largest share is above its part."""
        held = [sum(len(self.table.rows(slot)) for slot in member.owned) for member in self.members.values()]
        return max(held) * len(held) / STREAMERS


def started(workers: int, *, still: float = STILL, slots: int = SLOTS) -> Fleet:
    fleet = Fleet(still=still, slots=slots)
    for number in range(workers):
        fleet.joins(f"old-{number}")
    fleet.passes(200)
    fleet.leader.moves.clear()
    return fleet


def as_deployment(fleet: Fleet, number: int) -> None:
    fleet.joins(f"new-{number}")
    fleet.passes(20)
    fleet.leaves(f"old-{number}")


def as_stateful_set(fleet: Fleet, number: int) -> None:
    fleet.leaves(f"old-{number}")
    fleet.passes(20)
    fleet.joins(f"new-{number}")


@pytest.mark.parametrize("workers", [4, 8, 16])
@pytest.mark.parametrize(("rolls", "most"), [(as_deployment, 1.0), (as_stateful_set, 1.5)])
def test_each_streamer_moves_once_in_a_rolling_deployment(
    workers: int, rolls: Callable[[Fleet, int], None], most: float
) -> None:
    fleet = started(workers)
    for number in range(workers):
        rolls(fleet, number)
        fleet.passes(20)
    fleet.passes(200)

    print(f"{rolls.__name__}, {workers} workers: {fleet.moved:.2f} moves a streamer, {dict(fleet.leader.moves)}")
    assert fleet.moved >= 0.99, "all workers are new"
    assert fleet.moved <= most
    assert fleet.spread <= 1.1


@pytest.mark.parametrize(("workers", "turns"), [(2, 2), (8, 4), (50, 4)])
def test_so_it_does_a_quarter_of_the_workers_at_a_time(workers: int, turns: int) -> None:
    fleet = started(workers, slots=512)
    began = fleet.now
    surge = math.ceil(workers / 4)  # Kubernetes rounds maxSurge up
    for first in range(0, workers, surge):
        turn = range(first, min(first + surge, workers))
        for number in turn:
            fleet.joins(f"new-{number}")
        fleet.passes(25)
        for number in turn:
            fleet.leaves(f"old-{number}")
    took = fleet.now - began
    fleet.passes(200)

    print(f"{workers} workers, {surge} at a time, in {took:.0f} s: {fleet.moved:.2f} moves a streamer")
    assert took == turns * 25
    assert 0.99 <= fleet.moved <= 1.0
    assert fleet.spread <= 1.1


def test_so_it_does_in_one_that_begins_while_the_fleet_is_young() -> None:
    fleet = Fleet()
    for number in range(4):
        fleet.joins(f"old-{number}")
        fleet.passes(5)
    fleet.passes(15)
    fleet.leader.moves.clear()
    for number in range(4):
        fleet.joins(f"new-{number}")
        fleet.leaves(f"old-{number}")
    fleet.passes(200)

    assert fleet.moved <= 1.25, "a worker that came before the first one left was made even with"


def test_without_a_time_to_be_still_each_moves_more() -> None:
    fleet = started(8, still=0.0)
    for number in range(8):
        as_deployment(fleet, number)
        fleet.passes(20)

    assert fleet.moved > 1.3


def test_a_worker_that_joins_has_its_part_once_the_fleet_is_still() -> None:
    fleet = started(4)
    fleet.joins("fifth")
    fleet.passes(55)
    assert not fleet.members["fifth"].owned
    fleet.passes(100)

    assert 0.9 * STREAMERS / 5 <= fleet.moved * STREAMERS <= 1.3 * STREAMERS / 5
    assert fleet.leader.moves.keys() == {"even"}


def test_a_fleet_that_starts_is_even_at_once() -> None:
    fleet = Fleet()
    for number in range(4):
        fleet.joins(f"worker-{number}")
        fleet.passes(5)
    fleet.passes(15)

    assert fleet.now < STILL
    assert fleet.spread <= 1.1
