"""The table: cells measured in cells, a cursor that never gets lost, and a cost that does not grow with the rows."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.tui.widgets.table_rows import column_widths, content_widths, cut
from ncp_tui.view.arrangement import Sort
from ncp_tui.view.clusters import CLUSTERS
from ncp_tui.view.history import HISTORY
from ncp_tui.view.profiles import PROFILES
from ncp_tui.view.progress import RUN
from ncp_tui.view.requests import REQUESTS
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import Cell, Row

WIDE_AND_NARROW = st.text(alphabet=st.sampled_from("abz 019-_검색로그日本語é…ｱＡ한\u1112\u1161"), max_size=40)
GAP = 2


def empty(_: object) -> Cell:
    return Cell("")


@given(WIDE_AND_NARROW, st.integers(0, 60))
def test_a_cut_text_fills_its_cells_exactly(text: str, width: int) -> None:
    """One cell too many and every column behind it stands beside its header."""
    assert cell_len(cut(text, width)) == width


@given(st.text(max_size=30), st.integers(0, 40))
def test_any_text_fills_its_cells_exactly(text: str, width: int) -> None:
    assert cell_len(cut(text, width)) == width


@given(WIDE_AND_NARROW, st.integers(1, 60))
def test_a_cut_text_begins_as_the_text_and_says_that_it_is_cut(text: str, width: int) -> None:
    """Half of a wide character is no character."""
    text, fitted = escape(text), cut(text, width).rstrip()
    if cell_len(text) <= width:
        assert fitted == text.rstrip()
    else:
        assert fitted.endswith("…")
        assert text.startswith(fitted[:-1])


def test_a_wide_character_on_the_edge_is_left_out() -> None:
    assert cut("검색로그", 8) == "검색로그"
    assert cut("검색로그", 7) == "검색로…"
    assert cut("검색로그", 6) == "검색… "
    assert cut("검색로그", 2) == "… "
    assert cut("검색로그", 1) == "…"
    assert not cut("검색로그", 0)


COLUMNS = st.lists(
    st.builds(
        Column,
        label=st.sampled_from(["", "NAME", "LAST SNAPSHOT", "이름"]),
        most=st.integers(4, 40),
        flex=st.integers(0, 3),
        least=st.integers(0, 8),
        room=st.sampled_from([0, 0, 60, 100]),
    ),
    min_size=1,
    max_size=7,
)


@given(COLUMNS, st.lists(st.lists(WIDE_AND_NARROW, min_size=7, max_size=7), max_size=5), st.integers(0, 200))
def test_columns_share_the_width(columns: list[Column[object]], texts: list[list[str]], width: int) -> None:
    """They fit unless all of them are at their least, and none is narrower than what still says something."""
    rows = [Row(str(place), tuple(map(Cell, line))) for place, line in enumerate(texts)]
    widths = column_widths(columns, content_widths(columns, rows), width)
    assert len(widths) == len(columns)
    escape = [(each, column) for each, column in zip(widths, columns, strict=True) if width >= column.room]
    assert not any(each for each, column in zip(widths, columns, strict=True) if width < column.room)
    total = sum(each + GAP for each, _ in escape)
    assert total <= width or all(each <= max(column.least, cell_len(column.label)) for each, column in escape)
    assert all(each >= 0 for each in widths)


def test_content_decides_and_flexible_columns_take_what_is_left() -> None:
    columns = (Column("NAME", empty, flex=1), Column("STATE", empty, most=10), Column("NOTE", empty, flex=1))
    rows = [Row("1", (Cell("search-0001"), Cell("running"), Cell("ok")))]
    assert column_widths(columns, content_widths(columns, rows), 60)[1] == len("running")
    assert sum(column_widths(columns, content_widths(columns, rows), 60)) + 3 * GAP in {59, 60}


def test_very_long_texts_are_measured_quickly() -> None:
    """A server may send names of any length; taking the widths back cell by cell must not take seconds."""
    columns = [Column("X", empty, flex=1)] * 6
    rows = [Row("1", (Cell("x" * 4_000),) * 6)]
    started = time.thread_time()
    assert sum(column_widths(columns, content_widths(columns, rows), 80)) + 6 * GAP == 80
    assert time.thread_time() - started < 1.0


class Host(App[None]):
    def __init__(self, rows: Sequence[Row], columns: Sequence[Column[object]]) -> None:
        super().__init__()
        self._rows = rows
        self._columns = columns
        self.moved: list[str] = []
        self.chosen: list[str] = []

    def compose(self) -> ComposeResult:
        yield RecordTable(self._columns, empty="Nothing here.", id="table")

    def on_mount(self) -> None:
        self.table.show(self._rows)
        self.table.focus()

    def on_record_table_moved(self, event: RecordTable.Moved) -> None:
        self.moved.append(event.key)

    def on_record_table_chosen(self, event: RecordTable.Chosen) -> None:
        self.chosen.append(event.key)

    @property
    def table(self) -> RecordTable:
        return self.query_one(RecordTable)

    def text(self) -> list[str]:
        height = self.table.size.height
        return ["".join(segment.text for segment in self.table.render_line(y)) for y in range(height)]


def numbered(count: int) -> list[Row]:
    return [Row(f"k{n}", (Cell(f"name-{n:05d}"), Cell(f"{n} kB", sort=float(n)))) for n in range(count)]


@asynccontextmanager
async def hosted(rows: Sequence[Row], *, size: tuple[int, int] = (40, 11)) -> AsyncIterator[tuple[Host, Pilot[None]]]:
    host = Host(rows, (Column("NAME", empty, flex=1), Column("SIZE", empty, most=10)))
    async with host.run_test(size=size) as pilot:
        await pilot.pause()
        yield host, pilot


async def test_ten_thousand_rows_are_shown_and_crossed_quickly() -> None:
    """Textual's own table blocks the screen for more than a second here."""
    rows = numbered(10_000)
    async with hosted([]) as (host, pilot):
        started = time.thread_time()
        host.table.show(rows)
        host.table.filter("name-099")
        host.table.filter("")
        assert time.thread_time() - started < 2.0
        await pilot.press("end")
        assert host.table.cursor_key == "k9999"
        assert "name-09999" in host.text()[-1]
        await pilot.press("home")
        assert "name-00000" in host.text()[1]
        assert len(host.children) < 10, "a row is no widget"


