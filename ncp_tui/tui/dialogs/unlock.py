"""Opening a locked store: the questions before it, one try at a time, and what they have in common."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from ncp_tui.problem import Problem
from ncp_tui.profiles.secret_stores.errors import InvalidPassphrase, KeyringLocked, WrongPassphrase
from ncp_tui.profiles.secret_stores.passphrase import LEAST_CHARACTERS, Passphrase, PassphraseNeeded
from ncp_tui.tui.key_bindings import problem_words
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors
from ncp_tui.tui.widgets.inputs import SecretInput


class StoreDialog(ReportsWorkerErrors, ModalScreen[bool]):
    """Ends in True when the store is open, in False when the user would rather not. Subclasses ask, and try."""

    CSS_PATH = "unlock.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "Cancel", tooltip="Leave it locked", id="store.cancel")
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
        with Vertical(id="store-box") as box:
            box.border_title = Content(self.box_title)
            yield from self.question()
            yield Static("", markup=False, id="store-said")
            yield Static(self.hint, markup=False, id="store-hint")

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
        said = self.query_one("#store-said", Static)
        said.set_class(tone == "bad", "bad")
        said.update(text)


class PassphraseDialog(StoreDialog):
    """Asks for the passphrase; for a file that is not there yet, twice for a new one."""

    AUTO_FOCUS = "#passphrase"

    def __init__(self, locked: PassphraseNeeded) -> None:
        super().__init__()
        self._opener = locked.opener
        self._creating = locked.creating
        self.box_title = f"{'New' if self._creating else 'Locked'} key file"
        self.hint = f"enter {'goes on' if self._creating else 'opens it'}, esc cancels"

    def question(self) -> Iterator[Widget]:
        """Where the keys are, and the inputs."""
        return self._chosen() if self._creating else self._known()

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
        event.stop()
        if self._creating and event.input.id == "passphrase":
            self.query_one("#again").focus()
        elif self.begin("Opening ..."):
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

    def tried_in_vain(self, problem: Problem) -> None:
        """Say why it did not open, and ask again."""
        # A file that has come or gone meanwhile is another question: whoever asked this one asks again.
        if isinstance(problem, PassphraseNeeded):
            self.dismiss(True)
            return
        again = isinstance(problem, WrongPassphrase)
        self.say(f"{problem.what} Try again." if again else problem_words(problem), "bad")
        if isinstance(problem, WrongPassphrase | InvalidPassphrase):
            for each in self.query(SecretInput):
                each.clear()
            self.query_one("#passphrase").focus()


class UnlockDialog(StoreDialog):
    """Asks whether the keyring may ask for its password, and waits while it does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "unlock", "Unlock", tooltip="Have the keyring ask for its password", id="store.unlock")
    ]
    box_title = "Locked keyring"
    hint = "enter has it ask, esc leaves it locked"

    def __init__(self, locked: KeyringLocked) -> None:
        super().__init__()
        self._locked = locked

    def question(self) -> Iterator[Widget]:
        """What is locked, and what unlocking does."""
        yield Static(self._locked.what, markup=False)
        yield Static(
            "It asks for its password in a window of its own, which may come up on another screen, and cannot come up "
            "where there is no desktop.",
            markup=False,
            classes="words",
        )

    def action_unlock(self) -> None:
        if self.begin("Waiting for the keyring's own window, a minute at most. esc stops waiting."):
            self.unlock()

    @work(group="unlock", exclusive=True, exit_on_error=False, description="unlock the keyring")
    async def unlock(self) -> None:
        """Wait while it asks; leaving the screen ends the wait."""
        unlocker = self._locked.unlocker
        try:
            if unlocker is not None:
                await unlocker.unlock()
        except Problem as problem:
            self.post_message(self.Tried(problem))
        else:
            self.post_message(self.Tried())


async def ask_to_open(app: App[Any], locked: PassphraseNeeded | KeyringLocked) -> bool:
    """Have the user open the key file or the keyring; False when the user would rather not."""
    screen: Screen[bool] = UnlockDialog(locked) if isinstance(locked, KeyringLocked) else PassphraseDialog(locked)
    answered = asyncio.Event()
    answers: list[bool | None] = []

    def keep(answer: bool | None) -> None:
        answers.append(answer)
        if app.screen_stack:
            # Behind the event that tells the screen in front of its return: it must still find its worker at work.
            app.screen.call_later(answered.set)

    await app.push_screen(screen, keep)
    try:
        await answered.wait()
    except asyncio.CancelledError:
        if app.screen_stack and app.screen is screen:
            screen.dismiss(False)
        raise
    return bool(answers[0])
