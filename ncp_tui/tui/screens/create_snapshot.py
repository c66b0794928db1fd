"""The form for one snapshot: a name checked while typing, a bucket, the exact request, and then its progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.draft import Confirmation, SnapshotDraft
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import JournalProblem, on_disk
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.tui.dialogs.confirm import SendQuestionDialog, TypeNameDialog
from ncp_tui.tui.dialogs.copyable import Copyable
from ncp_tui.tui.key_bindings import SendKey, send_binding, send_key_name
from ncp_tui.tui.screens.base import BaseScreen
from ncp_tui.tui.screens.create_form import (
    CreateForm,
    CreateProgress,
    PreflightLine,
    draft_lines,
    goes_on,
    in_doubt,
    result,
)
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.inputs import SendButton
from ncp_tui.tui.widgets.panes import Panes
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.view.create import RECHECKED, question


class CreateSnapshotScreen(BaseScreen):
    """Nothing is sent before Create; leaving after Create stops nothing."""

    CSS_PATH = "create_snapshot.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        send_binding("create", "Create", "Send the request shown below"),
        Binding("f3", "new_name", "New name", tooltip="A fresh name from the template", id="create.new_name"),
        Binding("enter", "use_bucket", "Take", show=False, tooltip="Use this bucket", id="create.use"),
        Binding(
            "f5", "reload", "Look again", show=False, tooltip="Read cluster, buckets and history", id="create.reload"
        ),
        Binding("f6", "next_pane", "Pane", tooltip="Next pane: request, response, session log", id="create.pane"),
        Binding("escape", "back", "Back", tooltip="Leave; a snapshot under way goes on", id="create.back"),
    ]
    AUTO_FOCUS = "#name"
    first_pane = "preview"
    is_form = True

    @dataclass
    class DamageAccepted(Message):
        """It is written down that the user has seen the journal's damage, or why it is not."""

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
        return (self.cluster.name, "Create snapshot")

    def body(self) -> Iterable[Widget]:
        """The form, and what came of it."""
        yield CreateForm(self.session, self.cluster)

    @property
    def form(self) -> CreateForm:
        """What is typed and chosen."""
        return self.query_one(CreateForm)

    def on_mount(self) -> None:
        self.action_new_name()
        self.say("enter goes on to the next field, f2 creates. Nothing is sent before that.")

    def action_new_name(self) -> None:
        problem = self.form.fill_name()
        if problem is not None:
            self.say_problem(problem)

    def load(self) -> None:
        """Look again at all that can be seen before a create."""
        self.form.preflight.look()

    @on(PreflightLine.Looked)
    def show_looked(self, event: PreflightLine.Looked) -> None:
        """Judge the form by what was seen; nothing of it moves where only the history was looked at further."""
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
        """Check while typing. What is edited is another decision."""
        event.stop()
        self.send_key.let_go()
        self.form.preflight.became = ""
        self._judge()

    @on(CreateForm.Refused)
    def refuse_bucket(self, event: CreateForm.Refused) -> None:
        self.say(f"{event.bucket.name} cannot take a snapshot: {event.bucket.reason}.", "bad")

    def action_use_bucket(self) -> None:
        self.form.use_bucket()

    def _judge(self) -> SnapshotDraft:
        """Say what is wrong with what is in the form, show the request, and open Create only when all is right."""
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
        """A click on the button; its question wants another one."""
        self._create(clicked=True)

    @on(SendButton.Entered)
    def refuse_enter(self) -> None:
        """Enter on the button: text that arrives as keys must not send."""
        self.say(f"{send_key_name(self)} creates. enter sends nothing.", "warning")

    def names_to_copy(self) -> list[Copyable]:
        """The name in the form."""
        return [Copyable("snapshot name", self.form.name_typed)]

    def action_create(self) -> None:
        """The key that sends; held, it decides nothing."""
        if not self.send_key.press(self._create) and self._tracked is None:
            name = send_key_name(self)
            self.say(f"Nothing more is sent by {name} alone: press another key first, then {name}.", "warning")

    def _create(self, *, clicked: bool = False) -> None:
        """Send the request, once; what has to be confirmed, or was clicked, is asked about first."""
        if self._tracked is not None or self._judge().problem is not None:
            return
        if self.session.connected is None:
            self.say("The keys are not loaded, so nothing can be sent. f5 tries again.", "bad")
        elif self.session.creating:
            self.say("Another create is on its way; wait for its answer first.", "warning")
        elif self.form.draft.is_old(self.session.workspace.now()) and not self.form.preflight.is_looking:
            self.load()
            # and never by itself when they come: who knows where the user is by then
            self.say(f"{RECHECKED} Then press it once more.", "warning")
        else:
            self._confirm(self.form.draft, ask=clicked)

    def _confirm(self, draft: SnapshotDraft, *, ask: bool = False) -> None:
        """Have the user confirm what has to be; where nothing has, only one who is to be asked is."""
        wanted = draft.confirmation(self.session.workspace.now())
        if wanted.damage is not None:
            damage = wanted.damage.report.id
            self._ask(wanted, "Accept", lambda: self.accept_damage(damage), lets_go=True)
        elif wanted.reasons or ask:
            self._ask(wanted, "Create", lambda: self._send(draft, wanted))
        else:
            self._send(draft, wanted)

    def _ask(self, wanted: Confirmation, yes: str, act: Callable[[], object], *, lets_go: bool = False) -> None:
        """Ask, and `act` on a yes; a no was another key or a click, and a yes that `lets_go` is one as well."""
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
        """Write down that the user has seen it, and look again."""
        journal = self.session.journal
        try:
            await on_disk(lambda: journal.accept_damage(wanted))
        except Problem as problem:
            self.post_message(self.DamageAccepted(problem))
        else:
            self.post_message(self.DamageAccepted())

    @on(DamageAccepted)
    def show_accepted(self, event: DamageAccepted) -> None:
        """Say so, and read the journal anew: what is in it now decides about the next create."""
        self.query_one(ProblemCard).clear()
        if event.problem is not None:
            self.query_one(ProblemCard).show(event.problem)
        else:
            self.say(f"Accepted. Nothing was sent: {send_key_name(self)} creates.", "warning")
        self.load()

    def _send(self, draft: SnapshotDraft, confirmed: Confirmation) -> None:
        session, request, evidence = self.session, draft.request, draft.evidence
        engine, identity = session.connected, session.identity
        # A hurried second click had the question asked twice; and without a client there is nobody to send as.
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
        )
        self.form.close()
        self.query_one(Panes).bring_forward("response")
        self.set_focus(self.query_one("#response"))
        self.show_tracked()

    def show_tracked(self) -> None:
        """Show this form's own snapshot beside the button."""
        tracked = self._tracked
        if tracked is None:
            super().show_tracked()
            return
        self.query_one(CreateProgress).show(tracked, self.session.workspace.monotonic())
        if tracked.is_open:
            self.say(*goes_on(tracked))

    def on_snapshot_moved(self, tracked: TrackedSnapshot) -> None:
        """Follow this form's snapshot; after a certain refusal, let the user correct the form."""
        if tracked is not self._tracked:
            super().on_snapshot_moved(tracked)
            return
        self.show_tracked()
        if tracked.is_open:
            return
        taken = tracked.taken
        if taken is None and tracked.problem is not None:
            self._was_not_sent(tracked, tracked.problem)
        elif taken is not None and taken.error is not None and taken.outcome is not Outcome.ACCEPTED:
            found = taken.resolution
            self.query_one(ProblemCard).show(taken.error if found is None else in_doubt(taken, found))
            self.say(*result(tracked))
            self.set_class(taken.outcome is Outcome.UNKNOWN, "in-doubt")
            if taken.outcome is not Outcome.UNKNOWN:
                self._let_correct("refused" if taken.outcome is Outcome.REFUSED else "not sent")
        else:
            self.say("esc goes back to the clusters.")

    def _was_not_sent(self, tracked: TrackedSnapshot, problem: Problem) -> None:
        """Nothing left: the form is the user's again, and what a yes can change is asked about."""
        self.query_one(ProblemCard).show(problem)
        self.say(f"Not started: {tracked.request.name}.", "bad")
        self._let_correct("not sent")
        # There is no answer to it: the response pane has that of another request.
        self.query_one(Panes).bring_forward("preview")
        if self._sent is not None and isinstance(problem, JournalProblem | SecondRequest | DamagedJournal):
            self._confirm(self._sent.stopped_by(problem), ask=True)

    def _let_correct(self, became: str) -> None:
        self._tracked, self.form.preflight.became = None, became
        self.form.reopen()
        self._judge()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Letters belong to the inputs here; Create is greyed until the form is right."""
        if action == "use_bucket":
            return bool(self.query("#buckets")) and self.query_one("#buckets").has_focus
        if action == "new_name":
            return True if self._tracked is None else None
        if action == "create":
            return None if self.query("#create") and not self.form.can_create else True
        return super().check_action(action, parameters)
