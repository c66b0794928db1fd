"""What the screens about one snapshot share: a support file with everything known about it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from textual import on, work
from textual.binding import Binding
from textual.message import Message

from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.evidence import Evidence, gather_evidence
from ncp_tui.snapshots.evidence_file import CannotWriteEvidence, file_name, write_evidence
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.screens.table import TableScreen
from ncp_tui.tui.session import Session
from ncp_tui.view.evidence import evidence_lines, history_gap

NO_SNAPSHOT = "No snapshot selected."
COLLECTING = "Collecting evidence for {name} ..."
NEXT_STEP = (
    "The file is written to the folder ncp-tui was started in. Press e to retry, or start ncp-tui in a writable folder."
)
SLOW_DISK = "The disk did not answer within {seconds:g} s."
MAY_BE_MISSING = "The file may be missing."
RETRY = "Press e to retry."
SAVED = "Saved: {name}"


def evidence_key(screen: str) -> Binding:
    """The key for it, among the own keys of `screen`."""
    words = "Write a support file, without keys, of all that is known of this snapshot"
    return Binding("e", "evidence", "Evidence", tooltip=words, id=f"{screen}.evidence")


@dataclass(frozen=True)
class HistoryRead:
    """What a screen adds to the records of this machine: the profile, and the history or why there is none."""

    identity: Identity | None
    clock_offset: ClockOffset | None = None
    history: Sequence[HistoryEntry] | None = None
    problem: Problem | None = None


class EvidenceScreen(TableScreen):
    """A table of snapshots. A subclass names the one under the cursor, and reads its history."""

    @dataclass
    class EvidenceWritten(Message):
        """The file was written, or could not be."""

        evidence: Evidence | None
        path: Path | None = None
        problem: Problem | None = None

    def snapshot_in_question(self) -> tuple[str, str] | None:
        """The name of the snapshot under the cursor and its cluster's number; None where there is none."""
        raise NotImplementedError

    async def read_history_of(self, name: str, number: str) -> HistoryRead:
        """Read the history of cluster `number`. What cannot be read is part of the answer."""
        raise NotImplementedError

    def action_evidence(self) -> None:
        chosen = self.snapshot_in_question()
        if chosen is None:
            self.say(NO_SNAPSHOT, "warning")
            return
        self.say(COLLECTING.format(name=chosen[0]))
        self.bundle_evidence(*chosen)

    @work(group="evidence", exclusive=True, exit_on_error=False, description="write evidence")
    async def bundle_evidence(self, name: str, number: str) -> None:
        """Read history, journal and session log, and write one file, which names what could not be read."""
        session = self.session
        read = await self.read_history_of(name, number)
        secrets, access_keys = known_keys(session)

        def bundle() -> tuple[Evidence, Path]:
            workspace = session.workspace
            found = gather_evidence(name, workspace.paths, made_at=workspace.now(), log=session.log, cluster=number)
            evidence = _completed(found, read, name)
            target = workspace.folder / file_name(evidence)
            return evidence, write_evidence(evidence, target, secrets=secrets, access_keys=access_keys)

        try:
            evidence, path = await run_blocking(bundle, DISK_SECONDS)
        except CannotWriteEvidence as problem:
            problem.next_step = NEXT_STEP
            self.post_message(self.EvidenceWritten(None, problem=problem))
        except TimeoutError:
            slow = Problem(SLOW_DISK.format(seconds=DISK_SECONDS), MAY_BE_MISSING, RETRY)
            self.post_message(self.EvidenceWritten(None, problem=slow))
        else:
            self.post_message(self.EvidenceWritten(evidence, path))

    @on(EvidenceWritten)
    def show_evidence(self, event: EvidenceWritten) -> None:
        """Show the path and the conclusion in a box: a path does not fit into every status line."""
        if event.evidence is None or event.path is None:
            if event.problem is not None:
                self.show_problem(event.problem)
            return
        self.hide_problem()
        self.say(SAVED.format(name=event.path.name), "good")
        self.app.push_screen(TextDialog("Evidence", evidence_lines(event.evidence, event.path)))


def known_keys(session: Session) -> tuple[list[SecretKey], list[str]]:
    """The secret keys and access keys this run knows, to take out of what it writes."""
    identities = session.identities.identities
    held = [each.secret_key for each in identities if each.secret_key is not None]
    return [*session.secrets, *held], [key for each in identities for key in each.access_keys]


def _completed(evidence: Evidence, read: HistoryRead, name: str) -> Evidence:
    rows = read.history
    gaps = list(evidence.gaps)
    if read.problem is not None:
        gaps.append(history_gap(read.problem))
    return dataclasses.replace(
        evidence,
        identity=read.identity,
        clock_offset=read.clock_offset,
        history=None if rows is None else [row for row in rows if row.snapshot == name],
        gaps=gaps,
    )
