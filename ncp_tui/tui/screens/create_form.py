"""The form of a snapshot: what is typed and chosen, what is wrong with it, what was checked, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.models import Bucket, Cluster
from ncp_tui.search_engine.operations import is_key_missing
from ncp_tui.snapshots.create import CreateResult
from ncp_tui.snapshots.draft import SnapshotDraft, propose_name, read_only_refused
from ncp_tui.snapshots.history_search import Resolution
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest
from ncp_tui.snapshots.preflight import PreflightEvidence, look_further, read_evidence
from ncp_tui.snapshots.rules import LONGEST
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.tui.key_bindings import next_words, problem_words
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors
from ncp_tui.tui.widgets.inputs import SendButton, TextInput
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.view.buckets import BUCKETS
from ncp_tui.view.exchanges import request_lines
from ncp_tui.view.preflight import check_lines, checks_line
from ncp_tui.view.progress import final_sentence, look_sentence, state_text
from ncp_tui.view.text import BLANK, Line, Tone, field, line


class CreateForm(Vertical):
    """Cluster, name, bucket, the list of buckets, the checks, Create, and what came of it."""

    _EDITABLE: ClassVar[tuple[str, ...]] = ("#name", "#bucket", "#buckets")

    @dataclass
    class Refused(Message):
        """A bucket was chosen that cannot take a snapshot."""

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
        yield from _line("Cluster", Static("", id="cluster-facts", markup=False))
        yield from _line("Name", TextInput(id="name"), _verdict("name"))
        yield from _line("Bucket", TextInput(id="bucket"), _verdict("bucket"))
        yield RecordTable(BUCKETS.on_screen, empty="Reading the buckets ...", id="buckets")
        yield from _line("Lights", self.preflight)
        with Horizontal(id="decision"):
            yield SendButton("Create snapshot", id="create", variant="success", compact=True)
            yield CreateProgress()

    def on_mount(self) -> None:
        self.show_cluster(self._cluster)
        profile = self._profile
        self._box("bucket").value = (profile.default_bucket or "") if profile else ""

    @property
    def _profile(self) -> Profile | None:
        return self._session.identity.profile if self._session.identity else None

    @property
    def draft(self) -> SnapshotDraft:
        """What is in the form, with all that is known of it."""
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
        """Put a name of the template in, with the time of now. Returns why it is not of the profile's template."""
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
        """Whether Create is open."""
        return not self.query_one("#create", Button).disabled

    def show_cluster(self, cluster: Cluster) -> None:
        """Say which cluster it is, and how it is."""
        status = cluster.status or "status unknown"
        if not cluster.is_running:
            status += ", not running: the service may refuse"
        said = [cluster.name, cluster.number, status, cluster.health, cluster.engine]
        self.query_one("#cluster-facts", Static).update(_one_line("  ".join(each for each in said if each)))

    def show_buckets(self, problem: Problem | None) -> None:
        """List the buckets, or say that one can be typed, as where they could not be read; a usable one is proposed."""
        evidence = self.preflight.evidence
        self._buckets = evidence.buckets if evidence is not None else ()
        empty = f"{BUCKETS.empty} One can be typed by hand."
        if problem is not None:
            empty = "The bucket list could not be read. A bucket can be typed by hand."
            if is_key_missing(problem):
                empty = "The cluster has no storage key, so it names no buckets."
        table, box = self.query_one("#buckets", RecordTable), self._box("bucket")
        table.show([BUCKETS.row(bucket) for bucket in self._buckets], empty=empty)
        if not box.value:
            box.value = next((bucket.name for bucket in self._buckets if bucket.usable), "")
        table.move_to(box.value)

    def show_verdicts(self, draft: SnapshotDraft, *, is_open: bool) -> None:
        """Say beside name and bucket what is wrong with them; `is_open` says whether Create can be pressed."""
        wrong = [*draft.name_problems]
        if draft.damage is not None:
            wrong.append("the journal is damaged")
        elif draft.earlier is not None:
            wrong.append("asked for before")
        legal = f"legal; time is {self._zone}" if self._zone else "legal"
        name, bucket = draft.request.name, draft.request.bucket
        self._say("name", f"{len(name)}/{LONGEST}  {wrong[0] if wrong else legal}", good=not wrong)
        known = "usable" if any(each.name == bucket for each in draft.buckets) else "not checked"
        why = draft.bucket_problem.what if draft.bucket_problem is not None else ""
        self._say("bucket", (why if bucket else "choose a bucket") or known, good=not why)
        self.query_one("#create", Button).disabled = not is_open

    def close(self) -> None:
        """Leave it as it was sent."""
        self._set_disabled(True)
        self.query_one("#create").disabled = True

    def reopen(self) -> None:
        """Let it be corrected."""
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
        verdict = self.query_one(f"#{name}-verdict", Static)
        verdict.update(_one_line(text))
        verdict.set_class(good, "good")
        verdict.set_class(not good, "bad")

    def _set_disabled(self, disabled: bool) -> None:
        for selector in self._EDITABLE:
            self.query_one(selector).disabled = disabled


