"""A choice of what can be copied: names, the request as curl, its ID, the response."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Static

from ncp_tui.gateway.exchange import Exchange
from ncp_tui.text import clean
from ncp_tui.tui.dialogs.copyable import Copyable, CopyableDialog
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.view.curl import as_curl
from ncp_tui.view.format import size
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import Cell, Tone

_PREVIEW = 200

_COPIES: Table[Copyable] = Table(
    (
        Column("WHAT", lambda copy: Cell(copy.what, Tone.STRONG), most=34),
        Column("SIZE", lambda copy: Cell(size(len(copy.text.encode("utf-8", "replace")))), most=9),
        Column("BEGINS WITH", lambda copy: Cell(clean(copy.text[:_PREVIEW])), flex=1, least=8),
    ),
    key=lambda copy: copy.what,
)


NOTHING = "Nothing to copy yet: no request was made."
HINT = "enter Copy   w Save   m Select with the mouse   esc Close"


class CopyPicker(CopyableDialog):
    """The texts that can be copied, one a row."""

    CSS_PATH = "copyable.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "copy", "Copy", show=False, tooltip="Copy to the terminal clipboard", id="copy.copy"),
        Binding("escape,q", "dismiss(None)", "Close", id="copy.close"),
    ]
    AUTO_FOCUS = "#copies"

    def __init__(self, names: Sequence[Copyable], exchange: Exchange | None) -> None:
        """Offer `names`, and what is in `exchange`."""
        super().__init__()
        copies = [*names, *(copies_of(exchange) if exchange is not None else ())]
        self._copies = {each.what: each for each in copies}

    def compose(self) -> ComposeResult:
        with Vertical(id="copy-box") as box:
            box.border_title = "Copy"
            yield RecordTable(_COPIES.on_screen, empty=NOTHING, id="copies")
            yield Static(HINT, markup=False, id="copy-hint")

    def on_mount(self) -> None:
        self.query_one(RecordTable).show([_COPIES.row(each) for each in self._copies.values()])

    def to_copy(self) -> Copyable | None:
        """The text under the cursor."""
        return self._copies.get(self.query_one(RecordTable).cursor_key or "")

    def say(self, text: str) -> None:
        """Show a sentence below the rows."""
        self.query_one("#copy-hint", Static).update(escape(text))

    @on(RecordTable.Chosen)
    def copy_chosen(self, event: RecordTable.Chosen) -> None:
        event.stop()
        self.action_copy()


def copies_of(exchange: Exchange) -> list[Copyable]:
    """What can be copied of a request and its response; none of it contains a key."""
    found = [Copyable("curl", as_curl(exchange.request))]
    if exchange.request_id:
        found.append(Copyable("request ID", exchange.request_id))
    if exchange.answer is not None:
        found.append(Copyable("response", exchange.pretty_body()))
    return found
