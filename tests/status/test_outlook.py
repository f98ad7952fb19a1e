"""producer.status.outlook: what is said of one streamer."""

from typing import Any

import pytest

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.doors import LATEST
from producer.assignments.table import Status
from producer.status.outlook import document, lines

ANN = Streamer("ann")
NOW = 1_774_900_800.0
"""30 March 2026, 20:00 UTC, a Monday."""
DAY = 1440
MINUTE = int(NOW // 60)
WATCHED = MINUTE - 21 * DAY
EVENINGS = tuple(MINUTE - day * DAY + minute for day, minute in ((14, 15), (9, -10), (7, 0), (4, 5), (2, -15), (1, 20)))
NOONS = tuple(MINUTE - day * DAY - 480 for day in (11, 8, 3))
STARTS = tuple(sorted((*EVENINGS, *NOONS, MINUTE - 5 * DAY + 300)))


def status(state: str, **more: Any) -> Status:
    return Status("worker-1", 3, state, int(NOW - 2400) * 1000, **more)


def test_of_who_is_offline_it_is_said_since_when_and_when_it_mostly_goes_live() -> None:
    found = lines(ANN, status("offline", watched=WATCHED, starts=STARTS), Wanted(ANN, priority=3), now=NOW)

    assert found[:4] == [
        "ann: offline at worker-1 since 19:20 UTC (40 min)",
        "the list gives it the priority 3",
        "it was offline when it was looked up, and waits for its time; when it is next, its worker says as "
        "`next_look_up_at` at its /status",
        "looked up since 2026-03-09 20:00 UTC; it went live 10 times, as far as is known, last at 2026-03-29 20:20 "
        "UTC; 6 about 20:00 UTC, 3 about 12:00 UTC",
    ]
    assert found[4].startswith("by that, unless it is live already, it goes live in the next hour with a chance of ")
    assert len(found) == 5


def test_the_chance_is_higher_at_its_hour_and_none_is_said_of_who_is_live() -> None:
    known = {"watched": WATCHED, "starts": STARTS}

    at_its_hour, in_the_night = (
        document(status("offline", **known), now=NOW + hours * 3600)["chance_in_an_hour"] for hours in (0, 7)
    )

    assert isinstance(at_its_hour, float) and isinstance(in_the_night, float)
    assert 1 > at_its_hour > 20 * in_the_night > 0
    heard = document(status("connected", **known), now=NOW)
    assert heard == {
        "chance_in_an_hour": None,
        "usually_at": [{"utc": "20:00", "starts": 6}, {"utc": "12:00", "starts": 3}],
    }


def test_of_who_is_heard_it_is_said_where_and_that_nobody_looks_it_up() -> None:
    found = lines(ANN, status("connected", room_id="73", door="sign", watched=WATCHED), Wanted(ANN), now=NOW)

    assert found == [
        "ann: connected at worker-1 since 19:20 UTC (40 min), in room 73 by the door sign",
        "its room is heard, so it is not looked up",
        "looked up since 2026-03-09 20:00 UTC; it has not gone live since, as far as is known",
    ]


def test_an_error_is_said_and_when_it_is_tried_again() -> None:
    parked = status("parked", error="TypeError: no", bugs=3, again_at=int(NOW + 86_400) * 1000)

    assert lines(ANN, parked, Wanted(ANN), now=NOW)[2:] == [
        "the last error: TypeError: no",
        "it is tried again at 2026-03-31 20:00 UTC",
    ]


def test_who_has_it_is_said_only_where_somebody_has_it_and_what_the_list_says() -> None:
    off = Wanted(ANN, enabled=False)

    assert lines(ANN, None, off, now=NOW) == [
        "ann: no worker has said anything of it",
        "it is on the list and not enabled, so nobody is to have it",
    ]
    assert lines(ANN, status("unassigned"), None, now=NOW) == [
        "ann: unassigned since 19:20 UTC (40 min)",
        "it is not on the list",
        "no worker has it, so nobody looks it up",
    ]
    assert document(None, now=NOW) == {"chance_in_an_hour": None, "usually_at": []}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"watched": 2**40}, None),
        (
            {"watched": 0, "starts": (MINUTE + 1, 2**32 - 1)},
            "since 1970-01-01 00:00 UTC; it has not gone live",
        ),
        ({"watched": MINUTE, "starts": (0,)}, "it went live once, as far as is known, last at 1970-01-01 00:00 UTC"),
        ({"again_at": -1}, "it is tried again at a time that cannot be"),
        ({"again_at": LATEST + 1}, "it is tried again at a time that cannot be"),
    ],
)
def test_times_that_cannot_be_cost_what_is_said_of_them(more: dict[str, object], said: str | None) -> None:
    found = lines(ANN, status("a newer one's", **more), Wanted(ANN), now=NOW)

    assert found[0] == "ann: a newer one's at worker-1 since 19:20 UTC (40 min)"
    assert (said is None and len(found) == 1) or (said is not None and said in found[1])
    odd = Status("w", 1, "offline", 2**63 - 1)
    assert lines(ANN, odd, None, now=NOW)[0] == "ann: offline at w since a time that cannot be (0 s)"
