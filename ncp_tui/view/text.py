"""What tables, panels and boxes are made of: inert text with a tone, in cells, rows and lines."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any

from ncp_tui.text import clean

_LABEL = 12
_GAP = "  "
_JSON_MEMBER = re.compile(r'^(\s*)("(?:[^"\\]|\\.)*")(: )(.*)$')
_LONGEST_LINE = 4_000
"""Characters; what has no line feeds at all is folded."""

MOST_LINES = 10_000
"""Of a body; a page of 100 clusters has 3,000."""


class Tone(StrEnum):
    """How a text is coloured, by meaning; the theme decides on the colour."""

    PLAIN = "plain"
    STRONG = "strong"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    DIM = "dim"


@dataclass(frozen=True)
class Cell:
    """One cell: inert text and its tone. `sort` orders a column where its text would not.

    A value that is infinite is greater than any, also where there is nothing to show: without a good snapshot the last
    good one is older than any bar.
    """

    text: str
    tone: Tone = Tone.PLAIN
    sort: float | str | None = None
    is_missing: bool = False
    """It says that there is no value, in words of its own; `-` and an empty text say so too."""

    @property
    def is_empty(self) -> bool:
        """Whether it has no value: such rows come last, whatever the order."""
        return self.is_missing or self.text in {"", "-"}


@dataclass(frozen=True)
class Row:
    """One line of a table. `key` stays the same when the object is loaded again, so the cursor can stay too."""

    key: str
    cells: tuple[Cell, ...]
    dim: bool = False

    @cached_property
    def comparable(self) -> str:
        """The text of all cells as `comparable` has it, one in a line: a filter looks through it at every letter."""
        return "\n".join(comparable(cell.text) for cell in self.cells)


@dataclass(frozen=True)
class Span:
    """A run of text in one tone."""

    text: str
    tone: Tone = Tone.PLAIN


Line = tuple[Span, ...]

BLANK: Line = ()


def line(text: str, tone: Tone = Tone.PLAIN) -> Line:
    """One line in one tone."""
    return (Span(text, tone),)


def field(label: str, value: str, tone: Tone = Tone.PLAIN, *, width: int = _LABEL) -> Line:
    """A label and its value, values standing below each other."""
    return (Span(f"{label:<{width}} ", Tone.DIM), Span(value, tone))


def plain_text(lines: Sequence[Line]) -> str:
    """The text of `lines`, without their tones."""
    return "\n".join("".join(span.text for span in each).rstrip() for each in lines)


def comparable(text: str) -> str:
    """`text` in a form in which case does not matter, nor whether Hangul was typed in pieces, as on macOS."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()


def cell_width(text: str) -> int:
    """How many cells of a terminal `text` takes, which is inert."""
    if text.isascii():
        return len(text)
    # Its tables take 20 ms to load, which the first frame has no use for.
    from wcwidth import wcswidth

    return max(0, wcswidth(text))


def padded(text: str, width: int) -> str:
    """`text` with spaces up to `width` cells."""
    return text + " " * (width - cell_width(text))


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken between words where that is possible; at least one."""
    lines = [""]
    for word in text.split():
        for part in chopped(word, width):
            joined = f"{lines[-1]} {part}".lstrip()
            if cell_width(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(part)
    return lines


def broken(line: Line, width: int) -> list[Line]:
    """`line` in lines of at most `width` cells, its last span broken between words, under where that begins."""
    if not line or sum(cell_width(span.text) for span in line) <= width:
        return [line]
    *head, last = line
    text = last.text.lstrip(" ")
    margin = sum(cell_width(span.text) for span in head) + len(last.text) - len(text)
    if not text or margin > width // 2:
        return [line]
    first, *more = wrapped(text, width - margin)
    lead = Span(last.text[: len(last.text) - len(text)] + first, last.tone)
    return [(*head, lead), *[(Span(" " * margin + part, last.tone),) for part in more]]


def chopped(text: str, width: int) -> Iterator[str]:
    """`text` in parts of at most `width` cells; a character that takes more is a part of its own."""
    if cell_width(text) <= width:
        yield text
        return
    part = ""
    for character in text:
        if part and cell_width(part + character) > width:
            yield part
            part = ""
        part += character
    if part:
        yield part


def key_values(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and values, one pair a line; a pair without a value is left out."""
    shown = [(name, value) for name, value in pairs if value]
    widest = max((cell_width(name) for name, _ in shown), default=0)
    return "\n".join(f"{padded(name, widest)}{_GAP}{value}" for name, value in shown)


def text_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell on the terminal, where a Korean syllable takes two places."""
    lines = [headings, *([clean(cell) for cell in each] for each in rows)]
    widths = [max(cell_width(each[column]) for each in lines) for column in range(len(headings))]
    return "\n".join(
        _GAP.join(padded(cell, width) for cell, width in zip(each, widths, strict=True)).rstrip() for each in lines
    )


def body_lines(body: str) -> list[Line]:
    """A body in lines; names of JSON members stand out a little from their values. Of a long one the beginning."""
    if not body:
        return [line("(no body)", Tone.DIM)]
    *lines, rest = body.split("\n", MOST_LINES)
    if len(lines) < MOST_LINES:
        return [piece for text in (*lines, rest) for piece in _pieces(text)]
    shown = [piece for text in lines for piece in _pieces(text)]
    return [*shown, line(f"(More than {MOST_LINES:,} lines: the rest is not shown.)", Tone.DIM)]


def raw_lines(raw: Mapping[str, Any]) -> list[Line]:
    """An object of the service, untouched but inert."""
    return body_lines(json.dumps(dict(raw), indent=2, ensure_ascii=False, default=str))


def _pieces(text: str) -> list[Line]:
    if len(text) <= _LONGEST_LINE:
        return [_json_line(text)]
    return [line(text[start : start + _LONGEST_LINE]) for start in range(0, len(text), _LONGEST_LINE)]


def _json_line(text: str) -> Line:
    found = _JSON_MEMBER.match(text)
    if found is None:
        return line(text)
    indent, name, colon, value = found.groups()
    return (Span(indent), Span(name + colon, Tone.DIM), Span(value))
