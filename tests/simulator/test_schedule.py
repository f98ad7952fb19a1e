"""producer.simulator.schedule: who is live when, in literals."""

from datetime import UTC, datetime
from itertools import islice

import pytest

from producer.simulator.schedule import Schedule
from producer.simulator.world import Live

TEXT = """
# The week of three.
ann mon-fri 20:00-22:30   # after work
ann sun 10:00-12:00
ben sat-mon,wed 23:30-01:00
cai * 00:00-00:00
"""


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


class Clock:
    """It goes on by itself to where a live ends."""

    def __init__(self, text: str) -> None:
        self.now = at(text)


def lives(name: str, now: str, count: int) -> list[tuple[str, str]]:
    """From when to when somebody is live, as a room plays it."""
    clock = Clock(now)
    found = []
    script = Schedule.written(TEXT, seed=1, rate=3.0, clock=lambda: clock.now)
    live: Live
    for live in islice(script.lives(name), count):
        begin = clock.now + live.after_seconds
        clock.now = begin + live.total / live.rate
        found.append((_text(begin), _text(clock.now)))
    return found


def _text(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%a %d %H:%M")


def test_lives_come_by_the_hours_of_the_week_in_utc() -> None:
    assert lives("ann", "2026-11-27 12:00", 4) == [  # a Friday
        ("Fri 27 20:00", "Fri 27 22:30"),
        ("Sun 29 10:00", "Sun 29 12:00"),
        ("Mon 30 20:00", "Mon 30 22:30"),
        ("Tue 01 20:00", "Tue 01 22:30"),
    ]


def test_one_that_is_on_goes_on_until_its_end_also_from_one_week_to_the_next() -> None:
    assert lives("ann", "2026-11-27 22:00", 2) == [("Fri 27 22:00", "Fri 27 22:30"), ("Sun 29 10:00", "Sun 29 12:00")]
    assert lives("ben", "2026-11-30 00:30", 3) == [  # a Monday, half an hour past midnight
        ("Mon 30 00:30", "Mon 30 01:00"),
        ("Mon 30 23:30", "Tue 01 01:00"),
        ("Wed 02 23:30", "Thu 03 01:00"),
    ]
    assert lives("cai", "2026-11-30 12:00", 2) == [("Mon 30 12:00", "Tue 01 00:00"), ("Tue 01 00:00", "Wed 02 00:00")]


def test_each_live_is_a_room_of_its_own() -> None:
    script = Schedule.written(TEXT, seed=1, rate=3.0, clock=lambda: at("2026-11-27 12:00"))

    rooms = [live.room_id for name in script.unique_ids for live in islice(script.lives(name), 5)]

    assert len(set(rooms)) == len(rooms) == 15


@pytest.mark.parametrize(
    "line",
    [
        "ann",
        "ann mon 20:00",
        "ann mon 24:00-25:00",
        "ann mon 20:60-21:00",
        "ann moon 20:00-21:00",
        "ann mon- 01:00-02:00",
    ],
)
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 of the schedule is none"):
        Schedule.written(f"# a week\n{line}", seed=1, rate=1.0, clock=lambda: 0.0)


def test_a_schedule_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="names nobody"):
        Schedule.written("# nobody", seed=1, rate=1.0, clock=lambda: 0.0)
