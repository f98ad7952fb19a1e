"""The view itself: three tables on a terminal, kept current."""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import DataTable, Footer, Input, Static, TabbedContent, TabPane

from producer.status.board import STATES, Board, Row, age, arrange
from producer.strangers import shown

DRAW_SECONDS = 1.0
MOST_ROWS = 500
"""Rows of a table that are drawn, so that a list of ten thousand stays light: what is behind them, a filter finds."""
HELP = """\
[b]1 2 3[/b]    workers, streamers, topics
[b]/[/b]        filter: words, column:word, or column=word for all of a cell:
         state:failed worker=worker-2
[b]Escape[/b]   no filter
[b]s  r[/b]     sort by the next column; the other way round
[b]Enter[/b]    on a worker: its streamers; on a streamer: all of it
[b]p[/b]        stand still, and go on
[b]q[/b]        quit

All of this comes from Kafka: what workers wrote last of each streamer, the list, the topics' offsets.
Rates are of the last ten seconds. What is not known is —."""


class Tab:
    """One table: its columns, what it is sorted by, and its filter."""

    def __init__(self, name: str, columns: Sequence[str], *, sort: str, descending: bool = False) -> None:
        self.name = name
        self.columns = tuple(columns)
        self.sort = sort
        self.descending = descending
        self.wanted = ""


