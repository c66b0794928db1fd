"""A screen whose rows can be marked, for what is done to several of them at once."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from ncp_tui.tui.screens.table import TableScreen
from ncp_tui.tui.widgets.marked_table import MarkedTable

MARKED = "{count} marked"
MARKED_HIDDEN = "{count} marked ({hidden} not shown)"

MARK = Binding("space", "mark", "Mark", tooltip="Mark or unmark this row, and move on", id="marks.mark")
"""Stands among the own keys of the screen, so that the footer shows it in its place."""


class MarkingScreen(TableScreen):
    """Its keys mark wherever the focus is; the header says how many marks there are, also of rows that are hidden."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "V", "mark_range", "Mark range", show=False, tooltip="Mark from the last mark to this row", id="marks.range"
        ),
        Binding(
            "A", "mark_shown", "Mark all", show=False, tooltip="Mark all rows that pass the filter", id="marks.shown"
        ),
        Binding("N", "unmark_all", "Mark none", show=False, tooltip="Take every mark away", id="marks.none"),
    ]

    @property
    def marking(self) -> MarkedTable:
        """The table."""
        return self.query_one("#table", MarkedTable)

    @property
    def marked_words(self) -> str:
        """How many are marked, and how many of them do not pass the filter."""
        table = self.marking if self.query("#table") else None
        if table is None or not table.marks:
            return ""
        hidden = table.hidden_marks
        return (MARKED_HIDDEN if hidden else MARKED).format(count=len(table.marks), hidden=hidden)

    def action_mark(self) -> None:
        self.marking.mark()

    def action_mark_range(self) -> None:
        self.marking.mark_range()

    def action_mark_shown(self) -> None:
        self.marking.mark_shown()

    def action_unmark_all(self) -> None:
        self.marking.unmark_all()

    @on(MarkedTable.Arranged, "#table")
    def count_hidden(self) -> None:
        """Another filter hides other marks."""
        if self.marking.marks:
            self.show_header()
