"""producer.totals: a live's totals against the simulator, and how many requests they take; Kafka is a list."""

import asyncio
import io
import json
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any

from producer.lookups.budget import Budget
from producer.lookups.plan import Asker, Plan
from producer.session import Session, State
from producer.simulator.faults import Faults
from producer.simulator.server import Simulator
from producer.simulator.truth import Truth
from producer.simulator.world import Ending
from producer.surroundings import Surroundings
from producer.totals import Unlikely
from producer.webcast import http
from tests.lookups.test_plan import Known, asked
from tests.test_session import NAME, OneRoom, Recorded, running, surroundings

HOUR = 3600.0
FIELDS = {
    "title": "title",
    "viewers": "viewers",
    "total_viewers": "visits",
    "visits": "visits",
    "likes": "likes",
    "shares": "shares",
    "follows": "follows",
    "gifters": "gifters",
}
"""Of the record, and of what the simulator wrote down of its answer."""


def watch(times: int, *, seconds: float | None = 0.05) -> tuple[Recorded, list[dict[str, Any]], Counter[str]]:
    """Hear a room until its totals came so often, or, where they are not asked for, to its end."""
    published, written = Recorded(), io.StringIO()

    async def main() -> Counter[str]:
        async with (
            Simulator(OneRoom(Ending.HOST, messages=400), faults=Faults(), truth=Truth(written)) as simulator,
            http.client(user_agent="Mozilla/5.0", trust_environment=False) as web,
        ):
            around: Surroundings = surroundings(published, url=simulator.url, web=web)
            subject = Session(NAME, replace(around, room_stats_seconds=seconds))
            async with asyncio.timeout(120), running(subject):
                while len(published.named("room_stats")) < times and not published.named("live_end"):
                    await asyncio.sleep(0.01)
            assert subject.state is not State.CONNECTED
            return simulator.requests

    requests = asyncio.run(main())
    return published, [json.loads(line) for line in written.getvalue().splitlines()], requests


def test_the_totals_of_a_room_that_is_heard_are_published_as_tiktok_says_them() -> None:
    published, lines, _ = watch(5)

    said = [line for line in lines if line["kind"] == "shown" and line["by"] == "room_info"]
    totals = published.named("room_stats")
    assert len(totals) == 5
    for event, shown in zip(totals, said, strict=False):
        assert {name: event[name] for name in FIELDS} == {name: shown[field] for name, field in FIELDS.items()}
        assert event["meta"]["room_id"] == shown["room_id"]
        assert event["meta"]["streamer_id"] == str(shown["owner_id"])
    assert len({event["meta"]["event_id"] for event in totals}) == 1  # by a clock that stands still in this test
    last = said[4]["at"]
    messages = Counter(line["event"] for line in lines if line["kind"] == "message" and line["at"] <= last)
    assert said[4]["visits"] <= messages["join"]
    assert totals[4]["likes"] > 0


def test_nobody_asks_for_totals_that_are_not_wanted() -> None:
    published, _, requests = watch(1, seconds=None)

    assert published.named("room_stats") == []
    assert requests["/webcast/room/info/"] == 0


def test_totals_keep_within_the_budget_and_leave_it_to_look_ups() -> None:
    def askers(*, with_totals: bool) -> list[tuple[float, str]]:
        plan = Plan(Budget(per_second=1.0, chance=Random(1)), shortest=60.0, longest=900.0)
        for number in range(900):
            plan.wait(Asker(f"offline {number}", Known(1e-5)), 0.0)
        for number in range(100 if with_totals else 0):
            plan.wait(Asker(f"live {number}", Unlikely(), asked=0.0, shortest=600.0), 0.0)
        return asked(plan, begin=0.0, until=2 * HOUR)

    with_totals, without = askers(with_totals=True), askers(with_totals=False)

    for begin in range(0, int(HOUR), 60):
        assert sum(begin <= at < begin + HOUR for at, _ in with_totals) <= HOUR + 1
    times = Counter(name for _, name in with_totals)
    totals = [times[f"live {number}"] for number in range(100)]
    assert 2 <= min(totals) <= max(totals) <= 12
    assert sum(totals) <= 0.1 * len(with_totals)
    assert len(with_totals) - sum(totals) >= 0.9 * len(without)


def test_totals_are_asked_for_as_often_as_is_wanted_where_the_budget_suffices() -> None:
    plan = Plan(Budget(per_second=1.0, chance=Random(1)), shortest=60.0, longest=900.0)
    for number in range(20):
        plan.wait(Asker(f"offline {number}", Known(1e-5)), 0.0)
        plan.wait(Asker(f"live {number}", Unlikely(), asked=0.0, shortest=600.0), 0.0)

    times = Counter(name for _, name in asked(plan, begin=0.0, until=HOUR))

    assert {times[f"live {number}"] for number in range(20)} <= {5, 6}
