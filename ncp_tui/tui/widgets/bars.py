"""The fixed parts of a screen, a line each: header, status and keys. Updated in place, never re-mounted.

They are drawn when they are painted, in the width of then, without a new layout: their height is fixed, and a layout
repaints the scroll bar of every pane (0.7 kB). Only a status that matters, and is too long, takes a second row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len
from rich.text import Text
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget

from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.widgets.table_rows import cut


@dataclass(frozen=True)
class HeaderItem:
    """Something worth a place in the header, in full and in short; the least important is left out first."""

    text: str
    short: str = ""
    needed: bool = False


class HeaderBar(Widget):
    """Where the user is (left) and as whom, how safely, on which clock (right)."""

    def __init__(self) -> None:
        super().__init__(id="header")
        self._path: tuple[str, ...] = ()
        self._items: tuple[HeaderItem, ...] = ()

    def show(self, path: tuple[str, ...], items: Sequence[HeaderItem]) -> None:
        """Show the path on the left and the items on the right, most important first."""
        self._path = tuple(map(escape, path))
        self._items = tuple(replace(item, text=escape(item.text), short=escape(item.short)) for item in items)
        self.refresh()

    def render(self) -> Text:
        return Text(header_text(self._path, self._items, self.size.width), no_wrap=True)


_SHORTEST_PATH = 12
"""Cells of the path that stay before a item that is needed goes."""


def header_text(path: tuple[str, ...], items: Sequence[HeaderItem], width: int) -> str:
    """Path and items in `width` cells: in full, else shorter, else without what can be missed, else the path is cut."""
    left = " / ".join(("ncp-tui", *path))
    short = [replace(item, text=item.short or item.text) for item in items]
    for some in (list(items), short):
        right = "  ".join(item.text for item in some)
        if cell_len(left) + 2 + cell_len(right) <= width:
            return left + " " * (width - cell_len(left) - cell_len(right)) + right
    left = " / ".join(path) or "ncp-tui"
    while short:
        right = "  " + "  ".join(item.text for item in short)
        dispensable = [item for item in short if not item.needed]
        kept = cell_len(left) if dispensable else min(cell_len(left), _SHORTEST_PATH)
        if kept + cell_len(right) <= width:
            return cut(left, width - cell_len(right)) + right
        short.remove((dispensable or short)[-1])
    return cut(left, width)


TWO_ROWS = 2


def status_rows(text: str, width: int, rows: int) -> list[str]:
    """`text` in at most `rows` rows of `width` cells, parted between words; what is left out ends in an ellipsis."""
    found = [""]
    for word in text.split():
        longer = f"{found[-1]} {word}".lstrip()
        if cell_len(longer) <= width or len(found) == rows or not found[-1]:
            found[-1] = longer
        else:
            found.append(word)
    return [cut(row, width).rstrip() if cell_len(row) > width else row for row in found]


class StatusBar(Widget):
    """What just happened, in one sentence. A warning and what is bad get a second row where one does not hold them."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self._text = ""
        self._matters = False

    def say(self, text: str, tone: str = "plain") -> None:
        """Show `text`; `tone` is good, bad, warning or plain."""
        for name in ("good", "bad", "warning"):
            self.set_class(name == tone, name)
        self._text, self._matters = escape(text), tone in {"bad", "warning"}
        self._take_rows()
        self.refresh()

    def on_resize(self) -> None:
        self._take_rows()

    def _take_rows(self) -> None:
        self.set_class(self._matters and cell_len(self._text) > self.size.width > 0, "two")

    def render(self) -> Text:
        rows = status_rows(self._text, self.size.width, TWO_ROWS if self.has_class("two") else 1)
        return Text("\n".join(rows), no_wrap=True, overflow="ellipsis")


class KeyBar(Widget):
    """The keys that matter here, in one line; `?` has the rest."""

    COMPONENT_CLASSES = {"keys--key"}  # noqa: RUF012 - Textual reads it off the class

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._shown: list[tuple[str, str]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._look_again())

    def _look_again(self) -> None:
        if self._keys() != self._shown:
            self.refresh()

    def _keys(self) -> list[tuple[str, str]]:
        named = [(self.app.get_key_display(each), each) for each in shown_bindings(self.screen)]
        return [(key, binding.description) for key, binding in fitting(named, self.size.width)]

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        style = self.get_component_rich_style("keys--key", partial=True)
        self._shown = self._keys()
        for key, description in self._shown:
            text.append(key, style)
            text.append(f" {description}  ")
        return text


def fitting(named: Sequence[tuple[str, Binding]], width: int) -> list[tuple[str, Binding]]:
    """As many as fit, in order; help is always among them, since it has the rest."""

    def length(each: tuple[str, Binding]) -> int:
        return cell_len(each[0]) + cell_len(each[1].description) + 3

    room = width - sum(length(each) for each in named if each[1].action == "help")
    kept = []
    for each in named:
        if each[1].action != "help":
            room -= length(each)
        if room >= 0 or each[1].action == "help":
            kept.append(each)
    return kept


_ORDER = ("table", "screen", "app")


def shown_bindings(screen: Screen[object]) -> list[Binding]:
    """The bindings of a screen that are shown and can be used now, each action once, the screen's own first."""
    found: dict[str, Binding] = {}
    for _, binding, enabled, _ in screen.active_bindings.values():
        if binding.show and enabled and binding.action not in found:
            found[binding.action] = binding
    return sorted(found.values(), key=_place)


def _place(binding: Binding) -> int:
    group = (binding.id or "").partition(".")[0]
    return _ORDER.index(group) + 1 if group in _ORDER else 0
