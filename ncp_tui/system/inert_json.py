"""JSON from outside, decoded within bounds and made inert.

Python's decoder holds the interpreter's lock until it is done: 2.7 million empty objects, or one with 700,000 members,
stop every thread for 0.3 to 0.8 s, at any size that an answer may have. So its values are counted before it runs.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from dataclasses import dataclass
from typing import Any

from ncp_tui.text import clean_json

MOST_VALUES = 50_000
"""Objects, lists and their members that are decoded of one answer: 2,000 clusters in full; 100 are requested at once.
In the worst shape they take 40 ms."""

MOST_DEPTH = 32
"""Lists and objects within each other; the service has five."""

LONGEST_NUMBER = 4_300
"""Digits, as Python has it: what it takes to convert them grows with their square."""

_DEPTH_OF_ROWS = 3  # the envelope, its result, the list in that
_STEP = 256 * 1024  # bytes decoded at once: those that are not UTF-8 are slow
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{},"]', re.DOTALL)
_CLOSING = {ord("{"): b"}", ord("["): b"]"}


class TooManyValues(ValueError):
    """More than MOST_VALUES values, and not in a list that could be cut."""


class CutList(list[Any]):
    """The beginning of a list that was longer than what is decoded of one answer."""


@dataclass(frozen=True)
class Decoded:
    """A value of JSON. Where it `is_cut`, the rows after the MOST_VALUES-th value, and all behind them, are missing."""

    value: Any
    is_cut: bool = False


def decode(body: bytes) -> Decoded:
    """The JSON in `body`, every string in it clean. Of a long list in a result only the beginning, as a CutList.

    Raises ValueError for what is no JSON or nested too deeply, TooManyValues for more than anything can be made of.
    """
    part = _beginning(body)
    try:
        value = json.loads(
            text_of(body if part is None else part),
            parse_constant=str,
            parse_int=_integer,
            parse_float=_real,
        )
        if not _is_shallow(value):
            raise ValueError("nested too deeply")
        value = clean_json(value)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return Decoded(value) if part is None else Decoded(_with_mark(value), is_cut=True)


def text_of(body: bytes) -> str:
    """`body` as text, what is not UTF-8 as `�`; in steps, so that other threads get their turn."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    steps = [decoder.decode(body[start : start + _STEP]) for start in range(0, len(body), _STEP)]
    return "".join([*steps, decoder.decode(b"", final=True)])


def _beginning(body: bytes) -> bytes | None:
    """As many whole rows as are decoded, and what closes them; None where all of `body` is decoded."""
    if body.count(b",") + body.count(b"{") + body.count(b"[") <= MOST_VALUES:
        return None  # counted in strings as well: there are no more than that
    values, closing, cut, rest = 0, bytearray(), 0, b""
    for token in _TOKEN.finditer(body):
        place = token.start()
        sign = body[place]
        if sign == ord(",") or sign in _CLOSING:
            values += 1
            if sign == ord(",") and len(closing) == _DEPTH_OF_ROWS and closing.endswith(b"]"):
                cut, rest = place, bytes(reversed(closing))
            if values > MOST_VALUES:
                break
            closing += _CLOSING.get(sign, b"")
        elif sign != ord('"'):
            del closing[-1:]
        elif token.end() == place + 1:
            raise ValueError("a string without an end")
    else:
        return None
    if not cut:
        raise TooManyValues(f"more than {MOST_VALUES:,} values")
    return body[:cut] + rest


def _with_mark(value: Any) -> Any:
    """`value` with its last list, in which it was cut, as a CutList."""
    holder = _last(value)
    last = _last(holder)
    if not isinstance(last, list):  # a member of that name had been there before
        raise TooManyValues(f"more than {MOST_VALUES:,} values")
    holder[next(reversed(holder)) if isinstance(holder, dict) else -1] = CutList(last)
    return value


def _last(value: Any) -> Any:
    return value[next(reversed(value))] if isinstance(value, dict) else value[-1]


def _integer(digits: str) -> int:
    return int(_countable(digits))


def _real(digits: str) -> float | str:
    """A number; one that no float can hold stays text, since JSON has no word for infinity."""
    number = float(_countable(digits))
    return number if math.isfinite(number) else digits


def _countable(digits: str) -> str:
    if len(digits) > LONGEST_NUMBER:
        raise ValueError("a number of too many digits")
    return digits


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(MOST_DEPTH + 1):
        level = [inner for each in level for inner in _members(each) if isinstance(inner, dict | list)]
        if not level:
            return True
    return False


def _members(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
