"""The fields of a create: what is typed and chosen, and beside each what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Bucket, Cluster
from ncp_tui.search_engine.refusals import is_key_missing
from ncp_tui.snapshots.draft import SnapshotDraft
from ncp_tui.snapshots.rules import LONGEST
from ncp_tui.tui.screens.create_follow import CreateProgress
from ncp_tui.tui.screens.create_preflight import PreflightLine
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.widgets.inputs import SendButton, TextInput
from ncp_tui.tui.widgets.problem_card import ProblemCard
from ncp_tui.tui.widgets.record_table import RecordTable
from ncp_tui.view.buckets import BUCKETS


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

    @property
    def name_typed(self) -> str:
        """The snapshot's name."""
        return self._box("name").value.strip()

    @property
    def bucket_typed(self) -> str:
        """The bucket's name."""
        return self._box("bucket").value.strip()

    @property
    def can_create(self) -> bool:
        """Whether Create is open."""
        return not self.query_one("#create", Button).disabled

    def fill(self, *, name: str | None = None, bucket: str | None = None) -> None:
        """Put a proposal in."""
        if name is not None:
            box = self._box("name")
            box.value, box.cursor_position = name, len(name)
        if bucket is not None:
            self._box("bucket").value = bucket

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

    def show_verdicts(self, draft: SnapshotDraft, zone: str, *, is_open: bool) -> None:
        """Say beside name and bucket what is wrong with them; Create is open where the create may be asked for.

        `zone` is that of the template's time; empty where it is not known.
        """
        wrong = [*draft.name_problems]
        if draft.damage is not None:
            wrong.append("the journal is damaged")
        elif draft.earlier is not None:
            wrong.append("asked for before")
        legal = f"legal; time is {zone}" if zone else "legal"
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

    def take_bucket(self) -> None:
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
        self.take_bucket()

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


def _line(label: str, *widgets: Widget) -> Iterator[Widget]:
    yield Horizontal(Static(label, classes="label", markup=False), *widgets, classes="field")


def _verdict(name: str) -> Static:
    return Static("", id=f"{name}-verdict", classes="verdict", markup=False)


def _one_line(text: str) -> Text:
    return Text(escape(text), no_wrap=True, overflow="ellipsis")
