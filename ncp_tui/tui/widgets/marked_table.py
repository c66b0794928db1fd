"""A table whose rows can be marked, for what is done to several of them at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from ncp_tui.tui.widgets.record_table import RecordTable, _NewestTableMessage
from ncp_tui.view.text import Row

SIGN = "*"
"""Stands before a row that is marked: it is seen without any colour, and no name can hold it in that place."""


class MarkedTable(RecordTable):
    """Marks stay where rows are filtered, sorted or read again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+up", "mark_on(-1)", "Mark up", show=False, tooltip="Mark, and the row above", id="marks.up"),
        Binding(
            "shift+down", "mark_on(1)", "Mark down", show=False, tooltip="Mark, and the row below", id="marks.down"
        ),
    ]

    @dataclass
    class Marked(_NewestTableMessage):
        """Other rows are marked than before."""

    @property
    def marks(self) -> frozenset[str]:
        """The keys of the marked rows, also of those that do not pass the filter."""
        return self._marks

    @property
    def hidden_marks(self) -> int:
        """How many marked rows do not pass the filter."""
        return len(self._marks - {row.key for row in self.rows}) if self._marks else 0

    _marks: frozenset[str] = frozenset()
    _last: str | None = None
    """The row that was marked or unmarked last."""

    def sign(self, row: Row) -> str:
        return SIGN if row.key in self._marks else " "

    def keep_marks(self, known: Collection[str]) -> int:
        """Take away the marks of rows that are not `known` any more; returns how many."""
        gone = self._marks - set(known)
        self._set(self._marks - gone)
        return len(gone)

    def mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and move on."""
        key = self.cursor_key
        if key is not None:
            self._last = key
            self._set(self._marks ^ {key})
            self.action_move(1)

    def action_mark_on(self, by: int) -> None:
        """Mark this row and the next one in that direction."""
        before = self.cursor_key
        self.action_move(by)
        self._mark(before, self.cursor_key)

    def mark_range(self) -> None:
        """Mark what is shown between the last mark and the cursor; without one on the screen the row under it."""
        keys = [row.key for row in self.rows]
        if self.cursor_key is None:
            return
        here = keys.index(self.cursor_key)
        last = keys.index(self._last) if self._last in keys else here
        self._mark(*keys[min(here, last) : max(here, last) + 1])

    def mark_shown(self) -> None:
        """Mark every row that passes the filter."""
        self._set(self._marks | {row.key for row in self.rows})

    def unmark_all(self) -> None:
        """Take every mark away."""
        self._last = None
        self._set(frozenset())

    def _mark(self, *keys: str | None) -> None:
        self._last = self.cursor_key
        self._set(self._marks | {key for key in keys if key is not None})

    def _set(self, marks: frozenset[str]) -> None:
        if marks != self._marks:
            self._marks = marks
            self.refresh()
            self.post_message(self.Marked(self))
