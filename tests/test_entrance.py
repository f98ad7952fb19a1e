"""producer.entrance: what is said to other workers of a door, and what is made of their word."""

from producer.assignments.doors import DoorSaid
from producer.entrance import heard, to_say
from producer.errors import Reason
from producer.webcast.doors.breaker import State
from producer.webcast.doors.hall import Standing


def test_what_is_said_is_heard() -> None:
    standing = Standing("direct", State.SHUT, Reason.UNSIGNED, "417", 1_764_000_000.5, 1_764_000_300.25)

    said = to_say(standing, "worker-1", now=1_764_000_060.125)

    assert said == DoorSaid(
        "worker-1", 1_764_000_060_125, "unsigned", "417", since=1_764_000_000_500, again_at=1_764_000_300_250
    )
    assert heard("direct", said) == standing


def test_an_open_door_is_heard_open_whatever_else_is_said_of_it() -> None:
    said = DoorSaid("worker-1", 1, None, "detail", since=5, again_at=6)

    assert heard("direct", said) == Standing("direct", State.OPEN, None, "", None)


def test_a_strangers_text_and_a_newer_workers_reason_are_made_harmless() -> None:
    said = DoorSaid("worker-1", 1, "of_tomorrow", "\x1b[2Jx")

    assert heard("direct", said) == Standing("direct", State.SHUT, Reason.OTHER, "\\x1b[2Jx", None)
