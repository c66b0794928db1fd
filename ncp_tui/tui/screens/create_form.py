"""The form of a snapshot: its fields, the problems beside them, the preflight checks, and the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input, Static

from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.models import Bucket, Cluster
from ncp_tui.search_engine.operations import is_key_missing
from ncp_tui.snapshots.cluster_summary import UsualDuration
from ncp_tui.snapshots.create import CreateResult
from ncp_tui.snapshots.draft import SnapshotDraft, propose_name, read_only_refused
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest
from ncp_tui.snapshots.preflight import PreflightEvidence, look_further, read_evidence
from ncp_tui.snapshots.resolve import Resolution
from ncp_tui.snapshots.rules import LONGEST
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.tui.key_bindings import key_of, next_words, problem_words
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors
from ncp_tui.tui.widgets.fields import Verdict, field_line, one_line
from ncp_tui.tui.widgets.inputs import SendButton, TextInput
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.view.buckets import BUCKETS
from ncp_tui.view.exchanges import request_lines
from ncp_tui.view.preflight import UNBROKEN, check_lines, checks_line
from ncp_tui.view.progress import final_sentence, look_sentence, progress_lines, title_word
from ncp_tui.view.text import BLANK, Line, Tone, field, line

READING_BUCKETS = "Reading the buckets ..."
NOT_RUNNING = "{status}, not running: NCP may reject the request"
STATUS_UNKNOWN = "status unknown"
CAN_TYPE = "{empty} You can type a bucket name."
NO_BUCKET_LIST = "Bucket list unavailable. You can type a bucket name."
NO_STORAGE_KEY = "The cluster has no storage key, so NCP lists no buckets. Press {key} to set it."
VALID = "valid"
VALID_IN = "valid ({zone})"
DAMAGED = "the journal is damaged"
USED = "requested before"
CHOOSE_BUCKET = "choose a bucket"
AVAILABLE, NOT_CHECKED = "available", "not checked"
CHECKING = "checking ..."
NO_CHECKS = "unknown: the checks could not run"
CANNOT_CREATE = "Cannot create yet:"
NO_KEYS = "The keys are not loaded yet."
NOT_STARTED = "Not started: {name}."
ACCEPTED_BUT = "Accepted. {look}"
NO_ANSWER = "No answer from NCP. Checking the history; no second request is sent. You can leave (esc)."
STARTED = "Started: it is in the history, although the response was lost. You can leave (esc)."
ACCEPTED = "Accepted. It runs on NCP; you can leave (esc) and follow it on any screen."
UNKNOWN = "{name}: unknown whether it was started."
STORAGE_KEY_KEY = ("create.storage_key", "f7")
HISTORY_KEY, REQUESTS_KEY, COPY_KEY = ("create.history", "h"), ("create.requests", "u"), ("screen.copy", "f8")
KEYS_RUNNING = "esc Leave, it keeps running   {history} History   {requests} Requests   {copy} Copy"
KEYS_OTHERWISE = "esc Leave   {history} History   {requests} Requests   {copy} Copy"
CHECK_AGAIN = "{step} Press {key} to check again."


class CreateForm(Vertical):
    """Cluster, name, bucket, the list of buckets, the preflight checks, Create, and the result."""

    _EDITABLE: ClassVar[tuple[str, ...]] = ("#name", "#bucket", "#buckets")

    @dataclass
    class Refused(Message):
        """A bucket was chosen that cannot be used."""

        bucket: Bucket

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__(id="form")
        self.preflight = PreflightLine(session, cluster)
        self._session = session
        self._cluster = cluster
        self._zone = ""
        """Of the template's time; empty where it is not known."""
        self._buckets: Sequence[Bucket] = ()

    def compose(self) -> ComposeResult:
        yield ProblemCard()
        yield CreateProgress()
        yield field_line("Cluster", Static("", id="cluster-facts", markup=False))
        yield field_line("Name", TextInput(id="name"), Verdict("name"))
        yield field_line("Bucket", TextInput(id="bucket"), Verdict("bucket"))
        yield RecordTable(BUCKETS.on_screen, empty=READING_BUCKETS, id="buckets")
        yield field_line("Preflight", self.preflight)
        with Horizontal(id="decision"):
            yield SendButton("Create snapshot", id="create", variant="success", compact=True)

    def on_mount(self) -> None:
        self.show_cluster(self._cluster)
        profile = self._profile
        self._box("bucket").value = (profile.default_bucket or "") if profile else ""

    @property
    def _profile(self) -> Profile | None:
        return self._session.identity.profile if self._session.identity else None

    @property
    def draft(self) -> SnapshotDraft:
        """The snapshot that the form describes, with all that was read."""
        identity, profile = self._session.identity, self._profile
        return SnapshotDraft(
            SnapshotRequest(
                self._cluster.number, self._cluster.name, self.name_typed, self._box("bucket").value.strip()
            ),
            Caller.of(identity) if identity is not None else Caller("", "", "", ""),
            protected=profile is not None and profile.protected,
            read_only=self._session.read_only,
            evidence=self.preflight.evidence if identity is not None else None,
        )

    def fill_name(self) -> Problem | None:
        """Put in a name from the template, at this time. Returns why the profile's template could not be used."""
        proposed = propose_name(self._cluster.name, self._profile, self._session.workspace.now())
        self._zone = proposed.zone
        box = self._box("name")
        box.value, box.cursor_position = proposed.name, len(proposed.name)
        return proposed.problem

    @property
    def name_typed(self) -> str:
        """The snapshot's name."""
        return self._box("name").value.strip()

    @property
    def can_create(self) -> bool:
        """Whether Create can be pressed."""
        return not self.query_one("#create", Button).disabled

    def show_cluster(self, cluster: Cluster) -> None:
        """Show the cluster and its state."""
        status = cluster.status or STATUS_UNKNOWN
        if not cluster.is_running:
            status = NOT_RUNNING.format(status=status)
        said = [cluster.name, cluster.number, status, cluster.health, cluster.engine]
        self.query_one("#cluster-facts", Static).update(one_line("  ".join(each for each in said if each)))

    def show_buckets(self, problem: Problem | None) -> None:
        """List the buckets and propose an available one; where there is no list, say that a name can be typed."""
        evidence = self.preflight.evidence
        self._buckets = evidence.buckets if evidence is not None else ()
        table, box = self.query_one("#buckets", RecordTable), self._box("bucket")
        table.show([BUCKETS.row(bucket) for bucket in self._buckets], empty=no_buckets(problem))
        if not box.value:
            box.value = next((bucket.name for bucket in self._buckets if bucket.usable), "")
        table.move_to(box.value)

    def show_verdicts(self, draft: SnapshotDraft, *, is_open: bool) -> None:
        """Show beside name and bucket what is wrong with them; `is_open`: Create can be pressed."""
        wrong = [*draft.name_problems]
        if draft.damage is not None:
            wrong.append(DAMAGED)
        elif draft.earlier is not None:
            wrong.append(USED)
        valid = VALID_IN.format(zone=self._zone) if self._zone else VALID
        name, bucket = draft.request.name, draft.request.bucket
        self._say("name", f"{len(name)}/{LONGEST}  {wrong[0] if wrong else valid}", good=not wrong)
        known = AVAILABLE if any(each.name == bucket for each in draft.buckets) else NOT_CHECKED
        why = draft.bucket_problem.what if draft.bucket_problem is not None else ""
        self._say("bucket", (why if bucket else CHOOSE_BUCKET) or known, good=not why)
        self.query_one("#create", Button).disabled = not is_open

    def close(self) -> None:
        """Keep the form as it was sent, out of sight: the snapshot stands in its place."""
        self.add_class("sent")
        self._set_disabled(True)
        self.query_one("#create").disabled = True

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
            self.query_one("#create").focus()
        elif bucket is not None:
            self.post_message(self.Refused(bucket))

    @on(Input.Submitted)
    def to_next_field(self, event: Input.Submitted) -> None:
        event.stop()
        self.query_one("#bucket" if event.input.id == "name" else "#create").focus()

    @on(RecordTable.Chosen, "#buckets")
    def choose_bucket(self) -> None:
        self.use_bucket()

    def _box(self, name: str) -> Input:
        return self.query_one(f"#{name}", Input)

    def _say(self, name: str, text: str, *, good: bool) -> None:
        self.query_one(f"#{name}-verdict", Verdict).say(text, good=good)

    def _set_disabled(self, disabled: bool) -> None:
        for selector in self._EDITABLE:
            self.query_one(selector).disabled = disabled