class PreflightLine(ReportsWorkerErrors, Static):
    """The checks in one line. It looks at all that can be seen before a create, and holds what was seen."""

    @dataclass
    class Looked(Message):
        """Something was read, or there is no client to read it with."""

        problem: Problem | None = None
        is_further: bool = False
        """Whether only the history was looked at, behind its newest page."""

    def __init__(self, session: Session, cluster: Cluster) -> None:
        super().__init__("", id="preflight", markup=False)
        self._session = session
        self._cluster = cluster
        self.evidence: PreflightEvidence | None = None
        self.is_looking = False
        self.became = ""
        """What became of a request since the checks were read; they were about that one."""
        self._is_cut_off = False

    def look(self) -> None:
        """Read all of it anew."""
        self.is_looking = True
        self.read_evidence()

    @work(group="facts", exclusive=True, exit_on_error=False, description="look before a create")
    async def read_evidence(self) -> None:
        """Read cluster, buckets and history, side by side, and the journal."""
        session = self._session
        try:
            with session.log.action(f"look before a snapshot of {self._cluster.name}"):
                engine = await session.engine()
                evidence = await read_evidence(engine, self._cluster, session.journal, session.workspace.now)
                self._keep(evidence, self.Looked())
                if evidence.has_older:  # the form is not kept waiting for a long history
                    self._keep(await look_further(engine, evidence), self.Looked(is_further=True))
        except Problem as problem:
            self._keep(None, self.Looked(problem))

    def _keep(self, evidence: PreflightEvidence | None, looked: Looked) -> None:
        self.evidence, self._is_cut_off = evidence, evidence is None
        self.is_looking = evidence is not None and evidence.has_older
        if not looked.is_further:
            self.became = ""
        self.post_message(looked)

    def show(self, draft: SnapshotDraft) -> None:
        """Show the checks of `draft`."""
        words = checks_line(draft.preflight, self.became)
        if draft.evidence is None:
            words = "not known: nothing could be read" if self._is_cut_off else "looking at the cluster ..."
        self.update(Text(escape(words), no_wrap=True, overflow="ellipsis"))


class CreateProgress(Static):
    """How far the form's own snapshot is, beside the button that asked for it."""

    def __init__(self) -> None:
        super().__init__("", id="progress", markup=False)

    def show(self, tracked: TrackedSnapshot, now: float) -> None:
        """Show it; `now` is monotonic."""
        text, tone = (state_text(tracked, now), "warning") if tracked.is_open else result(tracked)
        for name in ("good", "bad", "warning"):
            self.set_class(name == tone, name)
        self.update(Text(escape(f"{tracked.request.name}: {text}" if tracked.is_open else text)))


def draft_lines(draft: SnapshotDraft, preview: RequestRecord | None, now: datetime) -> list[Line]:
    """All that is wrong with the form, else the checks and the request that would leave: its `preview`, if any."""
    checks = [*check_lines(draft.preflight, now), BLANK] if draft.preflight.checks else []
    if draft.problem is not None:
        # Beside its input a reason has 12 cells in a window of 60, and only the first one is there.
        wrong = [field("name", reason, Tone.BAD) for reason in draft.name_problems]
        if draft.bucket_problem is not None:
            wrong.append(field("bucket", draft.bucket_problem.what, Tone.BAD))
        if draft.read_only:
            refused = read_only_refused()
            wrong += [line(words, Tone.BAD) for words in (refused.what, refused.meaning, next_words(refused))]
        return [line("Nothing can be sent yet: see the marks above.", Tone.DIM), *wrong, BLANK, *checks]
    if preview is None:
        return [line("The keys are not loaded yet.", Tone.DIM)]
    return [*checks, *request_lines(preview)]


def result(tracked: TrackedSnapshot) -> tuple[str, str]:
    """What came of it, and its tone: one sentence, where a card on the form has the rest."""
    taken, (text, tone) = tracked.taken, final_sentence(tracked, problem_words)
    if taken is None:
        return f"Not started: {tracked.request.name}.", tone
    if taken.outcome is Outcome.ACCEPTED or taken.journal_problem is not None:
        return text, tone
    return taken.sentence, tone


def goes_on(tracked: TrackedSnapshot) -> tuple[str, str]:
    """What happens now, and what the user may do meanwhile."""
    progress, taken = tracked.progress, tracked.taken
    if progress is not None and (progress.problem is not None or progress.other is not None):
        return f"Accepted. {look_sentence(tracked.request.name, progress)}", "warning"
    if taken is None:
        return (
            ("Only one request was sent. esc leaves; the looking goes on.", "warning")
            if tracked.resolving
            else ("", "")
        )
    if taken.by_history:
        return "Started: the history names it, though no answer said so. esc leaves.", "plain"
    return "Accepted: it goes on without you. esc leaves; every screen shows how it does.", "plain"


def in_doubt(taken: CreateResult, found: Resolution) -> Problem:
    """What is known of a create that nothing proves, and where to look again."""
    lost = f"{taken.error.what} " if taken.error is not None else ""
    evidence = found.evidence[:1].upper() + found.evidence[1:]
    again = " u on the clusters looks again." if taken.entry is not None else ""
    return Problem(taken.sentence, f"{lost}{evidence}", f"{found.next_step}{again}")


def _line(label: str, *widgets: Widget) -> Iterator[Widget]:
    yield Horizontal(Static(label, classes="label", markup=False), *widgets, classes="field")


def _verdict(name: str) -> Static:
    return Static("", id=f"{name}-verdict", classes="verdict", markup=False)


def _one_line(text: str) -> Text:
    return Text(escape(text), no_wrap=True, overflow="ellipsis")
