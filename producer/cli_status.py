"""`producer status`: who streams whom, from what the workers wrote, with no worker's help."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.table import Table

from producer import terminal
from producer.assignments.catalogue import Catalogue, Heard
from producer.assignments.clients import Options
from producer.status.board import STATES, Board, Row, arrange
from producer.status.feed import Feed


def show(catalogue: Catalogue, *, as_json: bool) -> None:
    """Print it. Raises StartRefused."""
    heard = asyncio.run(_first(catalogue))
    if as_json:
        terminal.document(document(heard))
    else:
        terminal.draw(picture(heard, now=time.time()))


def watch(catalogue: Catalogue, options: Options, topics: Sequence[str], groups: Sequence[str]) -> None:
    """Keep it current on the terminal until `q`. Raises StartRefused."""
    from producer.status.app import Watch  # half a second of imports that nothing else here needs

    board = Board(groups)
    board.wanted = asyncio.run(catalogue.wanted())  # before the screen is taken, so that a refusal is a line
    Watch(board, Feed(board, catalogue, options, topics).run).run()


def document(heard: Heard) -> dict[str, object]:
    """The whole as JSON: counts by worker and state, each door, and each streamer."""
    said, rooms = heard.said, Counter(status.door for status in heard.said.values() if status.door)
    workers: dict[str, Counter[str]] = {}
    for status in said.values():
        workers.setdefault(status.worker, Counter())[status.state] += 1
    return {
        "workers": {worker: dict(sorted(states.items())) for worker, states in sorted(workers.items())},
        "doors": [
            {"door": door, "rooms": rooms[door]} | (asdict(heard.doors[door]) if door in heard.doors else {})
            for door in sorted(rooms.keys() | heard.doors.keys())
        ],
        "streamers": [{"streamer": streamer, **asdict(said[streamer])} for streamer in sorted(said)],
    }


def picture(heard: Heard, *, now: float) -> RenderableType:
    """Three tables: the workers, the doors, and the streamers, those that need somebody first."""
    board = Board()
    board.said, board.doors = heard.said, heard.doors
    return Group(
        _table(board.workers(now), "worker", "streamers", *STATES),
        "",
        _table(board.doors_standing(now), "door", "rooms", "state", "said", "by", "answer", sort="door"),
        "",
        _table(board.streamers(now), "streamer", "state", "for", "worker", "room", "error", sort="state"),
    )


def _table(rows: Sequence[Row], *columns: str, sort: str = "worker") -> Table:
    table = Table(*columns, box=None, header_style="bold")
    for row in arrange(rows, sort, descending=False, wanted=""):
        table.add_row(*map(row.text, columns))
    return table


async def _first(catalogue: Catalogue) -> Heard:
    heard = catalogue.follow()
    try:
        return await anext(heard)
    finally:
        await heard.aclose()
