"""One `snapshot create`: what is known of it at every moment, also when it breaks off, and how its end is told."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

import click

from ncp_tui.cli.errors import ExitCode, SnapshotFailed, exit_code_of, next_words, problem_words
from ncp_tui.cli.request_report import HAS_LEFT, LeftRequests, cluster_member, error_member
from ncp_tui.cli.runner import CommandContext
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster, SnapshotState
from ncp_tui.search_engine.operations import CREATE_SNAPSHOT
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.create import CreateResult
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.outcome import Outcome, outcome_sentence
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.view.format import elapsed
from ncp_tui.view.progress import end_sentence, look_sentence, other_sentence, unended_words

Finished = Literal["success", "failed"]

_SAY_AGAIN = 60.0
"""Seconds after which an unchanged state is told once more, so that a log shows that the command is still waiting."""


@dataclass(frozen=True)
class CreateOptions:
    """The options of the command."""

    cluster: str
    bucket: str | None = None
    name: str | None = None
    template: str | None = None
    dry_run: bool = False
    wait: bool = False
    offer_wait: bool = False
    """Ask, once it is accepted, whether to follow it to its end."""
    timeout: float = 3600.0
    yes: bool = False
    confirm: str | None = None
    without_journal: bool = False
    retry_if_not_started: bool = False
    again: str | None = None
    """The earlier request for the same snapshot that the user has said yes to."""


@dataclass
class CreateReport:
    """What was requested, as far as it is known, and how far it got."""

    log: SessionLog
    wanted_cluster: str
    snapshot: str | None = None
    bucket: str | None = None
    cluster: Cluster | None = None
    taken: CreateResult | None = None
    finished: Finished | None = None

    def __post_init__(self) -> None:
        number = self.cluster.number if self.cluster is not None else ""
        self._left = LeftRequests(self.log, CREATE_SNAPSHOT, number)

    def begin_sending(self) -> None:
        """From here on the outcome is that of what leaves now: what an earlier `take` proved says nothing of it."""
        self.taken = None
        self._left.begin()

    async def keep(self, taking: Awaitable[CreateResult]) -> CreateResult:
        """What `taking` returns, kept before a signal that came meanwhile is heard."""
        self.taken = await taking
        return self.taken

    @property
    def outcome(self) -> Outcome:
        """What is proved. A create that was cut off before `take` could judge it is judged by what left the machine."""
        return self.taken.outcome if self.taken is not None else self._left.outcome

    def sentence(self) -> str:
        """What became of it in words: one of started, not started, unknown."""
        if self.taken is not None:
            return self.taken.sentence
        name = self.snapshot or "the snapshot"
        return outcome_sentence(self.outcome, name)

    def document(self, problem: Problem | None = None) -> dict[str, Any]:
        """The document of the contract. `problem` is what it ended in, if anything."""
        earlier = {"earlier": problem.earlier.document()} if isinstance(problem, SecondRequest) else {}
        return {
            "outcome": self.outcome.value,
            "resolved_by": "history" if self.taken is not None and self.taken.by_history else None,
            "finished": self.finished,
            "snapshot": self.snapshot,
            "cluster": cluster_member(self.wanted_cluster, self.cluster),
            "bucket": self.bucket,
            "request_id": self._request_id(),
            "attempts": self.taken.attempts if self.taken else int(self.outcome in HAS_LEFT),
            "error": None if problem is None else error_member(problem),
            **earlier,
            **self._not_journaled(),
        }

    def _request_id(self) -> str | None:
        """The id of the create itself; a read that failed before it has one of its own, in no way this snapshot's."""
        return self.taken.request_id if self.taken is not None else self._left.request_id

    def _not_journaled(self) -> dict[str, bool]:
        """Told where the journal does not hold all that is known of what was sent."""
        writer = self.taken.writer if self.taken is not None else None
        return {} if writer is None or writer.problem is None else {"journaled": False}


