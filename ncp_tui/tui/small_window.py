"""One clear sentence where the window is too small for a screen, and the screen as it was when it grows again.

The screen stays where it is, with its focus and what was typed, under a cover; nothing is sent from there.
"""

from __future__ import annotations

from typing import Any, Final

from rich.text import Text
from textual import events, on
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
    """What is told in its place."""
    return (
        f"The window is too small: {LEAST.width}x{LEAST.height} is needed, it is {size.width}x{size.height}\n"
        "ctrl+c quits."
    )


class Cover(Static):
    """Lies over everything on a screen."""

    def __init__(self) -> None:
        super().__init__("", markup=False, id="cover")


class RoomyApp(App[Any]):
    """An app that covers its screens while they have no room."""

    def on_mount(self) -> None:
        """Look at every screen that comes to the front, and at those that are there already."""
        self.screen_change_signal.subscribe(self, self._cover, immediate=True)
        self.call_later(self._cover_all, None)

    @on(events.Resize)
    def look_at_window(self, event: events.Resize) -> None:
        """Cover those that are there, or uncover them."""
        self._cover_all(event.size)

    def _cover_all(self, size: Size | None) -> None:
        for screen in self.screen_stack:
            self._cover(screen, size)

    @property
    def is_too_small(self) -> bool:
        """Whether the window has no room for any screen."""
        return self.size.width < LEAST.width or self.size.height < LEAST.height

    def _cover(self, screen: Screen[Any], size: Size | None = None) -> None:
        size = size or self.size
        is_small = size.width < LEAST.width or size.height < LEAST.height
        try:
            cover = screen.query_one("#cover", Cover)
        except NoMatches:
            if not is_small:
                return
            cover = Cover()
            screen.mount(cover)
        cover.display = is_small
        cover.update(Text(too_small_sentence(size)))

    async def on_event(self, event: events.Event) -> None:
        """Let no key and no click send what cannot be seen."""
        if not (self.is_too_small and self._may_send(event)):
            await super().on_event(event)

    def _may_send(self, event: events.Event) -> bool:
        if isinstance(event, events.Key):
            types = event.is_printable and isinstance(self.focused, Input)
            return event.key in _HELD_BACK and not types
        return isinstance(event, events.MouseEvent) and not event.is_forwarded
