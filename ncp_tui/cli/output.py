"""What the user and the user's scripts read: the answer on stdout and nothing else there, all else on stderr.

Everything leaves through `write`, which makes it inert: a journal, a log and an argument may hold anything.
"""

from __future__ import annotations

import io
import os
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any, TextIO

from ncp_tui.text import clean, inert, json_text

_GAP = "  "
_JOINING_JAMO = range(0x1160, 0x1200)


class Output:
    """The two streams of one command. A reader that has gone away (`| head`) is no error: the work goes on."""

    def __init__(self, *, json: bool = False, quiet: bool = False) -> None:
        """Write JSON instead of text with `json`; leave notes out with `quiet`."""
        self.json = json
        self.quiet = quiet
        self.answered = False
        """Whether the one JSON document has been written."""

    def document(self, value: Any) -> None:
        """Write the one JSON document; a second is dropped, because a script can read only one."""
        if not self.answered:
            self.answered = True
            write(sys.stdout, json_text(value, indent=2, ascii_only=not _is_utf(sys.stdout)))

    def text(self, text: str) -> None:
        """Write a part of the answer for a person."""
        write(sys.stdout, text)

    def answer(self, document: Any, text: str) -> None:
        """Write the answer in the form that was asked for."""
        if self.json:
            self.document(document)
        else:
            self.text(text)

    def note(self, text: str) -> None:
        """Say something beside the answer."""
        if not self.quiet:
            write(sys.stderr, text)

    def error(self, text: str) -> None:
        """Say what went wrong."""
        write(sys.stderr, text)


def prepare_streams() -> None:
    """Let a character that the terminal's encoding lacks be written as an escape, where Python would fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def write(stream: TextIO | None, text: str) -> None:
    """Write `text` as lines, at once and inert; to nowhere when the stream was closed before the start (`>&-`)."""
    if stream is None:
        return
    try:
        stream.write(f"{inert(text)}\n")
        stream.flush()
    except BrokenPipeError:
        _forget(stream)


def close_streams() -> None:
    """Flush, so that a reader that has gone away is noticed here and not by the interpreter on its way out."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except BrokenPipeError:
            _forget(stream)


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell on the terminal, where a Korean syllable takes two places."""
    lines = [headings, *([clean(cell) for cell in row] for row in rows)]
    widths = [max(cell_width(line[column]) for line in lines) for column in range(len(headings))]
    return "\n".join(_line(line, widths) for line in lines)


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values, one pair a line; a pair without a value is left out."""
    shown = [(name, value) for name, value in pairs if value]
    widest = max((cell_width(name) for name, _ in shown), default=0)
    return "\n".join(_line((name, value), (widest, 0)) for name, value in shown)


def cell_width(text: str) -> int:
    """How many cells of a terminal `text` takes."""
    return sum(map(_character_width, text))


def _character_width(character: str) -> int:
    # Hangul that came decomposed (macOS file names do): the vowels and finals join the first consonant's two cells.
    if unicodedata.combining(character) or ord(character) in _JOINING_JAMO:
        return 0
    if unicodedata.category(character) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - cell_width(cell)) for cell, width in zip(cells, widths, strict=True))
    return _GAP.join(padded).rstrip()


def _is_utf(stream: TextIO | None) -> bool:
    return stream is not None and (stream.encoding or "").lower().startswith("utf")


def _forget(stream: TextIO) -> None:
    """Send what is still to come to nowhere."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        return