async def test_the_cursor_moves_by_rows_and_by_screens() -> None:
    async with hosted(numbered(35)) as (host, pilot):
        table = host.table
        for key, expected in (
            ("up", "k0"),
            ("down", "k1"),
            ("j", "k2"),
            ("k", "k1"),
            ("pagedown", "k11"),
            ("pagedown", "k21"),
            ("pageup", "k11"),
            ("G", "k34"),
            ("pagedown", "k34"),
            ("g", "k0"),
            ("pageup", "k0"),
        ):
            await pilot.press(key)
            assert table.cursor_key == expected, key
            escape = "".join(host.text())
            assert f"name-{int(expected[1:]):05d}" in escape, "the cursor is always in view"
            assert host.text()[0].startswith(" NAME"), "the header stays"
        assert host.moved[-1] == "k0"


async def test_every_line_is_exactly_as_wide_as_the_table() -> None:
    rows = [Row("k", (Cell("검색-로그-서울" * 5), Cell("1"))), *numbered(3)]
    for width in (7, 20, 21, 40):
        async with hosted(rows, size=(width, 8)) as (host, _):
            assert {cell_len(line) for line in host.text()} == {width}


async def test_without_rows_it_says_why_and_no_key_does_anything() -> None:
    async with hosted([]) as (host, pilot):
        await pilot.press("down", "up", "pagedown", "end", "home", "G")
        assert host.table.cursor_key is None
        assert "Nothing here." in host.text()[1]


async def test_order_by_number_where_there_is_one() -> None:
    """By their text, 10 kB stands before 9 kB."""
    async with hosted(numbered(12), size=(40, 20)) as (host, _):
        table = host.table
        for sort in (Sort(0), Sort(1)):
            table.sort_by(sort)
            assert table.sort == sort
        assert [line.split()[0] for line in host.text()[1:4]] == ["name-00000", "name-00001", "name-00002"]
        assert host.text()[0].split() == ["NAME", "SIZE", "▲"]
        table.sort_by(Sort(1, descending=True))
        assert host.text()[0].split() == ["NAME", "SIZE", "▼"]
        assert host.text()[1].split()[0] == "name-00011"
        table.sort_by(None)
        assert host.text()[0].split() == ["NAME", "SIZE"]


@pytest.mark.parametrize("gone", [0, 3, 5])
async def test_the_cursor_stays_on_its_key(gone: int) -> None:
    async with hosted(numbered(6)) as (host, pilot):
        await pilot.press("down", "down", "down")
        rows = numbered(6)
        del rows[gone]
        host.table.show(list(reversed(rows)))
        expected = "k3" if gone != 3 else None
        assert host.table.cursor_key == (expected or host.table.cursor_key)
        assert host.table.cursor_key is not None


async def test_filter_finds_in_every_column_in_any_case() -> None:
    async with hosted([Row("a", (Cell("검색"), Cell("GREEN"))), Row("b", (Cell("x"), Cell("red")))]) as (host, _):
        for text, keys in (("green", ["a"]), ("RED", ["b"]), ("검", ["a"]), ("e", ["a", "b"]), ("zz", [])):
            host.table.filter(text)
            assert (host.table.shown, host.table.total) == (len(keys), 2)


async def test_a_click_moves_and_a_second_one_opens() -> None:
    async with hosted(numbered(5)) as (host, pilot):
        await pilot.click(RecordTable, offset=(3, 3))
        assert (host.table.cursor_key, host.chosen) == ("k2", [])
        await pilot.click(RecordTable, offset=(3, 3), times=2)
        assert host.chosen == ["k2"]
        await pilot.click(RecordTable, offset=(3, 0))
        await pilot.click(RecordTable, offset=(3, 9))
        assert host.table.cursor_key == "k2", "neither header nor empty space is a row"


def test_in_no_window_is_the_last_column_pushed_out() -> None:
    """A `03:00 ?` of which two cells are left is another statement."""
    tables: tuple[Table[Any], ...] = (CLUSTERS, HISTORY, REQUESTS, PROFILES, RUN)
    for table in tables:
        for width in range(59, 200):
            columns = table.on_screen
            widths = column_widths(columns, [200] * len(columns), width)
            assert sum(widths) + GAP * sum(each > 0 for each in widths) <= width + GAP, (columns[0].label, width)
