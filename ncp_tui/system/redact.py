"""A secret as other machines may spell it, to be found wherever it is repeated.

A validator quotes what it refused, a debugger echoes headers, and each escapes in its own way: JSON, URLs, HTML, mail.
Whoever reads the record reads it back.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote

_NAMED = {"/": "sol", "+": "plus", "=": "equals"}
_IN_URLS = {"/": "_", "+": "- "}
"""Of base64's signs: the alphabet for URLs, and what a form makes of a plus."""

_ALWAYS_SEARCHED = 32 * 1024
"""Characters that are searched for every spelling; in more, something of the secret is looked for first. A pattern
takes 0.2 us a character, during which no key is answered."""

_SHORTEST_ANCHOR = 4

_SHORTEST_PART = 16
"""Characters from which a secret is looked for inside other text. NCP's have 40; a short one may be an honest word, and
is masked only where it is the whole of a string."""


def redact(document: Any, masks: Mapping[str, str]) -> Any:
    """A copy of `document` (as of JSON) in which no string, names of members included, holds a secret.

    `masks` has what to put in the place of each secret. One is found however another machine may have spelled it.
    """
    # The longest first: one may begin with another, and the rest of it would stay.
    ordered = sorted(masks.items(), key=lambda pair: -len(pair[0]))
    return _redacted(document, [(Spellings(plain), mask) for plain, mask in ordered])


@dataclass(frozen=True)
class Spellings:
    """Every spelling of one secret."""

    value: str

    def masked(self, text: str, mask: str) -> str:
        """`text` with `mask` in the place of each of them."""
        for whole in self._encoded:
            text = text.replace(whole, mask)
        if self._may_be_in(text):
            text = self._pattern.sub(lambda _: mask, text)
        return text

    def without_beginning_at_end(self, text: str, mask: str, shortest: int) -> str:
        """`text` with `mask` for the beginning of the secret, of `shortest` characters or more, that it ends with."""
        for start in range(max(0, len(text) - _LONGEST_SPELLING * len(self.value)), len(text)):
            if self._begins_and_is_cut(text, start, shortest):
                return text[:start] + mask
        return text

    def _begins_and_is_cut(self, text: str, start: int, shortest: int) -> bool:
        """Whether all of `text` from `start` on is a beginning of the value.

        A character at a time: a pattern for every length would take a second to compile.
        """
        places = {start}
        for count, character in enumerate(self.value[:-1], 1):
            places = {end for place in places for end in _ends(character, text, place)}
            places |= {place + 1 for place in places if text.startswith("\x00", place)}
            if not places:
                return False
            if count >= shortest and len(text) in places:
                return True
        return False

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        # Without its padding a signature is as good as with it.
        core = self.value.rstrip("=")
        padding = f"(?:{_of('=')})*" if core != self.value else ""
        return re.compile(_pattern(core) + padding)

    @cached_property
    def _encoded(self) -> tuple[str, ...]:
        """The value inside base64, however it lies there, and in hexadecimal."""
        data, found = self.value.encode("utf-8", "surrogateescape"), list[str]()
        for before in range(3):
            encoded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
            inner = encoded[(0, 2, 3)[before] :][: -1 if (before + len(data)) % 3 else None]
            found += [inner, inner.replace("+", "-").replace("/", "_"), quote(inner, safe="")]
        return (*found, data.hex(), data.hex().upper())

    def _may_be_in(self, text: str) -> bool:
        """Whether a run of plain letters of it, or something escaped, is in `text`; in a long one, the beginning of it.

        A pattern takes some 20 ms to compile, each signature has its own, and most answers escape nothing.
        """
        runs = [run for run in re.split(r"[^A-Za-z0-9]", self.value) if len(run) >= _SHORTEST_ANCHOR]
        if any(run[:_SHORTEST_ANCHOR] in text for run in runs) or not runs:
            return True
        if len(text) <= _ALWAYS_SEARCHED:
            return _ESCAPED.search(text) is not None
        begins = re.compile(_pattern(self.value[:2]))
        return "\x00" in text or any(begins.match(text, found.start()) for found in _ESCAPING.finditer(text))


_ESCAPING = re.compile(r"[%\\&=]")
_ESCAPED = re.compile(r"[%\\&\x00]|=[0-9A-Fa-f]{2}")
_LONGEST_SPELLING = 16


def _pattern(value: str) -> str:
    return "\\x00?".join(map(_of, value))  # in UTF-16 that nobody declared, there is a NUL after each


def _of(character: str) -> str:
    """A pattern for the ways to write one character."""
    return f"(?:{'|'.join(_ways(character))})"


def _ends(character: str, text: str, place: int) -> Iterator[int]:
    """Where it may end in `text`, written in one of the ways from `place` on."""
    for way in _compiled(character):
        found = way.match(text, place)
        if found:
            yield found.end()


@cache
def _compiled(character: str) -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, _ways(character)))


def _ways(character: str) -> list[str]:
    code = ord(character)
    ways = [
        re.escape(character),
        rf"(?i:%(?:25)*{code:02x})",
        rf"(?i:\\+(?:u\{{?0*{code:x}\}}?|x\{{?0*{code:x}\}}?|0*{code:o}))",
        rf"(?i:&(?:amp;)*\#(?:0*{code}|x0*{code:x});?)",
        rf"(?i:={code:02x})",
        rf"\\+{re.escape(character)}",
    ]
    if character in _NAMED:
        ways.append(f"(?i:&(?:amp;)*{_NAMED[character]};)")
    if character in _IN_URLS:
        ways.append(f"[{re.escape(_IN_URLS[character])}]")
    return ways


def _redacted(value: Any, masks: Sequence[tuple[Spellings, str]]) -> Any:
    if isinstance(value, str):
        return _masked(value, masks)
    if isinstance(value, Mapping):
        return {_masked(str(key), masks): _redacted(item, masks) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redacted(item, masks) for item in value]
    return value


def _masked(text: str, masks: Sequence[tuple[Spellings, str]]) -> str:
    for spellings, mask in masks:
        if text == spellings.value:
            return mask
        if len(spellings.value) >= _SHORTEST_PART:
            text = spellings.masked(text, mask)
    return text
