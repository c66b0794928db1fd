"""A text to read, in a box over the screen: details, curl, help. Closing it changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from ncp_tui.tui.documents import Line
from ncp_tui.tui.widgets import TextView


class TextScreen(ModalScreen[None]):
    """A titled text with a scroll position."""

    CSS_PATH = "text.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close", id="text.close"),
        Binding("c", "copy", "Copy", id="text.copy"),
    ]
    AUTO_FOCUS = "TextView"

    def __init__(self, title: str, lines: Sequence[Line], hint: str = "esc closes, c copies, arrows scroll") -> None:
        super().__init__()
        self._title = title
        self._lines = list(lines)
        self._hint = hint

    def compose(self) -> ComposeResult:
        """The box: title on its border, text, hint."""
        with Vertical(id="text-box") as box:
            box.border_title = Content(self._title)  # a plain str would be read as markup
            yield TextView(self._lines, id="text")
            yield Static(self._hint, markup=False, id="text-hint")

    def show(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self._lines = list(lines)
        self.query_one(TextView).show(self._lines)

    def action_copy(self) -> None:
        """Send the text to the terminal's clipboard. Whether the terminal takes it, nobody can know."""
        self.app.copy_to_clipboard(self.query_one(TextView).text)
        self.query_one("#text-hint", Static).update(
            "Sent to the terminal (OSC 52). If nothing arrives, select the text."
        )
