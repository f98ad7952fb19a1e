"""What a worker's sessions share."""

from collections.abc import Callable
from dataclasses import dataclass

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.interface import Said
from producer.bugs import Bugs
from producer.events.event import Payloads
from producer.events.pseudonyms import Pseudonyms
from producer.observability.metrics import Metrics
from producer.pipeline import Sink
from producer.webcast.lanes import Lanes
from producer.webcast.logins import Logins
from producer.webcast.opening import Opener
from producer.webcast.upstream import Upstream

Report = Callable[[Streamer, Said], None]
"""Told of each state of a session (of `connected` once the room is heard)."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """One worker's."""

    worker: str
    upstream: Upstream
    lanes: Lanes
    sink: Sink
    metrics: Metrics
    opener: Opener
    elsewhere_poll_seconds: float
    room_stats_seconds: float | None
    """How often a room's totals are asked for at the most; None for never."""
    silence_seconds: float
    payloads: Payloads
    viewers: Pseudonyms | None
    hold_acknowledgements: bool
    """Whether a frame is acknowledged only once its records are acknowledged or spooled."""
    report: Report
    logins: Logins
    entry: Callable[[Streamer], Wanted]
    """What the list says of a streamer now."""
    last_said: Callable[[Streamer], Said | None]
    """What was last said of a streamer, by whomever."""
    bugs: Bugs
    shared: Callable[[Streamer], bool]
    """Whether another worker hears a streamer's room too, to which we are handing it over."""
