"""A table that costs what is on the screen: columns share the width, text is cut by cells, one row moves at a time.

Textual's own DataTable measures every row when it comes, and blocks for 1.2 s at 10,000 rows (measured); here a row is
drawn when its line is requested, and moving the cursor repaints two lines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ncp_tui.tui.widgets.table_rows import GAP, TableRows, column_at, cut
from ncp_tui.view.arrangement import Sort
from ncp_tui.view.table import Column
from ncp_tui.view.text import Cell, Row, Tone

MOST_SHOWN = 10_000
"""Rows of one list on a screen: what a key costs grows with them. The command line reads more."""

NO_MATCHES = "No matches. esc clears the filter."
NO_COMPARISON = "No matches: {term} is no comparison. Write it as age>24h. esc clears the filter."


@dataclass
class _TableMessage(Message):
    """Something that a table tells of."""

    table: RecordTable

    @property
    def control(self) -> RecordTable:
        """The table, for `@on(..., selector)`."""
        return self.table


@dataclass
class _NewestTableMessage(_TableMessage):
    """One of which only the newest matters."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, type(self))


class RecordTable(ScrollView, can_focus=True):
    """Rows under a header that stays, with a cursor, a filter and an order."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "record-table--header",
        "record-table--cursor",
        "record-table--cursor-blurred",
        *(f"record-table--{tone}" for tone in Tone),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "move(1)", "Down", show=False, id="table.down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="table.page_up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="table.page_down"),
        Binding("ctrl+u", "page(-0.5)", "Half a page up", show=False, id="table.half_up"),
        Binding("ctrl+d", "page(0.5)", "Half a page down", show=False, id="table.half_down"),
        Binding("home,g", "jump(0)", "First row", show=False, id="table.first"),
        Binding("end,G", "jump(-1)", "Last row", show=False, id="table.last"),
    ]

    @dataclass
    class Chosen(_TableMessage):
        """A double click on a row: what enter does on the screen, for the mouse."""

        key: str

    @dataclass
    class Moved(_NewestTableMessage):
        """The cursor is on another row."""

        key: str

    @dataclass
    class HeadClicked(_TableMessage):
        """The head of a column was clicked."""

        column: int

    @dataclass
    class Arranged(_NewestTableMessage):
        """Other rows are shown, or other values in them."""

    @dataclass
    class EndNear(_NewestTableMessage):
        """The last rows are in view, or one screen away."""

    def __init__(
        self,
        columns: Sequence[Column[Any]],
        *,
        empty: str = "",
        header: bool = True,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._rows = TableRows(columns)
        self._empty = empty
        self._looked_at = 0
        self._header = 1 if header else 0
        self._cursor = 0
        self.on_moved: Callable[[], object] | None = None
        """Called while the cursor moves, so that what follows it is painted in the same frame; `Moved` comes after."""
        self._widths: list[int] = []
        self._measured_in = 0

    @property
    def shown(self) -> int:
        """How many rows pass the filter."""
        return len(self._rows.shown)

    @property
    def total(self) -> int:
        """How many rows there are."""
        return len(self._rows.all)

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self._rows.shown[self._cursor].key if self._rows.shown else None

    @property
    def columns(self) -> tuple[Column[Any], ...]:
        """What a row has a cell for."""
        return self._rows.columns

    @property
    def rows(self) -> Sequence[Row]:
        """What is shown, in order."""
        return self._rows.shown

    @property
    def sort(self) -> Sort | None:
        """What the rows are sorted by; None for the order in which they came."""
        return self._rows.sort

    def show(self, rows: Sequence[Row], *, empty: str | None = None) -> None:
        """Show `rows`; the cursor stays on the same key, or near where it was."""
        if empty is not None:
            self._empty = empty
        self._arrange(lambda: self._rows.replace(rows))

    def merge(self, rows: Sequence[Row], gone: Collection[str] = ()) -> None:
        """Put `rows` in the place of those with the same keys, and the others below all that are there.

        The rows whose keys are `gone` are no more.
        """
        self._arrange(lambda: self._rows.merge(rows, gone))

    def filter(self, text: str) -> None:
        """Show only the rows that pass the filter `text`, see `read_filter`."""
        self._arrange(lambda: self._rows.filter(text))

    def sort_by(self, sort: Sort | None) -> None:
        """Sort by a column, or show the rows in the order in which they came."""
        self._arrange(lambda: self._rows.sort_by(sort))
        self.refresh()  # the head has another arrow

    def move_to(self, key: str) -> None:
        """Put the cursor on the row `key`, if it is shown."""
        index = next((index for index, row in enumerate(self._rows.shown) if row.key == key), None)
        if index is not None:
            self._go(index)

    def action_move(self, by: int) -> None:
        self._go(self._cursor + by)

    def action_page(self, by: float) -> None:
        """Move the cursor `by` screens."""
        self._go(self._cursor + int(by * max(2, self.size.height - self._header)))

    def action_jump(self, to: int) -> None:
        """Move the cursor to the first (0) or the last (-1) row."""
        self._go(to if to == 0 else len(self._rows.shown) - 1)

    def on_resize(self) -> None:
        self._measure()

    def on_focus(self) -> None:
        self._refresh_row(self._cursor)

    def on_blur(self) -> None:
        self._refresh_row(self._cursor)

    def on_click(self, event: events.Click) -> None:
        """Move to the row clicked; a second click on it opens it. A click on a head sorts by its column."""
        index = event.y - self._header + self.scroll_offset.y
        column = column_at(event.x - 1, self._widths) if event.y < self._header else None
        if column is not None and self.columns[column].label:
            self.post_message(self.HeadClicked(self, column))
        if event.y < self._header or index >= len(self._rows.shown):
            return
        self._go(index)
        if event.chain > 1:
            self.post_message(self.Chosen(self, self._rows.shown[index].key))

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if width != self._measured_in:  # the first frame is painted before the size is known
            self._widths = self._share()
        base = self.rich_style
        if self._header and y == 0:
            style = base + self._tone("header")
            return self._line([(label, style) for label in self._rows.labels], style, width)
        index = y - self._header + self.scroll_offset.y
        if not self._rows.shown and y == self._header:
            misread = self._rows.misread
            none = NO_COMPARISON.format(term=misread) if misread else NO_MATCHES
            words = none if self.total else self._empty
            return Strip([Segment(" " + words, base + self._tone(Tone.DIM))]).extend_cell_length(width, base)
        if index >= len(self._rows.shown):
            return Strip.blank(width, base)
        row = self._rows.shown[index]
        style = base
        if index == self._cursor:
            style = base + self._tone("cursor" if self.has_focus else "cursor-blurred")
        cells = [(cell.text, self._cell_style(row, cell, style, index)) for cell in row.cells]
        return self._line(cells, style, width, self.sign(row))

    def sign(self, row: Row) -> str:  # noqa: ARG002 - of a subclass's rows
        """One character before the first cell of a row."""
        return " "

    def _cell_style(self, row: Row, cell: Cell, line: Style, index: int) -> Style:
        if index == self._cursor and self.has_focus:
            return line  # on the cursor's background one colour of text is readable for certain
        tone = Tone.DIM if row.dim and cell.tone is Tone.PLAIN else cell.tone
        return line + self._tone(tone)

    def _tone(self, name: str) -> Style:
        return self.get_component_rich_style(f"record-table--{name}", partial=True)

    def _line(self, cells: Sequence[tuple[str, Style]], style: Style, width: int, sign: str = " ") -> Strip:
        segments = [Segment(sign, style)]
        for (text, cell_style), column_width in zip(cells, self._widths, strict=False):
            if column_width:
                segments.append(Segment(cut(text, column_width), cell_style))
                segments.append(Segment(" " * GAP, style))
        return Strip(segments).adjust_cell_length(width, style)

    def _arrange(self, change: Callable[[], None]) -> None:
        """Make a change of the rows; the cursor stays on its row. What looks as before is not sent (`frame_diff`)."""
        key, place = self.cursor_key, self._cursor
        change()
        rows = self._rows.shown
        kept = next((index for index, row in enumerate(rows) if row.key == key), None)
        self._cursor = kept if kept is not None else max(0, min(place, len(rows) - 1))
        self._measure()
        self.refresh()
        self._keep_cursor_visible()
        now = self.cursor_key
        if key is not None and now is not None and now != key:
            self.post_message(self.Moved(self, now))
        self.post_message(self.Arranged(self))

    def _measure(self) -> None:
        widths = self._share()
        self.virtual_size = Size(self.size.width, len(self._rows.shown) + self._header)
        if widths != self._widths:
            self._widths = widths
            self.refresh()

    def _share(self) -> list[int]:
        self._measured_in = self.size.width
        return self._rows.widths(self._measured_in - 1)

    def _go(self, index: int) -> None:
        index = max(0, min(index, len(self._rows.shown) - 1))
        self._look_at_end(index)
        if index == self._cursor or not self._rows.shown:
            return
        before, self._cursor = self._cursor, index
        self._refresh_row(before)
        self._refresh_row(index)
        self._keep_cursor_visible()
        if self.on_moved is not None:
            self.on_moved()
        self.post_message(self.Moved(self, self._rows.shown[index].key))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Look at the end where the mouse goes, too."""
        super().watch_scroll_y(old_value, new_value)
        self._look_at_end(int(new_value) + self.size.height)

    def _look_at_end(self, index: int) -> None:
        self._looked_at = index
        if self.is_end_near:
            self.post_message(self.EndNear(self))

    @property
    def is_end_near(self) -> bool:
        """Whether it still is, for a handler of EndNear that runs after more rows have come."""
        return bool(self._rows.shown) and self._looked_at + self.size.height >= len(self._rows.shown)

    def _refresh_row(self, index: int) -> None:
        """Draw one line again: an arrow key takes 5 ms of processor time instead of 9, and as many bytes."""
        y = index - self.scroll_offset.y + self._header
        if 0 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def _keep_cursor_visible(self) -> None:
        height = max(1, self.size.height - self._header)
        top = self.scroll_offset.y
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, force=True)
