"""The rows of a table: which of them are shown, in which order, and how they share the width. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from rich.cells import cell_len, set_cell_size

from ncp_tui.tui.terminal.charset import cells_of, escape
from ncp_tui.view.arrangement import Filter, Sort, arranged, read_filter
from ncp_tui.view.table import Column
from ncp_tui.view.text import Cell, Row

GAP = 2
"""Cells between two columns."""

MOST_MEASURED = 1_000
"""Rows of those that come at once whose width is measured; a later, wider one is cut with an ellipsis."""


class TableRows:
    """All rows, and those that pass the filter, in order."""

    def __init__(self, columns: Sequence[Column[Any]]) -> None:
        self.columns = tuple(columns)
        self.all: list[Row] = []
        self.shown: list[Row] = []
        """Those that pass the filter, in order; a new list after each change."""
        self._places: dict[str, int] = {}
        self.sort: Sort | None = None
        """What they are sorted by; None for the order in which they came."""
        self._filter = Filter("")
        self._wanted: list[int] = []

    @property
    def labels(self) -> list[str]:
        """The heads; the one that is sorted by has an arrow."""
        labels = [column.label for column in self.columns]
        if self.sort is not None:
            labels[self.sort.column] += " ▼" if self.sort.descending else " ▲"
        return labels

    def replace(self, rows: Sequence[Row]) -> None:
        """Have `rows` and no others."""
        self.all = list(rows)
        self._places = {row.key: place for place, row in enumerate(self.all)}
        self._wanted = []
        self._arrange()

    def merge(self, rows: Sequence[Row], gone: Collection[str] = ()) -> None:
        """Take out those that are `gone`; put `rows` in the place of those with the same keys, the others below."""
        if gone:
            self.all = [row for row in self.all if row.key not in gone]
            self._places = {row.key: place for place, row in enumerate(self.all)}
        for row in rows:
            place = self._places.setdefault(row.key, len(self.all))
            self.all[place : place + 1] = [row]
        self._wanted = list(map(max, self._wanted, content_widths(self.columns, rows))) if self._wanted else []
        self._arrange()

    @property
    def misread(self) -> str:
        """What of the filter looks like a comparison and is none."""
        return self._filter.misread

    def filter(self, text: str) -> None:
        """Show only the rows that pass the filter `text`, see `read_filter`."""
        self._filter = read_filter(text, self.columns)
        self._arrange()

    def sort_by(self, sort: Sort | None) -> None:
        """Sort by a column, or show the rows in the order in which they came."""
        self.sort = sort
        self._arrange()

    def widths(self, width: int) -> list[int]:
        """The width of each column. It depends on all rows: else columns would jump at each letter of a filter."""
        self._wanted = self._wanted or content_widths(self.columns, self.all)
        wanted = [max(each, cell_len(label)) for each, label in zip(self._wanted, self.labels, strict=True)]
        return column_widths(self.columns, wanted, width)

    def _arrange(self) -> None:
        self.shown = arranged(self.all, self._filter, self.sort)


_LEFT_OUT: Column[Any] = Column("", lambda _: Cell(""), most=0, least=0)


def content_widths(columns: Sequence[Column[Any]], rows: Sequence[Row]) -> list[int]:
    """How wide the labels and the cells below them are, of the first MOST_MEASURED rows."""
    wanted = [cell_len(column.label) for column in columns]
    for row in rows[:MOST_MEASURED]:
        for index, cell in enumerate(row.cells[: len(columns)]):
            wanted[index] = max(wanted[index], cells_of(cell.text))
    return wanted


def column_widths(columns: Sequence[Column[Any]], wanted: Sequence[int], width: int) -> list[int]:
    """The width of each column: its content (`wanted`) up to its limit, then what is left to the flexible ones.

    Where there is too little, the widest are cut to fit.
    """
    columns = [column if width >= column.room else _LEFT_OUT for column in columns]
    wanted = [0 if column is _LEFT_OUT else want for want, column in zip(wanted, columns, strict=True)]
    widths = [min(want, width if column.flex else column.most) for want, column in zip(wanted, columns, strict=True)]
    spare = width - sum(widths) - GAP * sum(column is not _LEFT_OUT for column in columns)
    while spare < 0:
        # Take from the widest flexible column first, then from any, but never below what still says something.
        able = [i for i, column in enumerate(columns) if widths[i] > column.least and column.flex]
        able = able or [i for i, column in enumerate(columns) if widths[i] > column.least]
        if not able:
            break
        widest = max(able, key=lambda index: widths[index])
        widths[widest] -= 1
        spare += 1
    flexible = [index for index, column in enumerate(columns) if column.flex]
    for index in flexible:
        if spare > 0:
            widths[index] += spare * columns[index].flex // sum(columns[i].flex for i in flexible)
    return widths


def column_at(place: int, widths: Sequence[int]) -> int | None:
    """The column that the cell `place` of a line lies in, the gap behind it included."""
    start = 0
    for column, width in enumerate(widths):
        if width and start <= place < start + width + GAP:
            return column
        start += width + GAP if width else 0
    return None


def cut(text: str, width: int) -> str:
    """`text` in exactly `width` cells; what does not fit ends in an ellipsis, and a wide character is never halved."""
    text = escape(text)
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(set_cell_size(text, max(0, width - 1)).rstrip() + "…", width)
