"""`snapshot create`: everything that can be known to be wrong first, then one request, then what came of it."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

import click

from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.cli.options import Invocation
from ncp_tui.cli.work.attempt import Attempt, Wishes
from ncp_tui.cli.work.ending import Ending
from ncp_tui.cli.work.finding import find_cluster, is_number
from ncp_tui.cli.work.problems import NOTHING_SENT, Declined, NotConfirmed, problem_words
from ncp_tui.cli.work.session import Session
from ncp_tui.gateway.errors import ReadOnlyRefused, Throttled
from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.client import SearchEngine, WrongCluster
from ncp_tui.search_engine.models import Cluster, HistoryEntry
from ncp_tui.search_engine.refusals import is_key_missing
from ncp_tui.snapshots.checks import InvalidBucket, check_bucket
from ncp_tui.snapshots.earlier import Intent, SecondRequest
from ncp_tui.snapshots.journal import Journal, JournalProblem, on_disk
from ncp_tui.snapshots.journal_contents import DamagedJournal
from ncp_tui.snapshots.lights import Preflight, look_further, preflight, read_facts
from ncp_tui.snapshots.names import check_name
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest
from ncp_tui.snapshots.settling import learn_ends
from ncp_tui.snapshots.taking import Taken
from ncp_tui.snapshots.templates import DEFAULT_TEMPLATE, render_name
from ncp_tui.snapshots.track import TrackedSnapshot
from ncp_tui.text import inert
from ncp_tui.view.exchanges import request_document, request_text
from ncp_tui.view.preflight import check_document, checks_text

SETTLE_SECONDS = 60.0
"""How long the history is looked at after a lost answer, before the command ends with "cannot tell"."""


@dataclass(frozen=True)
class Chosen:
    """Who asks, with which client, of which cluster, where that is settled already."""

    identity: Identity
    engine: SearchEngine
    cluster: Cluster


def create_snapshot(session: Session, wishes: Wishes, chosen: Chosen | None = None) -> ExitCode:
    """Create one snapshot. From here on every failure says whether it was started."""
    attempt = Attempt(session.log, wishes.cluster, wishes.name, wishes.bucket)
    session.document_of, session.preface = attempt.document, attempt.sentence
    return _Creation(session, wishes, attempt, chosen).run()


def check_not_read_only(session: Session, identity: Identity) -> None:
    """Refuse a create that this run or this profile may not do. Raises ReadOnlyRefused."""
    if session.home.read_only or identity.profile.read_only:
        raise ReadOnlyRefused(
            "Read-only mode refuses to create a snapshot.",
            NOTHING_SENT,
            "Leave read-only mode (--read-only, NCP_TUI_READ_ONLY, or the profile's flag) to do it.",
        )


class _Creation:
    """The steps of one create, in their order."""

    def __init__(self, session: Session, wishes: Wishes, attempt: Attempt, chosen: Chosen | None) -> None:
        self._session = session
        self._wishes = wishes
        self._attempt = attempt
        self._chosen = chosen
        self._asked_at = datetime.fromtimestamp(Invocation.of(click.get_current_context()).began, UTC)
        self._history: Sequence[HistoryEntry] | None = None
        self._lights = Preflight(())

    def run(self) -> ExitCode:
        if self._wishes.name is not None:
            check_name(self._wishes.name)
        identity = self._chosen.identity if self._chosen else self._session.identity()
        self._check_words(identity)
        if not self._wishes.dry_run:
            self._check_leave(identity)
        engine = self._chosen.engine if self._chosen else self._session.connect(identity)
        with self._session.log.action(f"look before a snapshot of {self._wishes.cluster}"):
            request = self._session.wait(self._look(engine, identity))
        if self._wishes.dry_run:
            return self._show(engine.preview_create_snapshot(request.cluster_number, request.name, request.bucket))
        self._ask(identity)
        self._session.tracker.resolve_seconds = SETTLE_SECONDS
        self._session.tracker.subscribe(self._say_resolving)
        tracked = self._create(engine, request, identity)
        taken = tracked.taken
        if self._wishes.retry_if_not_started and taken is not None and _may_be_asked_again(taken):
            why = taken.error.what if taken.error else ""
            self._session.out.note(f"{taken.sentence} {why} As you wished, it is asked for once more.")
            tracked = self._create(engine, request, identity)
        return Ending(self._session, self._attempt, self._wishes).tell(tracked)

    def _check_words(self, identity: Identity) -> None:
        """Check all that needs no request; raises InvalidBucket, InvalidTemplate."""
        bucket = self._wishes.bucket or identity.profile.default_bucket
        if not bucket:
            raise InvalidBucket(
                "No bucket was named.", NOTHING_SENT, "Use --bucket, or give the profile a default bucket."
            )
        self._attempt.bucket = bucket
        check_bucket(bucket)
        if self._wishes.name is None:
            self._render("cluster" if is_number(self._wishes.cluster) else self._wishes.cluster, identity)

    def _check_leave(self, identity: Identity) -> None:
        """Refuse, before any request, what this run or this profile may not do."""
        check_not_read_only(self._session, identity)
        wishes = self._wishes
        if identity.profile.protected:
            if wishes.yes:
                _refuse(f"Profile {identity.name} is protected: --yes is not enough.", wishes.cluster)
            if wishes.confirm is None and not self._session.can_ask:
                _refuse(f"Profile {identity.name} is protected: it wants the cluster's name.", wishes.cluster)
        if wishes.confirm is not None and not is_number(wishes.cluster) and wishes.confirm != wishes.cluster:
            _refuse(f"--confirm {wishes.confirm!a} is not the cluster {wishes.cluster!a}.", wishes.cluster)

    async def _look(self, engine: SearchEngine, identity: Identity) -> SnapshotRequest:
        """Read the cluster and its buckets, and settle what will be sent."""
        attempt = self._attempt
        listed = self._chosen.cluster if self._chosen else None
        cluster = attempt.cluster = listed or await find_cluster(engine, self._wishes.cluster)
        # Rendered once: the name is what the snapshot is looked for by, whatever happens to the request.
        name = attempt.snapshot = self._wishes.name or self._render(cluster.name, identity)
        request = SnapshotRequest(cluster.number, cluster.name, name, attempt.bucket or "")
        # The journal is read also where it will not be written: what it holds in doubt stays in doubt.
        journal = Journal(self._session.home.paths)
        facts = await read_facts(engine, cluster, journal, self._session.home.now, just_read=listed is None)
        caller = Caller.of(identity)
        facts = await look_further(engine, facts, request, caller.gateway)
        self._history = facts.rows_for(name)
        self._lights = preflight(request, facts, caller.gateway)
        if not self._wishes.dry_run:
            for check in self._lights.doubts:
                self._session.out.note(f"{check.subject}: {check.sentence}")
            if isinstance(facts.cluster_read.problem, WrongCluster):
                raise facts.cluster_read.problem
            check_bucket(request.bucket, facts.buckets)
            without_key = facts.buckets_read.problem if facts.buckets_read else None
            if is_key_missing(without_key):
                raise without_key
            await self._check_first(engine, journal, request, caller)
        return request

    async def _check_first(
        self, engine: SearchEngine, journal: Journal, request: SnapshotRequest, caller: Caller
    ) -> None:
        """Refuse a second request before the user is asked anything, and also one that is not written down.

        Raises SecondRequest, DamagedJournal. Whether the journal can be written shows when it is.
        """
        history, again = self._history, self._wishes.again
        with contextlib.suppress(JournalProblem):
            history = await learn_ends(engine, journal, request, caller.gateway, history, seconds=SETTLE_SECONDS)
        with contextlib.suppress(JournalProblem):
            intent = Intent(request, caller, history, again, self._asked_at)
            await on_disk(lambda: journal.check(intent))

    def _render(self, cluster: str, identity: Identity) -> str:
        profile = identity.profile
        template = self._wishes.template or profile.name_template or DEFAULT_TEMPLATE
        now = datetime.fromtimestamp(self._session.home.clock(), UTC)
        return render_name(template, cluster=cluster, profile=profile.name, region=profile.region, now=now)

    def _show(self, preview: RequestRecord) -> ExitCode:
        lights = self._lights
        document = {
            "dry_run": True,
            **self._attempt.document(),
            "preflight": [check_document(check) for check in lights.checks],
            "request": request_document(preview),
        }
        if lights.earlier is not None:
            document["earlier"] = lights.earlier.document()
        self._session.out.note("Dry run: no snapshot was asked for. This would be sent:")
        self._session.out.answer(
            document, f"{request_text(preview)}\n\nBefore it is sent:\n{checks_text(lights.checks)}"
        )
        if lights.blocked is not None:
            self._session.out.error(f"It would not be sent: {lights.blocked.sentence}")
            return ExitCode.REFUSED if lights.blocked.subject == "API key" else ExitCode.USAGE
        stops = self._what_stops()
        if stops is not None:
            self._session.out.error(f"It would not be sent. {problem_words(stops)}")
            return ExitCode.NOT_ALLOWED
        return ExitCode.DONE

    def _what_stops(self) -> Problem | None:
        """The damage of the journal or the earlier request that a create would stop at."""
        lights, cluster = self._lights, self._attempt.cluster
        if cluster is None or self._attempt.snapshot is None:
            return None
        request = SnapshotRequest(cluster.number, cluster.name, self._attempt.snapshot, self._attempt.bucket or "")
        if lights.damage is not None:
            return DamagedJournal(lights.damage, request)
        if lights.earlier is not None and lights.earlier.id != self._wishes.again:
            return SecondRequest(lights.earlier, request)
        return None

    def _ask(self, identity: Identity) -> None:
        """Have the user agree, where there is one. Raises NotConfirmed, Declined."""
        wishes, attempt = self._wishes, self._attempt
        name = attempt.cluster.name if attempt.cluster else wishes.cluster
        question = inert(f"Create snapshot {attempt.snapshot} of {name} in bucket {attempt.bucket}?")
        if wishes.confirm is not None:
            if wishes.confirm != name:
                _refuse(f"--confirm {wishes.confirm!a} is not the cluster's name.", name)
        elif identity.profile.protected:
            typed = click.prompt(f"{question}\nThe profile is protected. Type the cluster's name", err=True)
            if typed.strip() != name:
                _refuse(f"{typed.strip()!a} is not the cluster's name.", name)
        elif not wishes.yes and self._session.can_ask and not click.confirm(question, err=True):
            raise Declined

    def _create(self, engine: SearchEngine, request: SnapshotRequest, identity: Identity) -> TrackedSnapshot:
        """Send it, and say meanwhile where its answer is looked for."""
        self._attempt.begin_sending()
        tracker, wishes = self._session.tracker, self._wishes
        tracked = tracker.start(
            request,
            identity,
            engine,
            history=self._history,
            with_journal=not wishes.without_journal,
            again=wishes.again,
            asked_at=self._asked_at,
        )
        try:
            self._session.wait(self._attempt.keep(tracker.create(tracked)))
        except JournalProblem as problem:
            problem.next_step = f"{problem.next_step} Or send it without being written down: --without-journal."
            raise
        return tracked

    def _say_resolving(self, tracked: TrackedSnapshot) -> None:
        if tracked.is_resolving and tracked.resolving is not None:
            words = f"Looking for {tracked.request.name} in the history, for a minute at most."
            self._session.out.note(f"{tracked.resolving.what} {words}")


def _may_be_asked_again(taken: Taken) -> bool:
    """Whether it certainly was not started, and asking again can help."""
    was_throttled = taken.outcome is Outcome.REFUSED and isinstance(taken.error, Throttled)
    return taken.outcome is Outcome.NOT_SENT or was_throttled


def _refuse(what: str, cluster: str) -> NoReturn:
    raise NotConfirmed(what, NOTHING_SENT, f"Confirm with --confirm {cluster}.")
