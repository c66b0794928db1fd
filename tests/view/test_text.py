"""Cells, lines and plain columns: widths in cells of the terminal, the same ones that Textual draws."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ncp_tui.view.text import (
    Cell,
    Row,
    Span,
    Tone,
    broken,
    cell_width,
    chopped,
    comparable,
    field,
    key_values,
    line,
    plain_text,
    text_table,
    wrapped,
)

WORDS = st.text(alphabet=st.sampled_from("abz 019-_검색로그日本語é…ｱＡ한\u1112\u1161\u11ab"), max_size=60)


def test_the_cells_of_a_text() -> None:
    """`len` would push the columns after a Korean name to the right."""
    widths = {
        "": 0,
        "abc": 3,
        "검색": 4,
        "검색-로그": 9,
        "é": 1,
        "e\u0301": 1,
        "\u1100\u1161\u11a8": 2,
        "ＡＢ": 4,
        "a\u200bb": 2,
        "👩‍💻": 2,
    }
    assert {text: cell_width(text) for text in widths} == widths


def test_what_a_name_is_made_of_is_as_wide_as_textual_draws_it() -> None:
    """Both faces count alike: Latin, Hangul whole and in pieces, kana, ideographs, box drawings, signs."""
    ranges = [(0x20, 0x7F), (0xA0, 0x180), (0x370, 0x530), (0x1100, 0x1200), (0x2010, 0x2028), (0x2030, 0x2060)]
    ranges += [(0x2100, 0x2700), (0x3000, 0x3130), (0x3131, 0x3190), (0x4E00, 0xA000), (0xAC00, 0xD7A4)]
    ranges += [(0xFF01, 0xFFE7)]
    characters = [chr(code) for start, end in ranges for code in range(start, end)]
    known = [each for each in characters if unicodedata.category(each) not in {"Cf", "Cn"}]
    assert [each for each in known if cell_width(each) != cell_len(each)] == []


@given(WORDS, st.integers(2, 30))
def test_wrapped_lines_fit_and_lose_nothing(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert all(cell_width(each) <= width for each in lines)
    assert "".join("".join(lines).split()) == "".join(text.split())


@given(WORDS, st.integers(2, 30))
def test_parts_fit_and_make_up_the_text(text: str, width: int) -> None:
    parts = list(chopped(text, width))
    assert "".join(parts) == text
    assert all(cell_width(each) <= width for each in parts)


def test_columns_stand_under_each_other() -> None:
    lines = text_table(("NAME", "STATE"), [("검색-로그", "running"), ("a", "x")]).splitlines()
    assert lines == ["NAME       STATE", "검색-로그  running", "a          x"]


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=5))
def test_the_second_column_stands_in_one_place(rows: list[tuple[str, str]]) -> None:
    lines = text_table(("", "|"), [(left, f"|{right}") for left, right in rows]).splitlines()
    assert len({cell_width(each.rpartition("  |")[0]) for each in lines}) == 1


def test_a_filter_finds_hangul_however_it_was_typed() -> None:
    """A keyboard on macOS sends it in pieces, and a server may have it either way."""
    for form in ("NFC", "NFD"):
        row = Row("1", (Cell(unicodedata.normalize(form, "검색-로그")),))
        for typed in ("검색", unicodedata.normalize("NFD", "검색"), "색-로"):
            assert comparable(typed) in row.comparable
        assert comparable("없음") not in row.comparable


def test_a_cell_cannot_break_its_line() -> None:
    assert len(text_table(("NAME",), [("a\nb\x1b[2J",)]).splitlines()) == 2


def test_values_that_are_not_known_are_left_out() -> None:
    assert key_values([("name", "a"), ("health", ""), ("created", "b")]) == "name     a\ncreated  b"


def test_lines_as_a_command_prints_them() -> None:
    assert plain_text([field("name", "a"), (), line("b ")]) == "name         a\n\nb"


def test_a_line_that_is_too_wide_is_broken_under_where_its_text_begins() -> None:
    row = (Span("last good  ", Tone.DIM), Span("2 h: nightly, bucket bk.ses.snapshot", Tone.GOOD))
    assert broken(row, 80) == [row]
    parts = broken(row, 30)
    assert ["".join(span.text for span in part) for part in parts] == [
        "last good  2 h: nightly,",
        "           bucket",
        "           bk.ses.snapshot",
    ]
    assert {part[-1].tone for part in parts} == {Tone.GOOD}
    assert broken((Span("    indented words here"),), 15) == [(Span("    indented"),), (Span("    words here"),)]
    assert broken((), 10) == [()]
    label_only = (Span("a label that has no room beside it", Tone.DIM), Span("x"))
    assert broken(label_only, 20) == [label_only]
