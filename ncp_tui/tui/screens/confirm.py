"""A question that only the typed name of the thing answers: no key pressed by habit gets past it."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from ncp_tui.tui.glyphs import shown
from ncp_tui.tui.widgets import TextInput


class TypeNameScreen(ModalScreen[bool]):
    """Ends in True when exactly `name` was typed, in False otherwise."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss(False)", "Cancel", id="confirm.cancel")]

    def __init__(self, question: str, name: str) -> None:
        super().__init__()
        self._question = question
        self._wanted = name

    def compose(self) -> ComposeResult:
        """The question, the input, the way out."""
        with Vertical(id="confirm-box"):
            yield Static(shown(self._question), markup=False)
            yield Static(shown(self._wanted), markup=False, id="confirm-name")
            yield TextInput(id="confirm-input")
            yield Static("enter confirms, esc cancels", markup=False, id="confirm-hint")

    @on(Input.Submitted)
    def decide(self, event: Input.Submitted) -> None:
        """Compare to the letter."""
        event.stop()
        if not self.is_current:  # a hurried second enter: to dismiss again would take away the screen below
            return
        if event.value == self._wanted:
            self.dismiss(True)
        else:
            self.query_one("#confirm-hint", Static).update("That is not the name. Nothing was done; esc cancels.")


class QuestionScreen(ModalScreen[bool]):
    """A yes-or-no question; only `y` is a yes."""

    CSS_PATH = "confirm.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "dismiss(True)", "Yes", id="question.yes"),
        Binding("escape,n", "dismiss(False)", "No", id="question.no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and its keys."""
        with Vertical(id="confirm-box"):
            yield Static(shown(self._question), markup=False)
            yield Static("y yes   n or esc no", markup=False, id="confirm-hint")
