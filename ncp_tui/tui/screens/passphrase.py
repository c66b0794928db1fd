"""The passphrase of the key file: asked for when a key of it is first needed, and chosen when there is no file yet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from ncp_tui.gateway import Problem
from ncp_tui.profiles import (
    LEAST_CHARACTERS,
    InvalidPassphrase,
    Passphrase,
    PassphraseNeeded,
    WrongPassphrase,
)
from ncp_tui.tui.crash import LoudWorkers
from ncp_tui.tui.widgets import SecretInput


class PassphraseScreen(LoudWorkers, ModalScreen[bool]):
    """Ends in True when the key file is open, in False when the user would rather not."""

    CSS_PATH = "passphrase.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "Cancel", tooltip="Leave the key file locked", id="passphrase.cancel")
    ]
    AUTO_FOCUS = "#passphrase"

    @dataclass
    class Tried(Message):
        """The passphrase was tried."""

        problem: Problem | None = None

    def __init__(self, locked: PassphraseNeeded) -> None:
        super().__init__()
        self._opener = locked.opener
        self._creating = locked.creating
        self._trying = False

    def compose(self) -> ComposeResult:
        """Why it is asked for, the inputs, how it went."""
        with Vertical(id="passphrase-box") as box:
            box.border_title = f"{'New' if self._creating else 'Locked'} key file"
            yield from self._chosen() if self._creating else self._known()
            yield Static("", markup=False, id="passphrase-said")
            yield Static(
                f"enter {'goes on' if self._creating else 'opens it'}, esc cancels",
                markup=False,
                id="passphrase-hint",
            )

    def _known(self) -> Iterator[Widget]:
        yield Static(f"Your secret keys are in {self._opener.place}.", markup=False)
        yield Static("Its passphrase is asked for once per session.", markup=False, classes="words")
        yield SecretInput(id="passphrase")

    def _chosen(self) -> Iterator[Widget]:
        yield Static(f"The secret key will be in {self._opener.place}, encrypted.", markup=False)
        yield Static(
            f"Choose its passphrase: at least {LEAST_CHARACTERS} characters, several words for example. Nobody can "
            "recover it: whoever forgets it issues new keys in the NCP console.",
            markup=False,
            classes="words",
        )
        yield SecretInput(id="passphrase")
        yield Static("The same again:", markup=False, classes="words")
        yield SecretInput(id="again")

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        """Go on to the second input, or try what was typed, once."""
        event.stop()
        if self._creating and event.input.id == "passphrase":
            self.query_one("#again").focus()
        elif not self._trying:
            self._trying = True
            self._say("Opening ...", "plain")
            self.open_file()

    @work(group="passphrase", exclusive=True, exit_on_error=False, description="open the key file")
    async def open_file(self) -> None:
        """Derive the key, on a thread of its own; it takes half a second."""
        try:
            await self._opener.open(self._typed(), creating=self._creating)
        except Problem as problem:
            self.post_message(self.Tried(problem))
        else:
            self.post_message(self.Tried())

    def _typed(self) -> Passphrase:
        passphrase = self.query_one("#passphrase", SecretInput).passphrase()
        if self._creating:
            passphrase.check_new()
            passphrase.check_same(self.query_one("#again", SecretInput).passphrase())
        return passphrase

    @on(Tried)
    def show_tried(self, event: Tried) -> None:
        """Leave when it is open; else say why not, and ask again."""
        self._trying = False
        if not self.is_current:  # esc was pressed meanwhile
            return
        problem = event.problem
        # A file that has come or gone meanwhile is another question: whoever asked this one asks again.
        if problem is None or isinstance(problem, PassphraseNeeded):
            self.dismiss(True)
            return
        again = isinstance(problem, WrongPassphrase)
        self._say(f"{problem.what} Try again." if again else problem.sentences(), "bad")
        if isinstance(problem, WrongPassphrase | InvalidPassphrase):
            for each in self.query(SecretInput):
                each.clear()
            self.query_one("#passphrase").focus()

    def _say(self, text: str, tone: str) -> None:
        said = self.query_one("#passphrase-said", Static)
        said.set_class(tone == "bad", "bad")
        said.update(text)
