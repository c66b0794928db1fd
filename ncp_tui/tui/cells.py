"""What a table is made of: inert text with a tone, in cells and rows. It loads nothing, as the first frame needs it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property


class Tone(StrEnum):
    """How a cell is coloured, by meaning; the theme decides on the colour."""

    PLAIN = "plain"
    STRONG = "strong"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    DIM = "dim"


@dataclass(frozen=True)
class Cell:
    """One cell: inert text and its tone. `sort` orders a column where its text would not."""

    text: str
    tone: Tone = Tone.PLAIN
    sort: float | str | None = None


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


def comparable(text: str) -> str:
    """`text` in a form in which case does not matter, nor whether Hangul was typed in pieces, as on macOS."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFC", text).casefold()
