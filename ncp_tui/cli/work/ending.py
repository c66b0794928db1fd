"""What is told after a create: what is proved of it, and with --wait how it ended."""

from __future__ import annotations

import click

from ncp_tui.cli.exit_codes import ExitCode, exit_code_of
from ncp_tui.cli.work.attempt import Attempt, Finished, Wishes
from ncp_tui.cli.work.problems import SnapshotFailed
from ncp_tui.cli.work.session import Session
from ncp_tui.cli.work.waiting import follow, told_of_other
from ncp_tui.gateway import GatewayError
from ncp_tui.search_engine import HistoryEntry, SearchEngine, SnapshotState
from ncp_tui.snapshots import Fact, Outcome, Taken
from ncp_tui.view.history import history_sentence


class Ending:
    """The end of one `snapshot create`."""

    def __init__(self, session: Session, attempt: Attempt, wishes: Wishes) -> None:
        self._session = session
        self._attempt = attempt
        self._wishes = wishes

    def tell(self, engine: SearchEngine, taken: Taken) -> ExitCode:
        """Say what came of it, and follow it where that was asked for. Raises SnapshotFailed."""
        if taken.journal_problem is not None:
            self._session.out.error(f"The journal does not hold the outcome. {taken.journal_problem.sentences()}")
        if taken.outcome is not Outcome.ACCEPTED:
            return self._not_started(taken)
        if self._wishes.wait:
            self._session.out.note(taken.sentence)
            return self._wait(engine, taken)
        request = taken.request
        self._session.out.answer(
            self._attempt.document(), f"{taken.sentence}\nRequest id: {taken.request_id or 'none was given'}"
        )
        if self._wishes.offer_wait and click.confirm("Follow it to its end?", default=True, err=True):
            return self._wait(engine, taken)
        self._session.out.note(f"Follow it with: ncp-tui snapshot wait {request.cluster_name} {request.name}")
        return ExitCode.DONE

    def _not_started(self, taken: Taken) -> ExitCode:
        error = taken.error or GatewayError("The service gave no reason.")
        self._session.tell(error)
        if taken.outcome is not Outcome.UNKNOWN:
            return exit_code_of(error)
        if taken.settlement is not None:
            self._session.out.error(taken.settlement.sentence)
        if taken.entry is not None:
            self._session.out.error("Find out later with: ncp-tui snapshot resolve.")
        self._session.out.error(f"Look yourself with: ncp-tui snapshot history {taken.request.cluster_name}")
        return ExitCode.UNKNOWN

    def _wait(self, engine: SearchEngine, taken: Taken) -> ExitCode:
        request, seconds = taken.request, self._wishes.timeout
        looks = follow(
            engine,
            taken.asked,
            seconds=seconds,
            note=self._session.out.note,
            now=self._session.home.now,
        )
        try:
            with self._session.log.action(f"wait for {request.name}"):
                seen = self._session.wait(taken.record.meanwhile(looks) if taken.record is not None else looks)
        except GatewayError as error:
            # Accepted is accepted: this is no failure to authenticate but the end of what can be seen of it.
            return self._wait_ended(f"{error.what} It goes on, but can no longer be followed. {error.next_step}", error)
        row = seen.entry if seen is not None else None
        if row is not None and row.state is SnapshotState.FAILED:
            self._finish(taken, "failed", row)
            raise SnapshotFailed(f"It failed: {row.message or 'the history gives no reason'}.")
        if row is not None and row.state is SnapshotState.SUCCESS:
            self._finish(taken, "success", row)
            self._session.out.answer(self._attempt.document(), history_sentence(row))
            return ExitCode.DONE
        other = "" if seen is None or seen.other is None else f" {told_of_other(request.name, seen.other)}"
        return self._wait_ended(f"{seconds:g} s are over; it goes on.{other}")

    def _finish(self, taken: Taken, finished: Finished, row: HistoryEntry) -> None:
        self._attempt.finished = finished
        record = taken.record
        if record is None:
            return
        self._session.wait(record.note(Fact.FINISHED, state=finished, message=row.message))
        if record.problem is not None:
            self._session.out.note(f"The journal does not hold the end. {record.problem.sentences()}")

    def _wait_ended(self, why: str, error: GatewayError | None = None) -> ExitCode:
        self._session.out.error(f"{self._attempt.sentence()} {why}".rstrip())
        if self._session.settings.json:
            self._session.out.document(self._attempt.document(error))
        return ExitCode.WAIT_ENDED
