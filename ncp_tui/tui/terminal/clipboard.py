"""Text sent to the terminal's clipboard (OSC 52), which no terminal confirms, and the ways that remain without it.

Over SSH the clipboard is at the other end of the line, and only the terminal reaches it. Between it and this program
may be tmux or screen. tmux 3.3a takes the plain form where `set-clipboard` is on and passes the wrapped one on where
`allow-passthrough` is; with its defaults it does neither, so both are sent. screen knows only the wrapped one.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from ncp_tui.problem import Problem
from ncp_tui.system.private_files import create_private_file
from ncp_tui.tui.terminal.sequences import passed_through

MOST_ENCODED = 74_994
"""Characters of base64: what xterm takes at most. Longer ones are cut or dropped without a word."""

_NO_CLIPBOARD = ("linux", "vt", "dumb", "ansi", "cons25")
"""Kinds of terminals without one, by the beginning of TERM; the oldest of them would print the sequence."""


class CannotCopy(Problem):
    """A text that was not sent to the terminal."""

    kind = "cannot_copy"


def clipboard_sequence(text: str, environ: Mapping[str, str]) -> str:
    """What asks the terminal of `environ` to put `text` on its clipboard. Raises CannotCopy."""
    term = environ.get("TERM", "")
    if not term or term.startswith(_NO_CLIPBOARD):
        raise CannotCopy(f"A terminal of this kind (TERM={term}) has no clipboard.", "Nothing was copied.", _INSTEAD)
    encoded = base64.b64encode(text.encode("utf-8", "backslashreplace")).decode("ascii")
    if len(encoded) > MOST_ENCODED:
        raise CannotCopy(
            f"Too long for the terminal's clipboard: {len(encoded):,} bytes.", "Nothing was copied.", _INSTEAD
        )
    plain = f"\x1b]52;c;{encoded}\a"
    return plain + passed_through(plain, environ)


_INSTEAD = "Write it to a file, or select it on the screen."


class Clipboard:
    """Where a text goes that the user copies: to the terminal in all forms that may arrive, or to a file."""

    def __init__(self, send: Callable[[str, str], None], folder: Path | None, now: Callable[[], datetime]) -> None:
        """`send` is given a text and the sequence that copies it; without a `folder` no file is written."""
        self._send = send
        self._folder = folder
        self._now = now

    def copy(self, text: str) -> None:
        """Send `text` to the terminal's clipboard. No terminal says whether it arrived. Raises CannotCopy."""
        self._send(text, clipboard_sequence(text, os.environ))

    def file_for(self, what: str) -> Path | None:
        """Where a copy may be written now; None where nothing is written."""
        return None if self._folder is None else self._folder / copy_file_name(what, self._now())


class CannotWriteCopy(Problem):
    """A text that was not written to a file."""

    kind = "cannot_write_copy"


def copy_file_name(what: str, now: datetime) -> str:
    """`ncp-tui-request-id-20260102-030405.txt`."""
    return f"ncp-tui-{what.lower().replace(' ', '-')}-{now:%Y%m%d-%H%M%S}.txt"


def write_copy(text: str, path: Path) -> Path:
    """Write `text` to a new file that only the user can read, and return where it is. It blocks on the disk.

    Raises CannotWriteCopy, also where something is there already.
    """
    try:
        path = path.absolute()  # which needs the folder this runs in, and that may have been removed
        whole = text if text.endswith("\n") else f"{text}\n"
        create_private_file(path, whole.encode(errors="backslashreplace"))
    except OSError as error:
        why = "the file exists" if isinstance(error, FileExistsError) else os.strerror(error.errno or 0)
        raise CannotWriteCopy(
            f"{path} was not written: {why}.", "No other file was changed.", "Select it on the screen."
        ) from None
    return path
