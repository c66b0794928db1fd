"""The fixed parts of a screen, a line each: header, status and keys. Updated in place, never re-mounted.

They are drawn when they are painted, in the width of then, without a new layout: their height is fixed, and a layout
repaints the scroll bar of every pane (0.7 kB). Only a status that matters, and is too long, takes a second row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from rich.cells import cell_len
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.dom import DOMNode
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from ncp_tui.tui.key_bindings import SEND_ID
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

    @dataclass
    class PartClicked(Message):
        """A part of the path was clicked that leads away from here; the first is the profile."""

        is_profile: bool

    def on_click(self, event: events.Click) -> None:
        place = part_at(event.x, self._path, header_text(self._path, self._items, self.size.width))
        if place is not None and place < len(self._path) - 1:
            self.post_message(self.PartClicked(place == 0))

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


def part_at(x: int, path: tuple[str, ...], shown: str) -> int | None:
    """The place in `path` of the part that the cell `x` of a header lies in; -1 is the program's name before it."""
    parts = list(enumerate(path))
    if shown.startswith("ncp-tui / "):
        parts.insert(0, (-1, "ncp-tui"))
    start = 0
    for place, part in parts if shown.startswith(" / ".join(part for _, part in parts)) else ():
        if start <= x < start + cell_len(part):
            return place
        start += cell_len(part) + len(" / ")
    return None


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

    COMPONENT_CLASSES = {"keys--key", "keys--unavailable"}  # noqa: RUF012 - Textual reads it off the class

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._shown: list[KeyHint] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, lambda _: self._look_again())

    def _look_again(self) -> None:
        if self._keys() != self._shown:
            self.refresh()

    def _keys(self) -> list[KeyHint]:
        return fitting(key_hints(self.screen), self.size.width)

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        style = self.get_component_rich_style("keys--key", partial=True)
        dim = self.get_component_rich_style("keys--unavailable", partial=True)
        self._shown = self._keys()
        for hint in self._shown:
            text.append(hint.key, style if hint.is_enabled else dim)
            text.append(f" {hint.description}  ", None if hint.is_enabled else dim)
        return text

    async def on_click(self, event: events.Click) -> None:
        """Do what the key does that was clicked; the key that sends is pressed, never clicked by the way."""
        hint = hint_at(event.x, self._shown)
        if hint is None or hint.is_sending:
            return
        active = self.screen.active_bindings.get(hint.binding_key)
        if active is not None and active.enabled:
            await self.app.run_action(active.binding.action, active.node)
        else:
            self.post_message(self.UnavailableClicked(hint.binding_key))

    @dataclass
    class UnavailableClicked(Message):
        """A key was clicked that does nothing now."""

        key: str


@dataclass(frozen=True)
class KeyHint:
    """One key in the bar: its name, what it does, and whether it does it now."""

    key: str
    description: str
    binding_key: str
    action: str
    is_enabled: bool = True
    is_sending: bool = False

    @property
    def width(self) -> int:
        """Cells, with the gap behind it."""
        return cell_len(self.key) + cell_len(self.description) + 3


_WAYS_OUT = frozenset({"help", "back"})


def _width(hints: Sequence[KeyHint]) -> int:
    return sum(hint.width for hint in hints)


def fitting(hints: Sequence[KeyHint], width: int) -> list[KeyHint]:
    """As many as fit, in order; help is always among them, since it has the rest, and before others the way back."""
    ways_out = sorted((hint for hint in hints if hint.action in _WAYS_OUT), key=lambda each: each.action != "help")
    needed = {hint.action for place, hint in enumerate(ways_out) if not place or _width(ways_out) <= width}
    room = width - sum(hint.width for hint in ways_out if hint.action in needed)
    kept = []
    for hint in hints:
        if hint.action not in needed:
            room -= hint.width
        if room >= 0 or hint.action in needed:
            kept.append(hint)
    return kept


def hint_at(x: int, hints: Sequence[KeyHint]) -> KeyHint | None:
    """The hint that the cell `x` of the bar lies in."""
    start = 0
    for hint in hints:
        if start <= x < start + hint.width - 2:
            return hint
        start += hint.width
    return None


_ORDER = ("table", "screen", "app")


def key_hints(screen: Screen[object]) -> list[KeyHint]:
    """The bindings of a screen that are shown, each action once, the screen's own first.

    One that cannot be used now is among them, greyed, where the screen can say why. A key of the user's own stands
    where the program's key would: Textual has it last.
    """
    found: dict[str, tuple[tuple[int, int, int], KeyHint]] = {}
    why = getattr(screen, "why_unavailable", lambda _: "")
    nodes: dict[DOMNode, int] = {}
    for key, (node, binding, enabled, _) in screen.active_bindings.items():
        owner = nodes.setdefault(node, len(nodes))
        if binding.show and binding.action not in found and (enabled or why(binding.action)):
            name = screen.app.get_key_display(binding)
            is_sending = binding.id == SEND_ID
            hint = KeyHint(name, binding.description, key, binding.action, enabled, is_sending)
            found[binding.action] = ((_place(binding), owner, _declared(type(node)).get(binding.id or "", 0)), hint)
    return [hint for _, hint in sorted(found.values(), key=lambda each: each[0])]


@cache
def _declared(owner: type) -> dict[str, int]:
    """The place of each binding of a class by its ID, in the order in which Textual has their keys: bases first."""
    keys: dict[str, int] = {}
    places: dict[str, int] = {}
    for each in reversed(owner.__mro__):
        for binding in Binding.make_bindings(each.__dict__.get("BINDINGS", ())):
            place = keys.setdefault(binding.key, len(keys))
            places.setdefault(binding.id or "", place)
    return places


def _place(binding: Binding) -> int:
    group = "screen" if binding.action == "back" else (binding.id or "").partition(".")[0]
    return _ORDER.index(group) + 1 if group in _ORDER else 0
