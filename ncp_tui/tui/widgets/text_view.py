"""A pane of lines that draws only what is on the screen, however long the text is; nothing in it is markup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from ncp_tui.tui.terminal.charset import cells_of, escape
from ncp_tui.view.text import Line, Tone, broken

_BESIDE = 2
"""Cells of the margin and of the scrollbar."""
_LEAST_ROOM = 20


class TextView(ScrollView, can_focus=True):
    """Lines of text with tones, to scroll through in both directions."""

    MARGIN: ClassVar[str] = " "
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"text-view--{tone}" for tone in Tone}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_by(-1)", "Up", show=False, id="text.up"),
        Binding("down,j", "scroll_by(1)", "Down", show=False, id="text.down"),
        Binding("pageup", "scroll_page(-1)", "Page up", show=False, id="text.page_up"),
        Binding("pagedown,space,ctrl+f", "scroll_page(1)", "Page down", show=False, id="text.page_down"),
        Binding("ctrl+u", "scroll_page(-0.5)", "Half a page up", show=False, id="text.half_up"),
        Binding("ctrl+d", "scroll_page(0.5)", "Half a page down", show=False, id="text.half_down"),
        Binding("home,g", "scroll_end_of(0)", "Start", show=False, id="text.start"),
        Binding("end,G", "scroll_end_of(1)", "End", show=False, id="text.end"),
        Binding("left", "scroll_sideways(-8)", "Left", show=False, id="text.left"),
        Binding("right", "scroll_sideways(8)", "Right", show=False, id="text.right"),
    ]

    def __init__(self, lines: Sequence[Line] = (), *, wraps: bool = False, id: str | None = None) -> None:  # noqa: A002
        """With `wraps`, sentences that are too wide are broken between words; else they are scrolled to."""
        super().__init__(id=id)
        self._given: list[Line] = list(lines)
        self._lines = self._given
        self._wraps = wraps

    def on_mount(self) -> None:
        self._measure()

    def on_resize(self) -> None:
        if self._wraps:
            self._measure()

    def show(self, lines: Sequence[Line], *, keep_place: bool = False, widest: int | None = None) -> None:
        """Show other lines, from the start unless `keep_place`; `widest` is what `widest_of` says of them, if known."""
        if keep_place and list(lines) == self._given:
            return
        self._given = self._lines = list(lines)
        if not keep_place:
            self.scroll_to(0, 0, animate=False, force=True)
        self._measure(widest)

    @property
    def text(self) -> str:
        """Everything shown, as plain text."""
        return "\n".join("".join(span.text for span in line) for line in self._given)

    def action_scroll_by(self, by: int) -> None:
        self.scroll_relative(y=by, animate=False)

    def action_scroll_page(self, by: float) -> None:
        """Scroll `by` screens."""
        self.scroll_relative(y=int(by * max(2, self.size.height - 1)), animate=False)

    def action_scroll_end_of(self, end: int) -> None:
        """Scroll to the start (0) or the end (1)."""
        self.scroll_to(y=self.virtual_size.height if end else 0, animate=False)

    def action_scroll_sideways(self, by: int) -> None:
        """Scroll `by` cells to the right."""
        self.scroll_relative(x=by, animate=False)

    def render_line(self, y: int) -> Strip:
        base = self.rich_style
        width = self.scrollable_content_region.width  # the scrollbar stands beside it
        index = y + self.scroll_offset.y
        if index >= len(self._lines):
            return Strip.blank(width, base)
        segments = [
            Segment(self.MARGIN, base),
            *(Segment(escape(span.text), self._style(base, span.tone)) for span in self._lines[index]),
        ]
        left, strip = self.scroll_offset.x, Strip(segments)
        if strip.cell_length - left <= width:
            return strip.crop_extend(left, left + width, base)
        shown = strip.crop_extend(left, left + width - 1, base)
        return Strip([*shown, Segment("…", base)], width)  # what is cut says so

    def _style(self, base: Style, tone: Tone) -> Style:
        return base + self.get_component_rich_style(f"text-view--{tone}", partial=True)

    def _measure(self, widest: int | None = None) -> None:
        room = self.size.width - _BESIDE
        if self._wraps and room > _LEAST_ROOM:
            self._lines = [part for line in self._given for part in broken(line, room)]
        widest = widest_of(self._lines) if widest is None else widest
        self.virtual_size = Size(widest + 2, len(self._lines))
        self.refresh()


def widest_of(lines: Sequence[Line]) -> int:
    """The cells that the widest of `lines` takes; of 10,000 it takes 15 ms to say."""
    return max((cells_of("".join([span.text for span in line])) for line in lines), default=0)
