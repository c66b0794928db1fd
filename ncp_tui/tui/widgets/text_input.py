"""A one-line input that does not blink: a blinking cursor is two screen updates a second for ever, also over SSH."""

from __future__ import annotations

from textual.widgets import Input


class TextInput(Input):
    """An input one row high."""

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
