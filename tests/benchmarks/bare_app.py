"""The least that a Textual program can be: one line of text."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Static


class BareApp(App[None]):
    """One line."""

    def compose(self) -> ComposeResult:
        """Say that it is there."""
        yield Static("bare and ready")


if __name__ == "__main__":
    BareApp().run()
