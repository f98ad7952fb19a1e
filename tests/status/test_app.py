"""producer.status.app: keys pressed, tables read."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.coordinate import Coordinate
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, Static

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.table import Status
from producer.status.app import MOST_ROWS, Says, Watch
from producer.status.board import Board
from tests.status.test_board import ANN, BO, HARMLESS, NOW, board, hostile


def play(shown: Board, act: Callable[[Watch, Pilot[None]], Awaitable[None]]) -> None:
    """Run the view over a board, with nothing that feeds it."""

    async def idle() -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        app = Watch(shown, idle, clock=lambda: NOW)
        async with app.run_test(size=(140, 40)) as pilot:
            await pilot.pause()
            while not app.query("#streamers-table"):
                await pilot.pause()  # a busy machine takes a while to make the screen
            await act(app, pilot)

    asyncio.run(main())


def table(app: Watch, name: str) -> "DataTable[object]":
    return app.query_one(f"#{name}-table", DataTable)


def shown(app: Watch, name: str) -> list[str]:
    return [str(key.value) for key in table(app, name).rows]


def said(app: Watch, name: str) -> str:
    return str(app.query_one(f"#{name}", Static).render())


def test_a_workers_streamers_are_one_key_away_and_all_of_one_another() -> None:
    async def act(app: Watch, pilot: Pilot[None]) -> None:
        assert shown(app, "workers") == ["worker-1", "worker-10"]

        await pilot.press("enter")
        await pilot.pause()
        assert shown(app, "streamers") == ["ann"]

        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, Says)
        assert "73001" in str(app.screen.query_one(Static).render())

        await pilot.press("escape", "escape")
        await pilot.pause()
        assert shown(app, "streamers") == ["cai", "bo", "ann"]

    play(board(), act)


def test_what_somebody_else_wrote_is_shown_and_not_obeyed() -> None:
    watched = hostile()
    watched.away = "no broker\x1b]0;title\x07"

    async def act(app: Watch, pilot: Pilot[None]) -> None:
        assert "no broker\\x1b]0;title\\x07" in said(app, "summary")
        assert str(table(app, "workers").get_cell_at(Coordinate(0, 0))) == HARMLESS

        await pilot.press("enter")
        await pilot.pause()
        assert shown(app, "streamers") == ["ann"]
        cells = [str(cell) for cell in table(app, "streamers").get_row("ann")]
        assert all(map(str.isprintable, cells))

        await pilot.press("enter")
        await pilot.pause()
        told = str(app.screen.query_one(Static).render())
        assert told.count(HARMLESS) == 4
        assert all(map(str.isprintable, told.splitlines()))
        drawn = [segment.text for strip in app.screen._compositor.render_strips() for segment in strip]
        assert all(map(str.isprintable, drawn))

    play(watched, act)


def test_a_filter_is_typed_and_dropped() -> None:
    async def act(app: Watch, pilot: Pilot[None]) -> None:
        await pilot.press("2", "slash")
        while app.focused is not app.query_one("#filter", Input):
            await pilot.pause()  # on a busy machine what is typed before would be keys of the table
        await pilot.press(*"state:failed", "enter")
        await pilot.pause()
        assert shown(app, "streamers") == ["bo"]
        assert "1 found" in said(app, "place")
        assert not app.query_one("#filter", Input).has_class("asked")

        await pilot.press("escape")
        await pilot.pause()
        assert len(shown(app, "streamers")) == 3

    play(board(), act)


def test_keys_sort_and_turn_round() -> None:
    async def act(app: Watch, pilot: Pilot[None]) -> None:
        await pilot.press("2", "s")  # from the state to the time
        await pilot.pause()
        assert shown(app, "streamers") == ["cai", "bo", "ann"]
        assert "sorted by for" in said(app, "place")

        await pilot.press("r")
        await pilot.pause()
        assert shown(app, "streamers") == ["ann", "bo", "cai"]

    play(board(), act)


def test_what_changes_is_drawn_unless_it_stands_still() -> None:
    async def act(app: Watch, pilot: Pilot[None]) -> None:
        watched = app._board
        await pilot.press("2")
        await pilot.pause()

        watched.said = {**watched.said, BO: Status("worker-1", 4, "connected", 1_700_000_059_000)}
        app._draw()
        assert str(table(app, "streamers").get_cell("bo", "state")) == "connected"

        await pilot.press("p")
        watched.said = {ANN: watched.said[ANN]}
        app._draw()
        assert str(table(app, "streamers").get_cell("bo", "state")) == "connected"
        assert "standing still" in said(app, "summary")

        await pilot.press("p")
        assert str(table(app, "streamers").get_cell("bo", "state")) == "unsaid"

    play(board(), act)


def test_the_line_that_one_looks_at_stays_when_others_come() -> None:
    async def act(app: Watch, pilot: Pilot[None]) -> None:
        await pilot.press("2", *("s" * 7))  # by name
        await pilot.press("up", "up", "down")
        await pilot.pause()
        assert shown(app, "streamers")[table(app, "streamers").cursor_row] == "bo"

        app._board.wanted = {**app._board.wanted, Streamer("abe"): Wanted(Streamer("abe"))}
        app._draw()

        assert shown(app, "streamers") == ["abe", "ann", "bo", "cai"]
        assert shown(app, "streamers")[table(app, "streamers").cursor_row] == "bo"

    play(board(), act)


def test_a_long_list_is_cut_and_says_so() -> None:
    long = Board()
    long.wanted = {Streamer(f"s{number}"): Wanted(Streamer(f"s{number}")) for number in range(10_000)}

    async def act(app: Watch, pilot: Pilot[None]) -> None:
        await pilot.press("2")
        await pilot.pause()
        assert len(shown(app, "streamers")) == MOST_ROWS
        assert "the first 500 of 10,000" in said(app, "place")

    play(long, act)


def test_a_kafka_that_does_not_answer_is_said_and_what_was_known_stays() -> None:
    away = board()
    away.answered(NOW - 90)
    away.away = "no broker"

    async def act(app: Watch, pilot: Pilot[None]) -> None:
        assert "Kafka does not answer, heard 1 min ago: no broker" in said(app, "summary")
        assert shown(app, "workers") == ["worker-1", "worker-10"]

    play(away, act)
