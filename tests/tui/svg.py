"""A screen as SVG: each run of characters where its cells are, so that every renderer shows the same columns.

Rich's own export gives a run the width of its characters instead of its cells, which squeezes Hangul in a browser, and
leaves blanks to the renderer: librsvg drops leading ones. Here a run that is drawn has neither. It is also a third of
the size.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from rich.cells import cell_len
from rich.color import blend_rgb
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.terminal_theme import SVG_EXPORT_THEME, TerminalTheme
from textual.app import App

from ncp_tui.tui.terminal.charset import CHARSET

CELL, LINE, BASE = 12.2, 24.4, 20
"""Pixels: the width and height of a cell, and how far below its top letters stand."""

FONT = 20.27
"""Pixels: a letter of Menlo and of DejaVu Sans Mono, 0.602 of it wide, fills a cell then, also for librsvg, which knows
no `textLength`."""

_MARGIN, _TITLE = 9.0, 41.0
_RUN = re.compile(r"\S+(?: \S+)*")
_DRAWN = re.compile(r'<text class="([^"]*)" x="([\d.]+)" y="([-\d.]+)"([^>]*)>([^<]*)<')


@dataclass(frozen=True)
class Run:
    """Characters in one style beginning at a column; without characters, their background alone."""

    column: int
    cells: int
    text: str
    css: str
    background: str


Row = tuple[Run, ...]


@dataclass(frozen=True)
class Frame:
    """A screen as it was at a moment."""

    rows: tuple[Row, ...]
    width: int
    background: str
    title: str = "ncp-tui"
    seconds: float = 0.0
    """How long it is shown in a film."""


def frame_of(app: App[object], title: str = "ncp-tui", seconds: float = 0.0) -> Frame:
    """What `app` shows now."""
    width, height = app.size
    console = Console(
        width=width, height=height, file=io.StringIO(), force_terminal=True, color_system="truecolor", record=True
    )
    console.print(app.screen._compositor.render_update(full=True, screen_stack=app._background_screens))
    segments = list(Segment.filter_control(console._record_buffer))
    lines = list(Segment.split_and_crop_lines(segments, length=width, include_new_lines=False))[:height]
    theme = SVG_EXPORT_THEME
    return Frame(tuple(tuple(_runs(line, theme)) for line in lines), width, theme.background_color.hex, title, seconds)


def _runs(line: Sequence[Segment], theme: TerminalTheme) -> Iterator[Run]:
    column = 0
    for looks, segments in groupby(line, key=lambda segment: _looks(segment.style or Style(), theme)):
        text = "".join(segment.text for segment in segments)
        cells = cell_len(text)
        yield Run(column, cells, text, *looks)
        column += cells


def _looks(style: Style, theme: TerminalTheme) -> tuple[str, str]:
    """The style sheet of a style's letters, and its background."""
    colour = style.color.get_truecolor(theme) if style.color else theme.foreground_color
    ground = style.bgcolor.get_truecolor(theme, foreground=False) if style.bgcolor else theme.background_color
    if style.reverse:
        colour, ground = ground, colour
    if style.dim:
        colour = blend_rgb(colour, ground, 0.4)
    rules = [f"fill:{colour.hex}"]
    rules += ["font-weight:bold"] if style.bold else []
    rules += ["font-style:italic"] if style.italic else []
    rules += ["text-decoration:underline"] if style.underline else []
    rules += ["text-decoration:line-through"] if style.strike else []
    return ";".join(rules), ground.hex


