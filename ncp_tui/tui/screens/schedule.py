"""The schedule of one cluster: what is set, when it runs next, whether it came last time, and all that was ever set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import Cluster, ScheduleEntry
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, Look, ScheduleRead, read_schedule
from ncp_tui.snapshots.schedule import newest_first
from ncp_tui.tui.dialogs.copyable import Copyable
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.messages import HistoryWanted
from ncp_tui.tui.screens.table import TableScreen, detail_key
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.view.schedule_history import SCHEDULES, loaded_sentence, schedule_entry_lines, schedule_heading
from ncp_tui.view.table import gap_sentence
from ncp_tui.view.text import Line, Tone, line

LOADING = "Loading the schedule of {cluster} ..."
LOADING_SHORT = "Loading ..."
NO_ROW = "No schedule setting under the cursor."


class ScheduleScreen(TableScreen):
    """The newest setting above, with what is known of its runs; below it every setting, newest first."""

    CSS_PATH = "schedule.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h", "history", "History", tooltip="Snapshot history of this cluster", id="schedule.history"),
        detail_key("schedule", "Details"),
    ]
    refreshes = True
    columns = SCHEDULES.on_screen

    @dataclass
    class Loaded(Message):
        """What could be read of schedule and history was read, or there is no client to read it with."""

        identity: Identity | None
        read: ScheduleRead | None
        problem: Problem | None = None

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(session)
        self.cluster = cluster
        self._summary = session.summaries.get(cluster.number, NOT_READ)
        self._settings: dict[str, ScheduleEntry] = {}

    @property
    def path(self) -> tuple[str, ...]:
        """Where this screen is."""
        return (self.cluster.title, "Schedule")

    def body(self) -> Iterable[Widget]:
        """What is set, above the table of all that was."""
        heading = TextView(id="heading")
        heading.can_focus = False
        yield heading
        yield from super().body()

    def on_mount(self) -> None:
        self.show_ages()

    @on(events.Resize)
    def fit_heading(self) -> None:
        """Break the sentences of the heading anew."""
        self.call_after_refresh(self.show_ages)

    def show_ages(self) -> None:
        heading = self.query_one("#heading", TextView)
        heading.show(schedule_heading(self._summary, self.session.workspace.now(), self.size.width - 2))

    def load(self) -> None:
        """Read the schedule and the newest rows of the history again."""
        self.say(LOADING.format(cluster=self.cluster.title))
        if self.read_at is None:
            self.table.show([], empty=LOADING_SHORT)
        self.refresher.started()
        self.read_schedule()

    @work(group="schedule", exclusive=True, exit_on_error=False, description="read the schedule")
    async def read_schedule(self) -> None:
        """Read every setting, and the rows that tell what became of the last run."""
        identity = self.session.identity
        try:
            with self.session.log.action(f"schedule of {self.cluster.title}"):
                read = await read_schedule(await self.session.engine(), self.cluster)
        except Problem as problem:
            self.post_message(self.Loaded(identity, None, problem))
        else:
            self.post_message(self.Loaded(identity, read))

    @on(Loaded)
    def show_read(self, event: Loaded) -> None:
        self.show_header()
        read, problem = event.read, event.problem
        if read is not None:
            self._keep(read.summary, event.identity)
            problem = read.summary.schedule_problem if read.settings is None else None
        if problem is not None or read is None or read.settings is None:
            self.note_read(None)
            if problem is not None:
                self.show_problem(problem)
            return
        self.note_read(read.settings.read_at)
        self.hide_problem()
        settings = newest_first(read.settings)
        rows = [SCHEDULES.row((len(settings) - place, entry)) for place, entry in enumerate(settings)]
        self._settings = {row.key: entry for row, entry in zip(rows, settings, strict=True)}
        self.table.show(rows, empty=SCHEDULES.empty)
        if self.filter_bar is not None and self.filter_bar.value:
            self.say(self.narrowed_sentence())
        elif read.settings.gap:
            self.say(gap_sentence(read.settings.gap, self.cluster.title), "warning")
        else:
            self.say(loaded_sentence(self.cluster.title, len(rows)))

    def _keep(self, summary: ClusterSummary, identity: Identity | None) -> None:
        """Show what was read, and let the clusters show it as well."""
        self._summary = summary
        if identity is self.session.identity and summary.look is not Look.FAILED:
            self.session.summaries[self.cluster.number] = summary
        self.show_ages()

    @property
    def _chosen(self) -> ScheduleEntry | None:
        return self._settings.get(self.table.cursor_key or "")

    def details(self) -> list[Line]:
        """All that NCP said of the setting under the cursor."""
        entry = self._chosen
        return schedule_entry_lines(entry) if entry is not None else [line(NO_ROW, Tone.DIM)]

    def action_open(self) -> None:
        entry = self._chosen
        if entry is not None:
            self.app.push_screen(TextDialog(f"Schedule {entry.snapshot}", schedule_entry_lines(entry)))

    def names_to_copy(self) -> list[Copyable]:
        """The name and the bucket of the setting under the cursor."""
        entry = self._chosen
        if entry is None:
            return []
        return [Copyable("schedule name", entry.snapshot), Copyable("bucket", entry.bucket)]

    def action_history(self) -> None:
        self.app.post_message(HistoryWanted(self.cluster))
