"""Filter and sort of a list, without a screen."""

from __future__ import annotations

import math

from ncp_tui.view.arrangement import Sort, arranged, column_named, read_filter
from ncp_tui.view.table import Column
from ncp_tui.view.text import Cell, Row
from tests.tables import each_row

COLUMNS = (
    Column[None]("CLUSTER", lambda _: Cell("")),
    Column[None]("STATUS", lambda _: Cell("")),
    Column[None]("LAST GOOD", lambda _: Cell(""), aliases=("age",)),
    Column[None]("SIZE", lambda _: Cell("")),
)
HOUR = 3_600.0


def row(name: str, status: str, age: float | None, size: float | None = None) -> Row:
    old = Cell("none", sort=0.0, is_missing=True) if age is None else Cell(f"{age:g} h", sort=age * HOUR)
    return Row(name, (Cell(name), Cell(status), old, Cell("-") if size is None else Cell(f"{size:g} B", sort=size)))


ROWS = [
    row("search-0001", "running", 2, 10 * 1024),
    row("search-0002", "error", 60, 5 * 1024**3),
    row("Archive", "running", None),
    row("검색", "creating", 24, 1),
]


@each_row(
    "text, keys",
    [
        ("", "search-0001 search-0002 Archive 검색"),
        ("search", "search-0001 search-0002"),
        ("SEARCH running", "search-0001"),
        ("!search", "Archive 검색"),
        ("!search !archive", "검색"),
        ("검색", "검색"),
        ("status:run", "search-0001 Archive"),
        ("!status:run", "search-0002 검색"),
        ("stat:err", "search-0002"),
        ("age>24h", "search-0002"),
        ("age>=1d", "search-0002 검색"),
        ("age<90m", ""),
        ("last-good<3h", "search-0001"),
        ("age>1h age<2d", "search-0001 검색"),
        ("size>1gib", "search-0002"),
        ("size<=10KiB", "search-0001 검색"),
        # What is not finished, or names no column, is looked for as it stands, and so is what is no quantity.
        ("!", "search-0001 search-0002 Archive 검색"),
        ("status:", ""),
        ("age>", ""),
        ("age>soon", ""),
        ("age>24x", ""),
        ("colour:red", ""),
        ("<", ""),
    ],
)
def test_every_term_of_a_filter_must_hold(text: str, keys: str) -> None:
    shown = arranged(ROWS, read_filter(text, COLUMNS), None)
    assert " ".join(each.key for each in shown) == keys


def test_a_row_without_the_value_passes_no_comparison_but_its_opposite() -> None:
    """None is not zero hours old, and `!age>24h` asks for whatever is not known to be older."""
    assert [each.key for each in arranged(ROWS, read_filter("age>=0h", COLUMNS), None)] == [
        "search-0001",
        "search-0002",
        "검색",
    ]
    assert [each.key for each in arranged(ROWS, read_filter("!age>=0h", COLUMNS), None)] == ["Archive"]


def test_without_any_good_snapshot_the_age_is_beyond_every_bar() -> None:
    """Whoever asks for clusters whose last good snapshot is old asks for those without one first of all."""
    none = Row("none", (Cell("none"), Cell("running"), Cell("none !", sort=math.inf, is_missing=True), Cell("-")))
    for text, is_shown in {
        "age>24h": True,
        "age>=1d": True,
        "age<1d": False,
        "!age<1d": True,
        "age>9999d": True,
    }.items():
        shown = arranged([*ROWS, none], read_filter(text, COLUMNS), None)
        assert (none in shown) == is_shown, text
        assert ("Archive" in [each.key for each in shown]) == text.startswith("!"), "unknown is not old"
    assert arranged([none, *ROWS], read_filter("", COLUMNS), Sort(2, descending=True))[-2:] == [none, ROWS[2]]


@each_row(
    "column, descending, keys",
    [
        (0, False, "Archive search-0001 search-0002 검색"),
        (2, False, "search-0001 검색 search-0002 Archive"),
        (2, True, "search-0002 검색 search-0001 Archive"),
        (3, False, "검색 search-0001 search-0002 Archive"),
        (3, True, "search-0002 search-0001 검색 Archive"),
    ],
)
def test_what_is_empty_comes_last_in_either_direction(column: int, descending: bool, keys: str) -> None:
    shown = arranged(ROWS, read_filter("", COLUMNS), Sort(column, descending))
    assert " ".join(each.key for each in shown) == keys


def test_rows_that_are_equal_keep_the_order_in_which_they_came() -> None:
    shown = arranged(ROWS, read_filter("", COLUMNS), Sort(1))
    assert [each.key for each in shown] == ["검색", "search-0002", "search-0001", "Archive"]


def test_a_column_is_found_by_the_beginning_of_its_name() -> None:
    assert [column_named(name, COLUMNS) for name in ("c", "Last-G", "ag", "x", "size")] == [0, 2, 2, None, 3]


@each_row(
    "text, misread",
    [
        ("age>24h", ""),
        ("word status:error", ""),
        (">1d", ">1d"),
        ("age>xyz", "age>xyz"),
        ("nothing<3", "nothing<3"),
        ("!>1d", "!>1d"),
        ("word 1d<", "1d<"),
    ],
)
def test_what_looks_like_a_comparison_and_is_none_is_named(text: str, misread: str) -> None:
    assert read_filter(text, COLUMNS).misread == misread
