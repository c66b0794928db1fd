"""How a user who looks elsewhere learns that a snapshot has ended: a bell, a notification, the window title."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ncp_tui.text import clean
from ncp_tui.tui.terminal.charset import CHARSET
from ncp_tui.tui.terminal.driver import TerminalApp
from ncp_tui.tui.terminal.sequences import has_title, passed_through

NOTIFY_VARIABLE: Final = "NCP_TUI_NOTIFY"

BELL: Final = "bell"
OFF: Final = "off"
WAYS: Final[Mapping[str, str]] = MappingProxyType(
    {
        BELL: "Terminal bell when a snapshot ends",
        "osc9": "Bell and desktop notification (OSC 9: iTerm2, kitty, WezTerm, Windows Terminal)",
        "osc777": "Bell and desktop notification (OSC 777: foot, Ghostty, urxvt, WezTerm)",
        OFF: "Neither; the window title still shows the result",
    }
)
"""How it is announced, by the names that the variable, the settings file and the palette use."""

_FORMS: Final = {"osc9": "\x1b]9;{title}: {text}\a", "osc777": "\x1b]777;notify;{title};{text}\a"}
_LONGEST = 200


def way_for(environ: Mapping[str, str], remembered: str | None = None) -> str:
    """How to announce: as the variable says, else as was chosen last, else by the bell. Unknown words count as none."""
    wish = environ.get(NOTIFY_VARIABLE, "").strip().lower()
    return next((way for way in (wish, remembered or "") if way in WAYS), BELL)


def notification_sequence(way: str, title: str, text: str, environ: Mapping[str, str]) -> str:
    """What has the terminal of `environ` show a notification of inert text; nothing where the way, or it, has none."""
    form = _FORMS.get(way)
    if form is None or not has_title(environ):
        return ""
    sequence = form.format(title=_inert(title), text=_inert(text))
    return passed_through(sequence, environ) or sequence


def _inert(part: str) -> str:
    """What a terminal shows of it, and nothing that ends it: neither a control character nor a semicolon."""
    return CHARSET.encode_frame(CHARSET.escape(clean(part))).replace(";", ",")[:_LONGEST]


class Notifier:
    """Announces an end in the way the user has chosen, and shows the state in the window title."""

    def __init__(self, app: TerminalApp, way: str = BELL) -> None:
        self.way = way
        self.title = ""
        """What the window is called now."""
        self._app = app
        self._window = ""

    def call_window(self, name: str) -> None:
        """Have the window called `name`; the state of a snapshot stands before it."""
        self._window = name
        self.tell_in_title("")

    def tell_in_title(self, news: str) -> None:
        """Show `news` in the window title."""
        # The news first: a title is cut at its end, by the terminal as well.
        title = f"{news} - {self._window}" if news else self._window
        if title != self.title:
            self.title = title
            self._app.name_window(title)

    def announce(self, text: str) -> None:
        """Announce an end as the user has chosen."""
        if self.way == OFF:
            return
        self._app.bell()
        self._app.send(notification_sequence(self.way, "ncp-tui", text, os.environ))
