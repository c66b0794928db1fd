"""The panes below the body of every screen: details or preview, the response, the session log.

Two side by side where there is room: the log, and one of the others. One at a time with tabs where there is not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from time import monotonic
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.css.query import NoMatches
from textual.geometry import Size
from textual.style import Style
from textual.widget import Widget

from ncp_tui.gateway.exchange import Exchange
from ncp_tui.session_log.log import Action, SessionLog
from ncp_tui.system.blocking import run_blocking
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.tui.widgets.text_view import TextView, widest_of
from ncp_tui.view.exchanges import response_lines
from ncp_tui.view.format import ZONE
from ncp_tui.view.session_log import SESSION_LOG, LogLines
from ncp_tui.view.text import BLANK, Line, Tone, cell_width, line

_LARGE = 16 * 1024
"""Bytes of an answer from which it is laid out on a thread."""

_LAYOUT_SECONDS = 30.0
_CALM = 0.5
"""Seconds without another large answer before one is laid out, unless the last was longer ago than that. Of a list that
comes page by page the first is shown at once and then the last: laying out each made every key wait for 35 ms."""

_LOG_CALM = 0.15
"""Seconds within which requests are shown together in the log."""

_DETAILS = Size(120, 8)
"""Cells that details take at least: each change of a text's size is a layout of the whole screen, 10 ms a key."""

_FRAME = 4
"""Cells of a pane's frame on both sides of its title."""

_NOTHING = [line("No request yet.", Tone.DIM)]
_TITLES = {"details": "Details", "preview": "Request preview", "response": "Response", "log": "Session log"}


