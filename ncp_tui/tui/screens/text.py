"""A text to read, in a box over the screen: details, curl, help. Closing it changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.tui.glyphs import shown
from ncp_tui.tui.screens.copying import Copyable, CopyingScreen
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.view.exchanges import curl_lines
from ncp_tui.view.text import BLANK, Line, Tone, line

_HINT = "esc closes, c copies, w writes a file, m to select, arrows scroll"


class TextScreen(CopyingScreen):
    """A titled text with a scroll position."""

    CSS_PATH = "text.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Close", id="text.close"),
    ]
    AUTO_FOCUS = "TextView"

    def __init__(self, title: str, lines: Sequence[Line], hint: str = _HINT) -> None:
        super().__init__()
        self._title = title
        self._lines = list(lines)
        self._hint = hint

    def compose(self) -> ComposeResult:
        """The box: title on its border, text, hint."""
        with Vertical(id="text-box") as box:
            box.border_title = Content(shown(self._title))  # a plain str would be read as markup
            yield TextView(self._lines, id="text")
            yield Static(self._hint, markup=False, id="text-hint")

    def show(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self._lines = list(lines)
        self.query_one(TextView).show(self._lines)

    def to_copy(self) -> Copyable:
        """The whole text."""
        return Copyable(self._title, self.query_one(TextView).text)

    def say(self, text: str) -> None:
        """Tell it in the hint's place."""
        self.query_one("#text-hint", Static).update(shown(text))


def curl_screen(request: RequestRecord) -> TextScreen:
    """A request as a shell snippet that signs itself."""
    note = "Keys are read from NCLOUD_ACCESS_KEY and NCLOUD_SECRET_KEY when it runs; none is in it."
    return TextScreen("As curl", [*curl_lines(request), BLANK, line(note, Tone.DIM)])
