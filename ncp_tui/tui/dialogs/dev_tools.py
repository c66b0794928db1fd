"""The lines for Dev Tools about one snapshot, to read, and to copy whole or request by request."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from ncp_tui.tui.dialogs.copy_picker import CopyPicker
from ncp_tui.tui.dialogs.copyable import Copyable
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.view.dev_tools import Sheet, sheet_lines

_HINT = "esc Close   c Copy all   b Copy one   w Save   m Select"


class DevToolsDialog(TextDialog):
    """A sheet of requests. Nothing is sent from here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "copy_one", "Copy one", tooltip="Copy one request of these", id="console.copy_one"),
    ]

    def __init__(self, sheet: Sheet) -> None:
        super().__init__(sheet.title, sheet_lines(sheet), _HINT)
        self._sheet = sheet

    def action_copy_one(self) -> None:
        """Offer each request by its title, without its comments."""
        self.app.push_screen(CopyPicker([Copyable(each.title, each.request) for each in self._sheet.blocks], None))
