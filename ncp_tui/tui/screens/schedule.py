"""The schedule of one cluster: what is set, when it runs next, whether it came last time, and all that was ever set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from ncp_tui.gateway.endpoints import may_reach_same_clusters
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import Cluster, ScheduleEntry
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, Look, ScheduleRead, read_schedule
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import Caller
from ncp_tui.snapshots.schedule import newest_first, others_in_force
from ncp_tui.snapshots.schedule_change import ScheduleChange
from ncp_tui.snapshots.schedule_draft import ScheduleDraft
from ncp_tui.snapshots.schedule_preflight import read_schedule_evidence
from ncp_tui.snapshots.schedule_witness import CHANGES
from ncp_tui.system.blocking import in_slices, run_blocking
from ncp_tui.tui.change import Change
from ncp_tui.tui.dialogs.copyable import Copyable
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.key_bindings import key_of
from ncp_tui.tui.messages import HistoryWanted
from ncp_tui.tui.screens.base import read_only_sentence
from ncp_tui.tui.screens.schedule_form import draft_of
from ncp_tui.tui.screens.schedule_sender import IN_FLIGHT, DamageAccepted, ScheduleSender
from ncp_tui.tui.screens.table import TableScreen, detail_key
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.record_table import MOST_SHOWN
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.view.schedule_form import result_card, waiting_sentence
from ncp_tui.view.schedule_history import SCHEDULES, loaded_sentence, schedule_entry_lines, schedule_heading
from ncp_tui.view.table import gap_sentence
from ncp_tui.view.text import Line, Row, Tone, line

RELEASE_KEY = ("schedule.release", "x")
REQUESTS_KEY = ("schedule.requests", "u")
LOADING = "Loading the schedule of {cluster} ..."
LOADING_SHORT = "Loading ..."
NO_ROW = "No schedule setting under the cursor."
CHECKING = "Checking what would be released ..."
DAMAGE_ACCEPTED = "Damage accepted. Nothing was sent: press {key} to release the schedule."
AGAIN = "{key} lists the request and looks again."
ORDER_SECONDS = 30.0
SLOW_ORDER = "The settings could not be put in order within {seconds:g} s."
NO_CHANGE = "no schedule is changed"


class ScheduleScreen(TableScreen):
    """The newest setting above, with what is known of its runs; below it every setting, newest first."""

    CSS_PATH = "schedule.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "set", "Set", tooltip="Set a schedule", id="schedule.set"),
        Binding("x", "release", "Release", tooltip="Release the schedule; snapshots stay", id=RELEASE_KEY[0]),
        Binding("h", "history", "History", tooltip="Snapshot history of this cluster", id="schedule.history"),
        Binding("u", "requests", "Requests", tooltip="Snapshot requests from this machine", id=REQUESTS_KEY[0]),
        detail_key("schedule", "Details"),
    ]
    refreshes = True
    sometimes_unavailable = ("set", "release")
    opens_requests = True
    columns = SCHEDULES.on_screen

    @dataclass
    class Loaded(Message):
        """What could be read of schedule and history was read, or there is no client to read it with."""

        identity: Identity | None
        read: ScheduleRead | None
        problem: Problem | None = None
        rows: Sequence[tuple[ScheduleEntry, Row]] = ()
        """The newest settings first, MOST_SHOWN at most."""
        others: list[ScheduleEntry] = field(default_factory=list)
        """Those beside the newest whose status says in force."""

    @dataclass
    class ReleaseChecked(Message):
        """What would be released is known, as far as it can be read."""

        draft: ScheduleDraft | None
        problem: Problem | None = None

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(session)
        self.cluster = cluster
        self._released: Change | None = None
        self._is_behind = False
        """Whether something was changed that the list does not show yet."""
        self._last_word: tuple[str, str] | None = None
        self._is_told = False
        """Whether a card says what became of a request, for which the list is being read again."""
        self._releaser = ScheduleSender(self, self._was_sent)
        self._summary = session.summaries.get(cluster.number, NOT_READ)
        self._settings: dict[str, ScheduleEntry] = {}
        self._others: list[ScheduleEntry] = []
        """The settings beside the newest whose status says in force."""

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
        now, width, key = self.session.workspace.now(), self.size.width - 2, key_of(REQUESTS_KEY)
        self.query_one("#heading", TextView).show(
            schedule_heading(self._summary, now, width, others=self._others, unresolved=self._unresolved, key=key)
        )

    @property
    def _unresolved(self) -> list[JournalEntry]:
        """The changes of this schedule of which it is not known what became."""
        return [
            entry
            for entry in self.session.unresolved
            if entry.operation in CHANGES
            and entry.request.cluster_number == self.cluster.number
            and self._is_of_this_gateway(entry)
        ]

    def _is_of_this_gateway(self, entry: JournalEntry) -> bool:
        identity = self.session.identity
        return identity is not None and may_reach_same_clusters(entry.caller.gateway, Caller.of(identity).gateway)

    def show_unresolved(self) -> None:
        """Name them above the list."""
        self.show_ages()

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
                rows, others = await _rows_of(read)
        except Problem as problem:
            self.post_message(self.Loaded(identity, None, problem))
        else:
            self.post_message(self.Loaded(identity, read, rows=rows, others=others))

    @on(Loaded)
    def show_read(self, event: Loaded) -> None:
        self.show_header()
        read, problem = event.read, event.problem
        if read is not None:
            self._others = event.others
            self._keep(read.summary, event.identity)
            problem = read.summary.schedule_problem if read.settings is None else None
        if problem is not None or read is None or read.settings is None:
            self.note_read(None)
            if problem is not None:
                self.show_problem(problem)
            return
        self.note_read(read.settings.read_at)
        if self._is_told:
            self._is_told = False  # the card says what became of a request, not of this list
        else:
            self.hide_problem()
        self._settings = {row.key: entry for entry, row in event.rows}
        self.table.show([row for _, row in event.rows], empty=SCHEDULES.empty)
        if self._last_word is not None:
            self.say(*self._last_word)
            self._last_word = None
        elif self.filter_bar is not None and self.filter_bar.value:
            self.say(self.narrowed_sentence())
        elif read.settings.gap:
            self.say(gap_sentence(read.settings.gap, self.cluster.title), "warning")
        else:
            self.say(loaded_sentence(self.cluster.title, len(read.settings), len(event.rows)))

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

    def action_requests(self) -> None:
        from ncp_tui.tui.screens.requests import RequestsScreen

        self.open(RequestsScreen(self.session))

    def action_set(self) -> None:
        from ncp_tui.tui.screens.set_schedule import SetScheduleScreen

        self.open(SetScheduleScreen(self.session, self.cluster, self._summary.schedule))

    def action_release(self) -> None:
        """Read what would be released, then ask: nothing is sent before a yes."""
        if self.session.creating or self.session.changing:
            self.say(IN_FLIGHT, "warning")
            return
        self.say(CHECKING)
        self.check_release()

    @work(group="release", exclusive=True, exit_on_error=False, description="check what would be released")
    async def check_release(self) -> None:
        """Read cluster, settings and journal; nothing of it has an effect."""
        session, cluster = self.session, self.cluster
        try:
            with session.log.action(f"preflight checks of {cluster.title}"):
                evidence = await read_schedule_evidence(
                    await session.engine(), cluster, session.journal, session.workspace.now, with_neighbours=False
                )
        except Problem as problem:
            self.post_message(self.ReleaseChecked(None, problem))
        else:
            self.post_message(self.ReleaseChecked(draft_of(session, self._release, evidence)))

    @property
    def _release(self) -> ScheduleChange:
        return ScheduleChange(self.cluster.number, self.cluster.name)

    @on(ReleaseChecked)
    def ask_to_release(self, event: ReleaseChecked) -> None:
        """Ask, unless it is known that nothing can be released, or the user is elsewhere by now."""
        problem = event.problem or (event.draft.problem if event.draft is not None else None)
        if problem is not None:
            self.show_card(problem)  # no problem of the list, which stays as it was read
            self.say_problem(problem)
        elif event.draft is not None and self._is_in_front:
            self.say("")
            self._releaser.confirm(event.draft, ask=True)

    @on(DamageAccepted)
    def show_accepted(self, event: DamageAccepted) -> None:
        if event.problem is not None:
            self.show_card(event.problem)
        else:
            self.say(DAMAGE_ACCEPTED.format(key=key_of(RELEASE_KEY)), "warning")

    def _was_sent(self, change: Change) -> None:
        self.hide_problem()
        self._released = change
        self.say(waiting_sentence(self._release, None), "warning")

    def on_change_moved(self, change: Change) -> None:
        """Say what is known, and read again what a change of this cluster has changed."""
        if change is self._released and not change.is_over:
            self.say(waiting_sentence(self._release, change.resolving), "warning")
        elif change is self._released:
            self._show_released(change)
        elif self._is_in_front:
            super().on_change_moved(change)
            self._last_word = change.words(change.result) if change.result is not None else None
        if change.is_over and change.cluster_number == self.cluster.number:
            self._is_behind = True
            if self._is_in_front:
                self._catch_up()

    @property
    def _is_in_front(self) -> bool:
        """Whether nothing is over it: `is_current` holds for the screen below as well."""
        return self.app.screen is self

    def _show_released(self, change: Change) -> None:
        if change.problem is not None:
            self.show_card(change.problem)
            self.say_problem(change.problem)
            self._releaser.ask_again(change.problem)
        elif change.result is not None:
            self._last_word = change.words(change.result)
            card = result_card(self._release, change.result, AGAIN.format(key=key_of(REQUESTS_KEY)))
            if card is not None:
                error = change.result.sent.error
                self.show_card(card, error.exchange if error is not None else None)
                self._is_told = True
            self.say(*self._last_word)

    def on_screen_resume(self) -> None:
        """Read again what was changed while another screen was in front."""
        if self._is_behind:
            self.call_after_refresh(self._catch_up)

    def _catch_up(self) -> None:
        self._is_behind = False
        self.load()

    def why_unavailable(self, action: str) -> str:
        """Read-only mode changes nothing."""
        return read_only_sentence(self.session, NO_CHANGE) if action in {"set", "release"} else ""


async def _rows_of(read: ScheduleRead) -> tuple[list[tuple[ScheduleEntry, Row]], list[ScheduleEntry]]:
    """The rows of the table, put in order on a thread and made while keys are taken; and the others in force."""
    settings = read.settings if read.settings is not None else ()
    try:
        ordered, others = await run_blocking(lambda: (newest_first(settings), others_in_force(settings)), ORDER_SECONDS)
    except TimeoutError:
        raise Problem(SLOW_ORDER.format(seconds=ORDER_SECONDS), "Nothing was changed.", "Refresh to retry.") from None
    older = len(ordered)
    rows = await in_slices(
        lambda each: (each[1], SCHEDULES.row((older - each[0], each[1]))), enumerate(ordered[:MOST_SHOWN])
    )
    return rows, others
