"""What can be done with a text on the screen: copy it to the terminal's clipboard, save it, show it to select."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.cells import chop_cells
from textual import getters, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from ncp_tui.problem import Problem
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.tui.key_bindings import next_words, problem_words
from ncp_tui.tui.terminal.clipboard import CannotCopy, CannotWriteCopy, write_copy
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors, TerminalApp
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.view.text import Line, line

SENT = "Sent to the terminal clipboard (OSC 52). Nothing there? w saves to a file, m shows it for mouse selection."
DEMO_SAVES_NOTHING = "The demo writes no files. m shows it for mouse selection."
SAVED = "Saved (only you can read it): {path}"
SLOW_DISK = "The disk did not answer within {seconds:g} s."
SELECT_INSTEAD = "Press m to show it for mouse selection."
SELECT_HINT = "Select with the mouse. Arrows scroll, esc goes back."


@dataclass(frozen=True)
class Copyable:
    """A text and a short name for it."""

    what: str
    text: str


class CopyableDialog(ReportsWorkerErrors, ModalScreen[None]):
    """A box over a screen. Subclasses give the text to copy, and show a sentence."""

    app = getters.app(TerminalApp)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "copy", "Copy", tooltip="Copy to the terminal clipboard", id="text.copy"),
        Binding("w", "write", "Save", tooltip="Save to a new file in this folder", id="text.write"),
        Binding("m", "select", "Select", tooltip="Show it alone, for mouse selection", id="text.select"),
    ]

    @dataclass
    class Written(Message):
        """A copy was saved, or could not be."""

        path: Path | None
        problem: Problem | None = None

    def to_copy(self) -> Copyable | None:
        """The text in question; None where there is none."""
        raise NotImplementedError

    def say(self, text: str) -> None:
        """Show a sentence about it."""
        raise NotImplementedError

    def action_copy(self) -> None:
        """Send the text to the terminal's clipboard. Terminals do not say whether they accept it."""
        wanted = self.to_copy()
        if wanted is None:
            return
        try:
            self.app.terminal_clipboard.copy(wanted.text)
        except CannotCopy as problem:
            self.say(f"{problem.what} {next_words(problem)}")
        else:
            self.say(SENT)

    def action_write(self) -> None:
        """Write the text to a new file in the folder that the program was started in."""
        wanted = self.to_copy()
        if wanted is None:
            return
        path = self.app.terminal_clipboard.file_for(wanted.what)
        if path is None:
            self.say(DEMO_SAVES_NOTHING)
        else:
            self.write_copy(wanted.text, path)

    @work(group="write a copy", exclusive=True, exit_on_error=False, description="write a copy")
    async def write_copy(self, text: str, path: Path) -> None:
        """Write `text` to `path`."""
        try:
            written = await run_blocking(lambda: write_copy(text, path), DISK_SECONDS)
        except CannotWriteCopy as problem:
            self.post_message(self.Written(None, problem))
        except TimeoutError:
            why = Problem(SLOW_DISK.format(seconds=DISK_SECONDS), "", SELECT_INSTEAD)
            self.post_message(self.Written(None, why))
        else:
            self.post_message(self.Written(written))

    @on(Written)
    def show_written(self, event: Written) -> None:
        self.say(problem_words(event.problem) if event.problem else SAVED.format(path=event.path))

    def action_select(self) -> None:
        wanted = self.to_copy()
        if wanted is not None:
            self.app.push_screen(SelectDialog(wanted.text))


class _Bare(TextView):
    """Lines without a margin, which would be selected too."""

    MARGIN = ""


class SelectDialog(ModalScreen[None]):
    """A text alone on the screen, long lines folded, for selection with the terminal's own mouse."""

    app = getters.app(TerminalApp)
    CSS_PATH = "copyable.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "dismiss(None)", "Back", id="select.back"),
    ]
    AUTO_FOCUS = "TextView"

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        yield _Bare(id="select-text")
        yield Static(SELECT_HINT, markup=False, id="select-hint")

    def on_mount(self) -> None:
        self._leave_mouse(to_terminal=True)

    def on_unmount(self) -> None:
        self._leave_mouse(to_terminal=False)

    def on_resize(self, event: Resize) -> None:
        self.query_one(_Bare).show(list(folded(self._text, event.size.width - 1)))

    def _leave_mouse(self, *, to_terminal: bool) -> None:
        self.app.leave_mouse(to_terminal=to_terminal)


def folded(text: str, width: int) -> Iterator[Line]:
    """`text` in lines of at most `width` cells; no wide character is halved."""
    for each in text.split("\n"):
        for piece in chop_cells(each, max(2, width)) or [""]:
            yield line(piece)
