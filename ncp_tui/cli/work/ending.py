"""What is told after a create: what is proved of it, and with --wait how it ended."""

from __future__ import annotations

import click

from ncp_tui.cli.errors import ExitCode, SnapshotFailed, exit_code_of, problem_words
from ncp_tui.cli.runner import CommandContext
from ncp_tui.cli.work.attempt import Attempt, Wishes
from ncp_tui.cli.work.waiting import follow
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import SnapshotState
from ncp_tui.snapshots.create import CreateResult
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.view.progress import end_sentence, other_sentence


class Ending:
    """The end of one `snapshot create`."""

    def __init__(self, context: CommandContext, attempt: Attempt, wishes: Wishes) -> None:
        self._session = context
        self._attempt = attempt
        self._wishes = wishes

    def tell(self, tracked: TrackedSnapshot) -> ExitCode:
        """Say what came of a create that was sent, and follow it where that was asked for. Raises SnapshotFailed."""
        taken = tracked.taken
        if taken is None:
            raise ValueError("it was not sent")
        if taken.journal_problem is not None:
            self._session.out.error(f"The journal does not hold the outcome. {problem_words(taken.journal_problem)}")
        if taken.outcome is not Outcome.ACCEPTED:
            return self._not_started(taken)
        if self._wishes.wait:
            self._session.out.note(taken.sentence)
            return self._wait(tracked)
        request = taken.request
        self._session.out.answer(
            self._attempt.document(), f"{taken.sentence}\nRequest id: {taken.request_id or 'none was given'}"
        )
        if self._wishes.offer_wait and click.confirm("Follow it to its end?", default=True, err=True):
            return self._wait(tracked)
        self._session.out.note(f"Follow it with: ncp-tui snapshot wait {request.cluster_name} {request.name}")
        return ExitCode.DONE

    def _not_started(self, taken: CreateResult) -> ExitCode:
        error = taken.error or GatewayError("The service gave no reason.")
        self._session.tell(error)
        if taken.outcome is not Outcome.UNKNOWN:
            return exit_code_of(error)
        if taken.resolution is not None:
            self._session.out.error(taken.resolution.sentence)
        if taken.entry is not None:
            self._session.out.error("Find out later with: ncp-tui snapshot resolve.")
        self._session.out.error(f"Look yourself with: ncp-tui snapshot history {taken.request.cluster_name}")
        return ExitCode.UNKNOWN

    def _wait(self, tracked: TrackedSnapshot) -> ExitCode:
        seconds = self._wishes.timeout
        follow(self._session, tracked, seconds)
        error, seen = tracked.problem, tracked.progress
        if error is not None:
            # Accepted is accepted: this is no failure to authenticate but the end of what can be seen of it.
            return self._wait_ended(f"{error.what} It goes on, but can no longer be followed. {error.next_step}", error)
        row = seen.entry if seen is not None else None
        if row is not None and row.state is SnapshotState.FAILED:
            self._attempt.finished = "failed"
            raise SnapshotFailed(end_sentence(row)[0])
        if row is not None and row.state is SnapshotState.SUCCESS:
            self._attempt.finished = "success"
            self._session.out.answer(self._attempt.document(), end_sentence(row)[0])
            return ExitCode.DONE
        other = "" if seen is None or seen.other is None else f" {other_sentence(tracked.request.name, seen.other)}"
        return self._wait_ended(f"{seconds:g} s are over; it goes on.{other}")

    def _wait_ended(self, why: str, error: Problem | None = None) -> ExitCode:
        self._session.out.error(f"{self._attempt.sentence()} {why}".rstrip())
        if self._session.settings.json:
            self._session.out.document(self._attempt.document(error))
        return ExitCode.WAIT_ENDED