class Panes(ReportsWorkerErrors, Horizontal):
    """Response and session log, and on a form the preview of the request; `v` shows the next one in a narrow window."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "show_chosen", "Show request", tooltip="Show request", id="log.show"),
    ]

    def __init__(self, log: SessionLog, first: str = "") -> None:
        """`first` is the pane that the screen fills itself, if it has one: details or preview."""
        super().__init__(id="panes")
        self._log = log
        self._names = [first, "response", "log"] if first else ["response", "log"]
        self._front = self._beside = self._names[0]
        self._shown: Exchange | None = None
        self._exchanges: dict[str, Exchange | None] = {}
        self._laid_out_at = -_CALM
        self._log_lines = LogLines()
        self._log_shown_at = -_LOG_CALM
        self._log_is_behind = False
        self._notes: tuple[str, ...] = ()
        self._passed: Exchange | None = None
        """The newest exchange while another screen was in front: that one's, and not shown here."""
        self._unsubscribe: Callable[[], None] | None = None

    def compose(self) -> ComposeResult:
        """One box a pane."""
        for name in self._names[:-1]:
            with _Pane(id=f"pane-{name}", classes="pane"):
                yield TextView(_NOTHING if name == "response" else (), wraps=name == "preview", id=name)
        with _Pane(id="pane-log", classes="pane"):
            yield RecordTable(SESSION_LOG.on_screen, empty="No request yet.", header=False, id="log")

    def on_mount(self) -> None:
        self._unsubscribe = self._log.subscribe(self._on_log)
        self._title()
        self.call_after_refresh(self.refresh_log)

    def on_resize(self) -> None:
        """Name the hidden pane in the title where there is one."""
        self._title()

    def on_unmount(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()

    def show_first(self, lines: Sequence[Line], *, keep_place: bool = True) -> None:
        """Show `lines` in the pane that the screen fills itself."""
        widest = max(widest_of(lines), _DETAILS.width) if self._names[0] == "details" else None
        padded = [*lines, *[BLANK] * (_DETAILS.height - len(lines))] if widest else lines
        self.query_one(f"#{self._names[0]}", TextView).show(padded, keep_place=keep_place, widest=widest)

    def show_note(self, *notes: str) -> None:
        """Say the first of `notes` that has room at the right end of the panes' frame: when the list above was read."""
        if notes != self._notes:
            self._notes = notes
            self._title()

    def show_exchange(self, exchange: Exchange) -> None:
        """Show one exchange in the response pane, until a newer one is made; a large answer once it is laid out."""
        self._passed = self._newest
        self._show(exchange, 0.0)

    @property
    def _newest(self) -> Exchange | None:
        wanted = [action for action in self._log.actions if action.exchanges and not action.background]
        return wanted[-1].exchanges[-1] if wanted else None

    def _show(self, exchange: Exchange, calm: float) -> None:
        self._shown = exchange
        if exchange.answer is not None and len(exchange.answer.body) > _LARGE:
            since = monotonic() - self._laid_out_at
            self.lay_out(exchange, calm if since < calm else 0.0)
        else:
            self.query_one("#response", TextView).show(response_lines(exchange))

    @work(group="layout", exclusive=True, exit_on_error=False, description="lay out a large answer")
    async def lay_out(self, exchange: Exchange, after: float) -> None:
        """Make the lines of a large answer on a thread: a page of 100 clusters would delay every key by 30 ms."""
        await asyncio.sleep(after)
        self._laid_out_at = monotonic()
        with contextlib.suppress(TimeoutError):
            lines, widest = await run_blocking(lambda: _laid_out(exchange), _LAYOUT_SECONDS)
            if self._shown is exchange and self.is_mounted:
                self.query_one("#response", TextView).show(lines, widest=widest)

    @property
    def shown(self) -> Exchange | None:
        """The exchange in the response pane."""
        return self._shown

    @property
    def front(self) -> str:
        """The pane that is seen where only one has room."""
        return self._front

    def next_pane(self) -> None:
        """Bring the next pane to the front; beside the log, which is seen anyway, the next of the others."""
        names = self._names[:-1] if self._is_split and len(self._names) > len(("response", "log")) else self._names
        place = names.index(self._front) if self._front in names else -1
        self.bring_forward(names[(place + 1) % len(names)])

    def bring_forward(self, name: str) -> None:
        """Bring the pane `name` to the front, where only one has room."""
        if name in self._names:
            self._front = name
            self._beside = self._beside if name == "log" else name
            self._title()

    def zoom(self, *, is_zoomed: bool) -> None:
        """Have the whole screen for the pane that has the keys, else for the one in front; or give it back."""
        having = next((name for name in self._names if self.query_one(f"#{name}").has_focus), self._beside)
        if is_zoomed:
            self.bring_forward(having)
            self.query_one(f"#{having}").focus()
        self._title()

    @property
    def _is_split(self) -> bool:
        screen = self.screen
        return screen.has_class("-wide") and screen.has_class("-tall") and not screen.has_class("zoomed")

    def refresh_log(self) -> None:
        """Show the newest actions, and the newest exchange if none was chosen."""
        self._log_shown_at = monotonic()
        lines = self._log_lines.of(list(self._log.actions))
        self._exchanges = {row.key: exchange for row, exchange in lines}
        try:
            table = self.query_one("#log", RecordTable)
        except NoMatches:  # the screen is being closed
            return
        table.show([row for row, _ in lines])
        if not table.has_focus:
            table.action_jump(0)  # the newest stays in view until the user moves in the log
        newest = self._newest
        if not self.screen.is_current:
            self._passed = newest
        elif newest is not None and newest is not self._shown and newest is not self._passed:
            self._show(newest, _CALM)

    def on_record_table_moved(self, event: RecordTable.Moved) -> None:
        """Show the exchange under the log's cursor, while the user is in the log."""
        event.stop()
        if event.table.has_focus:
            self._show_key(event.key)

    def on_record_table_chosen(self, event: RecordTable.Chosen) -> None:
        event.stop()
        self.action_show_chosen()

    def action_show_chosen(self) -> None:
        self._show_key(self.query_one("#log", RecordTable).cursor_key or "")
        self.bring_forward("response")
        self.query_one("#response").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Enter belongs to the log; in the other panes it is the screen's."""
        if action == "show_chosen":
            return self.query_one("#log").has_focus
        return super().check_action(action, parameters)

    def _show_key(self, key: str) -> None:
        exchange = self._exchanges.get(key)
        if exchange is not None:
            self.show_exchange(exchange)

    def _on_log(self, _action: Action, _exchange: Exchange | None) -> None:
        if self._log_is_behind:
            return
        if monotonic() - self._log_shown_at < _LOG_CALM:
            self._log_is_behind = True
            self.refresh_log_soon()
        else:
            self.call_later(self.refresh_log)

    @work(group="log", exit_on_error=False, description="show the session log")
    async def refresh_log_soon(self) -> None:
        """Show what has come together: a list of twenty pages costs a layout for each of them."""
        try:
            await asyncio.sleep(_LOG_CALM)
        finally:
            self._log_is_behind = False
        self.refresh_log()

    def _title(self) -> None:
        """Name each pane in its frame; where one stands for all, they are tabs that can be clicked."""
        split = self._is_split
        for name in self._names:
            pane = self.query_one(f"#pane-{name}")
            pane.set_class(name == self._front, "front")
            pane.set_class(name == self._beside, "beside")
            pane.border_title = self._title_of(name, pane, split=split)

    def _title_of(self, name: str, pane: Widget, *, split: bool) -> Content:
        is_alone = split and name == "log"
        tabs = self._tabs(name, [name] if is_alone else self._names[:-1] if split else self._names)
        return self._with_note(tabs, pane) if is_alone or not split else tabs

    def _with_note(self, tabs: Content, pane: Widget) -> Content:
        """`tabs` with the note at the right end of the frame, where it has room."""
        room = pane.outer_size.width - _FRAME - tabs.cell_length
        note = next((note for note in self._notes if note and cell_width(note) < room), "")
        spare = room - cell_width(note)
        if not note:
            return tabs
        rule = ("─" * (spare - len("  ")), "$border not bold")
        return Content.assemble(tabs, " ", rule, " ", (note, "$dim not bold"))

    def _tabs(self, name: str, names: Sequence[str]) -> Content:
        if len(names) == 1:
            return Content(_titled(name))
        parts = [self._tab(each, is_front=each == name) for each in names]
        return Content(" ").join(parts)

    def _tab(self, name: str, *, is_front: bool) -> Content:
        if is_front:
            return Content(f"[{_titled(name)}]")
        style = Style(dim=True) + Style.from_meta({"@click": ("bring_forward", (name,))})
        return Content(f" {_titled(name)} ").stylize(style)


def _titled(name: str) -> str:
    return f"{_TITLES[name]} ({ZONE})" if name == "log" else _TITLES[name]


class _Pane(Vertical):
    """One pane; the tabs in its frame bring others forward."""

    def action_bring_forward(self, name: str) -> None:
        self.query_ancestor(Panes).bring_forward(name)


def _laid_out(exchange: Exchange) -> tuple[list[Line], int]:
    lines = response_lines(exchange)
    return lines, widest_of(lines)
