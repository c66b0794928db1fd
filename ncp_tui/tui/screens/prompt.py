"""Asking for one line of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ncp_tui.tui.glyphs import shown
from ncp_tui.tui.widgets.text_input import TextInput


class PromptScreen(ModalScreen[str | None]):
    """Ends in the text, or in None when it was cancelled."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", id="prompt.cancel")]

    def __init__(self, question: str, text: str = "", wrong: Callable[[str], str] = lambda _: "") -> None:
        """`wrong` says what is wrong with a text, which then stays to be corrected; empty for one that will do."""
        super().__init__()
        self._wrong = wrong
        self._question = question
        self._text = text

    def compose(self) -> ComposeResult:
        """The question, the input, the way out."""
        with Vertical(id="confirm-box"):
            yield Static(self._question, markup=False)
            yield TextInput(self._text, id="confirm-input")
            yield Static("enter confirms, esc cancels", markup=False, id="confirm-hint")

    @on(Input.Submitted)
    def finish(self, event: Input.Submitted) -> None:
        """Hand the text back."""
        event.stop()
        if not self.is_current:  # a hurried second enter: to dismiss again would take away the screen below
            return
        text = event.value.strip()
        wrong = self._wrong(text)
        if wrong:
            self.query_one("#confirm-hint", Static).update(shown(wrong))
            return
        self.dismiss(text or None)
