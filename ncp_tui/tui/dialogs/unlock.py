"""The dialogs that unlock a secret store: a key file by a passphrase; a keyring or a command by its own question."""

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
from ncp_tui.profiles.secret_command import DEADLINE_SECONDS
from ncp_tui.profiles.secret_stores.errors import (
    InvalidPassphrase,
    KeyringLocked,
    SecretCommandFailed,
    StoreLocked,
    WrongPassphrase,
)
from ncp_tui.profiles.secret_stores.passphrase import LEAST_CHARACTERS, Passphrase, PassphraseNeeded
from ncp_tui.text import clean
from ncp_tui.tui.key_bindings import problem_words
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors, TerminalApp
from ncp_tui.tui.widgets.inputs import SecretInput

NEW_FILE, LOCKED_FILE, LOCKED_KEYRING = "New key file", "Unlock key file", "Unlock keyring"
FAILED_COMMAND = "Secret command"
CREATE_HINT, UNLOCK_HINT = "enter Create   esc Cancel", "enter Unlock   esc Cancel"
YOUR_KEYS = "Your secret keys are in {place}."
ASKED_ONCE = "Passphrase (asked once per session):"
NEW_KEY = "Your secret key will be stored encrypted in {place}."
CHOOSE = (
    "Choose a passphrase: {least} characters or more, for example four random words. It cannot be recovered; if you "
    "lose it, issue a new key in the NCP console."
)
REPEAT = "Repeat passphrase:"
OPENING = "Opening ..."
TRY_AGAIN = "{what} Try again."
OWN_WINDOW = (
    "Your keyring will ask for its password in its own window. That needs a desktop session; it may open on another "
    "display."
)
WAITING = "Waiting for the keyring (up to 1 min). esc cancels."


RUN_HINT = "enter Run it here   esc Cancel"
MAY_ASK = (
    "If it has to ask you something: enter runs it again with this terminal, for {seconds:g} s at most. The screen "
    "comes back when it has ended."
)
RUNNING = "ncp-tui runs {program} to get a secret key. ctrl+c ends it."
RUNNING_AGAIN = "Running {program} ..."


class StoreDialog(ReportsWorkerErrors, ModalScreen[bool]):
    """Ends in True when the store is open, in False when the user cancelled. Subclasses ask, and try."""

    CSS_PATH = "unlock.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss(False)", "Cancel", tooltip="Leave it locked", id="store.cancel")
    ]
    box_title = ""
    hint = ""

    @dataclass
    class Tried(Message):
        """An attempt has ended."""

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
        """The question."""
        raise NotImplementedError

    def show_failure(self, problem: Problem) -> None:
        """Show why it did not open."""
        self.say(problem_words(problem), "bad")

    def begin(self, saying: str) -> bool:
        """Whether an attempt may begin: one at a time. It ends in a Tried message."""
        if self._trying:
            return False
        self._trying = True
        self.say(saying, "plain")
        return True

    @on(Tried)
    def show_tried(self, event: Tried) -> None:
        """Close when it is open; else say why not, and ask again."""
        self._trying = False
        if not self.is_current:  # esc was pressed
            return
        if event.problem is None:
            self.dismiss(True)
        else:
            self.show_failure(event.problem)

    def say(self, text: str, tone: str) -> None:
        """Show the state of the attempt."""
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
        self.box_title = NEW_FILE if self._creating else LOCKED_FILE
        self.hint = CREATE_HINT if self._creating else UNLOCK_HINT

    def question(self) -> Iterator[Widget]:
        """The place of the keys, and the inputs."""
        return self._chosen() if self._creating else self._known()

    def _known(self) -> Iterator[Widget]:
        yield Static(YOUR_KEYS.format(place=self._opener.place), markup=False)
        yield Static(ASKED_ONCE, markup=False, classes="words")
        yield SecretInput(id="passphrase")

    def _chosen(self) -> Iterator[Widget]:
        yield Static(NEW_KEY.format(place=self._opener.place), markup=False)
        yield Static(CHOOSE.format(least=LEAST_CHARACTERS), markup=False, classes="words")
        yield SecretInput(id="passphrase")
        yield Static(REPEAT, markup=False, classes="words")
        yield SecretInput(id="again")

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        event.stop()
        if self._creating and event.input.id == "passphrase":
            self.query_one("#again").focus()
        elif self.begin(OPENING):
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

    def show_failure(self, problem: Problem) -> None:
        """Show why it did not open, and ask again."""
        # The file has appeared or gone: that is another question, and the caller asks it.
        if isinstance(problem, PassphraseNeeded):
            self.dismiss(True)
            return
        again = isinstance(problem, WrongPassphrase)
        self.say(TRY_AGAIN.format(what=problem.what) if again else problem_words(problem), "bad")
        if isinstance(problem, WrongPassphrase | InvalidPassphrase):
            for each in self.query(SecretInput):
                each.clear()
            self.query_one("#passphrase").focus()


