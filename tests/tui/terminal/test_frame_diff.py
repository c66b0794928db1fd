"""Only what differs is sent, and the terminal shows the same as if everything had been."""

from __future__ import annotations

import re

import pyte
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import set_cell_size

from ncp_tui.text import acts
from ncp_tui.tui.terminal.frame_diff import FRAME_BEGINS, FRAME_ENDS, FrameDiff

COLUMNS, ROWS = 20, 4
STYLES = ("", "1", "38;5;188;48;5;16", "7;38;5;59")


def shown(*writes: str) -> list[list[tuple[str, str, str, bool]]]:
    """The cells of a terminal after `writes`."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    for data in writes:
        stream.feed(data)
    return [
        [(cell.data, cell.fg, cell.bg, cell.bold) for cell in (screen.buffer[y][x] for x in range(COLUMNS))]
        for y in range(ROWS)
    ]


@st.composite
def frames(draw: st.DrawFn) -> str:
    """A frame as Textual writes it: pieces of lines, each at its place, in a few styles."""
    parts = []
    for _ in range(draw(st.integers(1, 5))):
        x, room = draw(st.integers(1, COLUMNS)), 0
        text = ""
        room = COLUMNS - x + 1
        for character in draw(st.text("ab ─검색", max_size=COLUMNS)):
            room -= 2 if character in "검색" else 1
            if room < 0:
                break
            style = draw(st.sampled_from(STYLES))
            text += f"\x1b[{style}m{character}\x1b[0m" if style else character
        parts.append(f"\x1b[{draw(st.integers(1, ROWS))};{x}H{text}" + draw(st.sampled_from(["", "\n"])))
    return "".join(parts)


def whole(lines: list[str]) -> str:
    """Lines as wide as the terminal, in cells: one cell more would go on in the line below."""
    return "".join(f"\x1b[{y};1H{set_cell_size(text, COLUMNS)}" for y, text in enumerate(lines, 1))


HOSTILE = (
    *("\x1b]0;owned\x07", "\x1b]52;c;ZXZpbA==\x1b\\", "\x1bc", "\x1bP1q\x1b\\", "\x1b[2J", "\x1b[?1049l", "\x1b7"),
    *("\x9b31m", "\x9d0;x\x9c", "\x08\x08", "\r", "\t", "\x7f", "\x00", "\u202e", "\u2066"),
    *("\u200b", "\ufe0f", "\u3164"),
)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_frame_does_nothing_but_move_colour_and_draw(text: str) -> None:
    """The last door: a widget that showed a text as it came may look odd, and does nothing to the terminal."""
    for before in ("ab", "\x1b[1mab\x1b[0m", "가"):
        sent = FrameDiff().changed(f"\x1b[2;3H{before}{text}cd")
        rest = re.sub(r"\x1b\[[0-9;]*[Hm]", "", sent)
        assert not [letter for letter in rest if acts(letter)]


@given(st.lists(frames(), max_size=8))
@example(["\x1b[2;1Hb"])
def test_the_terminal_shows_the_same(drawn: list[str]) -> None:
    """Whole lines are what Textual paints over half-overwritten wide characters; so does this, at the end."""
    frames = FrameDiff()
    last = whole(["검색 log", "b", "", "x"])
    everything = [*drawn, last]
    assert shown(*(frames.changed(frame) for frame in everything)) == shown(last)
    assert frames.changed(last) == ""


def test_one_cell_is_sent_for_one_cell() -> None:
    frames = FrameDiff()
    frames.changed("\x1b[2;1H\x1b[1mrunning, 12 s\x1b[0m\x1b[1;3H")
    assert frames.changed("\x1b[2;1H\x1b[1mrunning, 13 s\x1b[0m\x1b[1;3H") == "\x1b[2;11H\x1b[1m3\x1b[0m\x1b[1;3H"


def test_a_wide_character_is_never_halved() -> None:
    frames = FrameDiff()
    frames.changed("\x1b[1;1Ha검b")
    assert frames.changed("\x1b[1;1Ha색b") == "\x1b[1;2H색"
    assert frames.changed("\x1b[1;1Ha\x1b[1m색\x1b[0mb") == "\x1b[1;2H\x1b[1m색\x1b[0m"


def test_a_wide_character_that_was_half_overwritten_is_sent_whole() -> None:
    """The terminal has dropped the other half, although nothing was written there."""
    frames = FrameDiff()
    writes = [frames.changed(frame) for frame in ("\x1b[1;1Ha검b", "\x1b[1;3Hx", "\x1b[1;1Ha검b")]
    assert writes[-1] == "\x1b[1;2H검"
    assert shown(*writes) == shown("\x1b[1;1Ha검b")


def test_a_frame_without_news_is_no_frame() -> None:
    """An empty one would be the 16 bytes a second of a screen where nothing happens."""
    frames = FrameDiff()
    frame = "\x1b[1;1Hclusters\x1b[1;3H"
    assert frames.changed(FRAME_BEGINS) == ""
    assert frames.changed(frame) == FRAME_BEGINS + frame
    assert frames.changed(FRAME_ENDS) == FRAME_ENDS
    assert [frames.changed(data) for data in (FRAME_BEGINS, frame, FRAME_ENDS)] == ["", "", ""]


def test_the_cursor_goes_where_it_went_without_any_change() -> None:
    """An input method opens its window there."""
    frames = FrameDiff()
    frames.changed("\x1b[1;1Hname\x1b[1;3H")
    assert frames.changed("\x1b[1;1Hname\x1b[1;4H") == "\x1b[1;4H"


@pytest.mark.parametrize(
    "other",
    ["\x1b[?1049h", "\x1b[2J", "\x1b[1;1He\u0301"],
)
def test_whatever_else_is_written_is_sent_as_it_is_and_forgets(other: str) -> None:
    """What it does to the cells is not known, so every cell is sent again."""
    frames, frame = FrameDiff(), "\x1b[1;1Hclusters"
    frames.changed(frame)
    assert frames.changed(other) == other
    assert frames.changed(frame) == frame


def test_a_bell_changes_no_cell() -> None:
    frames, frame = FrameDiff(), "\x1b[1;1Hclusters"
    frames.changed(frame)
    assert frames.changed("\x07") == "\x07"
    assert frames.changed(frame) == ""