class Says(ModalScreen[None]):
    """A text over the tables, until a key is pressed; a `str` has marks of style in it, so no stranger's is one."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,enter,q,question_mark", "dismiss", "Close")]

    def __init__(self, text: str | Text) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="says"):
            yield Static(self._text)


class Watch(App[None]):
    """The fleet, live. `feed` fills the board until it is cancelled."""

    TITLE = "TikTok LIVE producer"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #summary { height: 1; padding: 0 1; text-style: bold; }
    #place { height: 1; padding: 0 1; color: $text-muted; }
    #filter { display: none; height: 1; border: none; padding: 0 1; }
    #filter.asked { display: block; }
    TabbedContent, DataTable { height: 1fr; }
    TabPane { padding: 0; }
    Says { align: center middle; }
    #says { width: 110; height: auto; max-height: 80%; padding: 1 2; background: $panel; border: round $primary; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "tab('workers')", "Workers"),
        Binding("2", "tab('streamers')", "Streamers"),
        Binding("3", "tab('topics')", "Topics"),
        Binding("slash", "ask", "Filter"),
        Binding("escape", "all", "All", show=False),
        Binding("s", "sort", "Sort"),
        Binding("r", "reverse", "Reverse"),
        Binding("p", "pause", "Pause"),
        Binding("question_mark", "explain", "Help"),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(
        self, board: Board, feed: Callable[[], Awaitable[None]], *, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__()
        self._board = board
        self._feed = feed
        self._clock = clock
        self._paused = False
        lags = [f"lag of {group}" for group in board.groups]
        tabs = (
            Tab("workers", ("worker", "streamers", *STATES, "errors", "last change"), sort="worker"),
            Tab(
                "streamers", ("streamer", "state", "for", "worker", "room", "priority", "labels", "error"), sort="state"
            ),
            Tab(
                "topics",
                ("topic", "records/s", "trend", "end", "partitions", *lags),
                sort="records/s",
                descending=True,
            ),
        )
        self._tabs = {tab.name: tab for tab in tabs}

    def compose(self) -> ComposeResult:
        yield Static(id="summary")
        with TabbedContent(id="tabs"):
            for tab in self._tabs.values():
                with TabPane(tab.name.capitalize(), id=tab.name):
                    table: DataTable[Text] = DataTable(id=f"{tab.name}-table", cursor_type="row", zebra_stripes=True)
                    yield table
        yield Input(id="filter", placeholder="words, or column:word; Enter keeps it, Escape drops it")
        yield Static(id="place")
        yield Footer()

    def on_mount(self) -> None:
        self.theme = "textual-dark"
        self.action_tab("workers")
        self.set_interval(DRAW_SECONDS, self._draw)
        self.run_worker(self._feed(), exit_on_error=True)

    # ------------------------------------------------------------------------------------------------- what is shown

    def _draw(self) -> None:
        if self._paused:
            return
        tab, now = self._tab, self._clock()
        rows = {"workers": self._board.workers, "streamers": self._board.streamers}.get(tab.name)
        found = arrange(
            rows(now) if rows else self._board.topics(), tab.sort, descending=tab.descending, wanted=tab.wanted
        )
        self._fill(tab, found[:MOST_ROWS])
        self.query_one("#summary", Static).update(self._summary(now))
        self.query_one("#place", Static).update(self._place(tab, len(found)))

    def _summary(self, now: float) -> Text:
        text = Text(self._board.summary())
        if self._board.away is not None:
            heard = "never heard" if self._board.heard is None else f"heard {age(now - self._board.heard)} ago"
            text.append(f"  Kafka does not answer, {heard}: {shown(self._board.away)}", "red")
        if self._paused:
            text.append("  standing still", "yellow")
        return text

    def _place(self, tab: Tab, found: int) -> Text:
        parts = [f"sorted by {tab.sort} {'↓' if tab.descending else '↑'}"]
        if tab.wanted:
            parts.append(f"filter {tab.wanted!r}: {found:,} found")
        if found > MOST_ROWS:
            parts.append(f"the first {MOST_ROWS:,} of {found:,}; / finds the others")
        return Text(" · ".join(parts))

    def _fill(self, tab: Tab, rows: Sequence[Row]) -> None:
        """Change the cells that differ; only where other rows are shown, or in another order, begin anew."""
        table = self._table(tab)
        if not table.columns:
            for column in tab.columns:
                table.add_column(column, key=column)
        shown = [str(key.value) for key in table.rows]
        if shown == [row.key for row in rows]:
            for row in rows:
                for column in tab.columns:
                    text = row.text(column)
                    if table.get_cell(row.key, column) != text:
                        table.update_cell(row.key, column, text, update_width=True)
            return
        at = table.cursor_row
        before = shown[at] if 0 <= at < len(shown) else None
        table.clear()
        for row in rows:
            table.add_row(*(row.text(column) for column in tab.columns), key=row.key)
        keys = [row.key for row in rows]
        if keys:
            table.move_cursor(row=keys.index(before) if before in keys else min(at, len(keys) - 1))

    # ---------------------------------------------------------------------------------------------------------- keys

    @property
    def _tab(self) -> Tab:
        return self._tabs[self.query_one("#tabs", TabbedContent).active or "workers"]

    def _table(self, tab: Tab) -> "DataTable[Text]":
        found: DataTable[Text] = self.query_one(f"#{tab.name}-table", DataTable)
        return found

    def action_tab(self, name: str) -> None:
        self.query_one("#tabs", TabbedContent).active = name
        self._table(self._tabs[name]).focus()
        self._draw()

    def on_tabbed_content_tab_activated(self) -> None:
        self._draw()

    def action_sort(self) -> None:
        tab = self._tab
        tab.sort = tab.columns[(tab.columns.index(tab.sort) + 1) % len(tab.columns)]
        self._draw()

    def action_reverse(self) -> None:
        self._tab.descending = not self._tab.descending
        self._draw()

    def action_pause(self) -> None:
        self._paused = not self._paused
        self.query_one("#summary", Static).update(self._summary(self._clock()))
        self._draw()

    def action_explain(self) -> None:
        self.push_screen(Says(HELP))

    def action_ask(self) -> None:
        asked = self.query_one("#filter", Input)
        asked.value = self._tab.wanted
        asked.add_class("asked")
        asked.focus()

    def action_all(self) -> None:
        self._tab.wanted = ""
        self._answered()

    def on_input_changed(self, event: Input.Changed) -> None:
        self._tab.wanted = event.value.strip()
        self._draw()

    def on_input_submitted(self) -> None:
        self._answered()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        name = str(event.row_key.value)
        match self._tab.name:
            case "workers":
                worker = event.data_table.get_cell(event.row_key, "worker")
                self._tabs["streamers"].wanted = f"worker={str(worker).lower()}"
                self.action_tab("streamers")
            case "streamers":
                rows = {row.key: row for row in self._board.streamers(self._clock())}
                if name in rows:
                    cells = rows[name].cells.items()
                    lines = [Text.assemble((f"{column:<10} ", "bold"), cell.text) for column, cell in cells]
                    self.push_screen(Says(Text("\n").join(lines)))

    def _answered(self) -> None:
        self.query_one("#filter", Input).remove_class("asked")
        self._table(self._tab).focus()
        self._draw()
