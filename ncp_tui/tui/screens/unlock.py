"""The keyring's own prompt: it may come up on another screen, so it is opened only when the user wants it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static

from ncp_tui.problem import Problem
from ncp_tui.profiles.secret_stores.errors import KeyringLocked
from ncp_tui.tui.screens.opening import OpeningScreen


class UnlockScreen(OpeningScreen):
    """Asks whether the keyring may ask for its password, and waits while it does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "unlock", "Unlock", tooltip="Have the keyring ask for its password", id="opening.unlock")
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
        """Have the keyring ask, once at a time."""
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
