"""A working screen whose body is one table with a filter and an order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.widget import Widget

from ncp_tui.gateway import Problem
from ncp_tui.tui.screens.working import WorkingScreen
from ncp_tui.tui.widgets import Column, FilterBar, ProblemCard, RecordTable


class TableScreen(WorkingScreen):
    """Rows to look through: `/` filters, `o` and `O` order, the cursor keeps its row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "filter",
            "Filter",
            key_display="/",
            tooltip="Show only rows that contain a text",
            id="table.filter",
        ),
        Binding("o", "sort", "Sort", show=False, tooltip="Order by the next column", id="table.sort"),
        Binding("O", "reverse", "Reverse", show=False, tooltip="Turn the order around", id="table.reverse"),
    ]
    columns: ClassVar[tuple[Column, ...]] = ()

    def body(self) -> Iterable[Widget]:
        """The filter, a place for a problem, the table."""
        yield FilterBar()
        yield ProblemCard()
        yield RecordTable(self.columns, id="table")

    @property
    def table(self) -> RecordTable:
        """The table."""
        return self.query_one("#table", RecordTable)

    def on_mount(self) -> None:
        """Start with the keys on the table."""
        super().on_mount()
        self.table.focus()

    def show_problem(self, problem: Problem) -> None:
        """Say calmly what is wrong, above what is known from before."""
        self.query_one(ProblemCard).show(problem)
        self.say(problem.what, "bad")
        if not self.table.total:
            self.table.show([], empty="Nothing to show. Press r to try again.")

    def hide_problem(self) -> None:
        """Clear the problem."""
        self.query_one(ProblemCard).clear()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """In the filter a slash is typed."""
        if action == "filter":
            return not self.query_one(FilterBar).has_focus
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        """Open the filter."""
        self.query_one(FilterBar).open()

    def action_sort(self) -> None:
        """Order by the next column."""
        self.table.sort_by_next()
        self.say(f"Sorted by {self.table.order}." if self.table.order else "In the service's order.")

    def action_reverse(self) -> None:
        """Turn the order around."""
        self.table.reverse()
        self.say(f"Sorted by {self.table.order}.")

    @on(FilterBar.Narrowed)
    def narrow(self, event: FilterBar.Narrowed) -> None:
        """Show what passes the filter."""
        self.table.filter(event.text)
        if event.text:
            self.say(f"{self.table.shown} of {self.table.total} rows contain “{event.text}”.")

    @on(FilterBar.Left)
    def to_rows(self) -> None:
        """Give the keys back to the table."""
        self.table.focus()

    def action_back(self) -> None:
        """Clear the filter first, then leave."""
        bar = self.query_one(FilterBar)
        if bar.display:
            bar.action_clear()
        else:
            super().action_back()
