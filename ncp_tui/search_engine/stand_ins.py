"""Answers of NCP as others may read them: each name, number and address replaced, the same one always by the same.

What a field holds is known from the contract. A value of a field that is not known there is told by its shape alone,
and of a free text only the plain words stay. So what is forgotten here is missing from the file, not given away.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ncp_tui.search_engine.contract import KEPT, Field, Grade, Holds, Kind

LONGEST_TEXT = 300
"""Characters of a text from NCP that are looked through; a longer one is told by its length."""

MOST_ROWS = 10
"""Rows of a list that are in the file."""

MOST_MEMBERS = 80
MOST_VALUES = 3_000
"""Of one answer, in the file."""

_MOST_NAMES = 20_000
_MOST_DEPTH = 8
_SHORTEST_NAME = 3
"""Characters from which a name is looked for inside a text: a shorter one would be found in every word."""
_LONGEST_SHAPE = 40
_SMALL = 10_000
"""An integer below this is a count; one above may be a number of something."""
_FIRST_NUMBER = 9_000_000

_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_PIECES = re.compile(r"[^\s\[\](){}<>,;'\"`‘’“”=|]+")
_WORD = re.compile(r"[^\W\d_]+[.!?:]?")
_PLAIN = re.compile(
    r"[A-Z]+(?:_[A-Z]+)*[.:]?"  # IN_PROGRESS
    r"|[a-z]+(?:_[a-z]+)*_(?:exception|error|failed|failure|blocked)[.:]?"  # repository_verification_exception
    r"|(?:java|javax|org\.elasticsearch|org\.opensearch|org\.springframework)(?:\.[A-Za-z]+)+[.:]?"
    r"|\d{1,4}(?:\.\d{1,3})?(?:%|ms|s|m|h|[kmg]b|시간|분|초)?[.:]?"
    r"|[-:/~*.+]+"
    r"|\d{4}[-/.]\d\d[-/.]\d\d(?:T\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|P[0-9DHMST.]{2,20}"  # PT3M12S
    r"|\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?"
)
_STATUS = re.compile(r"[^\W\d_]+(?:[ _-][^\W\d_]+){0,4}")
_DATE = re.compile(r"[0-9T:/. +Z-]{4,40}(?: ?(?:KST|UTC|GMT|Asia/Seoul))?")
_CODE = re.compile(
    r"[^\W\d_]{1,15}\d{0,2}"
    r"|\d{1,15}(?:\.\d{1,9}){0,2}(?:[A-Za-z]{1,3}|시간|분|초)?"
    r"|P[0-9DHMST.]{2,20}"
    r"|\d\d?:\d\d(?::\d\d(?:[.,]\d+)?)?"
    r"|[A-Z0-9]{1,8}(?:\.[A-Z0-9]{1,8})+"
    r"|[a-z]+(?:-[\d.]{1,9})+"
)
_SHOUTED = re.compile(r"[A-Z]{16,}")
_QUOTED = re.compile(r"[\[('\"`‘“]([^\W\d_]+)[\])'\"`’”]")
_KEY_LIKE = re.compile(r"(?=.*\d)[A-Z0-9]{16,}|[0-9a-fA-F]{16,}|[A-Z]{16,}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_HOST = re.compile(r"(?:[A-Za-z0-9-]+\.)+[A-Za-z][A-Za-z0-9-]*\.?(?::\d+)?")
_MOST_IN_A_WORD = 3.5


class StandIns:
    """What stands for each value that says something about its owner."""

    def __init__(self, private: Mapping[str, Holds | str] | None = None) -> None:
        """Replace `private`, each with the word for it, beside whatever is learned of answers."""
        self._known: dict[str, str] = {}
        self._numbers: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._long: list[str] = []
        self._texts: dict[str, str] = {}
        for value, word in (private or {}).items():
            self._learn_value(value, str(word))

    def learn(self, payload: Any, fields: Sequence[Field]) -> None:
        """Remember every name in an answer that is made of `fields`, also those that are not in the file."""
        if isinstance(payload, list):
            for item in payload:
                self.learn(item, fields)
        elif isinstance(payload, Mapping):
            for each in fields:
                value = payload.get(each.name)
                if value is None:
                    continue
                if each.fields:
                    self.learn(value, each.fields)
                elif each.holds not in KEPT:
                    self._learn_each(value, each.holds)

    def copy(self, payload: Any, fields: Sequence[Field] = ()) -> Any:
        """`payload`, of which `fields` are known, as others may read it; of long lists and texts a part."""
        return _Copy(self).value(payload, Field("", Kind.OBJECT, Grade.DOCS, fields=tuple(fields)), 0)

    def field_name(self, name: str) -> str:
        """The name of a field that is not known: as it is where it looks like one, and is no name of anything else."""
        plain = _FIELD_NAME.fullmatch(name) and not _is_key_like(name) and not self._names_in(name)
        return name if plain else self._stand_in(name, "field")

    def text(self, text: str) -> str:
        """A free text, of which only plain words stay."""
        if text not in self._texts:
            self._texts[text] = self._scrubbed(text)
        return self._texts[text]

    def name(self, value: str, word: str) -> str:
        """What stands for a name."""
        return self._stand_in(value, word) if value.strip() else value

    def number(self, value: int) -> int:
        """What stands for the number of something."""
        return self._numbers.setdefault(str(value), _FIRST_NUMBER + len(self._numbers) + 1)

    def word(self, text: str, known: Sequence[str] = ()) -> str:
        """A word such as a status: as it is where it is known or made of letters alone."""
        plain = _STATUS.fullmatch(text) is not None and not _is_key_like(text) and not self._names_in(text)
        return text if text in known or plain else self.text(text)

    def date(self, text: str) -> str:
        """A date or a time as it is; the shape of what is none."""
        return text if _DATE.fullmatch(text) and not _is_address(text) else shape_of(text)

    def plain(self, text: str) -> str:
        """A count, version, size or product code as it is; of what looks like anything else what `text` leaves."""
        kept = all(_CODE.fullmatch(piece) and not _is_address(piece) for piece in _PIECES.findall(text))
        is_name = _key(text) in self._known or text in self._numbers or self._names_in(text)
        return text if kept and len(text) <= LONGEST_TEXT and not is_name else self.text(text)

    def unknown(self, value: str | int) -> str | int:
        """The value of a field that is not known: what stands for it, or its shape."""
        if isinstance(value, int):
            known = self._numbers.get(str(value))
            return known if known is not None else value if abs(value) < _SMALL else self.number(value)
        known_text = self._known.get(_key(value))
        if value.isdecimal() and value in self._numbers:
            return str(self._numbers[value])
        return known_text if known_text is not None else shape_of(value)

    def _learn_each(self, value: Any, holds: Holds) -> None:
        for each in value[:_MOST_NAMES] if isinstance(value, list) else (value,):
            if isinstance(each, int) and not isinstance(each, bool) and each >= _SMALL:
                self.number(each)
            elif isinstance(each, str):
                self._learn_value(each, holds.value)

    def _learn_value(self, value: str, word: str) -> None:
        if value.strip() and len(self._known) < _MOST_NAMES:
            self._stand_in(value, word)

    def _stand_in(self, value: str, word: str) -> str:
        key = _key(value)
        if key.isdecimal() and len(key) <= 18:  # noqa: PLR2004 - the same number may come as a number elsewhere
            return str(self.number(int(key)))
        if key not in self._known:
            self._counts[word] = self._counts.get(word, 0) + 1
            self._known[key] = f"{word}-{self._counts[word]}"
            if len(key) >= _SHORTEST_NAME:
                self._long.append(key)
        return self._known[key]

    def _names_in(self, text: str) -> list[str]:
        """The names that are somewhere in `text`, the longest first."""
        folded = _key(text)
        return sorted((name for name in self._long if name in folded), key=len, reverse=True)

    def _scrubbed(self, text: str) -> str:
        if len(text) > LONGEST_TEXT:
            return f"(a text of {len(text)} characters)"
        whole = self._known.get(_key(text))
        if whole is not None:
            return whole
        text = unicodedata.normalize("NFC", text)
        kept, text = dict[str, str](), _QUOTED.sub(self._of_quoted, text)
        for name in self._names_in(text):
            # A mark of its own, so that nothing is replaced twice: U+E000 and the next are nobody's letters.
            mark = f"\ue000{len(kept)}\ue001"
            text, count = re.subn(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", mark, text, flags=re.IGNORECASE)
            kept |= {mark: self._known[name]} if count else {}
        names = self._names_in(text)
        return _PIECES.sub(lambda found: self._piece(found[0], kept, names), text)

    def _of_quoted(self, found: re.Match[str]) -> str:
        """A single word in quotes or brackets is the name of something."""
        return found[0] if found[1].lower() in _NO_NAMES else found[0].replace(found[1], self.name(found[1], "name"))

    def _piece(self, piece: str, kept: Mapping[str, str], names: Sequence[str]) -> str:
        if "\ue000" in piece:
            return _MARKED.sub(lambda found: self._between(found, kept), piece)
        if _STAND_IN.fullmatch(piece):
            return piece
        if any(name in _key(piece) for name in names):
            return self.name(piece, "text")
        if piece.isdecimal() and len(piece) > 4:  # noqa: PLR2004 - what may be a number of something
            return str(self.number(int(piece))) if len(piece) <= 18 else self.name(piece, "id")  # noqa: PLR2004
        if (_PLAIN.fullmatch(piece) and not _SHOUTED.search(piece)) or (
            _WORD.fullmatch(piece) and not _is_key_like(piece)
        ):
            return piece
        return self.name(piece, _word_for(piece))

    def _between(self, found: re.Match[str], kept: Mapping[str, str]) -> str:
        if found[0] in kept:
            return kept[found[0]]
        rest = found[0].strip("-_./:")
        return found[0] if not rest or rest.isalpha() else found[0].replace(rest, self.name(rest, "text"))


_MARKED = re.compile("\ue000\\d+\ue001|[^\ue000\ue001]+")
_STAND_IN = re.compile(r"[a-z]+(?:-[a-z]+)?-\d+[.:]?")
_NO_NAMES = frozenset({"true", "false", "null", "none", "running", "success", "failed", "partial"})


class _Copy:
    """One answer being copied, within bounds."""

    def __init__(self, stand_ins: StandIns) -> None:
        self._stand_ins = stand_ins
        self._left = MOST_VALUES

    def value(self, value: Any, known: Field | None, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > _MOST_DEPTH:
            return "…"
        if isinstance(value, Mapping):
            return self._object(value, known, depth)
        if isinstance(value, list):
            item = known and (known if known.fields or known.holds is not Holds.NOTHING else None)
            shown = [self.value(each, item, depth + 1) for each in value[:MOST_ROWS]]
            return shown + [f"(and {len(value) - MOST_ROWS} more)"] * (len(value) > MOST_ROWS)
        return self._scalar(value, known)

    def _object(self, value: Mapping[str, Any], known: Field | None, depth: int) -> dict[str, Any]:
        fields = {each.name: each for each in (known.fields if known else ())}
        copied: dict[str, Any] = {}
        for name in list(value)[:MOST_MEMBERS]:
            shown = name if name in fields else self._stand_ins.field_name(name)
            copied[shown] = self.value(value[name], fields.get(name), depth + 1)
        if len(value) > MOST_MEMBERS:
            copied["…"] = f"(and {len(value) - MOST_MEMBERS} more)"
        return copied

    def _scalar(self, value: Any, known: Field | None) -> Any:
        stand_ins = self._stand_ins
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, float):
            return value if abs(value) < _SMALL else "(a number)"
        if known is None or known.kind in {Kind.OBJECT, Kind.FLAG}:
            return stand_ins.unknown(value)
        if isinstance(value, int):
            return value if known.holds in KEPT else stand_ins.number(value)
        if known.holds is Holds.WORD:
            return stand_ins.word(value, known.words)
        if known.holds is Holds.MESSAGE:
            return stand_ins.text(value)
        if known.holds is Holds.DATE:
            return stand_ins.date(value)
        return stand_ins.plain(value) if known.holds is Holds.NOTHING else stand_ins.name(value, known.holds.value)


def shape_of(text: str) -> str:
    """How a text is written and not what it says: `9` for a digit, `a` or `A` for a letter; T and Z stay in a date."""
    shape = "".join(map(_shape, text[:_LONGEST_SHAPE]))
    shape = re.sub(r"(?<=9)A(?=9)", "T", shape) if "T" in text else shape
    shape = re.sub(r"(?<=9)A$", "Z", shape) if text.endswith("Z") else shape
    return shape + "…" * (len(text) > _LONGEST_SHAPE)


def _shape(character: str) -> str:
    if character.isdecimal():
        return "9"
    if character.isalpha():
        return "a" if character.islower() else "A" if character.isupper() else "x"
    return character if character.isascii() else "x"


def _key(value: str) -> str:
    return unicodedata.normalize("NFC", value).casefold().strip()


def _word_for(piece: str) -> str:
    """What a piece of a text looks like, in a word."""
    bare = piece.strip(".:/")
    if "://" in piece:
        return "url"
    if _EMAIL.fullmatch(piece):
        return "email"
    if _is_address(bare):
        return Holds.ADDRESS.value
    if _is_key_like(bare):
        return "key"
    if _HOST.fullmatch(bare):
        return "host"
    return "path" if "/" in bare else "name"


def _is_address(text: str) -> bool:
    for candidate in (text, text.partition("/")[0], text.rpartition(":")[0]):
        try:
            ipaddress.ip_address(candidate.partition("%")[0])
        except ValueError:
            continue
        return True
    return False


def _is_key_like(text: str) -> bool:
    """Whether a text looks like a key or an id, and not like words that are written together."""
    if len(text) < 16:  # noqa: PLR2004 - NCP's keys have 20 and 40
        return False
    words = list(_words(text))
    return _KEY_LIKE.fullmatch(text) is not None or len(text) / max(1, len(words)) < _MOST_IN_A_WORD


def _words(text: str) -> Iterator[str]:
    for found in re.finditer(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_]+", text):
        yield found[0]
