"""Text from outside made inert: nothing in it acts on a terminal, and nothing in it hides.

Measured with Textual 8.2: ESC, OSC, CSI, C1 controls, NUL and bidi marks reach the terminal raw from every widget, also
with markup off. So they are made visible where text enters the program (answers, files, arguments), and again where it
leaves for a terminal; nothing in between has to remember to. What is made visible once stays as it is.

A control character becomes its picture (`␛`), and what else is invisible its number (`<U+200B>`), so that two names
that differ never look the same. Letters of every script stay, Hangul in pieces among them, and so do emoji; a
variation selector or joiner after one is shown, because terminals do not agree on the width of what it makes.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any

LONGEST = 4_000
"""Characters kept of one string; a name or message of a real service is far shorter."""

_LONGEST_DOCUMENT = 8 * 1024 * 1024
_MOST_MARKS = 2
"""Marks on one letter that stay: Vietnamese and Thai have two."""

_LONGEST_SPELLING = len("<U+10FFFF>")
_DELETE = 0x7F
_CONTROL_PICTURES = 0x2400
_SPACE = 0x20

# What Unicode counts among letters, symbols and marks, and no font draws: fillers and a blank of their own, selectors,
# joiners, inherent vowels.
_BLANK = frozenset(
    {
        *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, 0xFFFC, 0x2D7F, 0x16FE4, 0x1D159),
        *range(0x180B, 0x1810),
        *range(0xFE00, 0xFE10),
        *range(0xE0100, 0xE01F0),
    }
)
_LEADING_JAMO = (range(0x1100, 0x115F), range(0xA960, 0xA97D))
_JOINING_JAMO = (range(0x1161, 0x1200), range(0xD7B0, 0xD7FC))
_SYLLABLES = range(0xAC00, 0xD7A4)


class _Kind(Enum):
    PLAIN = "plain"
    HIDDEN = "hidden"
    MARK = "mark"
    """It is drawn on what stands before it."""
    JAMO = "jamo"
    """A vowel or final of Hangul, which joins the consonant before it."""


class _Kinds(dict[str, _Kind]):
    """What each character is, found out once."""

    def __missing__(self, character: str) -> _Kind:
        code, category = ord(character), unicodedata.category(character)
        if code in _BLANK or (code != _SPACE and not character.isprintable()):
            # isprintable is false for Cc, Cf, Cs, Co, Cn, Zl, Zp and every space but U+0020.
            kind = _Kind.HIDDEN
        elif category in {"Mn", "Me"}:
            kind = _Kind.MARK
        else:
            kind = _Kind.JAMO if any(code in jamo for jamo in _JOINING_JAMO) else _Kind.PLAIN
        self[character] = kind
        return kind


_KINDS = _Kinds()


def is_plain(text: str) -> bool:
    """Whether everything in `text` is seen as what it is, wherever it stands."""
    if text.isascii():
        return text.isprintable()
    return all(_KINDS[character] is _Kind.PLAIN for character in set(text))


def acts(character: str) -> bool:
    """Whether a terminal may do something at `character` other than drawing it, or a person not see it."""
    return _KINDS[character] is _Kind.HIDDEN and unicodedata.category(character) != "Zs"


def clean(text: str, longest: int = LONGEST) -> str:
    """Return `text` with everything that could act on a terminal or hide made visible, in one line, cut at `longest`.

    Once clean, it stays as it is.
    """
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if is_plain(text):
        return text
    shown = "".join(_spelled(text, _visible))
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def clean_lines(text: str, longest: int = _LONGEST_DOCUMENT) -> str:
    """Return `text` cleaned line by line: line feeds and indentation stay, a carriage return before a feed goes."""
    cut = text[:longest].replace("\r\n", "\n").replace("\t", "    ")
    return "\n".join(clean(line, longest) for line in cut.split("\n"))


def inert(text: str) -> str:
    """The whole of `text`, however long, as it may leave for a terminal: lines, and nothing that acts or hides."""
    return text if _is_simple(text) else clean_lines(text, max(LONGEST, len(text) * _LONGEST_SPELLING))


def _is_simple(text: str) -> bool:
    return is_plain(text.replace("\n", ""))


def clean_json(value: Any) -> Any:
    """Return decoded JSON with every string in it, names of members included, cleaned."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, list):
        return [clean_json(item) for item in value]
    if isinstance(value, dict):
        return {clean(str(key)): clean_json(item) for key, item in value.items()}
    return value


def plural(count: int, one: str, many: str = "") -> str:
    """A count and what is counted: `1 cluster`, `2,907 clusters`; `many` where the plural is not `one` with an s."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def json_text(document: Any, *, indent: int | None = None, ascii_only: bool = False) -> str:
    """`document` as JSON that a terminal shows as it is: what acts or hides is an escape, as JSON has them.

    It is the same document for whoever reads it. Letters of any script stay readable, unless it is to be `ascii_only`.
    """
    separators = None if indent else (",", ":")
    text = json.dumps(document, ensure_ascii=ascii_only, indent=indent, separators=separators)
    return "\n".join(line if is_plain(line) else "".join(_spelled(line, _escaped)) for line in text.split("\n"))


def _spelled(text: str, spell: Callable[[str], str]) -> Iterator[str]:
    """The pieces of `text`, with what is not seen spelled out."""
    marks = set[str]()
    can_carry, is_hangul = False, False  # whether a mark, or a jamo, has something to join
    for character in text:
        kind = _KINDS[character]
        if kind is _Kind.MARK and can_carry and len(marks) < _MOST_MARKS and character not in marks:
            marks.add(character)
            yield character
        elif kind is _Kind.PLAIN or (kind is _Kind.JAMO and is_hangul):
            marks.clear()
            can_carry = character != " "
            is_hangul = kind is _Kind.JAMO or _begins_hangul(ord(character))
            yield character
        else:
            can_carry = is_hangul = False
            yield spell(character)


def _begins_hangul(code: int) -> bool:
    return code in _SYLLABLES or any(code in jamo for jamo in _LEADING_JAMO)


def _visible(character: str) -> str:
    code = ord(character)
    if code < _SPACE:
        return chr(_CONTROL_PICTURES + code)
    return "␡" if code == _DELETE else f"<U+{code:04X}>"


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]
