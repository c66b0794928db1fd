"""The first screen without profiles: credentials that were found, to use or to save, or an empty form."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from ncp_tui.profiles.identity import Identity
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.bars import KeyBar
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.view.profiles import FOUND
from ncp_tui.view.text import Cell, Row

_FOUND = "No profiles yet. Keys found: ncp-tui reads them in place and does not copy them."
_NONE_FOUND = "No profiles yet, and no keys found."
_OTHER_KEYS, _KEYS = "Enter other keys ...", "Enter keys ..."
_SOURCES = (
    "Get keys in the NCP console: My Account > Manage Auth Key. ncp-tui finds keys in the environment "
    "(NCLOUD_ACCESS_KEY_ID and NCLOUD_SECRET_ACCESS_KEY) and in ~/.ncloud/configure. It uses the server role when "
    "NCP_TUI_SERVER_ROLE=1 is set."
)
_DEMO = "No keys at hand? Quit and run: ncp-tui --demo"
_BY_HAND = "by-hand"


class WelcomeScreen(ModalScreen[tuple[str, Identity | None]]):
    """Ends in what to do (`use`, `import`, `form`, `later`) and with which credentials."""

    CSS_PATH = "welcome.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "use", "Use now", id="welcome.use"),
        Binding("i", "import", "Save as a profile", id="welcome.import"),
        Binding("a", "add", "Enter keys", id="welcome.add"),
        Binding("escape", "later", "Later", id="welcome.later"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._found = {identity.name: identity for identity in session.identities.identities}
        self._warnings = session.identities.warnings

    def compose(self) -> ComposeResult:
        with Vertical(id="welcome-box") as box:
            box.border_title = "Welcome to ncp-tui"
            yield Static(_FOUND if self._found else _NONE_FOUND, markup=False)
            yield RecordTable(FOUND.on_screen, id="found")
            yield Static(_SOURCES, markup=False, classes="words")
            yield Static(_DEMO, markup=False)
            for warning in self._warnings[:2]:
                yield Static(warning, markup=False, classes="warning")
            yield KeyBar()

    def on_mount(self) -> None:
        table = self.query_one(RecordTable)
        by_hand = _OTHER_KEYS if self._found else _KEYS
        table.show(
            [
                *(FOUND.row(each) for each in self._found.values()),
                Row(_BY_HAND, (Cell(by_hand), Cell(""), Cell(""), Cell(""))),
            ]
        )
        table.focus()

    @property
    def _chosen(self) -> Identity | None:
        return self._found.get(self.query_one(RecordTable).cursor_key or "")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Server-role keys expire within hours and cannot be saved; where nothing was found there is nothing to use."""
        chosen = self._chosen if action == "import" and self.is_mounted else None
        is_there = bool(self._found) or action != "import"
        return super().check_action(action, parameters) and is_there and (chosen is None or chosen.role is None)

    @on(RecordTable.Moved)
    def follow_cursor(self) -> None:
        self.refresh_bindings()

    @on(RecordTable.Chosen)
    def choose(self) -> None:
        self.action_use()

    def action_use(self) -> None:
        identity = self._chosen
        self.dismiss(("use", identity) if identity else ("form", None))

    def action_import(self) -> None:
        identity = self._chosen
        self.dismiss(("import", identity) if identity else ("form", None))

    def action_add(self) -> None:
        self.dismiss(("form", None))

    def action_later(self) -> None:
        self.dismiss(("later", None))
