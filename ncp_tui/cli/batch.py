"""`snapshot create` of several clusters: one review, one consent, then each as a create of its own; and `--resume`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click

from ncp_tui.cli.cluster_lookup import named
from ncp_tui.cli.create import check_not_read_only
from ncp_tui.cli.create_report import CreateReport
from ncp_tui.cli.errors import (
    NOTHING_SENT,
    CommandProblem,
    Declined,
    ExitCode,
    NotConfirmed,
    SnapshotFailed,
    exit_code_of,
    problem_words,
    worst_of,
)
from ncp_tui.cli.request_report import error_member
from ncp_tui.cli.runner import CommandContext
from ncp_tui.problem import NextAction, Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.lists import Listing
from ncp_tui.search_engine.models import Cluster, SnapshotState
from ncp_tui.snapshots.batch import AT_ONCE, BatchRow, BatchRun, Look, Plan, Plans, Rules, StopOn, rows_of
from ncp_tui.snapshots.fleet import is_called, matches
from ncp_tui.snapshots.journal import on_disk
from ncp_tui.snapshots.outcome import Caller, Outcome
from ncp_tui.snapshots.resolve import check_same_gateway
from ncp_tui.text import inert, plural
from ncp_tui.view.batch import RESULTS, REVIEW, batch_question, consent, counts_sentence, row_sentence

RESOLVE_SECONDS = 60.0


class NoMatch(CommandProblem):
    """A pattern that no cluster matches."""

    kind = "no_match"


class ListCut(CommandProblem):
    """All were requested, and the list does not name all."""

    kind = "list_cut"
    exit_code = ExitCode.NOT_ALLOWED


class Blocked(CommandProblem):
    """Rows of a batch that must not be sent."""

    kind = "blocked"
    exit_code = ExitCode.NOT_ALLOWED


@dataclass(frozen=True)
class BatchOptions:
    """The options of a batch. Without clusters, pattern and `resume` it is of all."""

    clusters: tuple[str, ...] = ()
    match: str | None = None
    resume: str | None = None
    bucket: str | None = None
    template: str | None = None
    dry_run: bool = False
    wait: bool = False
    timeout: float = 3600.0
    yes: bool = False
    confirm: str | None = None
    skip_blocked: bool = False
    at_once: int = AT_ONCE
    stagger: float = 0.0
    stop_on: str = StopOn.UNKNOWN.value
    share_buckets: bool = False

    @property
    def rules(self) -> Rules:
        """How it is sent."""
        follow = self.timeout if self.wait else None
        return Rules(self.at_once, self.stagger, StopOn(self.stop_on), self.share_buckets, follow)


def create_batch(context: CommandContext, options: BatchOptions) -> ExitCode:
    """Create a snapshot of each of several clusters, or what of an earlier batch certainly never left."""
    batch = _Batch(context, options)
    context.document_of, context.preface = batch.document, batch.sentence
    return batch.resume(options.resume) if options.resume is not None else batch.create()


class _Batch:
    """The steps of one batch, in their order."""

    def __init__(self, context: CommandContext, options: BatchOptions) -> None:
        self._context, self._options = context, options
        self._plans = Plans(context.workspace.paths)
        self._rows: list[BatchRow] = []
        self._plan: Plan | None = None
        self._reports: dict[int, CreateReport] = {}

    def create(self) -> ExitCode:
        """Look at every cluster, have it agreed to, plan it and send it."""
        context = self._context
        identity = context.identity()
        if not self._options.dry_run:
            check_not_read_only(context, identity)
            self._check_leave(identity)
        engine = context.connect(identity)
        look = self._look(identity, engine)
        with context.log.action("look before several snapshots"):
            clusters = context.wait(self._clusters(engine))
            self._rows = context.wait(look.at_all(clusters))
        if self._options.dry_run:
            return self._show()
        self._review(identity)
        plan = Plan.of(Caller.of(identity), [row.request for row in self._to_send], context.workspace.now())
        context.wait(on_disk(lambda: self._plans.write(plan)))
        context.out.note(f"Batch {plan.id}. If it breaks off: ncp-tui snapshot create --resume {plan.id}")
        return self._send(plan, identity, engine, look)

    def resume(self, wanted: str) -> ExitCode:
        """Find out what became of each, and send what never left."""
        context, now = self._context, self._context.workspace.now()
        plan = context.wait(on_disk(lambda: self._plans.read(wanted, now)))
        self._plan = plan
        identity = context.identity(None if context.settings.profile else plan.caller.profile)
        check_same_gateway(identity, plan.caller)
        check_not_read_only(context, identity)
        self._check_leave(identity)
        engine = context.connect(identity)
        look = self._look(identity, engine)
        with context.log.action(f"look at batch {plan.id}"):
            found = rows_of(plan, context.journal, engine, look, seconds=RESOLVE_SECONDS)
            self._rows = context.wait(found)
        if self._to_send:
            self._review(identity)
        elif any(row.problem is not None for row in self._rows):
            self._check_blocked()
        return self._send(plan, identity, engine, look)

    @property
    def _to_send(self) -> list[BatchRow]:
        return [row for row in self._rows if row.is_to_be_sent]

    def _look(self, identity: Identity, engine: SearchEngine) -> Look:
        workspace, options = self._context.workspace, self._options
        return Look(
            engine, self._context.journal, identity, workspace.now, bucket=options.bucket, template=options.template
        )

    async def _clusters(self, engine: SearchEngine) -> list[Cluster]:
        """The requested ones. Raises UnknownCluster, AmbiguousCluster, ClusterNotSeen, NoMatch, ListCut."""
        listed, options = await engine.list_clusters(), self._options
        if options.clusters:
            return _each_once([_called(listed, wanted) for wanted in options.clusters])
        if listed.gap:
            raise ListCut(
                f"The list of clusters is incomplete: {listed.gap}", NOTHING_SENT, "Name the clusters, or try again."
            )
        found = [each for each in listed if options.match is None or matches(each, options.match)]
        if not found:
            of = f" matches {options.match!a}" if options.match is not None else " is listed"
            raise NoMatch(f"No cluster{of}.", NOTHING_SENT, "See the names: ncp-tui cluster list")
        return found

    def _check_leave(self, identity: Identity) -> None:
        """Refuse before any request what cannot be agreed to later. Raises NotConfirmed."""
        if self._options.confirm is not None or self._context.can_ask:
            return
        if identity.profile.protected:
            what = f"Profile {identity.name} is protected: --yes does not confirm a batch."
            raise NotConfirmed(what, NOTHING_SENT, "", NextAction("create.confirm", {"cluster": consent_hint()}))
        if not self._options.yes:
            raise NotConfirmed(
                "Without a terminal a batch has to be agreed to beforehand.", NOTHING_SENT, "Add --yes to agree."
            )

    def _review(self, identity: Identity) -> None:
        """Show every row, refuse those that are blocked, and have the rest agreed to.

        Raises Blocked, NotConfirmed, Declined.
        """
        context, options = self._context, self._options
        context.out.note(REVIEW.text(self._rows))
        self._check_blocked()
        asked = batch_question(self._rows, share_buckets=options.share_buckets)
        wanted = consent(len(self._to_send))
        if not self._to_send:
            raise Blocked("No snapshot can be created.", NOTHING_SENT)
        if options.confirm is not None:
            if options.confirm != wanted:
                self._refuse(f"--confirm {options.confirm!a} is not {wanted!a}: so many would be sent now.", wanted)
        elif identity.profile.protected:
            question = f"Profile {identity.name} is protected. {asked} Type {wanted!r}"
            typed = click.prompt(inert(question), err=True)
            if typed.strip() != wanted:
                self._refuse(f"{typed.strip()!a} is not {wanted!a}.", wanted)
        elif not options.yes and not click.confirm(inert(asked), err=True):
            raise Declined

    def _check_blocked(self) -> None:
        blocked = [row for row in self._rows if row.problem is not None]
        if not blocked:
            return
        for row in blocked:
            self._context.out.error(row_sentence(row))
        if not self._options.skip_blocked:
            what = f"{plural(len(blocked), 'cluster')} cannot be sent to."
            raise Blocked(what, NOTHING_SENT, "Add --skip-blocked to create the others.")

    def _refuse(self, what: str, wanted: str) -> None:
        raise NotConfirmed(what, NOTHING_SENT, "", NextAction("create.confirm", {"cluster": wanted}))

    def _show(self) -> ExitCode:
        """What would be sent."""
        self._context.out.note("Dry run: nothing was created.")
        documents = [{"dry_run": True, **self._document(row)} for row in self._rows]
        self._context.out.answer(documents, REVIEW.text(self._rows))
        blocked = [row for row in self._rows if row.problem is not None]
        for row in blocked:
            self._context.out.error(row_sentence(row))
        return ExitCode.NOT_ALLOWED if blocked and not self._options.skip_blocked else ExitCode.DONE

    def _send(self, plan: Plan, identity: Identity, engine: SearchEngine, look: Look) -> ExitCode:
        context = self._context
        self._plan, context.tracker.resolve_seconds = plan, RESOLVE_SECONDS
        for row in self._to_send:
            self._report(row).begin_sending()
        skipped = {id(row) for row in self._rows if row.problem is not None}
        run = BatchRun(
            plan,
            self._rows,
            self._options.rules,
            tracker=context.tracker,
            identity=identity,
            engine=engine,
            look=look,
            show=lambda row: context.out.note(row_sentence(row)),
        )
        context.wait(run.run())
        if run.stopped:
            context.out.error(f"The rest was left out. {run.stopped}")
        for row in self._rows:
            if row.left_out or (row.problem is not None and id(row) not in skipped):
                context.out.error(row_sentence(row))
            if row.tracked is not None and row.tracked.writer is not None and row.tracked.writer.problem is not None:
                problem = row.tracked.writer.problem
                context.out.error(f"{row.request.name}: not recorded in the journal. {problem_words(problem)}")
        context.out.answer([self._document(row) for row in self._rows], self._text())
        return worst_of([self._code(row) for row in self._rows if id(row) not in skipped])

    def _text(self) -> str:
        return f"{RESULTS.text(self._rows)}\n{counts_sentence(self._rows)}"

    def _code(self, row: BatchRow) -> ExitCode:
        """The exit code of one, as if it had been created alone."""
        taken = row.tracked.taken if row.tracked is not None else None
        code = ExitCode.DONE
        if row.outcome is Outcome.UNKNOWN:
            code = ExitCode.UNKNOWN
        elif row.left_out:
            code = ExitCode.NOT_ALLOWED
        elif row.problem is not None:
            code = exit_code_of(row.problem)
        elif row.outcome is not Outcome.ACCEPTED:
            code = exit_code_of(taken.error) if taken is not None and taken.error is not None else ExitCode.REFUSED
        elif row.ended is SnapshotState.FAILED:
            code = ExitCode.SNAPSHOT_FAILED
        elif row.ended is None and self._options.wait:
            code = ExitCode.WAIT_ENDED
        return code

    def document(self, problem: Problem | None = None) -> list[dict[str, Any]]:
        """The document of the contract: one object a cluster. `problem` is what the batch ended in, if anything."""
        return [self._document(row, problem) for row in self._rows] or [{**_NOTHING, "error": _error(problem)}]

    def sentence(self) -> str:
        """What became of it in words, where anything was to be sent."""
        if self._plan is None or not self._rows:
            return ""
        return f"Batch {self._plan.id}: {counts_sentence(self._rows)}."

    def _document(self, row: BatchRow, problem: Problem | None = None) -> dict[str, Any]:
        report, tracked = self._report(row), row.tracked
        report.taken = tracked.taken if tracked is not None else None
        if row.ended is not None:
            report.finished = "success" if row.ended is SnapshotState.SUCCESS else "failed"
        is_accepted = row.outcome is Outcome.ACCEPTED
        error = row.problem or (report.taken.error if report.taken is not None and not is_accepted else None)
        if error is None and not is_accepted:
            error = Problem(row.left_out, NOTHING_SENT) if row.left_out else problem
        if error is None and row.ended is SnapshotState.FAILED:
            error = SnapshotFailed(row_sentence(row))
        found = report.document(error)
        if row.entry is not None and tracked is None:
            found |= {"outcome": row.outcome.value, "request_id": row.entry.request_id}
        return {**found, "batch": self._plan.id if self._plan is not None else None}

    def _report(self, row: BatchRow) -> CreateReport:
        request, found = row.request, self._reports.get(id(row))
        if found is None:
            cluster = row.cluster or Cluster.read(
                {"clusterName": request.cluster_name, "serviceGroupInstanceNo": request.cluster_number}
            )
            found = CreateReport(self._context.log, request.cluster, request.name, request.bucket or None, cluster)
            self._reports[id(row)] = found
        return found


_NOTHING: dict[str, Any] = {"outcome": Outcome.NOT_SENT.value, "snapshot": None, "cluster": None, "batch": None}


def _error(problem: Problem | None) -> dict[str, Any] | None:
    return None if problem is None else error_member(problem)


def consent_hint() -> str:
    """What to give with --confirm where the number is not known yet."""
    return "create N"


def _called(listed: Listing[Cluster], wanted: str) -> Cluster:
    """The cluster of that name or number. Raises UnknownCluster, AmbiguousCluster, ClusterNotSeen."""
    numbered = next((cluster for cluster in listed if cluster.number == wanted), None)
    return numbered or named(listed, wanted)


def _each_once(clusters: Sequence[Cluster]) -> list[Cluster]:
    for place, cluster in enumerate(clusters):
        if any(is_called(cluster, earlier.number) for earlier in clusters[:place]):
            raise NoMatch(f"Cluster {cluster.name} is named twice.", NOTHING_SENT, "Name each cluster once.")
    return list(clusters)
