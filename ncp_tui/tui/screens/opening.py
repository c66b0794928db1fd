"""What the questions before a locked store have in common: a box, how it went, one try at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Static

from ncp_tui.problem import Problem
from ncp_tui.tui.crash import LoudWorkers
from ncp_tui.tui.next_steps import problem_words


class OpeningScreen(LoudWorkers, ModalScreen[bool]):
    """Ends in True when the store is open, in False when the user would rather not. Subclasses ask, and try."""

    CSS_PATH = "opening.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "Cancel", tooltip="Leave it locked", id="opening.cancel")
    ]
    box_title = ""
    hint = ""

    @dataclass
    class Tried(Message):
        """It was tried."""

        problem: Problem | None = None

    def __init__(self) -> None:
        super().__init__()
        self._trying = False

    def compose(self) -> ComposeResult:
        """Why it is asked for, the question, how it went."""
        with Vertical(id="opening-box") as box:
            box.border_title = Content(self.box_title)
            yield from self.question()
            yield Static("", markup=False, id="opening-said")
            yield Static(self.hint, markup=False, id="opening-hint")

    def question(self) -> Iterator[Widget]:
        """What is asked, and why."""
        raise NotImplementedError

    def tried_in_vain(self, problem: Problem) -> None:
        """Say why it did not open."""
        self.say(problem_words(problem), "bad")

    def begin(self, saying: str) -> bool:
        """Whether a try may begin: only one is made at a time. It ends in a Tried message."""
        if self._trying:
            return False
        self._trying = True
        self.say(saying, "plain")
        return True

    @on(Tried)
    def show_tried(self, event: Tried) -> None:
        """Leave when it is open; else say why not, and ask again."""
        self._trying = False
        if not self.is_current:  # esc was pressed meanwhile
            return
        if event.problem is None:
            self.dismiss(True)
        else:
            self.tried_in_vain(event.problem)

    def say(self, text: str, tone: str) -> None:
        """Say how it goes."""
        said = self.query_one("#opening-said", Static)
        said.set_class(tone == "bad", "bad")
        said.update(text)
