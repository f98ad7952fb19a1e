"""`producer status`: who streams whom, from what the workers wrote, with no worker's help."""

import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from rich.console import Group, RenderableType
from rich.table import Table

from producer import terminal
from producer.assignments.catalogue import Catalogue, Heard
from producer.assignments.claims import Streamer, Wanted, normalise
from producer.assignments.clients import Options
from producer.assignments.table import Status
from producer.errors import StartRefused
from producer.status import outlook
from producer.status.board import STATES, Board, Row, arrange
from producer.status.feed import Feed


def show(catalogue: Catalogue, *, as_json: bool) -> None:
    """Print it. Raises StartRefused."""
    heard, wanted = asyncio.run(_first(catalogue))
    if as_json:
        terminal.document(document(heard, wanted))
    else:
        terminal.draw(picture(heard, wanted, now=time.time()))


def tell(catalogue: Catalogue, name: str, *, as_json: bool) -> None:
    """Print what is known of one streamer, and when it is likely to go live. Raises StartRefused."""
    try:
        streamer = normalise(name)
    except ValueError as problem:
        raise StartRefused(str(problem)) from problem
    heard, wanted = asyncio.run(_first(catalogue))
    status, entry = heard.said.get(streamer), wanted.get(streamer)
    if status is None and entry is None:
        raise StartRefused(f"{streamer} is not on the list, and no worker says anything of it")
    if as_json:
        terminal.document(one(streamer, status, entry, now=time.time()))
        return
    for line in outlook.lines(streamer, status, entry, now=time.time()):
        terminal.say(line)


def one(streamer: Streamer, status: Status | None, entry: Wanted | None, *, now: float) -> dict[str, object]:
    """What is known of one streamer, as JSON."""
    return {
        **_streamer(streamer, status, entry),
        **outlook.document(status, now=now),
        "why": outlook.lines(streamer, status, entry, now=now),
    }


def watch(catalogue: Catalogue, options: Options, topics: Sequence[str], groups: Sequence[str]) -> None:
    """Keep it current on the terminal until `q`. Raises StartRefused."""
    from producer.status.app import Watch  # half a second of imports that nothing else here needs

    board = Board(groups)
    board.wanted = asyncio.run(catalogue.wanted())  # before the screen is taken, so that a refusal is a line
    Watch(board, Feed(board, catalogue, options, topics).run).run()


def document(heard: Heard, wanted: Mapping[Streamer, Wanted]) -> dict[str, object]:
    """The whole as JSON: counts by worker and state, each door, and each streamer with what the list says who it is."""
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
        "streamers": [_streamer(streamer, said[streamer], wanted.get(streamer)) for streamer in sorted(said)],
    }


def _streamer(streamer: Streamer, status: Status | None, entry: Wanted | None) -> dict[str, object]:
    return {"streamer": streamer, **(asdict(status) if status is not None else {}), **_identity(entry)}


def _identity(entry: Wanted | None) -> dict[str, object]:
    if entry is None:
        return {"user_id": None, "labels": {}}
    return {"user_id": entry.user_id and str(entry.user_id), "labels": dict(entry.labels)}


def picture(heard: Heard, wanted: Mapping[Streamer, Wanted], *, now: float) -> RenderableType:
    """Three tables: the workers, the doors, and the streamers, those that need somebody first."""
    board = Board()
    board.said, board.doors, board.wanted = heard.said, heard.doors, wanted
    return Group(
        _table(board.workers(now), "worker", "streamers", *STATES),
        "",
        _table(board.doors_standing(now), "door", "rooms", "state", "said", "by", "answer", sort="door"),
        "",
        _table(board.streamers(now), "streamer", "state", "for", "worker", "room", "labels", "error", sort="state"),
    )


def _table(rows: Sequence[Row], *columns: str, sort: str = "worker") -> Table:
    table = Table(box=None, header_style="bold")
    for column in columns:
        # Where it is narrow, states stay whole: "connecti" may be the beginning of two.
        table.add_column(column, no_wrap=column in ("state", *STATES))
    for row in arrange(rows, sort, descending=False, wanted=""):
        table.add_row(*map(row.text, columns))
    return table


async def _first(catalogue: Catalogue) -> tuple[Heard, Mapping[Streamer, Wanted]]:
    heard = catalogue.follow()
    try:
        return await anext(heard), await catalogue.wanted()
    finally:
        await heard.aclose()
