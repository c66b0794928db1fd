"""What an answer repeats of a secret that a request carried in its body, however the other side has turned it round.

Such a secret is not ours alone to keep: whoever it is sent to can give it back in pieces, in another case, backwards,
encoded or hashed, and all of that would stand in a record. So not only whole spellings of it are looked for (`redact`),
but every run of it that is long enough to be no accident.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

_PIECE = 6
"""Characters of a secret that are no accident: of letters and digits there are 57,000,000,000 such runs."""

_ENCODED_PIECE = 8
_DIGEST_PIECE = 16
_SHORTEST = 4
"""Characters from which a secret is looked for inside other text; a shorter one only where it is a whole string."""

_CHUNK = 64 * 1024
_DIGESTS = ("md5", "sha1", "sha256", "sha512")

_HEX = "[0-9A-Fa-f]"
_ESCAPE = re.compile(
    rf"%(?:25)*(?P<url>{_HEX}{{2}})"
    rf"|\\+u(?:\{{0*(?P<braced>{_HEX}{{1,6}})\}}|(?P<json>{_HEX}{{4}}))"
    rf"|\\+x(?P<c>{_HEX}{{2}})"
    r"|\\+(?P<octal>[0-3][0-7]{2})"
    r"|\\+(?P<itself>[^A-Za-z0-9\\])"
    rf"|&(?:amp;)*\#(?:[xX]0*(?P<html>{_HEX}{{1,6}})|0*(?P<decimal>[0-9]{{1,7}}));?"
    r"|&(?:amp;)*(?P<name>sol|plus|equals|amp);"
    r"|(?P<nothing>\x00|=\r?\n)"
)
_MAIL = re.compile(rf"=(?P<mail>{_HEX}{{2}})")
_NAMES = {"sol": "/", "plus": "+", "equals": "=", "amp": "&"}
_SEPARATORS = re.compile(r"[^A-Za-z0-9+/]+")
_BASES = {"decimal": 10, "octal": 8}


@dataclass(frozen=True)
class Traces:
    """All that can be recognised of one secret."""

    value: str

    def masked(self, text: str, mask: str) -> str:
        """`text` with `mask` in the place of each run of it. `text` is a character a byte, as latin-1 has it."""
        if len(self.value) < _SHORTEST:
            return text.replace(f'"{self.value}"', f'"{mask}"')
        # Each chunk begins a little before the last one ended, so that nothing lies across.
        overlap = 32 * len(self.value)
        spans = [
            (start + begin, start + end)
            for start in range(0, max(1, len(text)), _CHUNK)
            for begin, end in self._found(text[start : start + _CHUNK + overlap])
        ]
        return _replaced(text, spans, mask)

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Where runs of it are in `text`."""
        plain = _Reading.of(text)
        decoded = plain.decoded(_ESCAPE)
        for reading, least in ((decoded, 0), (plain.decoded(_MAIL), 0), (decoded.joined(), _ENCODED_PIECE)):
            exact = reading.text.replace("-", "+").replace("_", "/")
            for grams, searched in ((self._folded, reading.text.lower()), (self._exact, exact)):
                for gram in grams:
                    begin = searched.find(gram) if len(gram) >= least else -1
                    while begin >= 0:
                        yield from reading.source(begin, begin + len(gram))
                        begin = searched.find(gram, begin + 1)

    @cached_property
    def _folded(self) -> frozenset[str]:
        """Runs that are looked for in either case."""
        data = self._bytes
        piece = min(_PIECE, max(_SHORTEST, len(self.value) // 2))
        found = {*_grams([self.value, self.value[::-1]], piece)}
        if len(self.value) >= _ENCODED_PIECE:  # what was taken apart is put together in longer runs
            found |= {*_grams([self.value, self.value[::-1]], _ENCODED_PIECE)}
        found |= {*_grams([variant.hex() for variant in self._variants], 2 * piece)}
        found |= {*_grams([hashlib.new(name, data, usedforsecurity=False).hexdigest() for name in _DIGESTS], 16)}
        return frozenset(gram.lower() for gram in found)

    @cached_property
    def _exact(self) -> frozenset[str]:
        """Runs whose case counts, with the signs of standard base64."""
        encoded = [
            inner for variant in self._variants for inner in _inside_base64(variant) if len(inner) >= _ENCODED_PIECE
        ]
        digests = (hashlib.new(name, self._bytes, usedforsecurity=False).digest() for name in _DIGESTS)
        hashed = (base64.b64encode(digest).decode() for digest in digests)
        return frozenset({*_grams(encoded, _ENCODED_PIECE), *_grams(hashed, _DIGEST_PIECE)})

    @property
    def _bytes(self) -> bytes:
        return self.value.encode("latin-1")

    @property
    def _variants(self) -> list[bytes]:
        value = self._bytes
        return [value, value[::-1], value.lower(), value.upper(), value.swapcase()]


@dataclass(frozen=True)
class _Reading:
    """A text as it reads once it is decoded, and where each of its characters comes from."""

    text: str
    begins: list[int]
    ends: list[int]

    @classmethod
    def of(cls, text: str) -> _Reading:
        places = list(range(len(text) + 1))
        return cls(text, places[:-1], places[1:])

    def source(self, begin: int, end: int) -> Iterator[tuple[int, int]]:
        """Where a run comes from: what stands between its pieces is left alone, so that JSON stays JSON."""
        first = begin
        for place in range(begin + 1, end + 1):
            if place == end or self.begins[place] != self.ends[place - 1]:
                yield self.begins[first], self.ends[place - 1]
                first = place

    def decoded(self, escapes: re.Pattern[str]) -> _Reading:
        parts, begins, ends, last = list[str](), list[int](), list[int](), 0
        for found in escapes.finditer(self.text):
            start, end = found.span()
            parts.append(self.text[last:start])
            begins += self.begins[last:start]
            ends += self.ends[last:start]
            character = _character(found)
            if character:
                parts.append(character)
                begins.append(self.begins[start])
                ends.append(self.ends[end - 1])
            last = end
        return _Reading("".join([*parts, self.text[last:]]), begins + self.begins[last:], ends + self.ends[last:])

    def joined(self) -> _Reading:
        """The same without all that separates pieces from each other."""
        parts, begins, ends, last = list[str](), list[int](), list[int](), 0
        for found in _SEPARATORS.finditer(self.text):
            start, end = found.span()
            parts.append(self.text[last:start])
            begins += self.begins[last:start]
            ends += self.ends[last:start]
            last = end
        return _Reading("".join([*parts, self.text[last:]]), begins + self.begins[last:], ends + self.ends[last:])


def _character(found: re.Match[str]) -> str:
    kind, written = str(found.lastgroup), found[str(found.lastgroup)]
    if kind == "nothing":
        return ""
    if kind == "itself":
        return written
    if kind == "name":
        return _NAMES[written]
    code = int(written, _BASES.get(kind, 16))
    return chr(code) if code < 256 else "?"  # noqa: PLR2004 - a byte


def _inside_base64(data: bytes) -> Iterator[str]:
    """What is the same of it in base64 wherever it lies, for each of the three ways in which it can lie."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
        yield encoded[(0, 2, 3)[before] :][: -1 if (before + len(data)) % 3 else None]


def _grams(values: Iterable[str], length: int) -> Iterator[str]:
    for value in values:
        for start in range(max(1, len(value) - length + 1)):
            yield value[start : start + length]


def _replaced(text: str, spans: list[tuple[int, int]], mask: str) -> str:
    """`text` with `mask` for each run of characters that `spans` cover."""
    if not spans:
        return text
    parts, last, covered = list[str](), 0, -1
    for begin, end in sorted(spans):
        if begin > covered:
            parts += [text[last:begin], mask]
        last = covered = max(covered, end)
    return "".join([*parts, text[last:]])
