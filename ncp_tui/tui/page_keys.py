"""Page keys that come before a list of options is laid out: with Textual 8.2.8 a KeyError, which ends the program."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.command import CommandPalette
from textual.events import Key
from textual.widgets import OptionList

_BY_PAGE = frozenset({"pageup", "pagedown"})


class SteadyPages(App[Any]):
    """An app in which a list of options is gone through by lines, to its start and to its end.

    None here has more than two pages: the choices of a form, the commands of a screen.
    """

    def on_key(self, event: Key) -> None:
        """Keep the key from Textual's own bindings."""
        chooses = isinstance(self.focused, OptionList) or isinstance(self.screen, CommandPalette)
        if chooses and event.key in _BY_PAGE:
            event.prevent_default()
