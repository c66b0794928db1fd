"""A button with an effect: a click presses it, the enter key never does."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.message import Message
from textual.widgets import Button


class SendButton(Button):
    """Text that arrives as keys ends in an enter; whoever presses a button with the mouse has seen it."""

    @dataclass
    class Entered(Message):
        """Enter was pressed on it, which does nothing."""

    async def _on_click(self, event: events.Click) -> None:
        """The second click of two belongs to what the first one was meant for."""
        if event.chain > 1:
            event.stop()
            event.prevent_default()
            return
        await super()._on_click(event)

    def action_press(self) -> None:
        """Enter on the button."""
        self.post_message(self.Entered())
