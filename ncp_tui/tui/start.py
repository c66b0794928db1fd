"""What has to be known of the terminal, and set, before the first thing is drawn on it."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass

from ncp_tui.system.blocking import run_blocking
from ncp_tui.tui.glyphs import GLYPHS, limited_encoding
from ncp_tui.tui.notify import way_for
from ncp_tui.tui.preferences import READING_SECONDS, remembered
from ncp_tui.tui.themes import is_monochrome, theme_for
from ncp_tui.workspace import Workspace

_SWITCH_SECONDS = 0.001
"""How long a thread that takes an answer apart keeps a key waiting, at each of the steps that a key takes; Python's own
5 ms are 40 until it is painted."""

MOUSE_VARIABLE = "NCP_TUI_MOUSE"


def wants_mouse(environ: Mapping[str, str]) -> bool:
    """Whether the mouse is ours. Over SSH it is the terminal's, which selects text with it, unless it is asked for."""
    wish = environ.get(MOUSE_VARIABLE, "").strip().lower()
    if wish:
        return wish not in {"0", "false", "no", "off"}
    return not any(environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY"))


@dataclass(frozen=True)
class Choices:
    """What holds from the first frame on: the theme, and how the end of a snapshot is told."""

    theme: str
    notify_by: str


def prepare_terminal(workspace: Workspace) -> Choices:
    """Limit what is drawn to what this terminal can show, and return what was chosen for it."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    GLYPHS.limit_to(limited_encoding(os.environ))
    if GLYPHS.encoding is not None and isinstance(sys.__stderr__, io.TextIOWrapper):
        # Textual draws on stderr. Under LC_ALL=C Python would write it in UTF-8.
        sys.__stderr__.reconfigure(encoding=GLYPHS.encoding, errors="backslashreplace")
    if is_monochrome(os.environ):
        os.environ["NO_COLOR"] = "1"  # the one word for it that Textual listens to
    last = asyncio.run(_remembered(workspace))
    return Choices(theme_for(os.environ, last.get("theme")), way_for(os.environ, last.get("notify")))


async def _remembered(workspace: Workspace) -> dict[str, str]:
    try:
        return await run_blocking(lambda: remembered(workspace.paths), READING_SECONDS)
    except TimeoutError:
        return {}
