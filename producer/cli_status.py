"""`producer status`: who streams whom, from what the workers wrote, with no worker's help."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from producer.assignments.catalogue import Catalogue
from producer.assignments.claims import Streamer
from producer.assignments.table import Status

STATES = ("connected", "offline", "resolving", "connecting", "backing_off", "failed", "unassigned")
STYLES = {
    "connected": "green",
    "offline": "bright_black",
    "backing_off": "yellow",
    "failed": "red",
    "unassigned": "magenta",
}
WORST_FIRST = {state: place for place, state in enumerate(reversed(STATES))}


def show(catalogue: Catalogue, *, as_json: bool, once: bool) -> None:
    """Print it once; or, on a terminal, keep it current until interrupted. Raises StartRefused."""
    console = Console()
    if as_json:
        sys.stdout.write(json.dumps(document(asyncio.run(_first(catalogue))), indent=2) + "\n")
    elif once or not console.is_terminal:
        said = asyncio.run(_first(catalogue))
        console.print(picture(said, now=time.time(), rows=len(said)))
    else:
        asyncio.run(_watch(catalogue, console))


def document(said: Mapping[Streamer, Status]) -> dict[str, object]:
    """The whole as JSON: counts by worker and state, and each streamer."""
    workers: dict[str, Counter[str]] = {}
    for status in said.values():
        workers.setdefault(status.worker, Counter())[status.state] += 1
    return {
        "workers": {worker: dict(sorted(states.items())) for worker, states in sorted(workers.items())},
        "streamers": [{"streamer": streamer, **asdict(said[streamer])} for streamer in sorted(said)],
    }


def picture(said: Mapping[Streamer, Status], *, now: float, rows: int) -> RenderableType:
    """Two tables: the workers, and so many of the streamers, those that need somebody first."""
    workers = Table("worker", "streamers", *STATES, box=None, header_style="bold")
    by_worker: dict[str, Counter[str]] = {}
    for status in said.values():
        by_worker.setdefault(status.worker, Counter())[status.state] += 1
    for worker, states in sorted(by_worker.items()):
        counts = (Text(str(states[state] or "·"), STYLES.get(state, "")) for state in STATES)
        workers.add_row(worker, str(states.total()), *counts)
    streamers = Table("streamer", "state", "for", "worker", "room", "error", box=None, header_style="bold")
    ordered = sorted(said.items(), key=lambda item: (WORST_FIRST.get(item[1].state, 0), item[0]))
    for streamer, status in ordered[:rows]:
        streamers.add_row(
            streamer,
            Text(status.state, STYLES.get(status.state, "")),
            _age(now - status.since / 1000),
            status.worker,
            status.room_id or "",
            Text(status.error or "", "red", overflow="ellipsis", no_wrap=True),
        )
    hidden = len(ordered) - rows
    more = [Text(f"and {hidden} more", "bright_black")] if hidden > 0 else []
    return Group(workers, "", streamers, *more)


async def _first(catalogue: Catalogue) -> Mapping[Streamer, Status]:
    said = catalogue.follow()
    try:
        return await anext(said)
    finally:
        await said.aclose()


async def _watch(catalogue: Catalogue, console: Console) -> None:
    with Live(console=console, auto_refresh=False, screen=True) as live:
        async for said in catalogue.follow():
            spare = console.height - 6 - len({status.worker for status in said.values()})
            live.update(picture(said, now=time.time(), rows=max(1, spare)), refresh=True)


def _age(seconds: float) -> str:
    whole = max(0, int(seconds))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"
