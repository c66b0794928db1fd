"""Sequences for the terminal beside the frames: the window's title, the reset, and the way through tmux."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ncp_tui.text import clean
from ncp_tui.tui.terminal.charset import CHARSET

RESTORED = (
    b"\x18"  # ends a sequence that was cut in the middle
    b"\x1b[?2026l"  # synchronised output
    b"\x1b[?2004l"  # bracketed paste
    b"\x1b[?7h"  # lines wrap again
    b"\x1b[?2048l"  # reports of its size
    b"\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"  # the mouse
    b"\x1b[<u"  # the keyboard protocol
    b"\x1b[?1049l"  # the alternate screen
    b"\x1b[?25h"  # the cursor
    b"\x1b[?1004l"  # reports of its focus
)
"""What puts a terminal back, whatever of it was switched on, where there is no time to ask."""

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
    return f"\x1b]2;{CHARSET.encode_frame(CHARSET.escape(clean(title)))[:_LONGEST]}\a"


_SCREEN_CHUNK = 256
"""screen drops a string of more than 768 bytes, in some builds of more than 256."""


def passed_through(sequence: str, environ: Mapping[str, str]) -> str:
    """What tmux or screen passes on as `sequence`; nothing where neither is in between.

    tmux does where `allow-passthrough` is on.
    """
    term = environ.get("TERM", "")
    if environ.get("TMUX") or term.startswith("tmux"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("STY") or term.startswith("screen"):
        return "".join(_through_screen(sequence))
    return ""


def _through_screen(sequence: str) -> Iterator[str]:
    """Screen passes the inside of such a string on as it is, so that the parts become one again behind it."""
    part, size = "", 0
    for character in sequence:
        wide = len(character.encode())
        if size + wide > _SCREEN_CHUNK:
            yield f"\x1bP{part}\x1b\\"
            part, size = "", 0
        part, size = part + character, size + wide
    yield f"\x1bP{part}\x1b\\"
