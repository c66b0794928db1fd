"""Which characters this terminal can show, and what is written in the place of those that it cannot.

Every frame goes through `encode_frame` on its way out, borders and scroll bars included; there each character is
replaced by as many cells as it takes, so that nothing moves. Where that would lose what a text says, in names and
messages, `escape` writes the character as an escape before it is laid out.
"""

from __future__ import annotations

import codecs
import locale
import unicodedata
from collections.abc import Mapping
from typing import Final

from rich.cells import cell_len

from ncp_tui.text import inert

ASCII_VARIABLE: Final = "NCP_TUI_ASCII"

_LIKENESSES: Final[Mapping[str, str]] = {
    "-": "─━┄┅┈┉╌╍╴╶╸╺╼╾═–—‐‑·−",
    "|": "│┃┆┇┊┋╎╏╵╷╹╻╽╿║▏▎▍▊▉▕¦",
    "+": "╭╮╰╯╬╪╫▖▗▘▙▚▛▜▝▞▟",
    "/": "╱",
    "\\": "╲",
    "#": "█▇▆▅▓■",
    "_": "▁▂▃▄",
    "=": "▀▔",
    ":": "▒",
    ".": "░",
    "[": "▐",
    "]": "▌",
    "~": "…",
    "*": "•●◉★✱",
    "o": "○◌",
    "x": "×✕✗✘",
    "v": "▼▾↓✓✔⌄",
    "^": "▲▴↑⌃",
    ">": "▶▸►→❯›»",
    "<": "◀◂◄←❮‹«",
    '"': "“”„",
    "'": "‘’‚",
    "?": "�",
    " ": "\u00a0\u2007\u202f",
    "u": "µμ",
}
_CORNERS: Final = range(0x250C, 0x254C), range(0x2552, 0x256D)
"""The corners and crossings among the box drawings, light, heavy and double."""

_PRINTABLE: Final = 0x20
_LAST_ASCII: Final = 0x7F


class Charset(dict[int, str]):
    """A table for `str.translate`, filled as characters come; without an `encoding` everything can be shown."""

    def __init__(self) -> None:
        super().__init__()
        self.encoding: str | None = None

    def limit_to(self, encoding: str | None) -> None:
        """Show only what `encoding` has, each byte in a cell of its own; None is for everything."""
        self.clear()
        self.encoding = encoding

    def encode_frame(self, data: str) -> str:
        """`data` as it may leave for the terminal, as wide as before."""
        return data if self.encoding is None or data.isascii() else data.translate(self)

    def escape(self, text: str) -> str:
        """`text` to be laid out, made inert; what the encoding lacks is an escape: a backslash, u, and its number."""
        text = inert(text)
        if self.encoding is None or text.isascii():
            return text
        return "".join(map(self._escaped, unicodedata.normalize("NFC", text)))

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if code <= _LAST_ASCII or self._has(character):
            drawn = character
        else:
            drawn = likeness(character) or "?" * cell_len(character)
        self[code] = drawn
        return drawn

    def _escaped(self, character: str) -> str:
        if character.isascii() or likeness(character) or self._has(character):
            return character
        return character.encode("ascii", "backslashreplace").decode()

    def _has(self, character: str) -> bool:
        """Whether it can be sent, and takes the cells that it is laid out for.

        A Korean terminal draws box drawings and quotes in two cells, which Unicode knows nothing of; there the number
        of bytes is that of the cells.
        """
        if likeness(character):
            return False
        try:
            return len(character.encode(self.encoding or "ascii")) == cell_len(character)
        except UnicodeEncodeError:
            return False


def likeness(character: str) -> str:
    """The ASCII character that stands for a line, a bar or a quote; empty for a letter of any script."""
    if any(ord(character) in corners for corners in _CORNERS):
        return "+"
    return next((plain for plain, likes in _LIKENESSES.items() if character in likes), "")


def limited_encoding(environ: Mapping[str, str], encoding: str | None = None) -> str | None:
    """The encoding that the terminal is limited to; None for Unicode.

    It is that of the locale, not Python's own choice: under LC_ALL=C Python writes UTF-8 all the same. `NCP_TUI_ASCII`
    asks for plain ASCII anywhere.
    """
    if environ.get(ASCII_VARIABLE, "").strip().lower() not in {"", "0", "false", "no"}:
        return "ascii"
    try:
        name = codecs.lookup(encoding or locale.getencoding()).name
    except LookupError:
        return "ascii"
    return None if name.startswith("utf") else name


CHARSET: Final = Charset()
"""This process's: it has one terminal. Everything can be shown until the program knows better."""

escape = CHARSET.escape


def cells_of(text: str) -> int:
    """How many cells a text takes. Most are ASCII: a document of 3,000 lines is measured in 1 ms instead of 10."""
    return len(text) if text.isascii() else cell_len(escape(text))
