"""`producer status`: who streams whom, from what the workers wrote, with no worker's help."""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from producer.assignments.catalogue import Catalogue
from producer.assignments.claims import Streamer
from producer.assignments.clients import Options
from producer.assignments.table import Status
from producer.status.board import STATES, STYLES, WORST_FIRST, Board, age
from producer.status.feed import Feed


def show(catalogue: Catalogue, *, as_json: bool) -> None:
    """Print it. Raises StartRefused."""
    said = asyncio.run(_first(catalogue))
    if as_json:
        sys.stdout.write(json.dumps(document(said), indent=2) + "\n")
    else:
        Console().print(picture(said, now=time.time()))


def watch(catalogue: Catalogue, options: Options, topics: Sequence[str], groups: Sequence[str]) -> None:
    """Keep it current on the terminal until `q`. Raises StartRefused."""
    from producer.status.app import Watch  # half a second of imports that nothing else here needs

    board = Board(groups)
    board.wanted = asyncio.run(catalogue.wanted())  # before the screen is taken, so that a refusal is a line
    Watch(board, Feed(board, catalogue, options, topics).run).run()


def document(said: Mapping[Streamer, Status]) -> dict[str, object]:
    """The whole as JSON: counts by worker and state, and each streamer."""
    workers: dict[str, Counter[str]] = {}
    for status in said.values():
        workers.setdefault(status.worker, Counter())[status.state] += 1
    return {
        "workers": {worker: dict(sorted(states.items())) for worker, states in sorted(workers.items())},
        "streamers": [{"streamer": streamer, **asdict(said[streamer])} for streamer in sorted(said)],
    }


def picture(said: Mapping[Streamer, Status], *, now: float) -> RenderableType:
    """Two tables: the workers, and the streamers, those that need somebody first."""
    workers = Table("worker", "streamers", *STATES, box=None, header_style="bold")
    by_worker: dict[str, Counter[str]] = {}
    for status in said.values():
        by_worker.setdefault(status.worker, Counter())[status.state] += 1
    for worker, states in sorted(by_worker.items()):
        counts = (Text(str(states[state] or "·"), STYLES.get(state, "")) for state in STATES)
        workers.add_row(worker, str(states.total()), *counts)
    streamers = Table("streamer", "state", "for", "worker", "room", "error", box=None, header_style="bold")
    ordered = sorted(said.items(), key=lambda item: (WORST_FIRST.get(item[1].state, 0), item[0]))
    for streamer, status in ordered:
        streamers.add_row(
            streamer,
            Text(status.state, STYLES.get(status.state, "")),
            age(now - status.since / 1000),
            status.worker,
            status.room_id or "",
            Text(status.error or "", "red", overflow="ellipsis", no_wrap=True),
        )
    return Group(workers, "", streamers)


async def _first(catalogue: Catalogue) -> Mapping[Streamer, Status]:
    said = catalogue.follow()
    try:
        return await anext(said)
    finally:
        await said.aclose()
