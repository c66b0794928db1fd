"""Which rows of a list are shown, and in which order: the filter that a person types, and the sort that one chooses."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ncp_tui.view.table import Column
from ncp_tui.view.text import Row, comparable

_COMPARISON = r"^(?P<column>[^:<>=!\s]+)(?P<sign>:|>=|<=|>|<)(?P<value>.*)$"
_QUANTITY = r"^(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>[a-z]*)$"
_SIGNS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}
_UNITS = {
    "": 1.0,
    "s": 1.0,
    "m": 60.0,
    "min": 60.0,
    "h": 3_600.0,
    "d": 86_400.0,
    "b": 1.0,
    "kib": 1024.0,
    "mib": 1024.0**2,
    "gib": 1024.0**3,
    "tib": 1024.0**4,
}

_Test = Callable[[Row], bool]


@dataclass(frozen=True)
class Filter:
    """What a filter's text means for a table of some columns: every term must hold.

    `word` is anywhere in the row, `!word` is nowhere in it, `status:error` is in the column whose label begins so, and
    `age>24h` compares the value of a column (durations in s, m, h, d; sizes in KiB, MiB, GiB, TiB). Without a good
    snapshot the age is infinite; where that is not known there is none. A term that is not finished, or names no
    column, is taken as the text that it is.
    """

    text: str
    tests: tuple[_Test, ...] = ()
    misread: str = ""
    """A term that looks like a comparison and is none: it is looked for as text."""

    def __bool__(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.tests)

    def passes(self, row: Row) -> bool:
        """Whether every term holds for `row`."""
        return all(test(row) for test in self.tests)


def read_filter(text: str, columns: Sequence[Column[Any]]) -> Filter:
    """The filter that `text` is for a table of `columns`."""
    terms = text.split()
    looks_so = [term for term in terms if re.search("[<>]", term) and not _comparison(term.removeprefix("!"), columns)]
    tests = tuple(test for term in terms if (test := _test(term, columns)) is not None)
    return Filter(text, tests, looks_so[0] if looks_so else "")


def _test(term: str, columns: Sequence[Column[Any]]) -> _Test | None:
    is_wanted, word = (False, term[1:]) if term.startswith("!") else (True, term)
    if not word:
        return None
    found = _comparison(word, columns) or _contains(comparable(word))
    return found if is_wanted else lambda row: not found(row)


def _contains(word: str) -> _Test:
    return lambda row: word in row.comparable


def _comparison(word: str, columns: Sequence[Column[Any]]) -> _Test | None:
    match = re.match(_COMPARISON, word)
    place = column_named(match["column"], columns) if match else None
    if match is None or place is None or not match["value"]:
        return None
    if match["sign"] == ":":
        value = comparable(match["value"])
        return lambda row: value in comparable(row.cells[place].text)
    bar, compare = _quantity(match["value"]), _SIGNS[match["sign"]]
    if bar is None:
        return None

    def holds(row: Row) -> bool:
        cell = row.cells[place]
        is_known = not cell.is_empty or cell.sort == math.inf
        return isinstance(cell.sort, int | float) and is_known and compare(cell.sort, bar)

    return holds


def _quantity(text: str) -> float | None:
    match = re.match(_QUANTITY, text.lower())
    unit = _UNITS.get(match["unit"]) if match else None
    return float(match["count"]) * unit if match and unit is not None else None


def column_named(name: str, columns: Sequence[Column[Any]]) -> int | None:
    """The place of the first column whose label, or other name, begins with `name`; a dash stands for a space."""
    wanted = comparable(name).replace("-", " ")
    for place, column in enumerate(columns):
        if any(comparable(label).startswith(wanted) for label in (column.label, *column.aliases) if label):
            return place
    return None


@dataclass(frozen=True)
class Sort:
    """A column to sort by, and which way."""

    column: int
    descending: bool = False

    def sort(self, rows: Sequence[Row]) -> list[Row]:
        """`rows` in this order; those with nothing in the column always come last."""
        full = [row for row in rows if not row.cells[self.column].is_empty]
        empty = [row for row in rows if row.cells[self.column].is_empty]
        return sorted(full, key=self._key, reverse=self.descending) + empty

    def _key(self, row: Row) -> tuple[int, float, str]:
        cell = row.cells[self.column]
        value = comparable(cell.text) if cell.sort is None else cell.sort
        return (0, value, "") if isinstance(value, int | float) else (1, 0.0, value)


def sort_name(sort: Sort | None, columns: Sequence[Column[Any]]) -> str:
    """`sort` as it is kept from one run to the next: the column's label, with a dash before it where descending."""
    return "" if sort is None else "-" * sort.descending + columns[sort.column].label


def read_sort(name: str, columns: Sequence[Column[Any]]) -> Sort | None:
    """What `sort_name` wrote; None for anything else, and for a column that is no more."""
    label = name.removeprefix("-")
    place = next((place for place, column in enumerate(columns) if label and column.label == label), None)
    return None if place is None else Sort(place, name.startswith("-"))


def sort_sentence(sort: Sort | None, columns: Sequence[Column[Any]]) -> str:
    """What a list is sorted by."""
    if sort is None:
        return "In the order of NCP."
    return f"Sorted by {columns[sort.column].label}, {'descending' if sort.descending else 'ascending'}."


def arranged(rows: Sequence[Row], wanted: Filter, sort: Sort | None) -> list[Row]:
    """The rows that pass the filter, sorted, or in the order in which they came."""
    shown = [row for row in rows if wanted.passes(row)] if wanted else list(rows)
    return sort.sort(shown) if sort is not None else shown
