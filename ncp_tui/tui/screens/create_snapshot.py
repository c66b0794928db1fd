"""Create snapshot: a name checked while typing, a bucket, the exact request, and then its progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.draft import Confirmation, SnapshotDraft
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import JournalProblem, on_disk
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.preflight import doubted_by
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.tui.change import Change
from ncp_tui.tui.dialogs.confirm import SendQuestionDialog, TypeNameDialog
from ncp_tui.tui.dialogs.copyable import Copyable
from ncp_tui.tui.key_bindings import SendKey, send_binding, send_key_name
from ncp_tui.tui.messages import HistoryWanted
from ncp_tui.tui.screens.base import BaseScreen
from ncp_tui.tui.screens.create_form import (
    HISTORY_KEY,
    REQUESTS_KEY,
    STORAGE_KEY_KEY,
    UNKNOWN,
    CreateForm,
    CreateProgress,
    PreflightLine,
    draft_lines,
    next_sentence,
    unknown_card,
)
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.inputs import SendButton
from ncp_tui.tui.widgets.panes import Panes
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.view.create import RECHECKED, question
from ncp_tui.view.preflight import after_refusal, before_request, out_of_date

START = "Nothing is sent until you press {key}."
BUCKET_UNUSABLE = "{bucket} cannot be used: {reason}."
ENTER_SENDS_NOTHING = "enter does nothing here. Press {key} to create."
KEY_HELD = "{key} was already pressed. To create, press another key first, then {key}."
KEYS_NOT_LOADED = "Keys not loaded, so nothing can be sent. Press f5 to retry."
IN_FLIGHT = "Another request is in flight. Wait for its answer."
PRESS_AGAIN = "{why} Press {key} again."
DAMAGE_ACCEPTED = "Damage accepted. Nothing was sent: press {key} to create."
AFTER_CREATE = "Available once the snapshot is requested. Press esc to leave the form."
DONE = "Done. Press esc to go back."
ALREADY_SENT = "The snapshot is requested already. Press esc to leave the form."
NOT_STARTED = "Not started: {name}."


class CreateSnapshotScreen(BaseScreen):
    """Nothing is sent before Create; leaving after Create stops nothing."""

    CSS_PATH = "create_snapshot.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        send_binding("create", "Create", "Create the snapshot"),
        Binding("f3", "new_name", "New name", tooltip="New name from the template", id="create.new_name"),
        Binding("enter", "use_bucket", "Use", show=False, tooltip="Use this bucket", id="create.use"),
        Binding(
            "f5", "reload", "Recheck", show=False, tooltip="Read cluster, buckets and history again", id="create.reload"
        ),
        Binding(
            "f7",
            "storage_key",
            "Storage key",
            show=False,
            tooltip="Set the storage key of this cluster",
            id=STORAGE_KEY_KEY[0],
        ),
        Binding("f6", "next_pane", "Pane", tooltip="Next pane: request, response, session log", id="create.pane"),
        Binding("h", "history", "History", tooltip="History of this cluster", id=HISTORY_KEY[0]),
        Binding("u", "requests", "Requests", tooltip="Snapshot requests from this machine", id=REQUESTS_KEY[0]),
        Binding("escape", "back", "Back", tooltip="Back (the snapshot keeps running)", id="create.back"),
    ]
    AUTO_FOCUS = "#name"
    first_pane = "preview"
    is_form = True

    @dataclass
    class DamageAccepted(Message):
        """The accepted damage of the journal was recorded, or could not be."""

        problem: Problem | None = None

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(session)
        self.cluster = cluster
        self._sent: SnapshotDraft | None = None
        self._tracked: TrackedSnapshot | None = None
        self.send_key = SendKey(session.workspace.monotonic, self.set_timer)

    @property
    def path(self) -> tuple[str, ...]:
        """Where this screen is."""
        return (self.cluster.title, "Create snapshot")

    def body(self) -> Iterable[Widget]:
        """The form, and what came of it."""
        yield CreateForm(self.session, self.cluster)

    @property
    def form(self) -> CreateForm:
        """The fields."""
        return self.query_one(CreateForm)

    def on_mount(self) -> None:
        self.action_new_name()
        self.say(START.format(key=send_key_name(self)))

    def action_new_name(self) -> None:
        problem = self.form.fill_name()
        if problem is not None:
            self.say_problem(problem)

    def load(self) -> None:
        """Run the preflight checks again."""
        self.form.preflight.check()

    @on(PreflightLine.Checked)
    def show_checked(self, event: PreflightLine.Checked) -> None:
        """Judge the form by what was read; its fields stay as they are where only older history was added."""
        evidence = self.form.preflight.evidence
        if not event.is_further:
            self.show_header()
            read = evidence.buckets_read if evidence is not None else None
            problem = event.problem or (read.problem if read is not None else None)
            if problem is not None:
                self.say_problem(problem)
            if evidence is not None:
                self.form.show_cluster(evidence.cluster)
            self.form.show_buckets(problem)
        self._judge()

    @on(Input.Changed)
    def judge_input(self, event: Input.Changed) -> None:
        """Check while typing; an edit is a new decision, so the key may send again."""
        event.stop()
        self.send_key.let_go()
        self.form.preflight.note = ""
        self._judge()

    @on(CreateForm.Refused)
    def refuse_bucket(self, event: CreateForm.Refused) -> None:
        self.say(BUCKET_UNUSABLE.format(bucket=event.bucket.name, reason=event.bucket.reason), "bad")

    def action_use_bucket(self) -> None:
        self.form.use_bucket()

    def _judge(self) -> SnapshotDraft:
        """Show what is wrong with the form and the request it makes; Create can be pressed only when all is right."""
        draft, engine = self.form.draft, self.session.connected
        is_right = draft.problem is None
        self.form.preflight.show(draft)
        self.form.show_verdicts(draft, is_open=is_right and self._tracked is None)
        preview = None
        if is_right and engine is not None:
            request = draft.request
            preview = engine.preview_create_snapshot(request.cluster_number, request.name, request.bucket)
        self.query_one(Panes).show_first(draft_lines(draft, preview, self.session.workspace.now()))
        self.refresh_bindings()
        return draft

    @on(Button.Pressed, "#create")
    def click_create(self) -> None:
        """A click on the button opens a question, which needs another click."""
        self._create(clicked=True)

    @on(SendButton.Entered)
    def refuse_enter(self) -> None:
        """Enter on the button: text that arrives as keys must not send."""
        self.say(ENTER_SENDS_NOTHING.format(key=send_key_name(self)), "warning")

    def names_to_copy(self) -> list[Copyable]:
        """The name in the form."""
        return [Copyable("snapshot name", self.form.name_typed)]

    def action_create(self) -> None:
        """The key that sends; a repeat of a held key does not."""
        if not self.send_key.press(self._create) and self._tracked is None:
            self.say(KEY_HELD.format(key=send_key_name(self)), "warning")

    def _create(self, *, clicked: bool = False) -> None:
        """Send the request, once, after the questions that it needs; a click always needs one."""
        if self._tracked is not None or self._judge().problem is not None:
            return
        if self.session.connected is None:
            self.say(KEYS_NOT_LOADED, "bad")
        elif self.session.creating:
            self.say(IN_FLIGHT, "warning")
        elif self.form.draft.is_old(self.session.workspace.now()) and not self.form.preflight.is_checking:
            self.load()
            # and never by itself when they come: by then the user may be elsewhere
            self.say(PRESS_AGAIN.format(why=RECHECKED, key=send_key_name(self)), "warning")
        else:
            self._confirm(self.form.draft, ask=clicked)

    def _confirm(self, draft: SnapshotDraft, *, ask: bool = False) -> None:
        """Ask for what has to be confirmed, then send; with `ask` also where nothing has."""
        wanted = draft.confirmation(self.session.workspace.now())
        if wanted.damage is not None:
            damage = wanted.damage.report.id
            self._ask(wanted, "Accept", lambda: self.accept_damage(damage), lets_go=True)
        elif wanted.reasons or ask:
            self._ask(wanted, "Create", lambda: self._send(draft, wanted))
        else:
            self._send(draft, wanted)

    def _ask(self, wanted: Confirmation, yes: str, act: Callable[[], object], *, lets_go: bool = False) -> None:
        """Ask, and `act` on a yes. A no, and a yes that `lets_go`, frees the key to send again."""
        monotonic = self.session.workspace.monotonic

        def decide(sure: bool | None) -> None:
            if not sure or lets_go:
                self.send_key.let_go()
            if sure:
                act()

        words = question(wanted)
        screen = SendQuestionDialog(words, yes, monotonic)
        if wanted.typed is not None:
            screen = TypeNameDialog(words, yes, wanted.typed, monotonic)
        self.app.push_screen(screen, decide)

    @work(group="damage", exit_on_error=False, description="accept the damage of the journal")
    async def accept_damage(self, wanted: str) -> None:
        """Record that the user has seen the damage, then check again."""
        journal = self.session.journal
        try:
            await on_disk(lambda: journal.accept_damage(wanted))
        except Problem as problem:
            self.post_message(self.DamageAccepted(problem))
        else:
            self.post_message(self.DamageAccepted())

    @on(DamageAccepted)
    def show_accepted(self, event: DamageAccepted) -> None:
        """Say so, and read the journal again: its contents decide about the next create."""
        self.query_one(ProblemCard).clear()
        if event.problem is not None:
            self.show_card(event.problem)
        else:
            self.say(DAMAGE_ACCEPTED.format(key=send_key_name(self)), "warning")
        self.load()

    def _send(self, draft: SnapshotDraft, confirmed: Confirmation) -> None:
        session, request, evidence = self.session, draft.request, draft.evidence
        engine, identity = session.connected, session.identity
        # A fast second click would ask twice; and without a client nothing can be sent.
        if self._tracked is not None or engine is None or identity is None:
            return
        self.send_key.spend()
        self.query_one(ProblemCard).clear()
        self._sent = draft
        self._tracked = session.tracker.start(
            request,
            identity,
            engine,
            history=evidence.rows_for(request.name) if evidence is not None else None,
            with_journal=confirmed.unwritten is None,
            again=confirmed.again,
            inventory=evidence.inventory if evidence is not None else None,
        )
        self.form.close()
        self.query_one(Panes).bring_forward("response")
        self.set_focus(self.query_one("#response"))
        self.show_tracked()

    def show_tracked(self) -> None:
        """Show the form's own snapshot beside the button."""
        tracked = self._tracked
        if tracked is None:
            super().show_tracked()
            return
        now, has_card = self.session.workspace.monotonic(), self.query_one(ProblemCard).display
        self.query_one(CreateProgress).show_snapshot(tracked, self.session.usual(tracked), now, has_card=has_card)
        if tracked.is_open:
            self.say(*next_sentence(tracked))

    def on_snapshot_moved(self, tracked: TrackedSnapshot) -> None:
        """Show the progress of the form's snapshot; after a proved refusal the form can be corrected."""
        if tracked is not self._tracked:
            super().on_snapshot_moved(tracked)
            return
        if tracked.is_open:
            self.show_tracked()
            return
        taken = tracked.taken
        if taken is None and tracked.problem is not None:
            self._was_not_sent(tracked, tracked.problem)
        elif taken is not None and taken.error is not None and taken.outcome is not Outcome.ACCEPTED:
            found = taken.resolution
            self.show_card(taken.error if found is None else unknown_card(taken, found), taken.error.exchange)
            self.show_tracked()
            if taken.outcome is Outcome.UNKNOWN:
                self.say(UNKNOWN.format(name=tracked.request.name), "warning")
            elif taken.outcome is Outcome.REFUSED:
                self._was_refused(tracked, taken.error)
            else:
                self.say(NOT_STARTED.format(name=tracked.request.name), "bad")
                self._let_correct("not sent")
        else:
            self.show_tracked()
            self.say(DONE)

    def _was_refused(self, tracked: TrackedSnapshot, error: GatewayError) -> None:
        """A certain refusal: the form can be corrected, and the checks that it contradicts are read again."""
        doubted = doubted_by(error)
        self.say(f"{NOT_STARTED.format(name=tracked.request.name)} {out_of_date(doubted)}", "bad")
        self._let_correct("refused")
        self.form.preflight.check(after_refusal(doubted))

    def _was_not_sent(self, tracked: TrackedSnapshot, problem: Problem) -> None:
        """Nothing was sent: the form can be corrected, and what only needs a yes is asked."""
        self.show_card(problem)
        self.say(NOT_STARTED.format(name=tracked.request.name), "bad")
        self._let_correct("not sent")
        # No answer came: the response pane shows another request.
        self.query_one(Panes).bring_forward("preview")
        if self._sent is not None and isinstance(problem, JournalProblem | SecondRequest | DamagedJournal):
            self._confirm(self._sent.stopped_by(problem), ask=True)

    def _let_correct(self, became: str) -> None:
        self._tracked, self.form.preflight.note = None, before_request(became)
        self.form.reopen()
        self._judge()

    def why_unavailable(self, action: str) -> str:
        """Letters are keys once nothing is typed here any more."""
        if action == "storage_key":
            return ALREADY_SENT if self._tracked is not None else ""
        is_later = action in {"history", "requests"} and self._tracked is None
        return AFTER_CREATE if is_later else super().why_unavailable(action)

    def action_history(self) -> None:
        """Leave for the history; what was sent keeps running."""
        self.app.post_message(HistoryWanted(self.cluster))

    def action_storage_key(self) -> None:
        """Set the key without which NCP lists no buckets; the checks are repeated after it."""
        from ncp_tui.tui.dialogs.storage_key import StorageKeyDialog

        self.app.push_screen(StorageKeyDialog(self.session, self.cluster))

    def on_change_moved(self, change: Change) -> None:
        """Another request for this cluster may have opened what was closed: the checks are repeated."""
        if change.is_over and change.cluster_number == self.cluster.number and self._tracked is None:
            self.load()
        super().on_change_moved(change)

    def action_requests(self) -> None:
        from ncp_tui.tui.screens.requests import RequestsScreen

        self.open(RequestsScreen(self.session))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Create is greyed until the form is right."""
        if action == "use_bucket":
            return bool(self.query("#buckets")) and self.query_one("#buckets").has_focus
        if action == "new_name":
            return True if self._tracked is None else None
        if action == "create":
            return None if self.query("#create") and not self.form.can_create else True
        return super().check_action(action, parameters)
