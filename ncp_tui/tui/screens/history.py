"""The snapshot history of one cluster, newest first, failures marked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message

from ncp_tui.problem import Problem
from ncp_tui.search_engine.history_reader import HistoryReader
from ncp_tui.search_engine.models import Cluster, HistoryEntry, SnapshotState
from ncp_tui.snapshots.history_match import create_of
from ncp_tui.snapshots.journal import JournalProblem, on_disk
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.tui.dialogs.copyable import Copyable
from ncp_tui.tui.dialogs.dev_tools import DevToolsDialog
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.key_bindings import key_of
from ncp_tui.tui.messages import FollowWanted
from ncp_tui.tui.screens.base import FOLLOWING, already_followed, read_only_sentence
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from ncp_tui.tui.screens.evidence import EvidenceScreen, HistoryRead, evidence_key
from ncp_tui.tui.screens.table import detail_key
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.inputs import FilterBar
from ncp_tui.tui.widgets.record_table import MOST_SHOWN, RecordTable
from ncp_tui.view.dev_tools import dev_tools_sheet
from ncp_tui.view.history import HISTORY, extent, history_lines, may_have_failed, state_cell
from ncp_tui.view.table import gap_sentence
from ncp_tui.view.text import Line, Row, Tone, line

LOADING = "Loading the history of {cluster} ..."
LOADING_SHORT = "Loading ..."
READING = "{cluster}: {extent} ..."
LOADED = "{cluster}: {extent}, {failed:,} failed."
LOADED_PART = "{cluster}: {extent}, {failed:,} failed. Scroll down to load more."
NO_FAILURES = "No failed or unknown snapshot in the rows loaded so far. {key} shows all."
SOME = "failed and unknown only"
ONLY_FAILED = "Failed and unknown only. {key} shows all."
NO_ROW = "No snapshot under the cursor."
NOT_RUNNING = "{snapshot} is not running. Only a running snapshot can be followed."
ALL = "All snapshots."
MATCHES_SO_FAR = "{shown:,} of {total:,} match “{text}” so far; older rows are being read ..."
PART = "Only a part of it was read: {extent}."
FAILED_KEY = ("history.failed", "F")
STILL_LOADING = "The history was still loading."


class HistoryScreen(EvidenceScreen):
    """Every attempt at a snapshot of a cluster that NCP remembers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "snapshot", "Create", tooltip="Create a snapshot of this cluster", id="history.snapshot"),
        Binding("d", "schedule", "Schedule", tooltip="Snapshot schedule of this cluster", id="history.schedule"),
        detail_key("history", "Details"),
        evidence_key("history"),
        Binding("f", "follow", "Follow", tooltip="Follow a running snapshot to its end", id="history.follow"),
        Binding(FAILED_KEY[1], "failed", "Failures", tooltip="Failed and unknown only / all", id=FAILED_KEY[0]),
        Binding(
            "t",
            "dev_tools",
            "Dev Tools",
            tooltip="The Dev Tools lines to verify, restore or delete this snapshot",
            id="history.dev_tools",
        ),
    ]
    refreshes = True
    sometimes_unavailable = ("snapshot", "follow")
    row_actions = ("follow",)
    columns = HISTORY.on_screen

    @dataclass
    class PageLoaded(Message):
        """Some rows arrived, in `reader`."""

        reader: HistoryReader[Row]

    @dataclass
    class JournalRead(Message):
        """The creates of this cluster that this machine's journal has."""

        creates: dict[str, list[JournalEntry]]

    @dataclass
    class ReadingEnded(Message):
        """The pages that were wanted have been read, or reading failed."""

        problem: Problem | None = None

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(session)
        self.cluster = cluster
        self._reader: HistoryReader[Row] | None = None
        self._entries: dict[str, HistoryEntry] = {}
        """What each line of the table is about."""
        self._creates: dict[str, list[JournalEntry]] = {}
        """What the journal has of creates on this cluster, by the name of the snapshot."""
        self._wants_all = False
        self._failed_only = False
        self._shown = 0
        """How many of the rows read so far the table has been given."""

    def load(self) -> None:
        """Read the history again, as far as it had been read."""
        self.say(LOADING.format(cluster=self.cluster.title))
        if self._reader is None:
            self.table.show([], empty=LOADING_SHORT)
        self.refresher.started()
        self.read_journal()
        self.read_history(None)

    def read_on(self, *, to_the_end: bool = False) -> None:
        """Read one more page, or all, unless one is being read or none is left."""
        self._wants_all = self._wants_all or to_the_end
        if self._reader is not None and not self._reader.is_complete and not self._is_reading:
            self.read_history(self._reader)

    @property
    def _is_reading(self) -> bool:
        mine = (worker for worker in self.workers if worker.node is self and worker.group == "history")
        return any(not worker.is_finished and not worker.is_cancelled for worker in mine)

    @work(group="journal", exclusive=True, exit_on_error=False, description="read the journal")
    async def read_journal(self) -> None:
        """Read what this machine requested; without it the details have only what NCP says."""
        try:
            entries = await on_disk(self.session.journal.entries)
        except JournalProblem:
            return
        found: dict[str, list[JournalEntry]] = {}
        for entry in entries:
            if entry.is_create and entry.request.cluster_number == self.cluster.number:
                found.setdefault(entry.request.name, []).append(entry)
        self.post_message(self.JournalRead(found))

    @on(JournalRead)
    def keep_creates(self, event: JournalRead) -> None:
        self._creates = event.creates
        if self.is_mounted:
            self.show_details()

    @work(group="history", exclusive=True, exit_on_error=False, description="read history")
    async def read_history(self, reader: HistoryReader[Row] | None) -> None:
        """Read one more page with `reader`, or the history again; read further while more is wanted."""
        known = len(self._reader.entries) if self._reader is not None else 0
        try:
            with self.session.log.action(f"{'more' if reader else 'history'} of {self.cluster.title}"):
                if reader is None:
                    engine = await self.session.engine()
                    reader, least = HistoryReader(engine, self.cluster.number, HISTORY.row, most=MOST_SHOWN), known
                else:
                    least = 0
                while await reader.read():
                    is_enough = len(reader.entries) >= least
                    if is_enough:
                        self.post_message(self.PageLoaded(reader))
                    if is_enough and not self._wants_all:
                        break
        except Problem as problem:
            self.post_message(self.ReadingEnded(problem))
            return
        self.post_message(self.PageLoaded(reader))
        self.post_message(self.ReadingEnded())

    @on(PageLoaded)
    def show_page(self, event: PageLoaded) -> None:
        self._reader = event.reader
        self._show_rows()
        if self._wants_all and not event.reader.is_complete:
            self.say(READING.format(cluster=self.cluster.title, extent=_extent(event.reader)))

    @on(ReadingEnded)
    def show_end(self, event: ReadingEnded) -> None:
        self.show_header()
        reader = self._reader
        self.note_read(reader.read_at if reader is not None and event.problem is None else None)
        if event.problem is not None or reader is None:
            if event.problem is not None:
                self.show_problem(event.problem)
            return
        self.hide_problem()
        self._show_rows(HISTORY.empty)
        if self.filter_bar is not None and self.filter_bar.value:
            self.say(self.narrowed_sentence())
            return
        if reader.gap:
            self.say(gap_sentence(reader.gap, self.cluster.title), "warning")
            return
        words = LOADED if reader.is_complete else LOADED_PART
        failed = sum(entry.state is SnapshotState.FAILED for entry in reader.entries)
        self.say(words.format(cluster=self.cluster.title, extent=_extent(reader), failed=failed))

    def _show_rows(self, empty: str | None = None) -> None:
        reader = self._reader
        read = reader.rows if reader is not None else []
        self._shown = len(read)
        self._entries = {row.key: entry for entry, row in read}
        rows = [row for _, row in read]
        if self._failed_only and rows:
            rows = [row for entry, row in read if may_have_failed(entry)]
            empty = NO_FAILURES.format(key=key_of(FAILED_KEY))
        self.table.show(rows, empty=empty)

    @property
    def path(self) -> tuple[str, ...]:
        """Where this screen is."""
        return (self.cluster.title, f"History ({SOME})" if self._failed_only else "History")

    def on_snapshot_moved(self, tracked: TrackedSnapshot) -> None:
        super().on_snapshot_moved(tracked)
        if tracked.request.cluster_number == self.cluster.number and not tracked.is_open:
            self.read_journal()
            self.read_history(None)

    def on_filter_bar_narrowed(self, event: FilterBar.Narrowed) -> None:
        """Read all of it: that a name is not among the newest hundred proves nothing."""
        if event.text:
            self.read_on(to_the_end=True)

    @on(RecordTable.EndNear, "#table")
    def read_where_the_cursor_goes(self) -> None:
        """Read the next page before it is needed, but not while one that has come is still to be shown."""
        are_shown = self._reader is not None and len(self._reader.rows) == self._shown
        if are_shown and self.table.is_end_near:
            self.read_on()

    def narrowed_sentence(self) -> str:
        """How many rows match, and whether more are being read."""
        is_whole = self._reader is None or self._reader.is_complete
        return super().narrowed_sentence() if is_whole else self.matches(MATCHES_SO_FAR)

    def action_sort(self) -> None:
        super().action_sort()
        self.read_on(to_the_end=True)

    def action_reverse(self) -> None:
        super().action_reverse()
        self.read_on(to_the_end=True)

    def action_failed(self) -> None:
        self._failed_only = not self._failed_only
        self.show_header()
        self._show_rows()
        self.read_on(to_the_end=True)
        self.say(ONLY_FAILED.format(key=key_of(FAILED_KEY)) if self._failed_only else ALL)

    def snapshot_in_question(self) -> tuple[str, str] | None:
        """The row under the cursor."""
        entry = self._chosen
        return (entry.snapshot, self.cluster.number) if entry is not None else None

    async def read_history_of(self, name: str, number: str) -> HistoryRead:  # noqa: ARG002 - it is all on the screen
        """The history as it stands on the screen."""
        engine = self.session.connected
        reader = self._reader
        problem = None
        if reader is None or not reader.is_complete or reader.gap:
            problem = Problem(PART.format(extent=_extent(reader)) if reader else STILL_LOADING)
        offset = engine.clock_offset if engine is not None else None
        return HistoryRead(self.session.identity, offset, reader.entries if reader is not None else [], problem)

    def action_snapshot(self) -> None:
        self.open(CreateSnapshotScreen(self.session, self.cluster))

    def action_schedule(self) -> None:
        from ncp_tui.tui.screens.schedule import ScheduleScreen

        self.open(ScheduleScreen(self.session, self.cluster))

    @on(RecordTable.Moved, "#table")
    def say_row(self) -> None:
        """Show the message of the row under the cursor, whose column is left out in a narrow window."""
        entry = self._chosen
        if entry is not None and self.table.has_focus:
            self.say(f"{entry.snapshot}: {entry.message or state_cell(entry).text}")

    @property
    def _chosen(self) -> HistoryEntry | None:
        return self._entries.get(self.table.cursor_key or "")

    def names_to_copy(self) -> list[Copyable]:
        """The snapshot under the cursor."""
        return [Copyable("snapshot name", self._chosen.snapshot)] if self._chosen else []

    def details(self) -> list[Line]:
        """All that NCP said of the row under the cursor."""
        entry = self._chosen
        return self._lines_of(entry) if entry is not None else [line(NO_ROW, Tone.DIM)]

    def _lines_of(self, entry: HistoryEntry) -> list[Line]:
        creates, now = self._creates.get(entry.snapshot, []), self.session.workspace.now()
        return history_lines(entry, create_of(entry, self._entries.values(), creates, now) if creates else None)

    def action_open(self) -> None:
        entry = self._chosen
        if entry is not None:
            self.app.push_screen(TextDialog(f"Snapshot {entry.snapshot}", self._lines_of(entry)))

    def action_dev_tools(self) -> None:
        """Show the lines in a box: they are text, made of what is on the screen."""
        entry, reader = self._chosen, self._reader
        if entry is None or reader is None:
            self.say(NO_ROW)
        else:
            sheet = dev_tools_sheet(self.cluster, entry.snapshot, reader.entries)
            self.app.push_screen(DevToolsDialog(sheet))

    def action_follow(self) -> None:
        entry = self._chosen
        if entry is not None:
            self.say(FOLLOWING.format(snapshot=entry.snapshot))
            self.app.post_message(FollowWanted(self.cluster, [entry]))

    def why_unavailable(self, action: str) -> str:
        """Read-only mode creates nothing, and what has ended is not followed."""
        if action == "follow":
            return self._why_not_followed(self._chosen if self.is_mounted else None)
        return read_only_sentence(self.session) if action == "snapshot" else super().why_unavailable(action)

    def _why_not_followed(self, entry: HistoryEntry | None) -> str:
        if entry is None:
            return NO_ROW
        if entry.state is not SnapshotState.RUNNING:
            return NOT_RUNNING.format(snapshot=entry.snapshot)
        return already_followed(self.session, self.cluster.number, [entry])


def _extent(reader: HistoryReader[Row]) -> str:
    return extent(len(reader.rows), reader.total, is_all=reader.is_complete and not reader.gap)
