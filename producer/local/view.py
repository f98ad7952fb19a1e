"""What the demo shows: a live picture on a terminal, a line now and then elsewhere, and the summary."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from producer.local.verdict import Kill, Verdict

STYLES = {
    "connected": "green",
    "offline": "bright_black",
    "elsewhere": "cyan",
    "backing_off": "yellow",
    "failed": "red",
}
RATE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Picture:
    """One moment of the demo."""

    elapsed: float
    statuses: Mapping[str, dict[str, Any] | None]
    by_topic: Mapping[str, int]
    latest: Sequence[dict[str, Any]]
    kill: Kill | None


class View:
    """Shows pictures. Use it as a context manager."""

    def __init__(self, console: Console, *, line_seconds: float) -> None:
        self._console = console
        self._line_seconds = line_seconds
        self._next_line = 0.0
        self._notes: list[str] = []
        self._history: list[tuple[float, Mapping[str, int]]] = []
        self._live = Live(console=console, auto_refresh=False, screen=False) if console.is_terminal else None

    def __enter__(self) -> "View":
        if self._live is not None:
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)

    def note(self, text: str) -> None:
        """Say something that happened."""
        self._notes.append(text)
        if self._live is None:
            self._console.print(text, markup=False)

    def show(self, picture: Picture) -> None:
        """Show a moment: at once on a terminal, otherwise in a line when one is due."""
        now = time.monotonic()
        self._history.append((now, picture.by_topic))
        while len(self._history) > 2 and self._history[0][0] < now - RATE_SECONDS:
            self._history.pop(0)
        if self._live is not None:
            self._live.update(self._whole(picture), refresh=True)
        elif now >= self._next_line:
            self._next_line = now + self._line_seconds
            self._console.print(self._line(picture), markup=False, soft_wrap=True)

    def _rate(self, topic: str) -> float:
        (began, before), (ended, after) = self._history[0], self._history[-1]
        return (after.get(topic, 0) - before.get(topic, 0)) / (ended - began) if ended > began else 0.0

    def _line(self, picture: Picture) -> str:
        workers = []
        for name, status in picture.statuses.items():
            states = Counter(item["state"] for item in status["streamers"]) if status else None
            workers.append(f"{name} {dict(sorted(states.items())) if states is not None else 'gone'}")
        records = sum(picture.by_topic.values())
        rate = sum(self._rate(topic) for topic in picture.by_topic)
        filled = sum(1 for count in picture.by_topic.values() if count)
        return f"{picture.elapsed:4.0f} s  {'; '.join(workers)}; {records} records on {filled} topics, {rate:.0f}/s"

    def _whole(self, picture: Picture) -> RenderableType:
        side = Table.grid(padding=(0, 3))
        side.add_row(self._rooms(picture), self._topics(picture))
        notes = [Text(note, style="bold red") for note in self._notes]
        title = Text(f"TikTok LIVE to Kafka   {picture.elapsed:.0f} s   Ctrl-C ends", style="bold")
        return Group(title, *notes, side, Text("latest events", style="bold"), _latest(picture.latest))

    @staticmethod
    def _rooms(picture: Picture) -> Table:
        table = Table("room", "owner", "state", box=None, pad_edge=False, header_style="bold")
        owned = {
            item["streamer"]: (name, item["state"])
            for name, status in picture.statuses.items()
            if status is not None
            for item in status["streamers"]
        }
        for streamer, (owner, state) in sorted(owned.items()):
            table.add_row(streamer, owner, Text(state or "", style=STYLES.get(state or "", "cyan")))
        return table

    def _topics(self, picture: Picture) -> Table:
        table = Table("topic", "records", "/s", box=None, pad_edge=False, header_style="bold")
        table.columns[1].justify = table.columns[2].justify = "right"
        for topic in sorted(picture.by_topic):
            table.add_row(topic, str(picture.by_topic[topic]), f"{self._rate(topic):.1f}")
        return table


def _latest(events: Sequence[dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    for event in list(events)[-8:]:
        user = (event.get("user") or {}).get("nickname") or ""
        table.add_row(
            Text(event["meta"]["streamer"], style="bright_black"),
            Text(event["name"], style="cyan"),
            Text(user[:24]),
            Text(_gist(event)[:60]),
        )
    return table


def _gist(event: dict[str, Any]) -> str:
    match event["name"]:
        case "comment":
            return str(event["comment"] or "")
        case "gift":
            gift = event["gift"]
            details = gift["giftDetails"] or {}
            return f"{details.get('giftName')} x{gift['repeatCount']}{' ...' if gift['streaking'] else ''}"
        case "like":
            return f"+{event['likeCount']}, {event['totalLikeCount']} in all"
        case "viewer_count_update":
            return f"{event['viewerCount']} viewers"
        case "question":
            return str(event["questionText"] or "")
        case "unknown":
            return str(event["method"] or "")
        case "disconnect" | "live_end":
            return str(event["reason"] or "")
    return ""


def print_summary(
    console: Console,
    verdict: Verdict,
    *,
    kill: Kill | None,
    ledgers: Mapping[str, Mapping[str, Any]],
    faults: Sequence[str],
    dead_letters: Mapping[str, int],
) -> None:
    """Print the account at the end."""
    names = ("sent", "ours", "unheard", "in_gap", "lost", "duplicates", "read")
    heads = ("sent", "ours", "- unheard", "- in gap", "- lost", "+ again", "= read")
    table = Table("event", *heads, box=None, pad_edge=False, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for event, row in sorted(verdict.rows.items()):
        table.add_row(event, *(str(getattr(row, name) or "-") for name in names))
    rows = verdict.rows.values()
    sums = {name: sum(getattr(row, name) for row in rows) for name in names}
    table.add_row("all", *map(str, sums.values()), style="bold")
    console.print()
    console.print(table)
    console.print(
        f"again: {sums['duplicates']} records with an event id read before; 0 are left after removing them by it",
        soft_wrap=True,
    )
    if kill is not None:
        console.print(
            f"takeover: {kill.worker} was killed with {len(kill.streamers)} streamers; {verdict.gap_rooms} live rooms "
            f"were entered again, the last after {verdict.gap_seconds:.1f} s; {sums['in_gap']} events fell in it",
            soft_wrap=True,
        )
    console.print("unheard: nobody was connected (a live's first moments, reconnections), nor was it read as history")
    gifts = verdict.gifts
    console.print(
        f"gifts: {gifts.read} diamonds by gift_finalized; {gifts.heard} were heard for sure, of {gifts.emitted} given",
        soft_wrap=True,
    )
    console.print(f"misbehaviour met: {_counts(Counter(faults))}", markup=False, soft_wrap=True)
    console.print(f"dead letters: {_counts(dead_letters)}", markup=False, soft_wrap=True)
    for name, ledger in ledgers.items():
        parts = (
            "received",
            "mapped",
            "refused",
            "own",
            "acknowledged",
            "dead_lettered",
            "spooled",
            "capped",
            "in_flight",
            "lost",
            "balanced",
        )
        account = ", ".join(f"{part} {ledger.get(part)}" for part in parts)
        console.print(f"{name}: {account}", markup=False, soft_wrap=True)
    for problem in verdict.problems:
        console.print(f"NOT AS IT SHOULD BE: {problem}", style="bold red", markup=False, soft_wrap=True)
    if not verdict.problems:
        console.print("the accounts agree", style="bold green")


def _counts(counter: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"
