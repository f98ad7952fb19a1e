"""Does what was read from Kafka agree with what the simulator sent? Pure: two accounts in, a judgement out."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

IN_FLIGHT_SECONDS = 3.0
"""How old a message may be that a worker had received and Kafka had not acknowledged when it was killed."""
OWN_EVENTS = ("connect", "disconnect", "gift_finalized", "live_start", "room_stats", "streamer")
"""Events that no message carries, so the simulator sends none of them."""
UNTOLD = "live_end"
"""One that a message carries, or the worker finds out by itself."""
STREAK_SECONDS = 30.0
"""How long a streak may be open without a message; a worker that is killed has counted it and not given it out."""
LEAST_EVENTS = 10


@dataclass(frozen=True, slots=True)
class Read:
    """One record as the reader found it."""

    event: str
    event_id: str
    room_id: str = ""
    diamonds: int | None = None
    """What a `gift_finalized` says was given."""


@dataclass(frozen=True, slots=True)
class Kill:
    """A worker's sudden end, and the streamers that it had."""

    worker: str
    at: float
    streamers: frozenset[str]


@dataclass(slots=True)
class Row:
    """One event's account: sent + ours - unheard - in_gap - lost + duplicates + invented = read."""

    sent: int = 0
    """Messages that rooms emitted, whoever heard them."""
    ours: int = 0
    """Events that no message carries."""
    unheard: int = 0
    """Messages that nobody was connected to hear, and that were not read later, as history."""
    in_gap: int = 0
    """Messages that were not read, from about when a worker was killed until another had its room."""
    lost: int = 0
    """Messages that were not read, though somebody was there."""
    duplicates: int = 0
    """Records beyond the first with an event id."""
    invented: int = 0
    """Event ids of which the simulator knows nothing."""
    read: int = 0
    """Records."""


@dataclass(slots=True)
class Gifts:
    """Diamonds of all rooms."""

    emitted: int = 0
    heard: int = 0
    """Of gifts that were read live, and are in no streak that the killed worker may have taken with it."""
    read: int = 0
    """By `gift_finalized`, each event id once."""


@dataclass(slots=True)
class Verdict:
    """The whole account."""

    rows: dict[str, Row]
    gap_seconds: float = 0.0
    """The longest time from the kill until somebody entered a room again, of those that were live then."""
    gap_rooms: int = 0
    gifts: Gifts = field(default_factory=Gifts)
    problems: list[str] = field(default_factory=list)


Lines = Sequence[Mapping[str, Any]]


def judge(truth: Iterable[Mapping[str, Any]], records: Iterable[Read], kill: Kill | None) -> Verdict:
    """Compare the truth log with the records."""
    lines, found = list(truth), list(records)
    by_event: dict[str, Counter[str]] = defaultdict(Counter)
    for record in found:
        by_event[record.event][record.event_id] += 1
    verdict = Verdict(rows={event: _row(ids) for event, ids in by_event.items()})
    live = _live_at(lines, kill)
    takeovers = _takeovers(lines, kill, live)
    deliveries: dict[str, Counter[str]] = defaultdict(Counter)
    """By event and event id: how many sockets a message was sent to, once or again."""
    near_kill: set[str] = set()
    for line in lines:
        if line["kind"] != "message":
            continue
        event, event_id = line["event"], _event_id(line)
        row = verdict.rows.setdefault(event, Row())
        deliveries[event][event_id] += line["sockets"]
        in_gap = _within(line, kill, takeovers)
        if in_gap:
            near_kill.add(event_id)
        if line["history"] or line["duplicate"]:
            continue
        row.sent += 1
        if event_id in by_event[event]:
            continue
        if in_gap:
            row.in_gap += 1
        elif line["sockets"]:
            row.lost += 1
        else:
            row.unheard += 1
    if kill is not None:
        gaps = [at - kill.at for at in takeovers.values()]
        verdict.gap_rooms, verdict.gap_seconds = len(gaps), max(gaps, default=0.0)
    over = {line["room_id"] for line in lines if line["kind"] == "live_ended"}
    left = sorted(streamer for streamer, room in live.items() if streamer not in takeovers and room not in over)
    verdict.problems = [
        *_problems(verdict, left),
        *_invented(verdict, by_event, deliveries, lines),
        *_too_often(by_event, deliveries, near_kill),
        *_gifts(verdict, lines, found, by_event["gift"], kill),
    ]
    return verdict


