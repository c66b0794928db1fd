"""The passphrase of the key file: asked for when a key of it is first needed, and chosen when there is no file yet."""

from __future__ import annotations

from collections.abc import Iterator

from textual import on, work
from textual.widget import Widget
from textual.widgets import Input, Static

from ncp_tui.problem import Problem
from ncp_tui.profiles.secret_stores.errors import InvalidPassphrase, WrongPassphrase
from ncp_tui.profiles.secret_stores.passphrase import LEAST_CHARACTERS, Passphrase, PassphraseNeeded
from ncp_tui.tui.next_steps import problem_words
from ncp_tui.tui.screens.opening import OpeningScreen
from ncp_tui.tui.widgets.secret_input import SecretInput


class PassphraseScreen(OpeningScreen):
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
        """Go on to the second input, or try what was typed, once."""
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