class UnlockDialog(StoreDialog):
    """Lets the keyring ask for its password, and waits for it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "unlock", "Unlock", tooltip="Let the keyring ask for its password", id="store.unlock")
    ]
    box_title = LOCKED_KEYRING
    hint = UNLOCK_HINT

    def __init__(self, locked: KeyringLocked) -> None:
        super().__init__()
        self._locked = locked

    def question(self) -> Iterator[Widget]:
        """What is locked, and what unlocking does."""
        yield Static(self._locked.what, markup=False)
        yield Static(OWN_WINDOW, markup=False, classes="words")

    def action_unlock(self) -> None:
        if self.begin(WAITING):
            self.unlock()

    @work(group="unlock", exclusive=True, exit_on_error=False, description="unlock the keyring")
    async def unlock(self) -> None:
        """Wait for it; closing the dialog ends the wait."""
        unlocker = self._locked.unlocker
        try:
            if unlocker is not None:
                await unlocker.unlock()
        except Problem as problem:
            self.post_message(self.Tried(problem))
        else:
            self.post_message(self.Tried())


class CommandDialog(StoreDialog):
    """Runs a secret command again, with the terminal, so that it can ask for what it needs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "run", "Run", tooltip="Run the command with this terminal", id="store.run")
    ]
    box_title = FAILED_COMMAND
    hint = RUN_HINT

    def __init__(self, locked: SecretCommandFailed) -> None:
        super().__init__()
        self._locked = locked

    def question(self) -> Iterator[Widget]:
        """How it ended, and what running it again does."""
        yield Static(escape(self._locked.what), markup=False)
        yield Static(MAY_ASK.format(seconds=DEADLINE_SECONDS), markup=False, classes="words")

    def action_run(self) -> None:
        if self.begin(escape(RUNNING_AGAIN.format(program=clean(self._locked.program)))):
            self.run_command()

    @work(group="unlock", exclusive=True, exit_on_error=False, description="run a secret command with the terminal")
    async def run_command(self) -> None:
        """Lend it the terminal, and wait for its end."""
        unlocker, app = self._locked.unlocker, self.app
        try:
            if unlocker is not None and isinstance(app, TerminalApp):
                await app.lend_terminal(RUNNING.format(program=clean(unlocker.program)), unlocker.run)
        except Problem as problem:
            self.post_message(self.Tried(problem))
        else:
            self.post_message(self.Tried())


async def ask_to_open(app: App[Any], locked: StoreLocked) -> bool:
    """Have the user unlock the store; False when the user cancelled."""
    screen: Screen[bool]
    match locked:
        case PassphraseNeeded():
            screen = PassphraseDialog(locked)
        case KeyringLocked():
            screen = UnlockDialog(locked)
        case SecretCommandFailed():
            screen = CommandDialog(locked)
        case _:
            return False
    answered = asyncio.Event()
    answers: list[bool | None] = []

    def keep(answer: bool | None) -> None:
        answers.append(answer)
        if app.screen_stack:
            # After the event that resumes the screen in front, which must still find its worker running.
            app.screen.call_later(answered.set)

    await app.push_screen(screen, keep)
    try:
        await answered.wait()
    except asyncio.CancelledError:
        if app.screen_stack and app.screen is screen:
            screen.dismiss(False)
        raise
    return bool(answers[0])
