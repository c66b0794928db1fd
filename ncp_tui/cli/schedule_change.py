"""`schedule set` and `schedule release`: every problem that can be found first, then one request, then its result."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, NoReturn

import click

from ncp_tui.cli.cluster_lookup import find_cluster, is_number
from ncp_tui.cli.errors import NOTHING_SENT, Declined, ExitCode, NotConfirmed, exit_code_of, problem_words
from ncp_tui.cli.options import Invocation
from ncp_tui.cli.request_report import HAS_LEFT, LeftRequests, cluster_member, error_member
from ncp_tui.cli.runner import CommandContext
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.problem import NextAction, Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots import schedule_change as below
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.journal import JournalProblem, on_disk
from ncp_tui.snapshots.operations import OperationResult
from ncp_tui.snapshots.outcome import Caller, Outcome
from ncp_tui.snapshots.schedule import Schedule, schedule_of
from ncp_tui.snapshots.schedule_change import ScheduleChange, Setting, preview_change
from ncp_tui.snapshots.schedule_draft import ScheduleDraft
from ncp_tui.snapshots.schedule_preflight import ScheduleEvidence, read_schedule_evidence
from ncp_tui.text import inert
from ncp_tui.view.cluster_summary import setting_sentence
from ncp_tui.view.create import RECHECKED
from ncp_tui.view.exchanges import request_document, request_text
from ncp_tui.view.preflight import check_document, check_lines
from ncp_tui.view.schedule_change import (
    HISTORY_UNREAD,
    change_document,
    change_question,
    change_sentence,
    history_now_sentence,
)
from ncp_tui.view.schedule_documents import setting_document
from ncp_tui.view.text import plain_text

RESOLVE_SECONDS = 60.0
"""How long the schedule history is read after a lost answer, before the command ends with "unknown"."""

_LOOK_AFTER = 10.0
"""Seconds for what is set afterwards: it is said beside the answer, and waited for no longer."""


@dataclass(frozen=True)
class ChangeOptions:
    """The options of both commands; without a `setting` it is a release."""

    cluster: str
    setting: Setting | None = None
    dry_run: bool = False
    yes: bool = False
    confirm: str | None = None
    without_journal: bool = False
    again: str | None = None
    """The id of what the user has said yes to."""


def change_schedule(context: CommandContext, options: ChangeOptions) -> ExitCode:
    """Set or release a schedule. From here on every failure says whether that was done."""
    report = _Report(context, options)
    context.document_of, context.preface = report.document, report.sentence
    return _Change(context, options, report).run()


class _Report:
    """What is requested, as far as it is known, and how far it got."""

    def __init__(self, context: CommandContext, options: ChangeOptions) -> None:
        cluster = options.cluster
        number, name = (cluster, "") if is_number(cluster) else ("", cluster)
        self.change = ScheduleChange(number, name, options.setting)
        self.cluster: Cluster | None = None
        self.result: OperationResult | None = None
        self.after: Schedule | None = None
        """What is set afterwards, where that was read."""
        self._wanted = cluster
        self._left = LeftRequests(context.log, self.change.operation)

    def begin_sending(self) -> None:
        """From here on the outcome is that of what leaves."""
        self._left.begin()

    async def keep(self, sending: Awaitable[OperationResult]) -> OperationResult:
        """What `sending` returns, kept before a signal that came meanwhile is heard."""
        self.result = await sending
        return self.result

    @property
    def outcome(self) -> Outcome:
        """What is proved."""
        return self.result.sent.outcome if self.result is not None else self._left.outcome

    def sentence(self) -> str:
        """What became of it in words."""
        return change_sentence(self.change, self.outcome, self.result.sent if self.result is not None else None)

    def document(self, problem: Problem | None = None) -> dict[str, Any]:
        """The document of both commands. `problem` is what it ended in, if anything."""
        earlier = {"earlier": problem.earlier.document()} if isinstance(problem, SecondRequest) else {}
        document = change_document(self.change, self.outcome, self.result)
        return {
            **document,
            "cluster": cluster_member(self._wanted, self.cluster),
            "request_id": document["request_id"] if self.result is not None else self._left.request_id,
            "attempts": document["attempts"] if self.result is not None else int(self.outcome in HAS_LEFT),
            "now": setting_document(self.after.entry) if self.after is not None else None,
            "error": None if problem is None else error_member(problem),
            **earlier,
            **self._not_journaled(),
        }

    def _not_journaled(self) -> dict[str, bool]:
        """Told where the journal does not hold all that is known of what was sent."""
        return {"journaled": False} if self.result is not None and self.result.journal_problem is not None else {}


class _Change:
    """The steps of one set or release, in their order."""

    def __init__(self, context: CommandContext, options: ChangeOptions, report: _Report) -> None:
        self._context = context
        self._options = options
        self._report = report
        self._asked_at = datetime.fromtimestamp(Invocation.of(click.get_current_context()).began, UTC)

    def run(self) -> ExitCode:
        context, options = self._context, self._options
        self._report.change = _checked(self._report.change)
        identity = context.identity()
        self._use_default_bucket(identity)
        self._check(self._draft(identity))
        if not options.dry_run:
            self._check_leave(identity)
        engine = context.connect(identity)
        draft = self._looked(engine, identity)
        if options.dry_run:
            return self._show(draft, engine)
        while self._ask(draft) and draft.is_old(context.workspace.now()):
            context.out.note(RECHECKED)
            draft = self._looked(engine, identity)
        return self._tell(engine, self._send(engine, draft))

    def _use_default_bucket(self, identity: Identity) -> None:
        setting, default = self._report.change.setting, identity.profile.default_bucket
        if setting is not None and not setting.bucket:
            self._report.change = replace(self._report.change, setting=replace(setting, bucket=default or ""))

    def _draft(self, identity: Identity, evidence: ScheduleEvidence | None = None) -> ScheduleDraft:
        is_read_only = self._context.workspace.read_only or identity.profile.read_only
        return ScheduleDraft(
            self._report.change,
            Caller.of(identity),
            protected=identity.profile.protected,
            read_only=is_read_only and not self._options.dry_run,
            evidence=evidence,
            again=self._options.again,
        )

    def _check(self, draft: ScheduleDraft) -> None:
        if draft.problem is not None:
            raise draft.problem

    def _check_leave(self, identity: Identity) -> None:
        """Refuse, before any request, what this profile may not do unconfirmed. Raises NotConfirmed."""
        options = self._options
        if identity.profile.protected:
            if options.yes:
                _refuse(f"Profile {identity.name} is protected: --yes does not confirm it.", options.cluster)
            if options.confirm is None and not self._context.can_ask:
                _refuse(f"Profile {identity.name} is protected: the cluster's name is required.", options.cluster)
        if options.confirm is not None and not is_number(options.cluster) and options.confirm != options.cluster:
            _refuse(f"--confirm {options.confirm!a} is not the cluster {options.cluster!a}.", options.cluster)

    def _looked(self, engine: SearchEngine, identity: Identity) -> ScheduleDraft:
        with self._context.log.action(f"look before a schedule of {self._options.cluster}"):
            return self._context.wait(self._look(engine, identity))

    async def _look(self, engine: SearchEngine, identity: Identity) -> ScheduleDraft:
        """Read all that it is judged by. Raises what forbids it, or stops it."""
        context, report, known = self._context, self._report, self._report.cluster
        cluster = report.cluster = known or await find_cluster(engine, self._options.cluster)
        report.change = replace(report.change, cluster_number=cluster.number, cluster_name=cluster.name)
        evidence = await read_schedule_evidence(
            engine,
            cluster,
            context.journal,
            context.workspace.now,
            just_read=known is None,
            with_neighbours=report.change.is_set,
        )
        draft = self._draft(identity, evidence)
        if not self._options.dry_run:
            for check in draft.preflight.doubts:
                context.out.note(f"{check.subject}: {check.sentence}")
            self._check(draft)
            await self._check_first(draft)
        return draft

    async def _check_first(self, draft: ScheduleDraft) -> None:
        """Refuse what something stands against before the user is asked anything. Raises SecondChange, DamagedJournal.

        Whether the journal can be written shows when it is.
        """
        try:
            await on_disk(lambda: self._context.journal.check(draft.intent(self._asked_at)))
        except JournalProblem:
            if draft.stop is not None:  # by what the history alone has
                raise draft.stop from None

    def _show(self, draft: ScheduleDraft, engine: SearchEngine) -> ExitCode:
        preview = preview_change(engine, draft.change)
        document = {
            "dry_run": True,
            **self._report.document(),
            "preflight": [check_document(check) for check in draft.preflight.checks],
            "request": request_document(preview),
        }
        if draft.earlier is not None:
            document["earlier"] = draft.earlier.document()
        done = "set" if draft.change.is_set else "released"
        self._context.out.note(f"Dry run: nothing was {done}. The request:")
        checks = plain_text(check_lines(draft.preflight, self._context.workspace.now()))
        self._context.out.answer(document, f"{request_text(preview)}\n\n{checks}")
        stops = draft.problem or draft.stop
        if stops is not None:
            self._context.out.error(f"This request would not be sent. {problem_words(stops)}")
            return exit_code_of(stops)
        return ExitCode.DONE

    def _ask(self, draft: ScheduleDraft) -> bool:
        """Have the user agree, where there is one; whether a question was asked. Raises NotConfirmed, Declined."""
        options, name = self._options, draft.change.cluster_name
        wanted = draft.confirmation(self._context.workspace.now())
        schedule = draft.evidence.schedule if draft.evidence is not None else None
        question = inert(change_question(wanted, setting_sentence(schedule) if schedule is not None else ""))
        if options.confirm is not None:
            if options.confirm != name:
                _refuse(f"--confirm {options.confirm!a} is not the cluster's name.", name)
            return False
        if wanted.typed is not None:
            typed = click.prompt(question.removesuffix(":"), err=True)
            if typed.strip() != wanted.typed:
                _refuse(f"{typed.strip()!a} is not the cluster's name.", name)
            return True
        if options.yes or not self._context.can_ask:
            return False
        if not click.confirm(question, err=True):
            raise Declined
        return True

    def _send(self, engine: SearchEngine, draft: ScheduleDraft) -> OperationResult:
        context, options = self._context, self._options
        self._report.begin_sending()
        sending = below.change_schedule(
            engine,
            draft.intent(self._asked_at),
            journal=context.journal,
            must_be_written=not options.without_journal,
            now=context.workspace.now,
            resolve_seconds=RESOLVE_SECONDS,
            on_resolving=self._say_resolving,
        )
        act = "set" if draft.change.is_set else "release"
        try:
            with context.log.action(f"{act} schedule of {draft.change.cluster}") as action:
                result = context.wait(self._report.keep(sending))
                action.outcome = self._report.sentence()
                action.failed = result.sent.outcome is not Outcome.ACCEPTED
        except JournalProblem as problem:
            problem.actions = (*problem.actions, NextAction("snapshot.unwritten"))
            raise
        return result

    def _say_resolving(self, error: GatewayError) -> None:
        self._context.out.note(f"{error.what} Checking the schedule history (up to a minute).")

    def _tell(self, engine: SearchEngine, result: OperationResult) -> ExitCode:
        out, report = self._context.out, self._report
        if result.journal_problem is not None:
            out.error(f"Not recorded in the journal. {problem_words(result.journal_problem)}")
        if result.sent.outcome is not Outcome.ACCEPTED:
            return self._not_done(result)
        known = self._known_after(engine)
        out.answer(report.document(), f"{report.sentence()}\nRequest ID: {result.sent.request_id or '-'}")
        out.note(known)
        return ExitCode.DONE

    def _known_after(self, engine: SearchEngine) -> str:
        """What the schedule history says now, in a sentence."""
        with (
            self._context.log.action(f"schedule of {self._report.change.cluster} afterwards"),
            contextlib.suppress(GatewayError, TimeoutError),
        ):
            rows = self._context.wait(_in_time(engine.schedule_history(self._report.change.cluster_number, tries=1)))
            schedule = schedule_of(rows) if not rows.gap else None
            if schedule is not None:
                self._report.after = schedule
            return history_now_sentence(self._report.change, schedule, self._context.workspace.now())
        return HISTORY_UNREAD

    def _not_done(self, result: OperationResult) -> ExitCode:
        error = result.sent.error or GatewayError("NCP gave no reason.")
        self._context.tell(error)
        if result.sent.outcome is not Outcome.UNKNOWN:
            return exit_code_of(error)
        if result.sent.resolution is not None:
            self._context.out.error(result.sent.resolution.sentence)
        if result.entry is not None:
            self._context.out.error("Check again later: ncp-tui snapshot resolve")
        self._context.out.error(f"Read the schedule history: ncp-tui schedule history {self._report.change.cluster}")
        return ExitCode.UNKNOWN


async def _in_time(reading: Awaitable[Any]) -> Any:
    async with asyncio.timeout(_LOOK_AFTER):
        return await reading


def _checked(change: ScheduleChange) -> ScheduleChange:
    """What is typed, checked before a profile is chosen; the bucket may be that profile's. Raises a Problem."""
    if change.setting is None:
        return change
    _ = replace(change, setting=replace(change.setting, bucket=change.setting.bucket or "bucket")).parameters
    return replace(change, setting=change.setting.spelled)


def _refuse(what: str, cluster: str) -> NoReturn:
    raise NotConfirmed(what, NOTHING_SENT, "", NextAction("create.confirm", {"cluster": cluster}))
