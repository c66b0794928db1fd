"""The title of the terminal's window while the program has it; the one before comes back at the end."""

from __future__ import annotations

from collections.abc import Mapping

from ncp_tui.text import clean
from ncp_tui.tui.glyphs import GLYPHS

_NO_TITLE = ("linux", "vt", "ansi", "dumb", "cons25")
"""Terminals without one, by the beginning of TERM: the oldest of them would print it."""

_LONGEST = 80

KEEP = "\x1b[22;2t"
"""Puts the title aside, in xterm and those that follow it, tmux among them."""

GIVE_BACK = "\x1b]2;\a\x1b[23;2t"
"""Takes it up again; a terminal that kept none is left without, which is truer than with ours."""


def has_title(environ: Mapping[str, str]) -> bool:
    """Whether the terminal takes a title and draws nothing for it."""
    term = environ.get("TERM", "")
    return bool(term) and not term.startswith(_NO_TITLE)


def title_sequence(title: str) -> str:
    """What shows `title`, which is inert text."""
    return f"\x1b]2;{GLYPHS.drawn(GLYPHS.shown(clean(title)))[:_LONGEST]}\a"
