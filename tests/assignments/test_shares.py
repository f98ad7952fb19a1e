"""producer.assignments.shares: what of a key's calls each worker may make, whoever reads what how late."""

from collections.abc import Collection
from random import Random

import pytest

from producer.assignments.shares import Grant, Ledger, Need, Share, part_of, split


@pytest.mark.parametrize(
    ("total", "needs", "shares"),
    [
        (10, [(0, 0)] * 4, [3, 3, 2, 2]),
        (10, [(0, 10)] * 4, [3, 3, 2, 2]),
        (10, [(0, 0), (0, 0), (0, 0), (0, 30)], [0, 0, 0, 10]),
        (10, [(0, 1), (0, 0), (0, 0), (0, 30)], [1, 0, 0, 9]),
        (10, [(0, 2), (0, 0), (0, 0), (0, 3)], [3, 2, 2, 3]),
        (4, [(3, 3), (0, 30)], [3, 1]),
        (2, [(0, 9)] * 4, [1, 1, 0, 0]),
        (0, [(0, 9)], [0]),
        (5, [], []),
    ],
    ids=str,
)
def test_a_total_is_split_by_who_hurries_then_who_waits_then_evenly(
    total: int, needs: list[tuple[int, int]], shares: list[int]
) -> None:
    assert split(total, needs) == shares


def test_parts_of_the_whole_add_up_to_it() -> None:
    assert [part_of(10, members=4, rank=rank) for rank in range(4)] == [3, 3, 2, 2]
    assert [part_of(2, members=3, rank=rank) for rank in range(3)] == [1, 1, 0]


def after(ledger: Ledger, members: set[str], over: Collection[str] = (), *, total: int = 10) -> Grant:
    grant = ledger.next(total, members, over, at=0, turn=0)
    assert ledger.granted(grant)
    return grant


def calls(ledger: Ledger) -> dict[str, int]:
    assert ledger.last is not None
    return {member: share.calls for member, share in ledger.last.shares.items()}


def test_the_first_has_all() -> None:
    ledger = Ledger()

    after(ledger, {"a"})

    assert calls(ledger) == {"a": 10}


def test_what_one_gives_up_another_has_once_it_is_said_and_free() -> None:
    ledger = Ledger()
    after(ledger, {"a"})
    ledger.said("a", Need("a", 1, wants=10, holds=10))

    after(ledger, {"a", "b"})
    assert calls(ledger) == {"a": 5, "b": 0}, "a has not read it yet"

    ledger.said("a", Need("a", 1, wants=10, holds=6))
    after(ledger, {"a", "b"})
    assert calls(ledger) == {"a": 5, "b": 0}, "it spoke before it read it"

    ledger.said("a", Need("a", 2, wants=10, holds=8))
    after(ledger, {"a", "b"})
    assert calls(ledger) == {"a": 5, "b": 2}, "three places have calls of the last minute yet"

    ledger.said("a", Need("a", 2, wants=10, holds=5))
    after(ledger, {"a", "b"})
    assert calls(ledger) == {"a": 5, "b": 5}


def test_who_is_gone_keeps_its_places_until_they_are_free() -> None:
    ledger = Ledger()
    after(ledger, {"a", "b"})
    ledger.said("a", Need("a", 1, wants=10, holds=5))
    ledger.said("b", Need("b", 1, wants=10, holds=5))

    after(ledger, {"a"})
    assert calls(ledger) == {"a": 5, "b": 0}

    after(ledger, {"a"}, {"b"})
    assert calls(ledger) == {"a": 10}


def test_a_process_that_is_a_member_anew_brings_its_places_along() -> None:
    ledger = Ledger()
    after(ledger, {"a"})
    ledger.said("w", Need("a2", 1, wants=10, holds=10, was="a"))

    after(ledger, {"a2"}, {"a"})

    assert calls(ledger) == {"a2": 10}


def test_of_two_who_propose_at_once_the_first_counts() -> None:
    ledger = Ledger()
    after(ledger, {"a"})
    one = ledger.next(10, {"a", "b"}, (), at=0, turn=0)
    other = ledger.next(10, {"a", "c"}, (), at=0, turn=0)

    assert ledger.granted(one)
    assert not ledger.granted(other)
    assert not ledger.granted(Grant(1, 0, {"z": Share(10, 10, 1)}))


def test_where_there_are_not_enough_for_each_they_take_turns() -> None:
    ledger = Ledger()
    for member in "abc":
        ledger.said(member, Need(member, wants=9))

    first = [ledger.next(1, set("abc"), (), at=0, turn=turn).shares for turn in range(3)]

    assert [{m for m, share in shares.items() if share.calls} for shares in first] == [{"a"}, {"b"}, {"c"}]


class Played:
    """A worker that reads late, speaks late, uses all it may, and comes and goes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ledger = Ledger()
        self.read = 0
        self.uses: list[float] = []
        """When its places were used."""
        self.alive = True
        self.was_gone_at = 0.0

    def allowed(self) -> int:
        share = self.ledger.of(self.name)
        return share.calls if share is not None else 0

    def taken(self, now: float) -> int:
        self.uses = [each for each in self.uses if now - each < 60]
        return len(self.uses)


@pytest.mark.parametrize("seed", range(40))
def test_no_minute_has_more_calls_than_the_key_allows_however_late_anybody_reads(seed: int) -> None:
    chance = Random(seed)
    total, now, names = chance.choice([1, 3, 10]), 0.0, 0
    topic: list[tuple[str, object]] = []
    workers: list[Played] = []
    all_uses: list[float] = []
    gone: dict[str, float] = {}
    for _ in range(1500):
        now += chance.uniform(0.0, 2.0)
        living = [worker for worker in workers if worker.alive]
        if (len(living) < 2 and chance.random() < 0.2) or chance.random() < 0.01:
            names += 1
            workers.append(Played(f"w{names}"))
            workers[-1].read = 0
        elif living and chance.random() < 0.01:
            victim = chance.choice(living)
            victim.alive = False
            gone[victim.name] = now
        living = [worker for worker in workers if worker.alive]
        if not living:
            continue
        worker = chance.choice(living)
        upto = chance.randint(worker.read, len(topic))  # as far as it gets
        for kind, said in topic[worker.read : upto]:
            if isinstance(said, Grant):
                worker.ledger.granted(said)
            else:
                assert isinstance(said, Need)
                worker.ledger.said(kind, said)
        worker.read = upto
        while chance.random() < 0.7 and worker.taken(now) < worker.allowed():
            worker.uses.append(now)
            all_uses.append(now)
        last = worker.ledger.last
        if chance.random() < 0.5:
            holds = max(worker.allowed(), worker.taken(now))
            waiting = chance.choice([0, 1, 5, 20])
            number = last.number if last is not None else 0
            topic.append((worker.name, Need(worker.name, number, min(total, waiting), 0, holds)))
        if chance.random() < 0.3:  # anybody may propose: two may lead for a moment
            members = {each.name for each in living}
            over = {name for name, at in gone.items() if now - at > 61}
            grant = worker.ledger.next(total, members, over, at=0, turn=0)
            topic.append(("", grant))

    assert len(all_uses) > 10
    for begin in all_uses:
        assert sum(1 for each in all_uses if begin <= each < begin + 60) <= total
