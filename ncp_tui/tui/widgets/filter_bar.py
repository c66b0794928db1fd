"""The filter of a table: `/` opens it, typing narrows, enter goes back to the rows, esc clears it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input

from ncp_tui.tui.widgets.inputs import TextInput


class FilterBar(TextInput):
    """An input that is there only while a filter is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear filter", id="filter.clear"),
        Binding("down", "submit", "To the rows", show=False, id="filter.rows"),
    ]

    @dataclass
    class Narrowed(Message):
        """The filter's text is another one."""

        text: str

        def can_replace(self, message: Message) -> bool:
            """Only the newest text matters."""
            return isinstance(message, FilterBar.Narrowed)

    @dataclass
    class Left(Message):
        """The user goes back to the rows."""

    def __init__(self) -> None:
        super().__init__(placeholder="Filter: any part of any column", id="filter")
        self.display = False

    def open(self) -> None:
        """Show the bar and take the keys."""
        self.display = True
        self.focus()

    def action_clear(self) -> None:
        self.value = ""
        self.display = False
        self.post_message(self.Left())

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Narrowed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.display = bool(self.value)
        self.post_message(self.Left())