class Ending:
    """The end of one `snapshot create`."""

    def __init__(self, context: CommandContext, report: CreateReport, options: CreateOptions) -> None:
        self._context = context
        self._report = report
        self._options = options

    def tell(self, tracked: TrackedSnapshot) -> ExitCode:
        """Say what came of a request that was sent, and follow it with --wait. Raises SnapshotFailed."""
        taken = tracked.taken
        if taken is None:
            raise ValueError("it was not sent")
        if taken.journal_problem is not None:
            self._context.out.error(f"Not recorded in the journal. {problem_words(taken.journal_problem)}")
        if taken.outcome is not Outcome.ACCEPTED:
            return self._not_started(taken)
        if self._options.wait:
            self._context.out.note(taken.sentence)
            return self._wait(tracked)
        request = taken.request
        self._context.out.answer(self._report.document(), f"{taken.sentence}\nRequest ID: {taken.request_id or '-'}")
        if self._options.offer_wait and click.confirm("Wait until it finishes?", default=True, err=True):
            return self._wait(tracked)
        self._context.out.note(f"Follow it: ncp-tui snapshot wait {request.cluster_name} {request.name}")
        return ExitCode.DONE

    def _not_started(self, taken: CreateResult) -> ExitCode:
        error = taken.error or GatewayError("NCP gave no reason.")
        self._context.tell(error)
        if taken.outcome is not Outcome.UNKNOWN:
            return exit_code_of(error)
        if taken.resolution is not None:
            self._context.out.error(taken.resolution.sentence)
        if taken.entry is not None:
            self._context.out.error("Check again later: ncp-tui snapshot resolve")
        self._context.out.error(f"Read the history: ncp-tui snapshot history {taken.request.cluster_name}")
        return ExitCode.UNKNOWN

    def _wait(self, tracked: TrackedSnapshot) -> ExitCode:
        seconds = self._options.timeout
        follow(self._context, tracked, seconds)
        error, seen = tracked.problem, tracked.progress
        if error is not None:
            # Accepted is accepted: this is no failure to authenticate but the end of what can be seen of it.
            return self._wait_ended(f"{error.what} The snapshot can no longer be followed. {next_words(error)}", error)
        row = seen.entry if seen is not None else None
        if row is not None and row.state is SnapshotState.FAILED:
            self._report.finished = "failed"
            raise SnapshotFailed(end_sentence(row)[0])
        if row is not None and row.state is SnapshotState.SUCCESS:
            self._report.finished = "success"
            self._context.out.answer(self._report.document(), end_sentence(row)[0])
            return ExitCode.DONE
        other = "" if seen is None or seen.other is None else f" {other_sentence(tracked.request.name, seen.other)}"
        known = unended_words(tracked.request.name, row)
        return self._wait_ended(f"Timed out after {seconds:g} s; {known}.{other}")

    def _wait_ended(self, why: str, error: Problem | None = None) -> ExitCode:
        self._context.out.error(f"{self._report.sentence()} {why}".rstrip())
        if self._context.settings.json:
            self._context.out.document(self._report.document(error))
        return ExitCode.WAIT_ENDED


def follow(context: CommandContext, tracked: TrackedSnapshot, seconds: float) -> None:
    """Follow it until it has ended or `seconds` are over, and say what each look shows."""
    tracker, writer = context.tracker, tracked.writer
    tracker.subscribe(_Teller(tracked.request.name, context.out.note).tell)
    work = tracker.follow(tracked, seconds=seconds)
    context.wait(writer.meanwhile(work) if writer is not None else work)
    if tracked.journal_problem is not None:
        context.out.note(f"The end is not recorded in the journal. {problem_words(tracked.journal_problem)}")


class _Teller:
    """Says what a look has shown when it is new, and once a minute when it is not."""

    def __init__(self, name: str, note: Callable[[str], None]) -> None:
        self._name = name
        self._note = note
        self._last = ""
        self._said_at = 0.0

    def tell(self, tracked: TrackedSnapshot) -> None:
        progress = tracked.progress
        if progress is None or tracked.problem is not None:
            return
        text = look_sentence(self._name, progress)
        now = time.monotonic()
        if text != self._last or now - self._said_at >= _SAY_AGAIN:
            self._note(f"{elapsed(progress.elapsed):>5}  {text}")
            self._last, self._said_at = text, now
