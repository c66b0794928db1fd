"""The one place where a server's words become inert text.

Measured with Textual 8.2: ESC, OSC, CSI, C1 controls, NUL and bidi marks reach the terminal raw from every widget, also
with markup off. So they are made visible here, where answers enter the program, and nothing later has to remember to.
"""

from __future__ import annotations

import unicodedata
from typing import Any

LONGEST = 4_000
"""Characters kept of one string; a name or message of a real service is far shorter."""

_DELETE = 0x7F
_CONTROL_PICTURES = 0x2400
_FIRST_PRINTABLE = 0x20


def clean(text: str, longest: int = LONGEST) -> str:
    """Return `text` with everything that could act on a terminal made visible, in one line, cut at `longest`.

    C0 controls become their control pictures (`␛`), all else that has no width or a direction of its own becomes `�`.
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    # isprintable is false for Cc, Cf, Cs, Co, Cn, Zl, Zp and every space but U+0020: one fast test for the usual case.
    if text.isprintable():
        return text
    return "".join(map(_visible, text))


def clean_lines(text: str, longest: int = 8 * 1024 * 1024) -> str:
    """Return `text` cleaned line by line: line feeds and indentation stay, a carriage return before a feed goes."""
    cut = text[:longest].replace("\r\n", "\n").replace("\t", "    ")
    return "\n".join(clean(line, longest) for line in cut.split("\n"))


def clean_json(value: Any) -> Any:
    """Return decoded JSON with every string in it, names of members included, cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    if isinstance(value, dict):
        return {clean(str(key)): clean_json(item) for key, item in value.items()}
    return value


def _visible(character: str) -> str:
    if character.isprintable() or unicodedata.category(character) == "Zs":
        return character
    code = ord(character)
    if code < _FIRST_PRINTABLE:
        return chr(_CONTROL_PICTURES + code)
    return "␡" if code == _DELETE else "�"
