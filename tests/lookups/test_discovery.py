"""A week of virtual time: how soon a plan finds lives, beside one that knew everybody's habits.

`make discovery` prints the table, with thousands of streamers.
"""

from tests.lookups.virtual import play, world

DAYS = 7
BUDGET = {"per_second": 0.2, "per_hour": 600.0}


def test_lives_are_found_soon_within_the_budget_and_hardly_later_than_by_who_knows_the_habits() -> None:
    streamers = world(100, days=DAYS, seed=1)
    found = play(streamers, days=DAYS, **BUDGET, seed=1, knows=False)
    best = play(streamers, days=DAYS, **BUDGET, seed=1, knows=True)

    assert found.starts > 300
    assert len(found.found) >= found.starts - 2  # two may be too short, or begin as the week ends
    assert found.median <= 60
    assert found.p95 <= 300
    assert found.median <= 1.5 * best.median
    assert found.mean <= 1.5 * best.mean
    assert len(found.requests) / found.offline_hours <= 6
    for number in (1, 10, 120):
        pairs = zip(found.requests, found.requests[number:], strict=False)
        assert min(later - earlier for earlier, later in pairs) >= (number - 0.25) / BUDGET["per_second"] - 1e-6
