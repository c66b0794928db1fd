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
from dataclasses import dataclass, field
from functools import cached_property

_PIECE = 6
"""Characters of a secret that are no accident: of letters and digits there are 57,000,000,000 such runs."""

_LEAST_VARIETY = 3
"""Different characters in such a run: six zeros are in any large number."""

_HONEST = (
    *("requestid", "message", "result", "success", "errorcode", "details", "error", "response", "authentication"),
    *("accesskeyid", "secretkey", "storage", "search", "cluster", "service", "bucketlist", "snapshot", "sandbox"),
)
"""Words of an answer. A key made of words is still found by the runs that lie across them."""

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
    """All that can be recognised of some secrets."""

    values: tuple[str, ...] = field(default=(), repr=False)

    def __bool__(self) -> bool:
        return bool(self.values)

    def of(self, *values: str) -> Traces:
        """The same, and those of `values` as well."""
        new = [value for value in dict.fromkeys(values) if value not in self.values]
        return Traces((*self.values, *new)) if new else self

    def masked(self, text: str, mask: str) -> str:
        """`text` with `mask` in the place of each run of one. `text` is a character a byte, as latin-1 has it."""
        for value in self.values:
            if len(value) < _SHORTEST:
                text = text.replace(f'"{value}"', f'"{mask}"')
        if not self._index:
            return text
        # Each chunk begins a little before the last one ended, so that nothing lies across.
        overlap = 32 * max(map(len, self.values))
        spans = [
            (start + begin, start + end)
            for start in range(0, max(1, len(text)), _CHUNK)
            for begin, end in self._found(text[start : start + _CHUNK + overlap])
        ]
        return _replaced(text, spans, mask)

    def _found(self, text: str) -> Iterator[tuple[int, int]]:
        """Where runs of them are in `text`. Where each character of a reading comes from is asked only for a hit."""
        decoded = _ESCAPE.sub(_character, text)
        joined = _SEPARATORS.sub("", decoded)
        for reading, least, steps in (
            (decoded, 0, (_ESCAPE,)),
            (_MAIL.sub(_character, text) if "=" in text else "", 0, (_MAIL,)),
            (joined, _ENCODED_PIECE, (_ESCAPE, _SEPARATORS)),
        ):
            runs = list(self._runs(reading, least))
            if runs:
                source = _Reading.of(text)
                for step in steps:
                    source = source.decoded(step)
                for begin, end in runs:
                    yield from source.source(begin, end)

    def _runs(self, text: str, least: int) -> Iterator[tuple[int, int]]:
        """Where in `text` is a run that is looked for, of `least` characters or more."""
        exact = _normal(text)
        folded, index, size = exact.lower(), self._index, self._size
        for begin in range(len(folded) - size + 1):
            if folded[begin : begin + size] in index:
                for gram, is_folded in index[folded[begin : begin + size]]:
                    if len(gram) >= least and (folded if is_folded else exact).startswith(gram, begin):
                        yield begin, begin + len(gram)

    @cached_property
    def _grams(self) -> list[tuple[str, bool]]:
        """The runs that are looked for, and whether in either case."""
        long = [value for value in self.values if len(value) >= _SHORTEST]
        found = [(gram.lower(), True) for value in long for gram in _folded(_normal(value))]
        found += [(gram, False) for value in long for gram in _exact(value)]
        return list(dict.fromkeys(found))

    @cached_property
    def _size(self) -> int:
        return min((len(gram) for gram, _ in self._grams), default=0)

    @cached_property
    def _index(self) -> dict[str, list[tuple[str, bool]]]:
        """The same by how they begin."""
        index: dict[str, list[tuple[str, bool]]] = {}
        for gram, is_folded in self._grams:
            index.setdefault(gram[: self._size].lower(), []).append((gram, is_folded))
        return index


def _normal(text: str) -> str:
    """`text` with the signs of standard base64 for those of the one for URLs."""
    return text.replace("-", "+").replace("_", "/")


def _folded(value: str) -> Iterator[str]:
    """Runs of it that are looked for in either case."""
    piece = min(_PIECE, max(_SHORTEST, len(value) // 2))
    both = [value, value[::-1]]
    yield from _grams_of(both, piece)
    if len(value) >= _ENCODED_PIECE:  # what was taken apart is put together in longer runs
        yield from _grams_of(both, _ENCODED_PIECE)
    yield from _grams_of([variant.hex() for variant in _variants(value)], 2 * piece)
    hashed = (hashlib.new(name, value.encode("latin-1"), usedforsecurity=False).hexdigest() for name in _DIGESTS)
    yield from _grams_of(hashed, _DIGEST_PIECE)


def _exact(value: str) -> Iterator[str]:
    """Runs whose case counts, with the signs of standard base64."""
    encoded = [inner for variant in _variants(value) for inner in _inside_base64(variant)]
    yield from _grams_of([inner for inner in encoded if len(inner) >= _ENCODED_PIECE], _ENCODED_PIECE)
    digests = (hashlib.new(name, value.encode("latin-1"), usedforsecurity=False).digest() for name in _DIGESTS)
    yield from _grams_of((base64.b64encode(digest).decode() for digest in digests), _DIGEST_PIECE)


def _variants(value: str) -> list[bytes]:
    return [each.encode("latin-1") for each in (value, value[::-1], value.lower(), value.upper(), value.swapcase())]


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


def _character(found: re.Match[str]) -> str:
    kind = found.lastgroup
    if kind is None or kind == "nothing":
        return ""
    written = found[kind]
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


def _grams_of(values: Iterable[str], length: int) -> Iterator[str]:
    for value in values:
        for start in range(max(1, len(value) - length + 1)):
            gram = value[start : start + length]
            if len(set(gram)) >= _LEAST_VARIETY and not any(gram.lower() in word for word in _HONEST):
                yield gram


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
