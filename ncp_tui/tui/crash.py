"""The Textual internals that the rule about secrets needs, in one place; a test of each is the alarm.

Textual prints the local variables of every frame when it crashes, into the scrollback, and one environment variable
makes it log every key typed into a world-readable file, another one into `keys.log` in the current folder (all measured
with 8.2.8).
"""

from __future__ import annotations

import os

from textual import constants
from textual.worker import Worker, WorkerState

from ncp_tui.tui.variables import DEVELOPMENT_VARIABLE


def silence_textual_logs() -> None:
    """Keep Textual from logging keys and messages to a file or a console, unless a developer asked for it.

    Without its variables it does not; where it was loaded before they were taken out, it still would.
    """
    if DEVELOPMENT_VARIABLE not in os.environ:
        constants.LOG_FILE = None  # type: ignore[misc]
        constants.DEBUG = False  # type: ignore[misc]


class LoudWorkers:
    """Turns an unexpected error of a worker into the app's end with a report, never into silence.

    Textual tells only the node that a worker belongs to, so every class that has workers is one of these.
    """

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Hand the error to the app."""
        error = event.worker.error
        if event.state is WorkerState.ERROR and isinstance(error, Exception):
            event.worker.node.app._handle_exception(error)  # noqa: SLF001
