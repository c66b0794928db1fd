"""The lines of a form: a label, what is typed or chosen, and a verdict beside it."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Static

from ncp_tui.tui.terminal.charset import escape


def field_line(label: str, *widgets: Widget) -> Horizontal:
    """One line of a form."""
    return Horizontal(Static(label, classes="label", markup=False), *widgets, classes="field")


class Verdict(Static):
    """What is to be said of a field beside it, in the room that there is."""

    def __init__(self, field: str) -> None:
        """`field` is the id of what it stands beside."""
        super().__init__("", id=f"{field}-verdict", classes="verdict", markup=False)

    def say(self, text: str, *, good: bool) -> None:
        """Say `text`, which tells of something that is right or wrong."""
        self.update(one_line(text))
        self.set_class(good, "good")
        self.set_class(not good, "bad")


def one_line(text: str) -> Text:
    """`text` in one line that ends in an ellipsis where it has no room."""
    return Text(escape(text), no_wrap=True, overflow="ellipsis")
