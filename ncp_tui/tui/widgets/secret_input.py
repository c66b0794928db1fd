"""An input for a secret key that cannot be copied, cut or logged.

Textual's password Input masks what it draws, but ctrl+c copies the plain text to the clipboard, and its messages print
their value in logs and crash reports (measured).
"""

from __future__ import annotations

from typing import Any

from textual import events
from textual.widgets import Input

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.profiles.secret_stores.passphrase import Passphrase


class SecretInput(Input):
    """A masked input whose value leaves it as a SecretKey or a Passphrase only."""

    class Changed(Input.Changed):
        """The value changed; which value is nobody's business."""

        def __rich_repr__(self) -> Any:
            """Show nothing."""
            yield "value", "****"

        def __repr__(self) -> str:
            return "SecretInput.Changed(****)"

    class Submitted(Input.Submitted):
        """Enter was pressed; the value stays inside."""

        def __rich_repr__(self) -> Any:
            """Show nothing."""
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
        """Refuse to copy."""
        self.app.bell()

    def action_cut(self) -> None:
        """Refuse to cut."""
        self.app.bell()

    def _on_paste(self, event: events.Paste) -> None:
        super()._on_paste(event)
        event.text = ""  # the event goes on to the log, if there is one
