"""Asking for one line of text."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ncp_tui.tui.widgets import TextInput


class PromptScreen(ModalScreen[str | None]):
    """Ends in the text, or in None when it was cancelled."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(None)", "Cancel", id="prompt.cancel")]

    def __init__(self, question: str, text: str = "") -> None:
        super().__init__()
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
        self.dismiss(event.value.strip() or None)
