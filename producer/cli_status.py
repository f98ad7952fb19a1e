"""`producer status`: who streams whom, from what the workers wrote, with no worker's help."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.table import Table

from producer import terminal
from producer.assignments.catalogue import Catalogue
from producer.assignments.claims import Streamer
from producer.assignments.clients import Options
from producer.assignments.table import Status
from producer.status.board import STATES, Board, Row, arrange
from producer.status.feed import Feed


def show(catalogue: Catalogue, *, as_json: bool) -> None:
    """Print it. Raises StartRefused."""
    said = asyncio.run(_first(catalogue))
    if as_json:
        terminal.document(document(said))
    else:
        terminal.draw(picture(said, now=time.time()))


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
    board = Board()
    board.said = said
    return Group(
        _table(board.workers(now), "worker", "streamers", *STATES),
        "",
        _table(board.streamers(now), "streamer", "state", "for", "worker", "room", "error", sort="state"),
    )


def _table(rows: Sequence[Row], *columns: str, sort: str = "worker") -> Table:
    table = Table(*columns, box=None, header_style="bold")
    for row in arrange(rows, sort, descending=False, wanted=""):
        table.add_row(*map(row.text, columns))
    return table


async def _first(catalogue: Catalogue) -> Mapping[Streamer, Status]:
    said = catalogue.follow()
    try:
        return await anext(said)
    finally:
        await said.aclose()
