"""Lines of inert text with a tone, which every panel and every box is made of."""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len, chop_cells

from ncp_tui.tui.cells import Tone

_LABEL = 12


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


def wrapped(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells, broken between words where that is possible; at least one."""
    lines = [""]
    for word in text.split():
        for part in chop_cells(word, width):
            joined = f"{lines[-1]} {part}".lstrip()
            if cell_len(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(part)
    return lines
