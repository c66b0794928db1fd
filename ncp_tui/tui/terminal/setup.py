"""What has to be known of the terminal and the environment, and set, before the first thing is drawn.

Textual listens to variables that are meant for others: one makes it log every key typed into a world-readable file,
another one into `keys.log` in the current folder (measured with 8.2.8).
"""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Final

from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import FIRST_FRAME_SECONDS
from ncp_tui.system.process import DEVELOPMENT_VARIABLE
from ncp_tui.tui.preferences import Remembered, not_remembered, remembered
from ncp_tui.workspace import Workspace

MOUSE_VARIABLE: Final = "NCP_TUI_MOUSE"

# A shell that was asked to export its size (docker exec -e, Jupyter, Emacs) hands on one that no window has any more.
_SIZE = ("COLUMNS", "LINES")

_SWITCH_SECONDS = 0.001
"""How long a thread that takes an answer apart keeps a key waiting, at each of the steps that a key takes; Python's own
5 ms are 40 until it is painted."""


@dataclass(frozen=True)
class Choices:
    """What holds from the first frame on: the theme, and how the end of a snapshot is announced."""

    theme: str
    notify_by: str
    kept: Remembered
    """All that was chosen last, and the user's own keys."""


def forget_foreign_variables(environ: MutableMapping[str, str]) -> None:
    """Take out of `environ` what must not decide how this program looks; to be called before Textual is loaded.

    That is the size in COLUMNS and LINES (the window knows its own), every TEXTUAL variable (one of them logs each key
    that is typed, another presses keys), and a NO_COLOR that is empty, which by its own rule (no-color.org) says
    nothing. A developer keeps those of Textual with NCP_TUI_DEV.
    """
    names = [name for name in _SIZE if name in environ]
    if DEVELOPMENT_VARIABLE not in environ:
        names += [name for name in environ if name == "TEXTUAL" or name.startswith("TEXTUAL_")]
    if environ.get("NO_COLOR") == "":
        names.append("NO_COLOR")
    for name in names:
        del environ[name]


def silence_textual_logs() -> None:
    """Keep Textual from logging keys and messages to a file or a console, unless a developer wants it.

    Without its variables it does not; where it was loaded before they were taken out, it still would.
    """
    from textual import constants

    if DEVELOPMENT_VARIABLE not in os.environ:
        constants.LOG_FILE = None  # type: ignore[misc]
        constants.DEBUG = False  # type: ignore[misc]


def wants_mouse(environ: Mapping[str, str]) -> bool:
    """Whether the mouse is ours. Over SSH the terminal keeps it, to select text with, unless the user says so."""
    wish = environ.get(MOUSE_VARIABLE, "").strip().lower()
    if wish:
        return wish not in {"0", "false", "no", "off"}
    return not any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))


def prepare_terminal(workspace: Workspace) -> Choices:
    """Limit what is drawn to what this terminal can show, and return what was chosen for it."""
    forget_foreign_variables(os.environ)
    from ncp_tui.tui.terminal.charset import CHARSET, limited_encoding
    from ncp_tui.tui.terminal.notifications import way_for
    from ncp_tui.tui.themes import is_monochrome, theme_for

    silence_textual_logs()
    sys.setswitchinterval(_SWITCH_SECONDS)
    CHARSET.limit_to(limited_encoding(os.environ))
    if CHARSET.encoding is not None and isinstance(sys.__stderr__, io.TextIOWrapper):
        # Textual draws on stderr. Under LC_ALL=C Python would write it in UTF-8.
        sys.__stderr__.reconfigure(encoding=CHARSET.encoding, errors="backslashreplace")
    if is_monochrome(os.environ):
        os.environ["NO_COLOR"] = "1"  # the one word for it that Textual listens to
    last = asyncio.run(_remembered(workspace))
    return Choices(
        theme_for(os.environ, last.choices.get("theme")), way_for(os.environ, last.choices.get("notify")), last
    )


async def _remembered(workspace: Workspace) -> Remembered:
    try:
        return await run_blocking(lambda: remembered(workspace.paths), FIRST_FRAME_SECONDS)
    except TimeoutError:
        return not_remembered(workspace.paths, f"the disk did not answer within {FIRST_FRAME_SECONDS:g} s")