class PreflightLine(ReportsWorkerErrors, Static):
    """The preflight checks in one line. It reads what can be known before a create, and keeps it."""

    @dataclass
    class Checked(Message):
        """Something was read, or there is no client to read it with."""

        problem: Problem | None = None
        is_further: bool = False
        """Whether only older pages of the history were read."""

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__("", id="preflight", markup=False)
        self._session = session
        self._cluster = cluster
        self.evidence: PreflightEvidence | None = None
        self.is_checking = False
        self.note = ""
        """Of which moment the checks are, where a request has ended since, or just before."""
        self._note_then = ""
        self._is_cut_off = False

    def check(self, note: str = "") -> None:
        """Read everything again; what comes is of the moment that `note` tells of.

        After a refusal that is no act of the user, and the response pane stays with the refusal.
        """
        self.is_checking, self._note_then = True, note
        self.read_evidence(background=bool(note))

    @work(group="preflight", exclusive=True, exit_on_error=False, description="run the preflight checks")
    async def read_evidence(self, *, background: bool) -> None:
        """Read cluster, buckets and history, side by side, and the journal."""
        session = self._session
        try:
            with session.log.action(f"preflight checks of {self._cluster.name}", background=background):
                engine = await session.engine()
                evidence = await read_evidence(
                    engine, self._cluster, session.journal, session.workspace.now, with_inventory=True
                )
                self._keep(evidence, self.Checked())
                if evidence.has_older:  # the form does not wait for a long history
                    self._keep(await look_further(engine, evidence), self.Checked(is_further=True))
        except Problem as problem:
            self._keep(None, self.Checked(problem))

    def _keep(self, evidence: PreflightEvidence | None, checked: Checked) -> None:
        self.evidence, self._is_cut_off = evidence, evidence is None
        self.is_checking = evidence is not None and evidence.has_older
        if not checked.is_further:
            self.note = self._note_then
        self.post_message(checked)

    def show(self, draft: SnapshotDraft) -> None:
        """Show the preflight checks of `draft`."""
        words = checks_line(draft.preflight, self.note)
        if draft.evidence is None:
            words = NO_CHECKS if self._is_cut_off else CHECKING
        self.update(one_line(words))