class _Styles:
    """The style sheet of a picture; a class is numbered when it is first used."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def name(self, css: str) -> str:
        return self._names.setdefault(css, f"r{len(self._names) + 1}")

    def __str__(self) -> str:
        return "\n".join(f".{name}{{{css}}}" for css, name in self._names.items())


def picture(frame: Frame) -> str:
    """One frame as SVG."""
    styles = _Styles()
    body = "\n".join(_row(row, number, frame.background, styles) for number, row in enumerate(frame.rows))
    return _document(frame, str(styles), f"{_title(frame)}\n{body}")


def film(frames: Sequence[Frame]) -> str:
    """Frames one after the other, for ever; where nothing moves, the last one stands.

    A row is drawn once for all the frames in which it is the same.
    """
    styles, body = _Styles(), []
    shown_in: dict[str, set[int]] = {}
    for index, frame in enumerate(frames):
        drawn = [_row(row, number, frame.background, styles) for number, row in enumerate(frame.rows)]
        for element in (_title(frame), *drawn):
            shown_in.setdefault(element, set()).add(index)
    moments = [sum(frame.seconds for frame in frames[:index]) for index in range(len(frames) + 1)]
    scenes: dict[frozenset[int], str] = {}
    for element, found in shown_in.items():
        where = frozenset(found)
        if len(where) == len(frames):
            body.append(element)
        elif element:
            body.append(f'<g class="{scenes.setdefault(where, f"f{len(scenes) + 1}")}">{element}</g>')
    rules = [_moving(name, where, moments) for where, name in scenes.items()]
    still = "@media (prefers-reduced-motion:reduce){g{animation:none!important}}"
    return _document(frames[-1], "\n".join((str(styles), *rules, still)), "\n".join(body))


def _moving(name: str, where: frozenset[int], moments: Sequence[float]) -> str:
    """When the elements of a class are seen: as in the last frame where nothing moves."""
    last, total = len(moments) - 2, moments[-1]
    steps = [
        f"{100 * moment / total:.4g}%{{opacity:{int(index in where)}}}" for index, moment in enumerate(moments[:-1])
    ]
    at_rest = int(last in where)
    return (
        f".{name}{{opacity:{at_rest};animation:{name} {total:g}s step-end infinite}}\n"
        f"@keyframes {name}{{{''.join(steps)}100%{{opacity:{at_rest}}}}}"
    )


def _row(row: Row, number: int, background: str, styles: _Styles) -> str:
    """The backgrounds and letters of a row."""
    top = number * LINE
    rects = [
        f'<rect fill="{colour}" x="{_number(runs[0].column * CELL)}" y="{_number(top + 1.5)}" '
        f'width="{_number(sum(run.cells for run in runs) * CELL)}" height="{_number(LINE + 0.25)}"/>'
        for colour, runs in ((colour, list(group)) for colour, group in groupby(row, key=lambda run: run.background))
        if colour != background
    ]
    texts = [
        _text(text, styles.name(run.css), run.column + column, top + BASE)
        for run in row
        for column, text in _pieces(_as_sent(run.text))
    ]
    return "".join((*rects, *texts))


def _text(text: str, style: str, column: int, y: float) -> str:
    """Letters at their column. A wide one stands in the middle of its two cells, whatever width its font gives it."""
    cells = cell_len(text)
    if cells == len(text):
        place = f'class="{style}" x="{_number(column * CELL)}" y="{_number(y)}" textLength="{_number(cells * CELL)}"'
    else:
        place = f'class="{style} wide" x="{_number((column + cells / 2) * CELL)}" y="{_number(y)}"'
    return f"<text {place}>{escape(text, quote=False)}</text>"


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """What is drawn of a text, each with its column: no two blanks beside each other, and a wide letter alone."""
    for run in _RUN.finditer(text):
        column = cell_len(text[: run.start()])
        for is_wide, letters in groupby(run[0], key=lambda letter: cell_len(letter) > 1):
            for piece in letters if is_wide else ["".join(letters)]:
                if piece.strip():
                    yield column + len(piece) - len(piece.lstrip()), piece.strip()
                column += cell_len(piece)


def _as_sent(text: str) -> str:
    """What the driver would send for a text: ASCII on a terminal that has nothing else."""
    return text if CHARSET.encoding is None else CHARSET.encode_frame(text)


def _title(frame: Frame) -> str:
    middle = _number(frame.width * CELL / 2)
    return f'<text class="title" x="{middle}" y="{_number(26 - _TITLE)}">{escape(frame.title, quote=False)}</text>'


def _document(frame: Frame, styles: str, body: str) -> str:
    width, height = frame.width * CELL + 2 * _MARGIN, len(frame.rows) * LINE + _TITLE + _MARGIN
    return f"""<svg viewBox="0 0 {_number(width)} {_number(height)}" xmlns="http://www.w3.org/2000/svg">
<style>
text{{font-family:"Fira Code",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:{FONT}px}}
rect{{shape-rendering:crispEdges}}
.wide{{text-anchor:middle}}
.title{{fill:{SVG_EXPORT_THEME.foreground_color.hex};font-family:sans-serif;font-size:18px;font-weight:bold;text-anchor:middle}}
{styles}
</style>
<rect fill="{frame.background}" stroke="#808080" x="1" y="1" width="{_number(width - 2)}" height="{_number(height - 2)}" rx="8" style="shape-rendering:auto"/>
<g transform="translate(26,22)"><circle r="7" fill="#ff5f57"/><circle cx="22" r="7" fill="#febc2e"/><circle cx="44" r="7" fill="#28c840"/></g>
<g transform="translate({_number(_MARGIN)},{_number(_TITLE)})">
{body}
</g>
</svg>
"""  # noqa: E501 - an element is one line


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def drawn(svg: str) -> list[tuple[str, ...]]:
    """What a picture shows: every run of text with its style class, place, width."""
    return _DRAWN.findall(svg)
