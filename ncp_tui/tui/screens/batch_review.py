"""The review of a batch of creates: a row a cluster with its name, its bucket and its checks, and one consent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.message import Message

from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.batch import BatchRow, Look, Plan, Plans, rows_of
from ncp_tui.snapshots.journal import on_disk
from ncp_tui.snapshots.outcome import Caller
from ncp_tui.snapshots.resolve import check_same_gateway
from ncp_tui.text import plural
from ncp_tui.tui.batch import Batch
from ncp_tui.tui.dialogs.confirm import SendQuestionDialog, TypeNameDialog
from ncp_tui.tui.dialogs.copyable import Copyable
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.key_bindings import RUN_LIST, SendKey, key_of, next_words, send_binding, send_key_name
from ncp_tui.tui.messages import JournalChanged
from ncp_tui.tui.screens.base import read_only_sentence
from ncp_tui.tui.screens.table import TableScreen, detail_key
from ncp_tui.tui.session import Session
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.view.batch import (
    LEFT_OUT,
    REVIEW,
    batch_question,
    blocked,
    blocked_sentence,
    consent,
    protected_question,
    review_lines,
    review_sentence,
)
from ncp_tui.view.text import Line, Tone, line

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.snapshots.track import TrackedSnapshot

LEAVE_OUT = ("batch.leave_out", "x")
LEAVE_OUT_BLOCKED = ("batch.leave_out_blocked", "X")

CHECKING = "Nothing is sent yet. Checking {clusters} ..."
CHECKED_SOME = "Nothing is sent yet. {done} of {count} checked."
READING = "Nothing is sent yet. Finding out what became of batch {id} ..."
READY = "{review} Nothing is sent until you press {key}."
BLOCKED = "{blocked} {row} leaves out one row, {all} all that are blocked."
NOTHING_LEFT = "{review} Nothing is left to create."
NO_ROW = "No row under the cursor."
STILL_CHECKING = "The checks are not complete yet."
OTHER_PROFILE = "These clusters are of profile {name}, which is not in use any more. Press esc to go back."
IN_FLIGHT = "Another request is in flight. Wait for its answer."
ANOTHER_BATCH = "Another batch is being sent; {key} shows it. Wait for its end."
KEY_HELD = "{key} was already pressed. To create, press another key first, then {key}."
SENT_BEFORE = "{cluster} is not sent again: {why}."
WRONG_WORDS = "These are not the words above.   {answers}"
CHANGED = "The rows are others than when you were asked. Press {key} again."
BUCKET = "One bucket for all"
EACH_ITS_OWN = "its own for each"
OWN_NOTE = "of its last good snapshot, else the profile's"
NO_BUCKETS = "The buckets could not be read."


class BatchReviewScreen(TableScreen):
    """Nothing is sent before Create and its question; what is blocked has to be left out by the user."""

    BINDINGS: ClassVar[list[BindingType]] = [
        send_binding("create", "Create", "Create a snapshot for each row"),
        Binding(
            LEAVE_OUT[1],
            "leave_out",
            "Leave out",
            tooltip="Leave this row out, or take it in again",
            id=LEAVE_OUT[0],
        ),
        Binding(
            LEAVE_OUT_BLOCKED[1],
            "leave_out_blocked",
            "Leave out blocked",
            tooltip="Leave out every row that is blocked",
            id=LEAVE_OUT_BLOCKED[0],
        ),
        Binding("B", "bucket", "Bucket", tooltip="Choose one bucket for all rows", id="batch.bucket"),
        detail_key("batch", "Preflight checks of this cluster"),
    ]
    columns = REVIEW.on_screen
    is_form = True

    @dataclass
    class Seen(Message):
        """One cluster was checked."""

        row: BatchRow

    @dataclass
    class Reviewed(Message):
        """All were checked, or that failed."""

        rows: list[BatchRow]
        engine: SearchEngine | None = None
        look: Look | None = None
        plan: Plan | None = None
        """The one that is resumed."""
        problem: Problem | None = None

    def __init__(self, session: Session, clusters: Sequence[Cluster] = (), *, resumed: str = "") -> None:
        """A batch of `clusters`, or what of the batch `resumed` certainly never left."""
        super().__init__(session)
        self._clusters, self._resumed = list(clusters), resumed
        self._identity = session.identity
        self._bucket: str | None = None
        self._left_out: set[str] = set()
        """The numbers of the clusters that the user has left out: they stay so where all is checked again."""
        self._rows: list[BatchRow] = []
        self._reviewed: BatchReviewScreen.Reviewed | None = None
        self._is_sent = False
        self.send_key = SendKey(session.workspace.monotonic, self.set_timer)

    @property
    def path(self) -> tuple[str, ...]:
        """Where this screen is."""
        return ("Resume a batch",) if self._resumed else ("Create snapshots",)

    def load(self) -> None:
        """Check every row again."""
        self._rows, self._reviewed = [], None
        self.hide_problem()
        self.table.show([], empty="Loading ...")
        clusters = plural(len(self._clusters), "cluster")
        self.say(READING.format(id=self._resumed) if self._resumed else CHECKING.format(clusters=clusters))
        self.review()

    @work(group="review", exclusive=True, exit_on_error=False, description="check the clusters of a batch")
    async def review(self) -> None:
        """Look at every cluster as a single create does; of a batch that is resumed find out what became of each."""
        session, identity = self.session, self._identity
        try:
            engine = await session.engine()
            if identity is None or identity is not session.identity:
                found = self.Reviewed([], problem=Problem(self._other_profile, "Nothing was sent."))
            elif self._resumed:
                found = await self._review_resumed(engine, identity)
            else:
                look = self._look(engine, identity)
                with session.log.action("preflight checks of a batch"):
                    rows = await look.at_all(self._clusters, lambda row: self.post_message(self.Seen(row)))
                found = self.Reviewed(rows, engine, look)
        except Problem as problem:
            found = self.Reviewed([], problem=problem)
        self.post_message(found)

    async def _review_resumed(self, engine: SearchEngine, identity: Identity) -> Reviewed:
        session, wanted, now = self.session, self._resumed, self.session.workspace.now()
        plan = await on_disk(lambda: Plans(session.workspace.paths).read(wanted, now))
        if Caller.of(identity).profile != plan.caller.profile:
            name = plan.caller.profile
            raise Problem(
                f"Batch {wanted} was begun with profile {name}.",
                "Nothing was sent.",
                f"Use profile {name}, then repeat.",
            )
        check_same_gateway(identity, plan.caller)
        look = self._look(engine, identity)
        with session.log.action(f"look at batch {wanted}"):
            rows = await rows_of(plan, session.journal, engine, look, seconds=session.resolve_seconds)
        return self.Reviewed(rows, engine, look, plan)

    def _look(self, engine: SearchEngine, identity: Identity) -> Look:
        session = self.session
        now, read_only = session.workspace.now, session.read_only
        return Look(engine, session.journal, identity, now, bucket=self._bucket, read_only=read_only)

    @on(Seen)
    def show_row(self, event: Seen) -> None:
        self._keep_left_out(event.row)
        self._rows.append(event.row)
        self.table.merge([REVIEW.row(event.row)])
        self.say(CHECKED_SOME.format(done=len(self._rows), count=plural(len(self._clusters), "cluster")))

    @on(Reviewed)
    def show_reviewed(self, event: Reviewed) -> None:
        """Show all in their order, and what keeps them from being sent."""
        self.show_header()
        self.note_read(self.session.workspace.now() if event.problem is None else None)
        if event.problem is not None:
            self.show_problem(event.problem)
            return
        self._rows, self._reviewed = event.rows, event
        for row in self._rows:
            self._keep_left_out(row)
        self._show_rows()
        if blocked(self._rows):
            self.table.move_to(REVIEW.key(blocked(self._rows)[0]))
        if self._resumed:
            self.app.post_message(JournalChanged())  # what was unknown may have been resolved

    def _keep_left_out(self, row: BatchRow) -> None:
        if row.request.cluster_number in self._left_out and row.entry is None and not row.left_out:
            row.left_out = LEFT_OUT

    def _show_rows(self) -> None:
        self.table.show([REVIEW.row(row) for row in self._rows], empty=REVIEW.empty)
        self.show_details()
        self._say_where_it_stands()
        self.refresh_bindings()

    def _say_where_it_stands(self) -> None:
        rows, review = self._rows, review_sentence(self._rows)
        if blocked(rows):
            self.say(
                BLOCKED.format(blocked=blocked_sentence(rows), row=key_of(LEAVE_OUT), all=key_of(LEAVE_OUT_BLOCKED)),
                "warning",
            )
        elif self._to_send:
            self.say(READY.format(review=review, key=send_key_name(self)))
        else:
            self.say(NOTHING_LEFT.format(review=review), "warning")

    @property
    def _to_send(self) -> list[BatchRow]:
        return [row for row in self._rows if row.is_to_be_sent]

    @property
    def _chosen(self) -> BatchRow | None:
        key = self.table.cursor_key
        return next((row for row in self._rows if REVIEW.key(row) == key), None)

    def details(self) -> list[Line]:
        """Why the row under the cursor is blocked, and every check of it."""
        row = self._chosen
        if row is None:
            return [line(NO_ROW, Tone.DIM)]
        return review_lines(row, self.session.workspace.now(), next_words)

    def action_open(self) -> None:
        row = self._chosen
        if row is not None:
            self.app.push_screen(TextDialog(row.request.cluster, self.details()))

    def names_to_copy(self) -> list[Copyable]:
        """The name under the cursor."""
        return [Copyable("snapshot name", self._chosen.request.name)] if self._chosen is not None else []

    def action_leave_out(self) -> None:
        """Leave the row under the cursor out, or take it in again."""
        row = self._chosen
        if row is None or self._reviewed is None:
            self.say(NO_ROW if self._reviewed is not None else STILL_CHECKING, "warning")
        elif row.entry is not None or row.left_out not in {"", LEFT_OUT}:
            why = row.left_out.rstrip(".") or "it may have left already"
            self.say(SENT_BEFORE.format(cluster=row.request.cluster, why=why), "warning")
        else:
            row.left_out = "" if row.left_out else LEFT_OUT
            self._left_out ^= {row.request.cluster_number}
            self._show_rows()
            self.table.action_move(1)

    def action_leave_out_blocked(self) -> None:
        if self._reviewed is None:
            self.say(STILL_CHECKING, "warning")
            return
        for row in blocked(self._rows):
            row.left_out = LEFT_OUT
            self._left_out.add(row.request.cluster_number)
        self._show_rows()

    def action_bucket(self) -> None:
        """Choose one bucket for all, of those that NCP names for any of them."""
        from ncp_tui.tui.dialogs.choice import Choice, ChoiceDialog

        if self._reviewed is None:
            self.say(STILL_CHECKING, "warning")
            return
        buckets = [bucket for row in self._rows if row.draft is not None for bucket in row.draft.buckets]
        usable = Counter(bucket.name for bucket in buckets if bucket.usable)
        names = dict.fromkeys(bucket.name for bucket in buckets)
        if not names:
            self.say(NO_BUCKETS, "warning")
            return
        choices = [Choice(name, name, f"usable for {usable[name]} of {len(self._rows)}") for name in names]
        own = Choice("", EACH_ITS_OWN, OWN_NOTE)
        self.app.push_screen(ChoiceDialog(BUCKET, [own, *choices], self._bucket or ""), self._use_bucket)

    def _use_bucket(self, chosen: str | None) -> None:
        if chosen is not None and chosen != (self._bucket or ""):
            self._bucket = chosen or None
            self.load()

    def action_create(self) -> None:
        """The key that sends asks first; a repeat of a held key does not."""
        if not self.send_key.press(self._ask) and not self._is_sent:
            self.say(KEY_HELD.format(key=send_key_name(self)), "warning")

    @property
    def _other_profile(self) -> str:
        return OTHER_PROFILE.format(name=self._identity.name if self._identity is not None else "")

    def _why_not(self) -> str:
        """Why nothing can be sent now; empty where it can."""
        session, why = self.session, ""
        if self._reviewed is None:
            why = STILL_CHECKING
        elif session.identity is not self._identity:
            why = self._other_profile
        elif session.read_only:
            why = read_only_sentence(session)
        elif session.batch is not None:
            why = ANOTHER_BATCH.format(key=key_of(RUN_LIST))
        elif session.creating or session.changing:
            why = IN_FLIGHT
        elif blocked(self._rows):
            why = blocked_sentence(self._rows)
        elif not self._to_send:
            why = NOTHING_LEFT.format(review=review_sentence(self._rows))
        return why

    def _ask(self) -> None:
        """The one question; on a protected profile its words have to be typed."""
        identity = self._identity
        if why := self._why_not():
            self.send_key.let_go()
            self.say(why, "warning")
            return
        if self._is_sent or identity is None:
            return
        wanted, monotonic = consent(len(self._to_send)), self.session.workspace.monotonic
        dialog = SendQuestionDialog(batch_question(self._rows), "Create", monotonic)
        if identity.profile.protected:
            words = protected_question(identity.name, self._rows)
            dialog = TypeNameDialog(words, "Create", wanted, monotonic, WRONG_WORDS)
        self.app.push_screen(dialog, partial(self._decide, wanted))

    def _decide(self, agreed: str, sure: bool | None) -> None:
        if not sure:
            self.send_key.let_go()
        elif why := self._why_not():
            self.say(why, "warning")
        elif agreed != consent(len(self._to_send)):
            self.say(CHANGED.format(key=send_key_name(self)), "warning")
        else:
            self._send()

    def _send(self) -> None:
        """Have the app send it, once, and show how far it is."""
        from ncp_tui.tui.screens.batch_run import BatchRunScreen

        session, found, identity = self.session, self._reviewed, self._identity
        if self._is_sent or found is None or identity is None or session.batch_behind is None:
            return
        if found.engine is None or found.look is None:
            return
        self._is_sent = True
        self.send_key.spend()
        requests = [row.request for row in self._to_send]
        plan = found.plan or Plan.of(Caller.of(identity), requests, session.workspace.now())
        batch = Batch(plan, self._rows, found.look, identity, found.engine, is_resumed=found.plan is not None)
        session.batch_behind(batch)
        self.app.switch_screen(BatchRunScreen(session, batch))

    @on(RecordTable.Moved, "#table")
    def refresh_keys(self) -> None:
        self.refresh_bindings()

    def show_tracked(self) -> None:
        """Say nothing of other snapshots: what is said here is about the rows, and what to press next."""

    def on_snapshot_moved(self, tracked: TrackedSnapshot) -> None:
        """Nor of their ends."""

    def on_batch_moved(self, batch: Batch) -> None:
        """Nor of another batch."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Of a batch that is resumed the buckets are planned."""
        if action == "bucket" and self._resumed:
            return False
        return super().check_action(action, parameters)
