"""What is typed and pressed: a line of text, a secret, and a button that only the mouse presses.

None of them blinks: a blinking cursor is two screen updates a second for ever, also over SSH. A secret cannot be
copied, cut or logged: Textual's password Input masks what it draws, but ctrl+c copies the plain text to the clipboard,
and its messages print their value in logs and crash reports (measured).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Button, Input

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.secret_stores.passphrase import Passphrase


class SecretInput(Input):
    """A masked input whose value leaves it as a SecretKey or a Passphrase only."""

    class Changed(Input.Changed):
        """The value changed; the value itself is not shown."""

        def __rich_repr__(self) -> Any:
            yield "value", "****"

        def __repr__(self) -> str:
            return "SecretInput.Changed(****)"

    class Submitted(Input.Submitted):
        """Enter was pressed; the value stays inside."""

        def __rich_repr__(self) -> Any:
            yield "value", "****"

        def __repr__(self) -> str:
            return "SecretInput.Submitted(****)"

    def __init__(self, placeholder: str = "", *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(placeholder=placeholder, password=True, id=id, compact=True)
        self.cursor_blink = False

    def secret(self) -> SecretKey | None:
        """What was typed, or None. Raises InvalidCredentials for what cannot be a secret key."""
        return SecretKey(self.value) if self.value.strip() else None

    def passphrase(self) -> Passphrase:
        """What was typed, where that is a passphrase. Raises InvalidPassphrase."""
        return Passphrase(self.value)

    def action_copy(self) -> None:
        self.app.bell()

    def action_cut(self) -> None:
        self.app.bell()

    def on_paste(self, event: events.Paste) -> None:
        """Take the text out of the event before Textual's own handler and the log, if there is one, get it."""
        text, event.text = event.text, ""
        if text:
            self.replace(text.splitlines()[0], *self.selection)


class TextInput(Input):
    """An input one row high; the arrows go to the field above and below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "app.focus_previous", "Field above", show=False, id="input.up"),
        Binding("down", "app.focus_next", "Field below", show=False, id="input.down"),
    ]

    def __init__(self, value: str = "", *, placeholder: str = "", id: str, disabled: bool = False) -> None:  # noqa: A002
        super().__init__(
            value,
            placeholder=placeholder,
            id=id,
            disabled=disabled,
            compact=True,
            select_on_focus=False,
            max_length=1024,
        )
        self.cursor_blink = False


class SendButton(Button):
    """A click presses it, the enter key never does: text that arrives as keys ends in an enter."""

    @dataclass
    class Entered(Message):
        """Enter was pressed on it, which does nothing."""

    def on_click(self, event: events.Click) -> None:
        """The second click of two belongs to what the first one was meant for."""
        if event.chain > 1:
            event.stop()
            event.prevent_default()

    def action_press(self) -> None:
        self.post_message(self.Entered())


class FilterBar(TextInput):
    """The filter of a table: `/` opens it, typing narrows, enter goes back to the rows, esc clears it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "Clear filter", id="filter.clear"),
        Binding("down", "submit", "Back to the list", show=False, id="filter.rows"),
    ]

    @dataclass
    class Narrowed(Message):
        """The text of the filter changed."""

        text: str

        def can_replace(self, message: Message) -> bool:
            """Only the newest text matters."""
            return isinstance(message, FilterBar.Narrowed)

    @dataclass
    class Left(Message):
        """The user goes back to the list."""

    def __init__(self) -> None:
        super().__init__(placeholder="Filter: word, !word, status:error, age>24h", id="filter")
        self.display = False

    def open(self) -> None:
        """Show the bar and focus it."""
        self.display = True
        self.focus()

    def action_clear(self) -> None:
        self.value = ""
        self.display = False
        self.post_message(self.Left())

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Narrowed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.display = bool(self.value)
        self.post_message(self.Left())
