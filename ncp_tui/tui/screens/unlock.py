"""The keyring's own prompt: it may come up on another screen, so it is opened only when the user wants it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, ClassVar

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from ncp_tui.problem import Problem
from ncp_tui.profiles.secret_stores.errors import KeyringLocked
from ncp_tui.profiles.secret_stores.passphrase import PassphraseNeeded
from ncp_tui.tui.screens.opening import OpeningScreen
from ncp_tui.tui.screens.passphrase import PassphraseScreen


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


async def ask_to_open(app: App[Any], locked: PassphraseNeeded | KeyringLocked) -> bool:
    """Have the user open the key file or the keyring; False when the user would rather not."""
    screen: Screen[bool] = UnlockScreen(locked) if isinstance(locked, KeyringLocked) else PassphraseScreen(locked)
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
