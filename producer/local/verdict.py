"""Does what was read from Kafka agree with what the simulator sent? Pure: two accounts in, a judgement out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

IN_FLIGHT_SECONDS = 3.0
"""How old a message may be that a worker had received and Kafka had not acknowledged when it was killed."""
OWN_EVENTS = ("connect", "disconnect", "gift_finalized", "live_start", "room_stats", "streamer")
"""Events that no message carries, so the simulator sends none of them."""
LEAST_EVENTS = 10


@dataclass(frozen=True, slots=True)
class Read:
    """One record as the reader found it."""

    event: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker's sudden end, and the streamers that it had."""

    worker: str
    at: float
    streamers: frozenset[str]


@dataclass(slots=True)
class Row:
    """One event's account; `duplicates` are records beyond the first with an event id."""

    sent: int = 0
    read: int = 0
    duplicates: int = 0
    lost: int = 0
    in_gap: int = 0


@dataclass(slots=True)
class Verdict:
    """The whole account."""

    rows: dict[str, Row]
    unheard: int = 0
    """Messages that the simulator emitted while nobody was connected to the room, and that were not read."""
    gap_seconds: float = 0.0
    """The longest time from the kill until somebody entered a room again, of those that were live then."""
    gap_rooms: int = 0
    gap_events: int = 0
    problems: list[str] = field(default_factory=list)


def judge(truth: Iterable[Mapping[str, Any]], records: Iterable[Read], kill: Kill | None) -> Verdict:
    """Compare the truth log with the records."""
    lines = list(truth)
    by_event: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records:
        by_event[record.event][record.event_id] += 1
    verdict = Verdict(rows={event: _row(ids) for event, ids in by_event.items()})
    live = _live_at(lines, kill)
    takeovers = _takeovers(lines, kill, live)
    for line in lines:
        if line["kind"] != "message":
            continue
        row = verdict.rows.setdefault(line["event"], Row())
        was_read = f"{line['room_id']}:{line['message_id']}" in by_event[line["event"]]
        in_gap = _within(line, kill, takeovers)
        if line["sockets"] and not line["history"] and not line["duplicate"]:
            row.sent += 1
        if was_read:
            continue
        if in_gap:
            row.in_gap += 1
            verdict.gap_events += 1
        elif line["sockets"]:
            row.lost += 1
        else:
            verdict.unheard += 1
    if kill is not None:
        gaps = [at - kill.at for at in takeovers.values()]
        verdict.gap_rooms, verdict.gap_seconds = len(gaps), max(gaps, default=0.0)
    over = {line["room_id"] for line in lines if line["kind"] == "live_ended"}
    left = sorted(streamer for streamer, room in live.items() if streamer not in takeovers and room not in over)
    verdict.problems = list(_problems(verdict, left))
    return verdict


def _row(ids: Counter[str]) -> Row:
    return Row(read=ids.total(), duplicates=ids.total() - len(ids))


def _live_at(lines: Iterable[Mapping[str, Any]], kill: Kill | None) -> dict[str, str]:
    """The rooms of the killed worker that were live when it was killed, by streamer."""
    live: dict[str, str] = {}
    for line in lines:
        if kill is None or line["at"] > kill.at or line["unique_id"] not in kill.streamers:
            continue
        if line["kind"] == "live_started":
            live[line["unique_id"]] = line["room_id"]
        elif line["kind"] == "live_ended":
            live.pop(line["unique_id"], None)
    return live


def _takeovers(lines: Iterable[Mapping[str, Any]], kill: Kill | None, live: Mapping[str, str]) -> dict[str, float]:
    """When somebody entered those rooms again, by streamer."""
    entered: dict[str, float] = {}
    for line in lines:
        if kill is not None and line["kind"] == "entered" and line["at"] > kill.at:
            streamer = line["unique_id"]
            if live.get(streamer) == line["room_id"]:
                entered.setdefault(streamer, line["at"])
    return entered


def _within(line: Mapping[str, Any], kill: Kill | None, takeovers: Mapping[str, float]) -> bool:
    if kill is None or line["unique_id"] not in kill.streamers:
        return False
    until = takeovers.get(line["unique_id"], float("inf"))
    return kill.at - IN_FLIGHT_SECONDS <= float(line["at"]) <= until


def _problems(verdict: Verdict, left: list[str]) -> Iterable[str]:
    lost = {event: row.lost for event, row in verdict.rows.items() if row.lost}
    if lost:
        yield f"lost outside the takeover gap: {lost}"
    filled = sorted(event for event, row in verdict.rows.items() if row.read)
    if len(filled) < LEAST_EVENTS:
        yield f"only {len(filled)} topics have records: {', '.join(filled)}"
    for event, row in verdict.rows.items():
        unique = row.read - row.duplicates
        if event not in OWN_EVENTS and row.sent and not unique:
            yield f"nothing of {row.sent} {event} events was read"
    if left:
        yield f"live and never taken over: {', '.join(left)}"
