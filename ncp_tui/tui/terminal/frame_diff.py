"""What is on the terminal already is not sent again: over SSH these bytes are the speed.

Textual sends whole lines and whole widgets again, several times while it starts and at every change of the focus. So
each frame is compared, cell by cell, with what was sent before. Measured with 200 clusters at 80x24: start-up is 7.8 kB
instead of 47.6, another pane 0.6 kB instead of 10.7, an arrow key 430 bytes instead of 874; `python -m
tests.benchmarks` counts them. A widget that draws less than all of itself saves processor time and no bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby
from operator import ne

from rich.cells import cell_len

from ncp_tui.text import acts

FRAME_BEGINS, FRAME_ENDS = "\x1b[?2026h", "\x1b[?2026l"
_BELL = "\x07"
_MOVE = re.compile(r"\x1b\[(\d+);(\d+)H")
_OTHER_SEQUENCES = re.compile(r"\x1b(?!\[[0-9;]*[Hm])")
_OF_A_FRAME = frozenset("\x1b\n")
_RUN = re.compile(r"(?:\x1b\[([0-9;]*)m)|([^\x00-\x1f\x7f]+)")
# Sending this many unchanged cells is no more than moving over them and naming the colours again.
_BRIDGE = 12

Cell = tuple[str, str]
"""A character and its style; the second half of a wide character is an empty one."""


class Unreadable(Exception):
    """A frame with something else in it than moves, colours and text."""


class FrameDiff:
    """What has been sent to a terminal since it was known to be in any state."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, Cell]] = {}
        self._cursor = ""
        self._begun = ""

    def forget(self) -> None:
        """Take nothing for granted any more: the terminal was somebody else's, or has another size."""
        self._rows.clear()
        self._cursor = ""

    def changed(self, data: str) -> str:
        """What of `data` has to be sent. It is one frame, its mark, or something that is sent as it is."""
        if data == FRAME_BEGINS:
            self._begun = data
            return ""
        if data == FRAME_ENDS and self._begun:
            self._begun = ""
            return ""  # nothing was in it
        news = data
        if _MOVE.match(data):
            news = data = _inert(data)
            try:
                news = self._changes(data)
            except Unreadable:
                self.forget()
        elif data not in {FRAME_ENDS, _BELL}:
            self.forget()
        if news:
            news, self._begun = self._begun + news, ""
        return news

    def _changes(self, data: str) -> str:
        _, *parts = _MOVE.split(data)
        changes, cursor = [], self._cursor
        for y, x, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            cells, left = _cells(text.removesuffix("\n")), int(x)
            row = self._rows.setdefault(int(y), {})
            columns = range(left, left + len(cells))
            differs = list(map(ne, map(row.get, columns), cells))
            changes += [
                f"\x1b[{y};{left + start}H{_written(cells[start:end])}" for start, end in _stretches(differs, cells)
            ]
            row.update(zip(columns, cells, strict=True))
            cursor = "" if cells or text else f"\x1b[{y};{x}H"
        if changes or cursor != self._cursor:
            changes.append(cursor)
        self._cursor = cursor
        return "".join(changes)


def _inert(frame: str) -> str:
    """`frame` with nothing in it but moves, colours, and characters that are drawn, as wide as it was laid out.

    What is shown has been made inert before it was laid out. This is the last door: a widget that forgot it may show
    something odd, and does nothing to the terminal.
    """
    frame = _OTHER_SEQUENCES.sub("", frame)
    odd = {character for character in set(frame) - _OF_A_FRAME if acts(character)}
    return frame.translate({ord(character): "?" * cell_len(character) for character in odd}) if odd else frame


def _cells(text: str) -> list[Cell]:
    """`text` cell by cell. Raises Unreadable."""
    style, end, cells = "", 0, list[Cell]()
    for run in _RUN.finditer(text):
        if run.start() != end:
            raise Unreadable
        end = run.end()
        if run[2] is None:
            style = "" if run[1] in {"", "0"} else run[1]
        elif run[2].isascii():
            cells += [(character, style) for character in run[2]]
        else:
            for character in run[2]:
                width = cell_len(character)
                if width == 0:
                    raise Unreadable  # it joins its neighbours, and only the terminal knows how
                cells += [(character, style), *[("", style)] * (width - 1)]
    if end != len(text):
        raise Unreadable
    return cells


def _stretches(changed: list[bool], cells: list[Cell]) -> Iterator[tuple[int, int]]:
    """From where to where something has to be sent. A wide character is never halved."""
    start, end = -1, -1
    for place, is_new in enumerate(changed):
        if not is_new:
            continue
        if start >= 0 and place - end > _BRIDGE:
            yield _widened(start, end, cells)
            start = -1
        start = place if start < 0 else start
        end = place + 1
    if start >= 0:
        yield _widened(start, end, cells)


def _widened(start: int, end: int, cells: list[Cell]) -> tuple[int, int]:
    while start and not cells[start][0]:
        start -= 1
    while end < len(cells) and not cells[end][0]:
        end += 1
    return start, end


def _written(cells: list[Cell]) -> str:
    runs = ((style, "".join(text for text, _ in run)) for style, run in groupby(cells, key=lambda cell: cell[1]))
    return "".join(f"\x1b[{style}m{text}\x1b[0m" if style else text for style, text in runs)
