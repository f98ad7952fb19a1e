"""producer.lookups.plan: who is asked next, in literals."""

from dataclasses import dataclass
from itertools import pairwise

import pytest

from producer.lookups.budget import Budget
from producer.lookups.plan import Asker, Plan, stretch
from tests.lookups.test_budget import Never


@dataclass(frozen=True)
class Known:
    """A rate that is what it is."""

    per_second: float

    def rate(self, now: float, *, ended: float | None = None) -> tuple[float, float]:
        return self.per_second, float("inf")


def plan(*, per_second: float = 10.0, shortest: float = 60.0, longest: float = 3600.0) -> Plan:
    return Plan(Budget(per_second=per_second, chance=Never()), shortest=shortest, longest=longest)


def asked(subject: Plan, *, begin: float, until: float) -> list[tuple[float, str]]:
    """Who was asked when; each waits again at once."""
    found, now = [], begin
    while now < until:
        answer = subject.next(now)
        if isinstance(answer, float):
            now = answer
        else:
            found.append((now, answer.name))
            answer.asked = now
            subject.wait(answer, now)
    return found


def test_who_was_never_asked_comes_first_by_priority_and_then_the_likeliest() -> None:
    subject = plan(per_second=1.0)
    subject.wait(Asker("asked before", Known(1.0), asked=0.0), 1000.0)
    subject.wait(Asker("unlikely", Known(1e-6)), 1000.0)
    subject.wait(Asker("likely", Known(1e-5)), 1000.0)
    subject.wait(Asker("matters", Known(1e-5), priority=3), 1000.0)
    assert asked(subject, begin=1000.0, until=1004.0) == [
        (1000.0, "matters"),
        (1001.0, "likely"),
        (1002.0, "unlikely"),
        (1003.0, "asked before"),
    ]


def test_who_is_told_to_hurry_does_so_once_and_still_if_it_leaves_and_comes_back_before_its_turn() -> None:
    subject = plan(per_second=1.0)
    asker = Asker("one", Known(1e-6), asked=1000.0)
    subject.wait(asker, 1000.0)

    assert [subject.hurry("one"), subject.hurry("one"), subject.hurry("nobody")] == [True, False, False]
    subject.leave("one")
    assert not subject.hurry("one")
    subject.wait(asker, 1000.0)

    [(first, _), (second, _), *_] = asked(subject, begin=1000.0, until=3000.0)
    assert first == 1000.0
    assert second >= 1060.0


def test_who_hurries_has_every_other_turn_while_others_are_due() -> None:
    subject = plan(per_second=1.0)
    for number in range(3):
        subject.wait(Asker(f"new {number}", Known(1.0)), 1000.0)
        subject.wait(Asker(f"hurries {number}", Known(1.0), priority=-number, hurries=True), 1000.0)
    assert [name for _, name in asked(subject, begin=1000.0, until=1006.0)] == [
        "hurries 0",
        "new 0",
        "hurries 1",
        "new 1",
        "hurries 2",
        "new 2",
    ]


def test_who_hurries_does_not_wait_for_its_time() -> None:
    subject = plan(per_second=1.0)
    subject.wait(Asker("just asked", Known(1e-6), asked=999.0), 1000.0)
    subject.wait(Asker("lost its room", Known(1e-6), asked=999.0, hurries=True), 1000.0)
    subject.hurry("just asked")
    subject.hurry("nobody")
    assert [name for _, name in asked(subject, begin=1000.0, until=1003.0)] == ["lost its room", "just asked"]


def test_who_is_four_times_as_likely_is_asked_twice_as_often() -> None:
    subject = plan(per_second=0.1, shortest=1.0)
    for number in range(4):
        subject.wait(Asker(f"rare {number}", Known(1e-5), asked=0.0), 0.0)
        subject.wait(Asker(f"often {number}", Known(4e-5), asked=0.0), 0.0)
    names = [name[:4] for _, name in asked(subject, begin=0.0, until=100_000.0)]
    assert names.count("ofte") / names.count("rare") == pytest.approx(2.0, rel=0.05)
    assert 8_800 < len(names) < 9_700  # slots that nobody was due in are lost


def test_nobody_is_asked_before_the_shortest_interval_or_its_own() -> None:
    subject = plan(shortest=60.0)
    subject.wait(Asker("one", Known(1.0), asked=0.0), 0.0)
    subject.wait(Asker("other", Known(1.0), asked=0.0, shortest=600.0), 0.0)
    found = asked(subject, begin=0.0, until=1000.0)
    assert [at for at, name in found if name == "one"] == pytest.approx([60.0 * n for n in range(1, 17)])
    assert [at for at, name in found if name == "other"] == pytest.approx([600.0], abs=0.2)


def test_nobody_waits_longer_than_the_longest_interval_where_the_budget_lets_it() -> None:
    subject = plan(per_second=0.1, shortest=1.0, longest=600.0)
    subject.wait(Asker("unlikely", Known(1e-12), asked=0.0), 0.0)
    for number in range(20):
        subject.wait(Asker(f"likely {number}", Known(1e-3), asked=0.0), 0.0)
    times = [at for at, name in asked(subject, begin=0.0, until=10_000.0) if name == "unlikely"]
    assert max(later - earlier for earlier, later in pairwise(times)) <= 620.0


def test_where_it_does_not_let_it_half_of_it_is_still_for_those_who_are_likelier() -> None:
    subject = plan(per_second=0.1, shortest=1.0, longest=600.0)
    for number in range(100):
        subject.wait(Asker(f"rare {number}", Known(1e-8), asked=0.0), 0.0)
    subject.wait(Asker("likely", Known(1e-4), asked=0.0), 0.0)
    names = [name for _, name in asked(subject, begin=0.0, until=100_000.0)]
    assert names.count("likely") > 1000
    assert all(names.count(f"rare {number}") > 20 for number in range(100))


def test_who_left_is_not_asked_and_nobody_is_while_nobody_waits() -> None:
    subject = plan()
    assert subject.next(5.0) == 35.0
    subject.wait(Asker("gone", Known(1.0)), 5.0)
    subject.leave("gone")
    assert isinstance(subject.next(5.0), float)
    assert len(subject) == 0


def test_what_was_spent_elsewhere_is_waited_for() -> None:
    subject = plan(per_second=1.0)
    subject.wait(Asker("somebody", Known(1.0)), 100.0)
    subject.spend(100.0)
    subject.spend(100.0)
    assert subject.next(100.0) == 102.0


def test_the_stretch_makes_intervals_add_up_to_the_budget() -> None:
    roots, leasts = [1.0, 1.0, 2.0], [10.0, 10.0, 10.0]
    found = stretch(roots, leasts, per_second=0.04, longest=1000.0, before=0.0)
    assert found == pytest.approx(100.0)  # 100 s, 100 s and 50 s
    # The third is held at 60 s, so the others have 0.04 - 1/60 between them.
    for _ in range(20):
        found = stretch(roots, [10.0, 10.0, 60.0], per_second=0.04, longest=1000.0, before=found)
    assert found == pytest.approx(2 / (0.04 - 1 / 60))
