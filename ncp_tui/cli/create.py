"""`snapshot create`: every problem that can be found first, then one request, then its result."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

import click

from ncp_tui.cli.cluster_lookup import find_cluster, is_number
from ncp_tui.cli.create_report import CreateOptions, CreateReport, Ending
from ncp_tui.cli.errors import NOTHING_SENT, Declined, ExitCode, NotConfirmed, exit_code_of, problem_words
from ncp_tui.cli.options import Invocation
from ncp_tui.cli.runner import CommandContext
from ncp_tui.gateway.errors import Throttled
from ncp_tui.problem import NextAction
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import Cluster, HistoryEntry
from ncp_tui.snapshots.create import CreateResult
from ncp_tui.snapshots.draft import SnapshotDraft, propose_name, read_only_refused
from ncp_tui.snapshots.earlier_ends import learn_ends
from ncp_tui.snapshots.earlier_requests import Intent
from ncp_tui.snapshots.inventory import Inventory
from ncp_tui.snapshots.journal import Journal, JournalProblem, on_disk
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest
from ncp_tui.snapshots.preflight import PreflightEvidence, look_further, read_evidence
from ncp_tui.snapshots.rules import check_name
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.text import inert
from ncp_tui.view.create import RECHECKED, question
from ncp_tui.view.exchanges import request_document, request_text
from ncp_tui.view.preflight import check_document, check_lines
from ncp_tui.view.text import plain_text

RESOLVE_SECONDS = 60.0
"""How long the history is checked after a lost answer, before the command ends with "unknown"."""


@dataclass(frozen=True)
class Chosen:
    """The profile, client and cluster, where they are chosen already."""

    identity: Identity
    engine: SearchEngine
    cluster: Cluster


def create_snapshot(context: CommandContext, options: CreateOptions, chosen: Chosen | None = None) -> ExitCode:
    """Create one snapshot. From here on every failure says whether it was started."""
    report = CreateReport(context.log, options.cluster, options.name, options.bucket)
    context.document_of, context.preface = report.document, report.sentence
    return _Creation(context, options, report, chosen).run()


def check_not_read_only(context: CommandContext, identity: Identity) -> None:
    """Refuse a create that this run or this profile may not do. Raises ReadOnlyRefused."""
    if _is_read_only(context, identity):
        raise read_only_refused()


def _is_read_only(context: CommandContext, identity: Identity) -> bool:
    return context.workspace.read_only or identity.profile.read_only


class _Creation:
    """The steps of one create, in their order."""

    def __init__(
        self, context: CommandContext, options: CreateOptions, report: CreateReport, chosen: Chosen | None
    ) -> None:
        self._context = context
        self._options = options
        self._report = report
        self._chosen = chosen
        self._asked_at = datetime.fromtimestamp(Invocation.of(click.get_current_context()).began, UTC)
        self._history: Sequence[HistoryEntry] | None = None
        self._inventory: Inventory | None = None

    def run(self) -> ExitCode:
        options, context = self._options, self._context
        if options.name is not None:
            check_name(options.name)
        identity = self._chosen.identity if self._chosen else context.identity()
        self._check_words(identity)
        if not options.dry_run:
            self._check_leave(identity)
        engine = self._chosen.engine if self._chosen else context.connect(identity)
        draft = self._looked(engine, identity)
        if options.dry_run:
            return self._show(draft, engine)
        while self._ask(draft) and draft.is_old(context.workspace.now()):
            # The question waited long: what it was about may have changed.
            context.out.note(RECHECKED)
            draft = self._looked(engine, identity)
        context.tracker.resolve_seconds = RESOLVE_SECONDS
        context.tracker.subscribe(self._say_resolving)
        tracked = self._create(engine, draft.request, identity)
        taken = tracked.taken
        if options.retry_if_not_started and taken is not None and _may_be_asked_again(taken):
            why = taken.error.what if taken.error else ""
            context.out.note(f"{taken.sentence} {why} Retrying once (--retry-if-not-started).")
            tracked = self._create(engine, draft.request, identity)
        return Ending(context, self._report, options).tell(tracked)

    def _check_words(self, identity: Identity) -> None:
        """Check all that needs no request; raises InvalidBucket, InvalidTemplate, ReadOnlyRefused."""
        options = self._options
        self._report.bucket = options.bucket or identity.profile.default_bucket
        cluster = "cluster" if is_number(options.cluster) else options.cluster
        request = SnapshotRequest("", cluster, self._name(cluster, identity), self._report.bucket or "")
        self._check(self._draft(request, identity))

    def _draft(
        self, request: SnapshotRequest, identity: Identity, evidence: PreflightEvidence | None = None
    ) -> SnapshotDraft:
        return SnapshotDraft(
            request,
            Caller.of(identity),
            protected=identity.profile.protected,
            read_only=_is_read_only(self._context, identity) and not self._options.dry_run,
            evidence=evidence,
            again=self._options.again,
        )

    def _check(self, draft: SnapshotDraft) -> None:
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

    def _looked(self, engine: SearchEngine, identity: Identity) -> SnapshotDraft:
        with self._context.log.action(f"look before a snapshot of {self._options.cluster}"):
            return self._context.wait(self._look(engine, identity))

    async def _look(self, engine: SearchEngine, identity: Identity) -> SnapshotDraft:
        """Read the cluster and its buckets, and decide what will be sent. Raises what forbids it, or stops it."""
        report = self._report
        listed = report.cluster or (self._chosen.cluster if self._chosen else None)
        cluster = report.cluster = listed or await find_cluster(engine, self._options.cluster)
        # Rendered once: the name is what the snapshot is looked for by, whatever happens to the request.
        report.snapshot = report.snapshot or self._name(cluster.name, identity)
        request = SnapshotRequest(cluster.number, cluster.name, report.snapshot, report.bucket or "")
        # The journal is read also where it will not be written: what it holds in doubt stays in doubt.
        journal = Journal(self._context.workspace.paths)
        evidence = await read_evidence(
            engine,
            cluster,
            journal,
            self._context.workspace.now,
            just_read=listed is None,
            with_inventory=not self._options.dry_run,
        )
        evidence = await look_further(engine, evidence, request, Caller.of(identity).gateway)
        draft = self._draft(request, identity, evidence)
        self._history, self._inventory = evidence.rows_for(request.name), evidence.inventory
        if not self._options.dry_run:
            for check in draft.preflight.doubts:
                self._context.out.note(f"{check.subject}: {check.sentence}")
            self._check(draft)
            await self._check_first(engine, journal, draft)
        return draft

    async def _check_first(self, engine: SearchEngine, journal: Journal, draft: SnapshotDraft) -> None:
        """Refuse a second request before the user is asked anything, and also one that is not written down.

        Raises SecondRequest, DamagedJournal. Whether the journal can be written shows when it is.
        """
        request, caller = draft.request, draft.caller
        history, again = self._history, draft.again
        with contextlib.suppress(JournalProblem):
            history = await learn_ends(engine, journal, request, caller.gateway, history, seconds=RESOLVE_SECONDS)
        intent = Intent(request, caller, history, again, self._asked_at)
        try:
            await on_disk(lambda: journal.check(intent))
        except JournalProblem:
            if draft.stop is not None:  # by what the history alone has
                raise draft.stop from None

    def _name(self, cluster: str, identity: Identity) -> str:
        """The name as given, else from the template. Raises InvalidTemplate."""
        now = datetime.fromtimestamp(self._context.workspace.clock(), UTC)
        proposed = propose_name(cluster, identity.profile, now, self._options.template)
        if self._options.name is None and proposed.problem is not None:
            raise proposed.problem
        return self._options.name or proposed.name

    def _show(self, draft: SnapshotDraft, engine: SearchEngine) -> ExitCode:
        request, earlier = draft.request, draft.preflight.earlier
        preview = engine.preview_create_snapshot(request.cluster_number, request.name, request.bucket)
        document = {
            "dry_run": True,
            **self._report.document(),
            "preflight": [check_document(check) for check in draft.preflight.checks],
            "request": request_document(preview),
        }
        if earlier is not None:
            document["earlier"] = earlier.document()
        self._context.out.note("Dry run: nothing was created. The request:")
        checks = plain_text(check_lines(draft.preflight, self._context.workspace.now()))
        self._context.out.answer(document, f"{request_text(preview)}\n\n{checks}")
        stops = draft.problem or draft.stop
        if stops is not None:
            self._context.out.error(f"This request would not be sent. {problem_words(stops)}")
            return exit_code_of(stops)
        return ExitCode.DONE

    def _ask(self, draft: SnapshotDraft) -> bool:
        """Have the user agree, where there is one; whether a question was asked. Raises NotConfirmed, Declined."""
        options, name = self._options, draft.request.cluster_name
        wanted = draft.confirmation(self._context.workspace.now())
        if options.confirm is not None:
            if options.confirm != name:
                _refuse(f"--confirm {options.confirm!a} is not the cluster's name.", name)
            return False
        if wanted.typed is not None:
            typed = click.prompt(inert(question(wanted)).removesuffix(":"), err=True)
            if typed.strip() != wanted.typed:
                _refuse(f"{typed.strip()!a} is not the cluster's name.", name)
            return True
        if options.yes or not self._context.can_ask:
            return False
        if not click.confirm(inert(question(wanted)), err=True):
            raise Declined
        return True

    def _create(self, engine: SearchEngine, request: SnapshotRequest, identity: Identity) -> TrackedSnapshot:
        """Send the request, and say when its answer is lost and the history is checked."""
        self._report.begin_sending()
        tracker, options = self._context.tracker, self._options
        tracked = tracker.start(
            request,
            identity,
            engine,
            history=self._history,
            with_journal=not options.without_journal,
            again=options.again,
            asked_at=self._asked_at,
            inventory=self._inventory,
        )
        try:
            self._context.wait(self._report.keep(tracker.create(tracked)))
        except JournalProblem as problem:
            problem.actions = (*problem.actions, NextAction("snapshot.unwritten"))
            raise
        return tracked

    def _say_resolving(self, tracked: TrackedSnapshot) -> None:
        if tracked.is_resolving and tracked.resolving is not None:
            words = f"Checking the history for {tracked.request.name} (up to a minute)."
            self._context.out.note(f"{tracked.resolving.what} {words}")


def _may_be_asked_again(taken: CreateResult) -> bool:
    """Whether it certainly was not started, and a retry can help."""
    was_throttled = taken.outcome is Outcome.REFUSED and isinstance(taken.error, Throttled)
    return taken.outcome is Outcome.NOT_SENT or was_throttled


def _refuse(what: str, cluster: str) -> NoReturn:
    raise NotConfirmed(what, NOTHING_SENT, "", NextAction("create.confirm", {"cluster": cluster}))
