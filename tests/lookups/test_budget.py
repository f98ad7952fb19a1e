"""producer.lookups.budget: how close together requests may leave."""

from bisect import bisect_left
from itertools import pairwise
from random import Random

import pytest

from producer.lookups.budget import Budget


class Never(Random):
    """A chance that is always the least."""

    def random(self) -> float:
        return 0.0


def leaving(budget: Budget, count: int, *, begin: float = 1000.0) -> list[float]:
    """When so many requests leave, each as soon as it may."""
    found, now = [], begin
    for _ in range(count):
        now = budget.free_at(now)
        budget.take(now)
        found.append(now)
    return found


def test_requests_leave_one_a_slot() -> None:
    assert leaving(Budget(per_second=2, chance=Never()), 4) == [1000.0, 1000.5, 1001.0, 1001.5]


def test_they_leave_at_some_moment_of_their_slots_and_no_number_of_them_too_close_together() -> None:
    found = leaving(Budget(per_second=2, chance=Random(1)), 300)
    gaps = {round(later - earlier, 3) for earlier, later in pairwise(found)}
    assert len(gaps) > 100
    for number in (1, 2, 10, 100):
        assert min(found[i + number] - found[i] for i in range(300 - number)) >= (number - 0.25) * 0.5
    assert found[-1] - found[0] <= 299.25 * 0.5


def test_who_was_idle_saved_nothing() -> None:
    budget = Budget(per_second=2, chance=Never())
    leaving(budget, 1)
    assert leaving(budget, 3, begin=2000.0) == [2000.0, 2000.5, 2001.0]


def test_who_comes_late_in_a_slot_does_not_have_the_next_one_at_once() -> None:
    budget = Budget(per_second=2, chance=Never())
    leaving(budget, 1)
    assert leaving(budget, 2, begin=1000.9) == [1000.9, 1001.4]


def test_a_request_that_could_not_wait_is_made_up_for() -> None:
    budget = Budget(per_second=2, chance=Never())
    for _ in range(3):
        budget.take(1000.0)
    assert budget.free_at(1000.0) == 1001.5


@pytest.mark.parametrize("per_hour", [12, 120, 3000])
def test_no_hour_has_more_than_it_may(per_hour: int) -> None:
    budget = Budget(per_second=1, per_hour=per_hour, chance=Random(1))
    found = leaving(budget, per_hour * 3)
    found += leaving(budget, per_hour * 2, begin=found[-1] + 86_400)
    assert max(bisect_left(found, begin + 3600) - number for number, begin in enumerate(found)) <= per_hour
    assert budget.per_second == pytest.approx(per_hour * 11 / 12 / 3600)


def test_an_hour_that_allows_more_than_its_seconds_changes_nothing() -> None:
    found = leaving(Budget(per_second=2, per_hour=7200, chance=Never()), 3)
    assert found == [1000.0, 1000.5, 1001.0]
