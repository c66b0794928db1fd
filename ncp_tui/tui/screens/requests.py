"""Requests: every snapshot request of this machine, what is proved of it, and resolving what is unknown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message

from ncp_tui.problem import Problem
from ncp_tui.snapshots.journal import JournalProblem, on_disk
from ncp_tui.snapshots.journal_contents import DamagedJournal, DamageReport
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.resolve import Resolution
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.tui.dialogs.confirm import SendQuestionDialog
from ncp_tui.tui.dialogs.copyable import Copyable
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.key_bindings import problem_words
from ncp_tui.tui.messages import BatchWanted, JournalChanged
from ncp_tui.tui.screens.evidence import EvidenceScreen, HistoryRead, evidence_key
from ncp_tui.tui.screens.table import detail_key
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.inputs import FilterBar
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.view.progress import final_sentence
from ncp_tui.view.requests import (
    ACCEPTED_DAMAGE,
    REQUESTS,
    ListedRequest,
    checking_sentence,
    found_out,
    how_many,
    marked_sentence,
    marking_question,
    request_entry_lines,
    verdict_card,
    why_not_resolved,
)
from ncp_tui.view.text import Line, Tone, line

LISTED_ORDER = "as listed: newest first"
UNRESOLVED = "{count}, {unresolved:,} unresolved: s checks, x marks resolved, e writes a support file."
NO_REQUESTS = "No snapshots requested from this machine yet."
RESOLVED = "{name} is already resolved. Press enter for details."
STILL_CHECKING = "Still checking {name}. Press esc to stop."
CHECKING = "{checking} esc stops."
ATTEMPT = "{checking} attempt {number}, esc stops."
STOPPED = "Stopped. {name} is still unresolved."
NOT_DAMAGED = "The journal is not damaged."
DAMAGE_NEXT = "Check the history of the clusters named above, then press a to accept the damage."
ACCEPT_DAMAGE = "The journal is damaged: {summary}; {touched}. Accept it? {meaning}"
DAMAGE_ACCEPTED = "Damage accepted. {meaning}"


class RequestsScreen(EvidenceScreen):
    """The journal, newest first. Resolving only reads the history; nothing is ever sent again from here."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "resolve", "Check", tooltip="Check the history for this request", id="requests.resolve"),
        Binding(
            "a",
            "accept_damage",
            "Accept damage",
            show=False,
            tooltip="Accept the damage of the journal",
            id="requests.accept",
        ),
        Binding(
            "x",
            "dismiss_entry",
            "Mark resolved",
            tooltip="Mark as resolved (I checked it myself)",
            id="requests.dismiss",
        ),
        Binding(
            "B",
            "resume_batch",
            "Resume batch",
            show=False,
            tooltip="Resume a batch that broke off",
            id="requests.batch",
        ),
        evidence_key("requests"),
        detail_key("requests", "Details from the journal"),
    ]
    path = ("Requests",)
    sometimes_unavailable = ("resolve", "dismiss_entry")
    columns = REQUESTS.on_screen
    listed_order = LISTED_ORDER

    @dataclass
    class Loaded(Message):
        """The journal was read."""

        entries: list[JournalEntry]
        unresolved: list[JournalEntry]
        problem: Problem | None = None
        damage: DamageReport | None = None

    @dataclass
    class Attempted(Message):
        """The history is about to be read once more."""

        entry: JournalEntry
        number: int

    @dataclass
    class Resolved(Message):
        """One entry was checked; without a resolution another ncp-tui is checking it, or has resolved it."""

        entry: JournalEntry
        resolution: Resolution | None
        problem: Problem | None = None

    @dataclass
    class Dismissed(Message):
        """One entry was marked as resolved, or that could not be recorded."""

        entry: JournalEntry
        problem: Problem | None = None

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._entries: list[JournalEntry] = []
        self._resolving: JournalEntry | None = None
        self._last_word: tuple[str, str] | None = None
        self._dismissed: set[str] = set()
        self._damage: DamageReport | None = None
        self._resolver = session.resolver()

    def load(self) -> None:
        """Read the journal again."""
        self.hide_problem()
        self.read_journal()

    @work(group="requests", exclusive=True, exit_on_error=False, description="read the journal")
    async def read_journal(self) -> None:
        """Read every entry, and which of the unresolved ones no running program has."""
        journal = self.session.journal
        try:
            contents, unresolved = await on_disk(journal.contents), await on_disk(journal.abandoned)
        except JournalProblem as problem:
            self.post_message(self.Loaded([], [], problem))
        else:
            self.post_message(self.Loaded(list(contents.entries), unresolved, damage=contents.damage))

    @on(Loaded)
    def show_entries(self, event: Loaded) -> None:
        self.note_read(self.session.workspace.now() if event.problem is None else None)
        if event.problem is not None:
            self.show_problem(event.problem)
            return
        self._damage = event.damage
        if event.damage is not None:
            damaged = DamagedJournal(event.damage)
            damaged.next_step = DAMAGE_NEXT
            damaged.actions = ()
            self.show_card(damaged)
        self._entries = sorted(event.entries, key=lambda entry: entry.at, reverse=True)
        self.session.unresolved = event.unresolved
        self.show_header()
        self.refresh_bindings()
        unresolved = {entry.id for entry in event.unresolved}
        tracked = {each.entry.id for each in self.session.open_snapshots if each.entry is not None}
        rows = [
            REQUESTS.row(
                ListedRequest(
                    entry, unresolved="press s" if entry.id in unresolved else "", tracked=entry.id in tracked
                )
            )
            for entry in self._entries
        ]
        self.table.show(rows, empty=NO_REQUESTS)
        if self._last_word is not None:
            self.say(*self._last_word)
            self._last_word = None
        elif self._resolving is None:
            self.say(*how_many(event.entries, event.unresolved, UNRESOLVED))

    @property
    def _chosen(self) -> JournalEntry | None:
        key = self.table.cursor_key
        return next((entry for entry in self._entries if entry.id == key), None)

    @property
    def _open(self) -> JournalEntry | None:
        """The entry under the cursor, if it can be resolved."""
        entry = self._chosen
        return entry if entry is not None and any(each.id == entry.id for each in self.session.unresolved) else None

    def action_resolve(self) -> None:
        entry = self._open
        if entry is None:
            return
        if self._resolving is not None:
            self.say(STILL_CHECKING.format(name=self._resolving.subject), "warning")
            return
        self._resolving = entry
        self.hide_problem()
        self.say(CHECKING.format(checking=checking_sentence(entry.subject)))
        self.resolve_entry(entry)

    @work(group="resolve", exclusive=True, exit_on_error=False, description="resolve a request")
    async def resolve_entry(self, entry: JournalEntry) -> None:
        """Resolve it by what the journal proves, else by the history."""

        def tell(number: int) -> None:
            self.post_message(self.Attempted(entry, number))

        try:
            found = await self._resolver.resolve(entry, seconds=self.session.resolve_seconds, on_look=tell)
        except Problem as problem:
            self.post_message(self.Resolved(entry, None, problem))
        else:
            self.post_message(self.Resolved(entry, found))

    @on(Attempted)
    def show_attempt(self, event: Attempted) -> None:
        if event.entry is self._resolving:
            checking = checking_sentence(event.entry.subject)
            self.say(ATTEMPT.format(checking=checking, number=event.number))

    @on(Resolved)
    def show_resolved(self, event: Resolved) -> None:
        entry, found, problem = event.entry, event.resolution, event.problem
        name, is_dismissed = entry.subject, entry.id in self._dismissed
        self._resolving = None
        card = problem if found is None else verdict_card(name, found)
        if card is not None and not is_dismissed:
            self.show_card(card)
        self._last_word = found_out(name, found, problem, is_dismissed=is_dismissed)
        self.read_journal()
        self.app.post_message(JournalChanged())  # a started snapshot is tracked, and the other screens count again

    def action_back(self) -> None:
        """Stop the check first, or clear the filter; then leave."""
        if self._resolving is not None and not self.query_one(FilterBar).display:
            self.workers.cancel_group(self, "resolve")
            self._last_word = (STOPPED.format(name=self._resolving.subject), "warning")
            self._resolving = None
            self.read_journal()
        else:
            super().action_back()

    def snapshot_in_question(self) -> tuple[str, str] | None:
        """The request under the cursor."""
        entry = self._chosen
        return (entry.request.name, entry.request.cluster_number) if entry is not None and entry.is_create else None

    async def read_history_of(self, name: str, number: str) -> HistoryRead:
        """Read the history with the profile that requested the snapshot."""
        known = (each for each in self._entries if (each.request.name, each.request.cluster_number) == (name, number))
        caller = next(known).caller
        try:
            async with self.session.client_for(caller) as engine:
                # Its title does not hold the name: reading for evidence is no evidence itself.
                with self.session.log.action("read the history for evidence"):
                    rows = await engine.snapshot_history(number)
                gap = Problem(rows.gap) if rows.gap else None
                return HistoryRead(self.session.identity_of(caller), engine.clock_offset, rows, gap)
        except Problem as problem:
            return HistoryRead(self.session.identities.find(caller.profile), problem=problem)

    def action_resume_batch(self) -> None:
        self.app.post_message(BatchWanted())

    def action_accept_damage(self) -> None:
        """Let snapshots be created again although the journal is damaged."""
        report = self._damage
        if report is None:
            self.say(NOT_DAMAGED)
            return
        question = ACCEPT_DAMAGE.format(summary=report.summary, touched=report.touched, meaning=ACCEPTED_DAMAGE)
        self._ask(question, "Accept", lambda: self.write_acceptance(report))

    @work(group="accept", exit_on_error=False, description="accept the damage of the journal")
    async def write_acceptance(self, report: DamageReport) -> None:
        """Record it in the journal."""
        journal = self.session.journal
        try:
            await on_disk(lambda: journal.accept_damage(report.id))
        except Problem as problem:
            self.post_message(self.Loaded([], [], problem))
        else:
            self._last_word = (DAMAGE_ACCEPTED.format(meaning=ACCEPTED_DAMAGE), "plain")
            self.load()

    def action_dismiss_entry(self) -> None:
        entry = self._open
        if entry is None:
            self.say(*why_not_resolved(self._chosen, RESOLVED))
            return
        question = marking_question(entry)
        self._ask(question, "Mark resolved", lambda: self.write_dismissal(entry))

    def _ask(self, question: str, yes: str, then: Callable[[], object]) -> None:
        def decide(sure: bool | None) -> None:
            if sure:
                then()

        self.app.push_screen(SendQuestionDialog(question, yes, self.session.workspace.monotonic), decide)

    @work(group="dismiss", exit_on_error=False, description="mark a request as resolved")
    async def write_dismissal(self, entry: JournalEntry) -> None:
        """Record it in the journal."""
        try:
            await self._resolver.dismiss(entry)
        except Problem as problem:
            self.post_message(self.Dismissed(entry, problem))
        else:
            self.post_message(self.Dismissed(entry))

    @on(Dismissed)
    def show_dismissed(self, event: Dismissed) -> None:
        if event.problem is not None:
            self.show_problem(event.problem)
            return
        self._dismissed.add(event.entry.id)
        is_checking = self._resolving is not None and self._resolving.id == event.entry.id
        words = marked_sentence(event.entry.subject, being_checked=is_checking)
        self._last_word = (words, "warning" if is_checking else "plain")
        self.read_journal()
        self.app.post_message(JournalChanged())

    @on(RecordTable.Moved, "#table")
    def refresh_keys(self) -> None:
        self.refresh_bindings()

    def names_to_copy(self) -> list[Copyable]:
        """The snapshot under the cursor."""
        return [Copyable("snapshot name", self._chosen.request.name)] if self._chosen and self._chosen.is_create else []

    def details(self) -> list[Line]:
        """What is proved of the request under the cursor, and by what."""
        entry = self._chosen
        return request_entry_lines(entry) if entry is not None else [line("No request under the cursor.", Tone.DIM)]

    def action_open(self) -> None:
        entry = self._chosen
        if entry is not None:
            self.app.push_screen(TextDialog(f"Request {entry.subject}", request_entry_lines(entry)))

    def on_snapshot_moved(self, tracked: TrackedSnapshot) -> None:
        super().on_snapshot_moved(tracked)
        if not tracked.is_open:
            self._last_word = final_sentence(tracked, problem_words)
        self.read_journal()

    def why_unavailable(self, action: str) -> str:
        """Only a request that is unresolved can be resolved, or marked as such."""
        if action not in {"resolve", "dismiss_entry"} or (self.is_mounted and self._open is not None):
            return ""
        return why_not_resolved(self._chosen if self.is_mounted else None, RESOLVED)[0]