class CreateProgress(TextView):
    """The form's own snapshot, in the place of the form once it was sent."""

    def __init__(self) -> None:
        super().__init__(id="progress")
        self.can_focus = False

    def show_snapshot(
        self, tracked: TrackedSnapshot, usual: UsualDuration | None, now: float, *, has_card: bool = False
    ) -> None:
        """Show all that is known of `tracked`; `now` is monotonic. What a card says is not said again."""
        lines = progress_lines(tracked, usual, now)
        if not tracked.is_open:
            name, (text, tone) = tracked.request.name, result(tracked)
            lines[0] = line(f"{name}: {title_word(tracked)}" if has_card else text, Tone(tone))
        runs = tracked.is_open and not tracked.is_to_be_sent
        keys = KEYS_RUNNING if runs else KEYS_OTHERWISE
        history, requests = key_of(HISTORY_KEY), key_of(REQUESTS_KEY)
        words = keys.format(history=history, requests=requests, copy=key_of(COPY_KEY))
        self.show([*lines, BLANK, line(words, Tone.DIM)], keep_place=True)


def no_buckets(problem: Problem | None, storage_key: tuple[str, str] = STORAGE_KEY_KEY) -> str:
    """What stands in the place of the buckets where none is listed; `problem` is why, if it is one.

    `storage_key` is the key that opens the dialog of it.
    """
    if problem is None:
        return CAN_TYPE.format(empty=BUCKETS.empty)
    return NO_STORAGE_KEY.format(key=key_of(storage_key)) if is_key_missing(problem) else NO_BUCKET_LIST


def draft_lines(draft: SnapshotDraft, preview: RequestRecord | None, now: datetime) -> list[Line]:
    """Everything wrong with the form, else the checks and the request that would be sent: its `preview`, if any."""
    checks = [*check_lines(draft.preflight, now, UNBROKEN), BLANK] if draft.preflight.checks else []
    if draft.problem is not None:
        # Beside its input a reason has 12 cells in a window of 60, and only the first one is there.
        wrong = [field("name", reason, Tone.BAD) for reason in draft.name_problems]
        if draft.bucket_problem is not None:
            wrong.append(field("bucket", draft.bucket_problem.what, Tone.BAD))
        if draft.read_only:
            refused = read_only_refused()
            wrong += [line(words, Tone.BAD) for words in (refused.what, refused.meaning, next_words(refused))]
        return [line(CANNOT_CREATE, Tone.DIM), *wrong, BLANK, *checks]
    if preview is None:
        return [line(NO_KEYS, Tone.DIM)]
    return [*checks, *request_lines(preview)]


def result(tracked: TrackedSnapshot) -> tuple[str, str]:
    """The result and its tone: one sentence, where a card on the form has the rest."""
    taken, (text, tone) = tracked.taken, final_sentence(tracked, problem_words)
    if taken is None:
        return NOT_STARTED.format(name=tracked.request.name), tone
    if taken.outcome is Outcome.ACCEPTED or taken.journal_problem is not None:
        return text, tone
    return taken.sentence, tone


def next_sentence(tracked: TrackedSnapshot) -> tuple[str, str]:
    """What happens now, and what the user may do in the meantime, with its tone."""
    progress, taken = tracked.progress, tracked.taken
    if progress is not None and (progress.problem is not None or progress.other is not None):
        return ACCEPTED_BUT.format(look=look_sentence(tracked.request.name, progress)), "warning"
    if taken is None:
        return (NO_ANSWER, "warning") if tracked.resolving else ("", "")
    if taken.by_history:
        return STARTED, "plain"
    return ACCEPTED, "plain"


def unknown_card(taken: CreateResult, found: Resolution) -> Problem:
    """What is known of a request whose result is unknown, and how to check again."""
    lost = f"{taken.error.what} " if taken.error is not None else ""
    evidence = found.evidence[:1].upper() + found.evidence[1:]
    again = (
        CHECK_AGAIN.format(step=found.next_step, key=key_of(REQUESTS_KEY))
        if taken.entry is not None
        else found.next_step
    )
    return Problem(taken.sentence, f"{lost}{evidence}", again)
