"""The form of a schedule: its fields, the problems beside them, the preflight checks, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input, Static

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Bucket, Cluster
from ncp_tui.snapshots.outcome import Caller
from ncp_tui.snapshots.rules import suggest_name
from ncp_tui.snapshots.schedule import EVERY_DAY, Schedule
from ncp_tui.snapshots.schedule_change import ScheduleChange, Setting
from ncp_tui.snapshots.schedule_draft import ScheduleDraft
from ncp_tui.snapshots.schedule_preflight import ScheduleEvidence, read_neighbours, read_schedule_evidence
from ncp_tui.snapshots.schedule_rules import DAY_CHOICES, LONGEST_NAME, MINUTES
from ncp_tui.tui.screens.create_form import (
    AVAILABLE,
    CHECKING,
    CHOOSE_BUCKET,
    NO_CHECKS,
    NOT_CHECKED,
    READING_BUCKETS,
    VALID,
    no_buckets,
)
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors
from ncp_tui.tui.widgets.choice_field import ChoiceField
from ncp_tui.tui.widgets.fields import Verdict, field_line, one_line
from ncp_tui.tui.widgets.inputs import SendButton, TextInput
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.view.buckets import BUCKETS
from ncp_tui.view.preflight import checks_line
from ncp_tui.view.schedule_form import first_run_words

USUAL_HOUR = 3
"""When nothing else is known: the quiet hours of most clusters."""

STORAGE_KEY_KEY = ("set_schedule.storage_key", "f7")


class ScheduleForm(Vertical):
    """Cluster, name, bucket, the list of buckets, day and time, the preflight checks, Set, and what became of it."""

    _EDITABLE: ClassVar[tuple[str, ...]] = ("#name", "#bucket", "#buckets", "#day", "#hour", "#minute")

    @dataclass
    class Refused(Message):
        """A bucket was chosen that cannot be used."""

        bucket: Bucket

    def __init__(self, session: Session, cluster: Cluster, known: Schedule | None) -> None:
        """`known` is the newest setting as far as it was read: what it says is proposed."""
        super().__init__(id="form")
        self.preflight = SchedulePreflight(session, cluster)
        self._session = session
        self._cluster = cluster
        self._known = known
        self._buckets: Sequence[Bucket] = ()

    def compose(self) -> ComposeResult:
        known = self._known
        hour, minute = known.at if known is not None and known.at is not None else (USUAL_HOUR, 0)
        day = known.day if known is not None and known.day is not None else EVERY_DAY
        outcome = TextView(id="outcome")
        outcome.can_focus = False
        yield ProblemCard()
        yield outcome
        yield field_line("Cluster", Static("", id="cluster-facts", markup=False))
        yield field_line("Name", TextInput(self._proposed_name, id="name"), Verdict("name"))
        yield field_line("Bucket", TextInput(self._proposed_bucket, id="bucket"), Verdict("bucket"))
        yield RecordTable(BUCKETS.on_screen, empty=READING_BUCKETS, id="buckets")
        yield field_line(
            "When",
            ChoiceField(DAY_CHOICES, day, id="day"),
            Static("at", id="at", markup=False),
            ChoiceField([f"{each:02d}" for each in range(24)], f"{hour:02d}", id="hour"),
            Static(":", id="colon", markup=False),
            ChoiceField([f"{each:02d}" for each in MINUTES], f"{minute:02d}", id="minute"),
            Verdict("time"),
        )
        yield field_line("Preflight", self.preflight)
        with Horizontal(id="decision"):
            yield SendButton("Set schedule", id="send", variant="success", compact=True)

    def on_mount(self) -> None:
        self.show_cluster(self._cluster)

    @property
    def _proposed_name(self) -> str:
        known = self._known.entry.snapshot if self._known is not None else ""
        return known or suggest_name(self._cluster.name, LONGEST_NAME)

    @property
    def _proposed_bucket(self) -> str:
        identity = self._session.identity
        usual = identity.profile.default_bucket if identity is not None else ""
        return (self._known.entry.bucket if self._known is not None else "") or usual or ""

    @property
    def setting(self) -> Setting:
        """What the form describes, as it was typed."""
        hour, minute = self._choice("hour").value, self._choice("minute").value
        return Setting(
            self._box("name").value.strip(),
            self._box("bucket").value.strip(),
            self._choice("day").value,
            f"{hour}:{minute}",
        )

    @property
    def draft(self) -> ScheduleDraft:
        """The schedule that the form describes, with all that was read."""
        return self.draft_of(ScheduleChange(self._cluster.number, self._cluster.name, self.setting))

    def draft_of(self, change: ScheduleChange) -> ScheduleDraft:
        """Another change of the same schedule, with all that was read for this one."""
        return draft_of(self._session, change, self.preflight.evidence)

    @property
    def can_send(self) -> bool:
        """Whether Set can be pressed."""
        return not self.query_one("#send", Button).disabled

    def show_cluster(self, cluster: Cluster) -> None:
        """Show the cluster and its state."""
        said = [cluster.name, cluster.number, cluster.status, cluster.health, cluster.engine]
        self.query_one("#cluster-facts", Static).update(one_line("  ".join(each for each in said if each)))

    def show_buckets(self, problem: Problem | None) -> None:
        """List the buckets and propose an available one; where there is no list, say that a name can be typed."""
        evidence = self.preflight.evidence
        self._buckets = evidence.base.buckets if evidence is not None else ()
        table, box = self.query_one("#buckets", RecordTable), self._box("bucket")
        table.show([BUCKETS.row(bucket) for bucket in self._buckets], empty=no_buckets(problem, STORAGE_KEY_KEY))
        if not box.value:
            box.value = next((bucket.name for bucket in self._buckets if bucket.usable), "")
        table.move_to(box.value)

    def show_verdicts(self, draft: ScheduleDraft, *, is_open: bool) -> None:
        """Show beside the fields what is wrong with them; `is_open`: Set can be pressed."""
        setting, wrong = self.setting, draft.name_problems
        self._say("name", f"{len(setting.name)}/{LONGEST_NAME}  {wrong[0] if wrong else VALID}", good=not wrong)
        known = AVAILABLE if any(each.name == setting.bucket for each in draft.buckets) else NOT_CHECKED
        why = draft.bucket_problem.what if draft.bucket_problem is not None else ""
        self._say("bucket", (why if setting.bucket else CHOOSE_BUCKET) or known, good=not why)
        at = int(setting.at[:2]), int(setting.at[3:])
        self._say("time", first_run_words(setting.day, at, self._session.workspace.now()), good=True)
        self.query_one("#send", Button).disabled = not is_open

    def close(self) -> None:
        """Keep the form as it was sent, out of sight: what became of it stands in its place."""
        self.add_class("sent")
        self._set_disabled(True)
        self.query_one("#send").disabled = True

    def reopen(self) -> None:
        """Let the user correct it."""
        self.remove_class("sent")
        self._set_disabled(False)
        self.query_one("#name").focus()

    def use_bucket(self) -> None:
        """Put the bucket under the cursor into the form."""
        key = self.query_one("#buckets", RecordTable).cursor_key
        bucket = next((each for each in self._buckets if each.name == key), None)
        if bucket is not None and bucket.usable:
            self._box("bucket").value = bucket.name
            self.query_one("#day").focus()
        elif bucket is not None:
            self.post_message(self.Refused(bucket))

    @on(Input.Submitted)
    def to_next_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#bucket" if event.input.id == "name" else "#day").focus()

    @on(RecordTable.Chosen, "#buckets")
    def choose_bucket(self) -> None:
        self.use_bucket()

    def _box(self, name: str) -> Input:
        return self.query_one(f"#{name}", Input)

    def _choice(self, name: str) -> ChoiceField:
        return self.query_one(f"#{name}", ChoiceField)

    def _say(self, name: str, text: str, *, good: bool) -> None:
        self.query_one(f"#{name}-verdict", Verdict).say(text, good=good)

    def _set_disabled(self, disabled: bool) -> None:
        for selector in self._EDITABLE:
            self.query_one(selector).disabled = disabled


def draft_of(session: Session, change: ScheduleChange, evidence: ScheduleEvidence | None) -> ScheduleDraft:
    """A change as the identity in use would send it, with what was read before."""
    identity = session.identity
    return ScheduleDraft(
        change,
        Caller.of(identity) if identity is not None else Caller("", "", "", ""),
        protected=identity is not None and identity.profile.protected,
        read_only=session.read_only,
        evidence=evidence if identity is not None else None,
    )


class SchedulePreflight(ReportsWorkerErrors, Static):
    """The preflight checks in one line. It reads what can be known before a schedule is set, and keeps it."""

    @dataclass
    class Checked(Message):
        """Something was read, or there is no client to read it with."""

        problem: Problem | None = None
        is_further: bool = False
        """Whether only the schedules of other clusters were read."""

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__("", id="preflight", markup=False)
        self._session = session
        self._cluster = cluster
        self.evidence: ScheduleEvidence | None = None
        self.is_checking = False
        self.note = ""
        """Of which moment the checks are, where a request has ended since, or just before."""
        self._note_then = ""
        self._is_cut_off = False

    def check(self, note: str = "") -> None:
        """Read everything again; what comes is of the moment that `note` tells of."""
        self.is_checking, self._note_then = True, note
        self.read_evidence(background=bool(note))

    @work(group="preflight", exclusive=True, exit_on_error=False, description="run the preflight checks")
    async def read_evidence(self, *, background: bool) -> None:
        """Read cluster, buckets, settings and the journal side by side; the form does not wait for other clusters."""
        session = self._session
        now = session.workspace.now
        try:
            with session.log.action(f"preflight checks of {self._cluster.name}", background=background):
                engine = await session.engine()
                evidence = await read_schedule_evidence(
                    engine, self._cluster, session.journal, now, with_neighbours=False
                )
                self._keep(evidence, self.Checked())
                neighbours = await read_neighbours(engine, self._cluster.number, now)
                self._keep(replace(evidence, neighbours=neighbours), self.Checked(is_further=True))
        except Problem as problem:
            self._keep(None, self.Checked(problem))

    def _keep(self, evidence: ScheduleEvidence | None, checked: Checked) -> None:
        self.evidence, self._is_cut_off = evidence, evidence is None
        self.is_checking = evidence is not None and evidence.neighbours is None
        if not checked.is_further:
            self.note = self._note_then
        self.post_message(checked)

    def show(self, draft: ScheduleDraft) -> None:
        """Show the preflight checks of `draft`."""
        words = checks_line(draft.preflight, self.note)
        if draft.evidence is None:
            words = NO_CHECKS if self._is_cut_off else CHECKING
        self.update(one_line(words))
