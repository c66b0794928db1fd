"""The snapshot history of one cluster, newest first, failures told apart from the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message

from ncp_tui.gateway import Problem
from ncp_tui.search_engine import Cluster, HistoryEntry, SnapshotState
from ncp_tui.tui.documents import history_lines
from ncp_tui.tui.rows import history_row, milliseconds
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from ncp_tui.tui.screens.table import TableScreen
from ncp_tui.tui.screens.text import TextScreen
from ncp_tui.tui.session import Followed, Session
from ncp_tui.tui.widgets import Column, RecordTable


class HistoryScreen(TableScreen):
    """Every attempt at a snapshot of a cluster that the service remembers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "snapshot", "Snapshot", tooltip="Create a snapshot of this cluster", id="history.snapshot"),
        Binding(
            "enter",
            "detail",
            "Detail",
            show=False,
            key_display="enter",
            tooltip="This row in full",
            id="history.detail",
        ),
        Binding("f", "failed", "Failed only", tooltip="Only failures, or everything again", id="history.failed"),
    ]
    columns = (
        Column("TIME (KST)", 19, least=19),
        Column("SNAPSHOT", 30, least=16),
        Column("STATE", 8, least=7),
        Column("BUCKET", 24, least=8, room=88),
        Column("KIND", 10, least=4),
        Column("TOOK", 8, least=4),
        Column("MESSAGE", flex=1, least=6, room=104),
    )

    @dataclass
    class PageLoaded(Message):
        """Some rows arrived."""

        entries: list[HistoryEntry]

    @dataclass
    class LoadEnded(Message):
        """The history is complete, or it failed."""

        seconds: float
        problem: Problem | None = None

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(session)
        self.cluster = cluster
        self._entries: list[HistoryEntry] = []
        self._failed_only = False

    def load(self) -> None:
        """Read the history again."""
        self.say(f"Loading the history of {self.cluster.name} ...")
        if not self._entries:
            self.table.show([], empty="Loading ...")
        self.load_history()

    @work(group="history", exclusive=True, exit_on_error=False, description="load history")
    async def load_history(self) -> None:
        """Read every page, showing each as it comes."""
        monotonic, found = self.session.home.monotonic, list[HistoryEntry]()
        started = monotonic()
        try:
            with self.session.log.action(f"history of {self.cluster.name}"):
                engine = await self.session.engine()
                async for page in engine.history_pages(self.cluster.number):
                    found += page
                    self.post_message(self.PageLoaded(list(found)))
        except Problem as problem:
            self.post_message(self.LoadEnded(monotonic() - started, problem))
            return
        if not found:
            self.post_message(self.PageLoaded([]))
        self.post_message(self.LoadEnded(monotonic() - started))

    @on(PageLoaded)
    def show_page(self, event: PageLoaded) -> None:
        """Show what has arrived so far."""
        self._entries = sorted(event.entries, key=lambda entry: entry.sort_key, reverse=True)
        self._show_rows()

    @on(LoadEnded)
    def show_end(self, event: LoadEnded) -> None:
        """Say how it ended."""
        self.show_header()
        if event.problem is not None:
            self.show_problem(event.problem)
            return
        self.hide_problem()
        self._show_rows("No snapshot was ever asked for here.")
        failed = sum(entry.state is SnapshotState.FAILED for entry in self._entries)
        self.say(
            f"{self.cluster.name}: {len(self._entries)} snapshots, {failed} failed, in {milliseconds(event.seconds)}."
        )

    def _show_rows(self, empty: str | None = None) -> None:
        shown = [each for each in self._entries if not self._failed_only or each.state is SnapshotState.FAILED]
        if self._failed_only and self._entries:
            empty = "No failure among them. Press f for all."
        self.table.show([history_row(entry) for entry in shown], empty=empty)

    @property
    def path(self) -> tuple[str, ...]:
        """Where this screen is."""
        return (self.cluster.name, "History")

    def on_followed_changed(self, followed: Followed) -> None:
        """Load again once a snapshot of this cluster has come to its end."""
        super().on_followed_changed(followed)
        if followed.request.cluster_number == self.cluster.number and not followed.is_open:
            self.load_history()

    def action_failed(self) -> None:
        """Show failures only, or everything again."""
        self._failed_only = not self._failed_only
        self._show_rows()
        self.say("Failures only; f shows all." if self._failed_only else "All snapshots.")

    def action_snapshot(self) -> None:
        """Open the form for this cluster."""
        self.open(CreateSnapshotScreen(self.session, self.cluster))

    @on(RecordTable.Moved, "#table")
    def say_row(self) -> None:
        """Say the message of the row under the cursor: the column is left out in a narrow window."""
        entry = self._chosen
        if entry is not None and self.table.has_focus:
            self.say(f"{entry.snapshot}: {entry.message or entry.state}")

    @property
    def _chosen(self) -> HistoryEntry | None:
        key = self.table.cursor_key
        return next((each for each in self._entries if history_row(each).key == key), None)

    @on(RecordTable.Chosen, "#table")
    def open_detail(self) -> None:
        """Do with the mouse what enter does."""
        self.action_detail()

    def action_detail(self) -> None:
        """Show a row in full."""
        entry = self._chosen
        if entry is not None:
            self.app.push_screen(TextScreen(f"Snapshot {entry.snapshot}", history_lines(entry)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Read-only mode has no snapshots."""
        if action == "snapshot" and self.session.read_only:
            return False
        return super().check_action(action, parameters)
