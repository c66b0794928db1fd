"""What the user and the user's scripts read: the answer on stdout and nothing else there, all else on stderr.

Everything leaves through `write`, which makes it inert: a journal, a log and an argument may hold anything.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, TextIO

from ncp_tui.cli.streams import finish, lost_answer
from ncp_tui.text import inert, json_text


class Output:
    """The two streams of one command. What they do not take stops nothing; `streams` knows what is lost."""

    def __init__(
        self,
        *,
        json: bool = False,
        quiet: bool = False,
        undisturbed: Callable[[], AbstractContextManager[None]] = contextlib.nullcontext,
    ) -> None:
        """Write JSON instead of text with `json`; leave notes out with `quiet`.

        `undisturbed` keeps signals off while the one document is written.
        """
        self.json = json
        self.quiet = quiet
        self._undisturbed = undisturbed
        # Kept: a signal at a question may come before click has put them back.
        self._stdout, self._stderr = sys.stdout, sys.stderr
        self.answered = False
        """Whether the one JSON document has been written."""

    def document(self, value: Any) -> None:
        """Write the one JSON document; a second is dropped, because a script can read only one."""
        if not self.answered:
            self.made_document(json_text(value, indent=2, ascii_only=not _is_utf(self._stdout)))

    def made_document(self, text: str) -> None:
        """Write the one document, which is JSON already."""
        with self._undisturbed():
            self.answered = True
            write(self._stdout, text)

    def text(self, text: str) -> None:
        """Write a part of the answer for a person."""
        write(self._stdout, text)

    def answer(self, document: Any, text: str) -> None:
        """Write the answer as JSON or as text, whichever was requested."""
        if self.json:
            self.document(document)
        else:
            self.text(text)

    def note(self, text: str) -> None:
        """Say something beside the answer."""
        if not self.quiet:
            write(self._stderr, text)

    def error(self, text: str) -> None:
        """Say what went wrong."""
        write(self._stderr, text)


def write(stream: TextIO, text: str) -> None:
    """Write `text` as lines, at once and inert."""
    stream.write(f"{inert(text)}\n")
    stream.flush()


def tell_loss(done: str = "") -> None:
    """Say, once, that the answer could not be written; `done` is what became of the work."""
    loss = lost_answer()
    if loss is not None and loss.why and not loss.is_told:
        loss.is_told = True
        write(sys.stderr, f"{done} The answer could not be written to standard output: {loss.why}.".lstrip())


def close_streams() -> None:
    """Have all written that can be, at the end of the program: nothing is left for the interpreter to try and fail."""
    finish(sys.stdout)
    tell_loss()
    finish(sys.stderr)


def _is_utf(stream: TextIO | None) -> bool:
    return stream is not None and (stream.encoding or "").lower().startswith("utf")
