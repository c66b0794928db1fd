"""One of a few things to choose, in a box over the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import Cell, Tone


@dataclass(frozen=True)
class Choice:
    """What can be chosen: an id of its own, a label, and a note."""

    id: str
    label: str
    note: str = ""


_CHOICES: Table[Choice] = Table(
    (
        Column("", lambda choice: Cell(choice.label, Tone.STRONG), most=30),
        Column("", lambda choice: Cell(choice.note, Tone.DIM), flex=1, least=0),
    ),
    key=lambda choice: choice.id,
)

_USUAL = 50
"""Characters of a choice and its note that the usual box has room for."""


class ChoiceDialog(ModalScreen[str | None]):
    """A list in a box; ends in the id of what was chosen, or in None."""

    CSS_PATH = "choice.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Choose", show=False, id="choice.choose"),
        Binding("escape,q", "dismiss(None)", "Close", id="choice.close"),
    ]
    AUTO_FOCUS = "#choices"

    def __init__(self, title: str, choices: Sequence[Choice], current: str = "", *, hint: str = "") -> None:
        super().__init__()
        self._title = title
        self._choices = list(choices)
        self._current = current
        self._hint = hint or "enter Choose   esc Close"

    def compose(self) -> ComposeResult:
        with Vertical(id="choice-box") as box:
            box.border_title = Content(escape(self._title))
            box.set_class(any(len(each.label) + len(each.note) > _USUAL for each in self._choices), "wide")
            yield RecordTable(_CHOICES.on_screen, header=False, id="choices")
            yield Static(self._hint, markup=False, id="choice-hint")

    def on_mount(self) -> None:
        table = self.query_one(RecordTable)
        table.styles.height = len(self._choices)
        table.show([_CHOICES.row(each) for each in self._choices])
        table.move_to(self._current)

    def action_choose(self) -> None:
        self.dismiss(self.query_one(RecordTable).cursor_key)

    @on(RecordTable.Chosen)
    def choose_clicked(self, event: RecordTable.Chosen) -> None:
        event.stop()
        self.action_choose()
