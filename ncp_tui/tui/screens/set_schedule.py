"""Set schedule: a name checked while typing, a bucket, a day and a time, the exact request, and what became of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.preflight import doubted_by
from ncp_tui.snapshots.schedule import InForce, Schedule, schedule_of
from ncp_tui.snapshots.schedule_change import ScheduleChange, preview_change
from ncp_tui.snapshots.schedule_draft import ScheduleDraft
from ncp_tui.tui.change import Change
from ncp_tui.tui.dialogs.copyable import Copyable
from ncp_tui.tui.key_bindings import SendKey, key_of, next_words, send_binding, send_key_name
from ncp_tui.tui.screens.base import BaseScreen
from ncp_tui.tui.screens.schedule_form import STORAGE_KEY_KEY, ScheduleForm, SchedulePreflight
from ncp_tui.tui.screens.schedule_sender import DamageAccepted, ScheduleSender
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.choice_field import ChoiceField
from ncp_tui.tui.widgets.inputs import SendButton
from ncp_tui.tui.widgets.panes import Panes
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.view.create import RECHECKED
from ncp_tui.view.preflight import after_refusal, before_request, out_of_date
from ncp_tui.view.schedule_change import HISTORY_UNREAD, history_now_sentence
from ncp_tui.view.schedule_form import AFTER_RELEASE, result_card, result_lines, set_draft_lines, waiting_sentence
from ncp_tui.view.text import BLANK, Tone, line, wrapped

RELEASE_KEY, REQUESTS_KEY = ("set_schedule.release", "f3"), ("set_schedule.requests", "u")
START = "Nothing is sent until you press {key}."
IN_FORCE = "A schedule is in force. Whether setting replaces it is not documented: {release} releases it first."
BUCKET_UNUSABLE = "{bucket} cannot be used: {reason}."
ENTER_SENDS_NOTHING = "enter does nothing here. Press {key} to set the schedule."
KEY_HELD = "{key} was already pressed. To set the schedule, press another key first, then {key}."
PRESS_AGAIN = "{why} Press {key} again."
DAMAGE_ACCEPTED = "Damage accepted. Nothing was sent: press {key} to set the schedule."
AFTER_SET = "Available once the schedule is requested. Press esc to leave the form."
NOTHING_IN_FORCE = "No schedule is known to be in force, so there is nothing to release first."
RELEASED_NOW_SET = "{released} The checks are being read again; then press {key} to set the new schedule."
ALREADY_SENT = "The schedule was requested. Press esc to go back."
AGAIN = "{key} on this form lists the request and looks again."
KEYS = "esc Back to the schedule   {requests} Requests"


class SetScheduleScreen(BaseScreen):
    """Nothing is sent before Set; leaving after Set stops nothing."""

    CSS_PATH = "set_schedule.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        send_binding("send", "Set", "Set the schedule"),
        Binding("enter", "use_bucket", "Use", show=False, tooltip="Use this bucket", id="set_schedule.use"),
        Binding(
            RELEASE_KEY[1],
            "release",
            "Release first",
            tooltip="Release the schedule that is in force, then set this one",
            id=RELEASE_KEY[0],
        ),
        Binding(
            STORAGE_KEY_KEY[1],
            "storage_key",
            "Storage key",
            show=False,
            tooltip="Set the storage key of this cluster",
            id=STORAGE_KEY_KEY[0],
        ),
        Binding(
            "f5",
            "reload",
            "Recheck",
            show=False,
            tooltip="Read cluster, buckets and schedule again",
            id="set_schedule.reload",
        ),
        Binding("f6", "next_pane", "Pane", tooltip="Next pane: request, response, session log", id="set_schedule.pane"),
        Binding(
            REQUESTS_KEY[1], "requests", "Requests", tooltip="Snapshot requests from this machine", id=REQUESTS_KEY[0]
        ),
        Binding("escape", "back", "Back", tooltip="Back (a request that was sent is kept)", id="set_schedule.back"),
    ]
    AUTO_FOCUS = "#name"
    first_pane = "preview"
    is_form = True
    sometimes_unavailable = ("release", "requests")

    @dataclass
    class LookedAfter(Message):
        """The schedule history was read after the request, or could not be."""

        said: str

    def __init__(self, session: Session, cluster: Cluster, known: Schedule | None) -> None:
        """`known` is the newest setting as far as it was read: the form begins with what it says."""
        super().__init__(session)
        self.cluster = cluster
        self._known = known
        self._sent: Change | None = None
        self._sent_change: ScheduleChange | None = None
        self._set_over: Schedule | None = None
        """What was, or may have been, in force when it was sent."""
        self._after = ""
        """What the schedule history says since it was sent."""
        self._release: Change | None = None
        self.send_key = SendKey(session.workspace.monotonic, self.set_timer)
        self._sender = ScheduleSender(self, self._was_sent, let_go=self.send_key.let_go)
        self._releaser = ScheduleSender(self, self._release_was_sent, let_go=self.send_key.let_go)

    @property
    def path(self) -> tuple[str, ...]:
        """Where this screen is."""
        return (self.cluster.title, "Set schedule")

    def body(self) -> Iterable[Widget]:
        """The form, and what came of it."""
        yield ScheduleForm(self.session, self.cluster, self._known)

    @property
    def form(self) -> ScheduleForm:
        """The fields."""
        return self.query_one(ScheduleForm)

    def on_mount(self) -> None:
        self.say(START.format(key=send_key_name(self)))

    def load(self) -> None:
        """Run the preflight checks again."""
        self.form.preflight.check()

    @on(SchedulePreflight.Checked)
    def show_checked(self, event: SchedulePreflight.Checked) -> None:
        """Judge the form by what was read; its fields stay as they are."""
        evidence = self.form.preflight.evidence
        if not event.is_further:
            self.show_header()
            read = evidence.base.buckets_read if evidence is not None else None
            problem = event.problem or (read.problem if read is not None else None)
            if problem is not None:
                self.say_problem(problem)
            elif self._in_force is not None:
                self.say(IN_FORCE.format(release=key_of(RELEASE_KEY)), "warning")
            if evidence is not None:
                self.form.show_cluster(evidence.base.cluster)
            self.form.show_buckets(problem)
        self._judge()

    @property
    def _in_force(self) -> Schedule | None:
        """The schedule that is, or may be, in force."""
        evidence = self.form.preflight.evidence
        schedule = evidence.schedule if evidence is not None else None
        return schedule if schedule is not None and schedule.in_force is not InForce.NO else None

    @on(Input.Changed)
    def judge_input(self, event: Input.Changed) -> None:
        """Check while typing; an edit is a new decision, so the key may send again."""
        event.stop()
        self._judge_anew()

    @on(ChoiceField.Changed)
    def judge_choice(self, event: ChoiceField.Changed) -> None:
        """A choice is an edit, too."""
        event.stop()
        self._judge_anew()

    def _judge_anew(self) -> None:
        self.send_key.let_go()
        self.form.preflight.note = ""
        self._judge()

    @on(ScheduleForm.Refused)
    def refuse_bucket(self, event: ScheduleForm.Refused) -> None:
        self.say(BUCKET_UNUSABLE.format(bucket=event.bucket.name, reason=event.bucket.reason), "bad")

    def action_use_bucket(self) -> None:
        self.form.use_bucket()

    def _judge(self) -> ScheduleDraft:
        """Show what is wrong with the form and the request it makes; Set can be pressed only when all is right."""
        draft, engine = self.form.draft, self.session.connected
        is_right = draft.problem is None
        self.form.preflight.show(draft)
        self.form.show_verdicts(draft, is_open=is_right and self._sent is None)
        preview = preview_change(engine, draft.change) if is_right and engine is not None else None
        refused = draft.problem if draft.read_only and not draft.name_problems else None
        words = [refused.what, refused.meaning, next_words(refused)] if refused is not None else []
        self.query_one(Panes).show_first(set_draft_lines(draft, preview, self.session.workspace.now(), words))
        self.refresh_bindings()
        return draft

    @on(Button.Pressed, "#send")
    def click_send(self) -> None:
        """A click on the button opens a question, which needs another click."""
        self._set(clicked=True)

    @on(SendButton.Entered)
    def refuse_enter(self) -> None:
        """Enter on the button: text that arrives as keys must not send."""
        self.say(ENTER_SENDS_NOTHING.format(key=send_key_name(self)), "warning")

    def names_to_copy(self) -> list[Copyable]:
        """The name in the form."""
        return [Copyable("schedule name", self.form.setting.name)]

    def action_send(self) -> None:
        """The key that sends; a repeat of a held key does not."""
        if not self.send_key.press(self._set) and self._sent is None:
            self.say(KEY_HELD.format(key=send_key_name(self)), "warning")

    def _set(self, *, clicked: bool = False) -> None:
        """Send the request, once, after the questions that it needs; a click always needs one."""
        if self._sent is not None or self._judge().problem is not None:
            return
        if self._are_checks_fresh():
            self._sender.confirm(self.form.draft, ask=clicked)

    def _are_checks_fresh(self) -> bool:
        """Whether the checks say how things are now; else they are read again, and it says so."""
        if not self.form.draft.is_old(self.session.workspace.now()) or self.form.preflight.is_checking:
            return True
        self.load()
        # and never sent by itself when they come: by then the user may be elsewhere
        self.say(PRESS_AGAIN.format(why=RECHECKED, key=send_key_name(self)), "warning")
        return False

    def action_release(self) -> None:
        """Release what is in force, as a step of its own; the form stays as it is."""
        if self._are_checks_fresh():
            release = ScheduleChange(self.cluster.number, self.cluster.name)
            self._releaser.confirm(self.form.draft_of(release), ask=True)

    @on(DamageAccepted)
    def show_accepted(self, event: DamageAccepted) -> None:
        """Say so, and read the journal again: its contents decide about the next request."""
        self.query_one(ProblemCard).clear()
        if event.problem is not None:
            self.show_card(event.problem)
        else:
            self.say(DAMAGE_ACCEPTED.format(key=send_key_name(self)), "warning")
        self.load()

    def _was_sent(self, change: Change) -> None:
        self.send_key.spend()
        self.query_one(ProblemCard).clear()
        self._after = ""
        self._sent, self._sent_change, self._set_over = change, self.form.draft.change, self._in_force
        self.form.close()
        self.query_one(Panes).bring_forward("response")
        self.set_focus(self.query_one("#response"))
        self._show_outcome()

    def _release_was_sent(self, change: Change) -> None:
        self.query_one(ProblemCard).clear()
        self._release = change
        self.say(waiting_sentence(ScheduleChange(self.cluster.number, self.cluster.name), None))

    def on_change_moved(self, change: Change) -> None:
        """Show what became of the form's own requests; after a proved refusal the form can be corrected."""
        if change is self._release:
            self._show_release(change)
        elif change is self._sent:
            self._show_sent(change)
        else:
            super().on_change_moved(change)
            if change.is_over and change.cluster_number == self.cluster.number and self._sent is None:
                self.load()  # it may have opened what was closed

    def _show_sent(self, change: Change) -> None:
        self._show_outcome()
        result, problem = change.result, change.problem
        if problem is not None:
            self.show_card(problem)
            self._let_correct("not sent")
            self.query_one(Panes).bring_forward("preview")
            self._sender.ask_again(problem)
        elif result is not None:
            self.say(*change.words(result))
            self._show_card_of(change)
            if result.sent.outcome is Outcome.ACCEPTED:
                self.look_after()
            if result.sent.outcome in {Outcome.REFUSED, Outcome.NOT_SENT}:
                self._let_correct("refused" if result.sent.outcome is Outcome.REFUSED else "not sent")
            if result.sent.outcome is Outcome.REFUSED and result.sent.error is not None:
                doubted = doubted_by(result.sent.error)
                self.say(f"{change.words(result)[0]} {out_of_date(doubted)}", "bad")
                self.form.preflight.check(after_refusal(doubted))

    @work(group="after", exclusive=True, exit_on_error=False, description="read what is set afterwards")
    async def look_after(self) -> None:
        """Read what the schedule history says of a set that was accepted; the response pane stays with its answer."""
        session, change = self.session, self._sent_change or self.form.draft.change
        try:
            with session.log.action(f"schedule of {self.cluster.title} afterwards", background=True):
                engine = await session.engine()
                rows = await engine.schedule_history(self.cluster.number)
        except Problem:
            self.post_message(self.LookedAfter(HISTORY_UNREAD))
            return
        schedule = None if rows.gap else schedule_of(rows)
        self.post_message(self.LookedAfter(history_now_sentence(change, schedule, session.workspace.now())))

    @on(LookedAfter)
    def show_looked_after(self, event: LookedAfter) -> None:
        self._after = event.said
        self._show_outcome()

    def _show_release(self, change: Change) -> None:
        """What became of the first of two steps; the second one is the user's, after new checks."""
        release = ScheduleChange(self.cluster.number, self.cluster.name)
        if change.result is None and change.problem is None:
            self.say(waiting_sentence(release, change.resolving), "warning")
            return
        self.send_key.let_go()
        if change.problem is not None:
            self.show_card(change.problem)
            self._releaser.ask_again(change.problem)
        elif change.result is not None:
            said, tone = change.words(change.result)
            self._show_card_of(change)
            if change.result.sent.outcome is Outcome.ACCEPTED:
                said, tone = RELEASED_NOW_SET.format(released=said, key=send_key_name(self)), Tone.WARNING
            self.say(said, tone)
        self.form.preflight.check(AFTER_RELEASE)

    def _show_card_of(self, change: Change) -> None:
        sent = self._sent_change if change is self._sent else ScheduleChange(self.cluster.number, self.cluster.name)
        if change.result is not None and sent is not None:
            card = result_card(sent, change.result, AGAIN.format(key=key_of(REQUESTS_KEY)))
            if card is not None:
                self.show_card(card, change.result.sent.error.exchange if change.result.sent.error else None)

    @on(events.Resize)
    def fit_outcome(self) -> None:
        """Break its sentences anew."""
        self.call_after_refresh(self._show_outcome)

    def _show_outcome(self) -> None:
        """Show in the place of the form what is known of the request."""
        change, sent = self._sent, self._sent_change
        if change is None or sent is None:
            return
        if change.result is None:
            said = waiting_sentence(sent, change.resolving)
            lines = [line(each, Tone.WARNING) for each in wrapped(said, self.size.width - 4)]
            self.say(said, "warning")
        else:
            now, width = self.session.workspace.now(), self.size.width - 4
            has_card = change.result.sent.outcome is not Outcome.ACCEPTED
            over, after = self._set_over, self._after
            lines = result_lines(sent, change.result, now, width, over=over, after=after, has_card=has_card)
        keys = KEYS.format(requests=key_of(REQUESTS_KEY))
        self.query_one("#outcome", TextView).show([*lines, BLANK, line(keys, Tone.DIM)], keep_place=True)

    def _let_correct(self, became: str) -> None:
        self._sent, self.form.preflight.note = None, before_request(became)
        self.form.reopen()
        self._judge()

    def why_unavailable(self, action: str) -> str:
        """Letters are keys once nothing is typed here any more, and only what is in force can be released first."""
        if action == "requests":
            return AFTER_SET if self._sent is None else ""
        if action in {"release", "storage_key"} and self._sent is not None:
            return ALREADY_SENT
        if action == "release" and self.is_mounted and self.query("#form"):
            return "" if self._in_force is not None else NOTHING_IN_FORCE
        return super().why_unavailable(action)

    def action_storage_key(self) -> None:
        """Set the key without which NCP lists no buckets; the checks are repeated after it."""
        from ncp_tui.tui.dialogs.storage_key import StorageKeyDialog

        self.app.push_screen(StorageKeyDialog(self.session, self.cluster))

    def action_requests(self) -> None:
        from ncp_tui.tui.screens.requests import RequestsScreen

        self.open(RequestsScreen(self.session))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Set is greyed until the form is right."""
        if action == "use_bucket":
            return bool(self.query("#buckets")) and self.query_one("#buckets").has_focus
        if action == "send":
            return None if self.query("#send") and not self.form.can_send else True
        return super().check_action(action, parameters)