def _event_id(line: Mapping[str, Any]) -> str:
    return f"{line['room_id']}:{line['message_id']}"


def _row(ids: Counter[str]) -> Row:
    return Row(read=ids.total(), duplicates=ids.total() - len(ids))


def _invented(
    verdict: Verdict, by_event: Mapping[str, Counter[str]], deliveries: Mapping[str, Counter[str]], lines: Lines
) -> Iterable[str]:
    """Account for each event id that was read: it was sent as that event, or is ours and of a room that there was."""
    rooms = {line["room_id"] for line in lines if line["kind"] == "live_started"}
    odd = {_event_id(line) for line in lines if line["kind"] == "odd"}
    for event, ids in by_event.items():
        row, known = verdict.rows[event], deliveries.get(event, Counter())
        for event_id in ids:
            place = event_id.partition(":")[0]
            if event in OWN_EVENTS or (event == UNTOLD and event_id == f"{place}:{UNTOLD}"):
                there_was = event == "streamer" or place in rooms  # the former may not have been live yet
                row.ours += there_was
                row.invented += not there_was
            elif event_id in odd:
                row.sent += 1
            else:
                row.invented += event_id not in known
    if invented := {event: row.invented for event, row in verdict.rows.items() if row.invented}:
        yield f"read, and never sent as that event: {invented}"


def _too_often(
    by_event: Mapping[str, Counter[str]], deliveries: Mapping[str, Counter[str]], near_kill: set[str]
) -> Iterable[str]:
    """A message is read as often as a socket brought it, and where a worker was killed the next may send it again."""
    too_often: Counter[str] = Counter()
    for event, known in deliveries.items():
        for event_id, records in by_event[event].items():
            too_often[event] += event_id in known and records > known[event_id] + (event_id in near_kill)
    if too_often.total():
        yield f"read more often than any socket brought it: {dict(+too_often)}"


def _gifts(
    verdict: Verdict, lines: Lines, records: Iterable[Read], read: Mapping[str, int], kill: Kill | None
) -> Iterable[str]:
    """The totals of each room are between what was heard in it, and what was given."""
    emitted: Counter[str] = Counter()
    heard: Counter[str] = Counter()
    for line in lines:
        if line["kind"] != "message" or not line.get("diamonds") or line["history"] or line["duplicate"]:
            continue
        emitted[line["room_id"]] += line["diamonds"]
        if line["sockets"] and _event_id(line) in read and not _may_be_open(line, kill):
            heard[line["room_id"]] += line["diamonds"]
    totals: Counter[str] = Counter()
    for total in {each.event_id: each for each in records if each.event == "gift_finalized"}.values():
        totals[total.room_id] += total.diamonds or 0
    verdict.gifts = Gifts(emitted.total(), heard.total(), totals.total())
    wrong = sorted(room for room in emitted | totals if not heard[room] <= totals[room] <= emitted[room])
    if wrong:
        said = ", ".join(f"{room}: {totals[room]} of {heard[room]} to {emitted[room]}" for room in wrong)
        yield f"totals of gifts that are not what was given, in diamonds: {said}"


def _may_be_open(line: Mapping[str, Any], kill: Kill | None) -> bool:
    """Whether a gift's streak may have been open when its worker was killed."""
    if kill is None or line["unique_id"] not in kill.streamers:
        return False
    return bool(kill.at - STREAK_SECONDS - IN_FLIGHT_SECONDS <= line["at"] <= kill.at + STREAK_SECONDS)


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
