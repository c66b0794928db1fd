"""What the screens about one snapshot share: writing all that is known of it into a file for a support ticket."""

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
from ncp_tui.snapshots.evidence import CannotWriteEvidence, Evidence, file_name, gather_evidence, write_evidence
from ncp_tui.system.blocking import run_blocking
from ncp_tui.system.deadlines import DISK_SECONDS
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.screens.table import TableScreen
from ncp_tui.tui.session import Session
from ncp_tui.view.evidence import evidence_lines, history_gap


def evidence_key(screen: str) -> Binding:
    """The key for it, among the own keys of `screen`."""
    words = "Write all that is known of this snapshot into a file for a support ticket"
    return Binding("e", "evidence", "Evidence", tooltip=words, id=f"{screen}.evidence")


@dataclass(frozen=True)
class LookedUp:
    """What a screen adds to what is on this machine: who asked, and the history, or why there is none."""

    identity: Identity | None
    clock_offset: ClockOffset | None = None
    history: Sequence[HistoryEntry] | None = None
    problem: Problem | None = None


class EvidenceScreen(TableScreen):
    """A table of snapshots. A subclass names the one under the cursor, and says how its history is read."""

    @dataclass
    class EvidenceWritten(Message):
        """The file is there, or it is known why not."""

        evidence: Evidence | None
        path: Path | None = None
        problem: Problem | None = None

    def snapshot_in_question(self) -> tuple[str, str] | None:
        """The name of the snapshot under the cursor and its cluster's number; None where there is none."""
        raise NotImplementedError

    async def look_up(self, name: str, number: str) -> LookedUp:
        """Read the history of cluster `number`. What cannot be read is part of the answer."""
        raise NotImplementedError

    def action_evidence(self) -> None:
        chosen = self.snapshot_in_question()
        if chosen is None:
            self.say("There is no snapshot under the cursor.", "warning")
            return
        self.say(f"Gathering what is known of {chosen[0]} ...")
        self.bundle_evidence(*chosen)

    @work(group="evidence", exclusive=True, exit_on_error=False, description="write evidence")
    async def bundle_evidence(self, name: str, number: str) -> None:
        """Read history, journal and session log, and write one file. What cannot be read is a gap, and said in it."""
        session = self.session
        looked_up = await self.look_up(name, number)
        secrets, access_keys = known_keys(session)

        def bundle() -> tuple[Evidence, Path]:
            workspace = session.workspace
            found = gather_evidence(name, workspace.paths, made_at=workspace.now(), log=session.log, cluster=number)
            evidence = _completed(found, looked_up, name)
            target = workspace.folder / file_name(evidence)
            return evidence, write_evidence(evidence, target, secrets=secrets, access_keys=access_keys)

        try:
            evidence, path = await run_blocking(bundle, DISK_SECONDS)
        except CannotWriteEvidence as problem:
            problem.next_step = (
                "The file goes to the folder ncp-tui was started in. Press e again, or start it elsewhere."
            )
            self.post_message(self.EvidenceWritten(None, problem=problem))
        except TimeoutError:
            slow = Problem(
                f"The disk did not answer within {DISK_SECONDS:g} s.", "The file may not be there.", "Press e again."
            )
            self.post_message(self.EvidenceWritten(None, problem=slow))
        else:
            self.post_message(self.EvidenceWritten(evidence, path))

    @on(EvidenceWritten)
    def show_evidence(self, event: EvidenceWritten) -> None:
        """Say where the file is and what it proves, in a box: a path does not fit into every status line."""
        if event.evidence is None or event.path is None:
            if event.problem is not None:
                self.show_problem(event.problem)
            return
        self.hide_problem()
        self.say(f"Written: {event.path.name}", "good")
        self.app.push_screen(TextDialog("Evidence", evidence_lines(event.evidence, event.path)))


def known_keys(session: Session) -> tuple[list[SecretKey], list[str]]:
    """The secret keys and access keys this run knows of, for taking them out of what it writes."""
    identities = session.identities.identities
    held = [each.secret_key for each in identities if each.secret_key is not None]
    return [*session.secrets, *held], [key for each in identities for key in each.access_keys]


def _completed(evidence: Evidence, looked_up: LookedUp, name: str) -> Evidence:
    rows = looked_up.history
    gaps = list(evidence.gaps)
    if looked_up.problem is not None:
        gaps.append(history_gap(looked_up.problem))
    return dataclasses.replace(
        evidence,
        identity=looked_up.identity,
        clock_offset=looked_up.clock_offset,
        history=None if rows is None else [row for row in rows if row.snapshot == name],
        gaps=gaps,
    )
