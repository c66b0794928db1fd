"""One clear sentence where the window is too small for a screen, and the screen as it was when it grows again.

The screen stays where it is, with its focus and what was typed, under a cover; nothing is sent from there.
"""

from __future__ import annotations

from typing import Any, Final

from rich.text import Text
from textual import events
from textual.app import App
from textual.css.query import NoMatches
from textual.geometry import Size
from textual.screen import Screen
from textual.widgets import Input, Static

LEAST: Final = Size(60, 20)
"""The smallest window in which every screen can be used; 80x24 is what they are made for."""

_HELD_BACK = frozenset({"enter", "f2", "y"})
"""Keys that can send something. The others go through: what is typed while a window is dragged is not lost."""


def too_small_sentence(size: Size) -> str:
    """What is shown in its place."""
    return (
        f"Window too small: {LEAST.width}x{LEAST.height} needed, {size.width}x{size.height} now.\n"
        "Enlarge it, or press ctrl+c to quit."
    )


class Cover(Static):
    """Lies over everything on a screen."""

    def __init__(self) -> None:
        super().__init__("", markup=False, id="cover")


class SmallWindow:
    """Covers the screens of an app while they have no room."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app

    def watch(self) -> None:
        """Look at every screen that comes to the front, and at those that are there already."""
        self._app.screen_change_signal.subscribe(self._app, self._cover, immediate=True)
        self._app.call_later(self.cover_all, None)

    def cover_all(self, size: Size | None) -> None:
        """Cover those that are there, or uncover them."""
        for screen in self._app.screen_stack:
            self._cover(screen, size)

    def _cover(self, screen: Screen[Any], size: Size | None = None) -> None:
        size = size or self._app.size
        try:
            cover = screen.query_one("#cover", Cover)
        except NoMatches:
            if not _is_small(size):
                return
            cover = Cover()
            screen.mount(cover)
        cover.display = _is_small(size)
        cover.update(Text(too_small_sentence(size)))

    def holds_back(self, event: events.Event) -> bool:
        """Whether this key or click could send what cannot be seen."""
        if not _is_small(self._app.size):
            return False
        if isinstance(event, events.Key):
            types = event.is_printable and isinstance(self._app.focused, Input)
            return event.key in _HELD_BACK and not types
        return isinstance(event, events.MouseEvent) and not event.is_forwarded


def _is_small(size: Size) -> bool:
    return size.width < LEAST.width or size.height < LEAST.height
