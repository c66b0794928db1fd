"""One of a few words in a line of a form: the arrows step through them, and typing the beginning of one jumps to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from ncp_tui.tui.terminal.charset import escape


class ChoiceField(Widget, can_focus=True):
    """A choice that is always one of `choices`; the arrows up and down go to the field above and below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "Previous", show=False, tooltip="Previous choice", id="field.previous"),
        Binding("right", "step(1)", "Next", show=False, tooltip="Next choice", id="field.next"),
        Binding("home", "jump(0)", "First", show=False, tooltip="First choice", id="field.first"),
        Binding("end", "jump(-1)", "Last", show=False, tooltip="Last choice", id="field.last"),
        Binding("up", "app.focus_previous", "Field above", show=False, id="input.up"),
        Binding("down", "app.focus_next", "Field below", show=False, id="input.down"),
        Binding("enter", "app.focus_next", "Field below", show=False, id="field.done"),
    ]

    @dataclass
    class Changed(Message):
        """Another one is chosen."""

        field: ChoiceField

    def __init__(self, choices: Sequence[str], chosen: str, *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._choices = tuple(choices)
        self._place = self._choices.index(chosen) if chosen in self._choices else 0
        self._typed = ""
        widest = max(map(len, self._choices))
        self._width = widest
        self.styles.width = widest + len("<  >") + 1
        self.styles.height = 1

    @property
    def value(self) -> str:
        """What is chosen."""
        return self._choices[self._place]

    @value.setter
    def value(self, chosen: str) -> None:
        if chosen in self._choices:
            self._go(self._choices.index(chosen))

    def render(self) -> Text:
        marks = ("<", ">") if not self.disabled else (" ", " ")
        return Text(escape(f"{marks[0]} {self.value:<{self._width}} {marks[1]}"), no_wrap=True)

    def action_step(self, by: int) -> None:
        """The choice before or after; after the last one comes the first."""
        self._typed = ""
        self._go((self._place + by) % len(self._choices))

    def action_jump(self, to: int) -> None:
        """The first (0) or the last (-1) choice."""
        self._typed = ""
        self._go(to % len(self._choices))

    def check_consume_key(self, key: str, character: str | None) -> bool:  # noqa: ARG002 - Textual's
        """Letters and digits are typed here: the keys of the screen that are one are not."""
        return character is not None and character.isalnum()

    def on_key(self, event: events.Key) -> None:
        """Jump to the choice that begins with what was typed, or else with the last letter alone."""
        letter = (event.character or "").lower()
        if not letter.isalnum():
            return
        event.stop()
        for typed in (self._typed + letter, letter):
            found = self._place_of(typed)
            if found is not None:
                self._typed = typed
                self._go(found)
                return

    def _place_of(self, typed: str) -> int | None:
        """The first choice that begins with what was typed; a number may be typed without its leading zero."""
        words = [(each.lower(), each.lower().removeprefix("0")) for each in self._choices]
        return next((place for place, each in enumerate(words) if any(one.startswith(typed) for one in each)), None)

    def on_blur(self) -> None:
        self._typed = ""

    def on_click(self, event: events.Click) -> None:
        """The left half steps back, the right half forward."""
        self.action_step(-1 if event.x < self.size.width // 2 else 1)

    def _go(self, place: int) -> None:
        if place != self._place:
            self._place = place
            self.refresh()
            self.post_message(self.Changed(self))
