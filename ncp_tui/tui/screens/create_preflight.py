"""What was seen before a create: in one line of the form, and in full in the panel beside the request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rich.text import Text
from textual import work
from textual.message import Message
from textual.widgets import Static

from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.draft import SnapshotDraft, read_only_refused
from ncp_tui.snapshots.preflight import PreflightEvidence, look_further, read_evidence
from ncp_tui.tui.next_steps import next_words
from ncp_tui.tui.session import Session
from ncp_tui.tui.terminal.charset import escape
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors
from ncp_tui.view.exchanges import request_lines
from ncp_tui.view.preflight import checks_line, light_lines
from ncp_tui.view.text import BLANK, Line, Tone, field, line


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


def draft_lines(draft: SnapshotDraft, preview: RequestRecord | None, now: datetime) -> list[Line]:
    """All that is wrong with the form, else the checks and the request that would leave: its `preview`, if any."""
    checks = [*light_lines(draft.preflight, now), BLANK] if draft.preflight.checks else []
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
