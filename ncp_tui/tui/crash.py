"""The Textual internals that the rule about secrets needs, in one place; a test of each is the alarm.

Textual prints the local variables of every frame when it crashes, into the scrollback, and one environment variable
makes it log every key typed into a world-readable file (both measured with 8.2.8).
"""

from __future__ import annotations

import os
from typing import Any

from textual import constants
from textual.app import App

DEVELOPMENT_VARIABLE = "NCP_TUI_DEV"


def silence_textual_logs() -> None:
    """Keep Textual from logging keys and messages to a file or a console, unless a developer asked for it."""
    if DEVELOPMENT_VARIABLE not in os.environ:
        constants.LOG_FILE = None  # type: ignore[misc]
        for name in ("TEXTUAL", "TEXTUAL_LOG", "TEXTUAL_DEBUG"):
            os.environ.pop(name, None)


class QuietCrash(App[Any], inherit_bindings=False):
    """An app that never prints: an unexpected exception is kept, and whoever ran the app reports it without locals."""

    def __init__(self) -> None:
        super().__init__()
        self.crashed: BaseException | None = None

    def _handle_exception(self, error: Exception) -> None:
        self.crashed = self.crashed or error
        super()._handle_exception(error)

    def _fatal_error(self) -> None:
        self._close_messages_no_wait()
