"""`snapshot create`: everything that can be known to be wrong first, then one request, then what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NoReturn

import click

from ncp_tui.cli.exit_codes import ExitCode, exit_code_of
from ncp_tui.cli.work.attempt import Attempt
from ncp_tui.cli.work.documents import request_document, request_text
from ncp_tui.cli.work.finding import find_cluster, is_number
from ncp_tui.cli.work.problems import NOTHING_SENT, Declined, NotConfirmed, SnapshotFailed
from ncp_tui.cli.work.session import Session
from ncp_tui.cli.work.waiting import follow, told
from ncp_tui.gateway import GatewayError, ReadOnlyRefused, RefusedByService, RequestRecord
from ncp_tui.profiles import Identity
from ncp_tui.search_engine import Bucket, Cluster, SearchEngine, SnapshotState
from ncp_tui.snapshots import (
    DEFAULT_TEMPLATE,
    InvalidBucket,
    Outcome,
    SnapshotRequest,
    Taken,
    check_bucket,
    check_name,
    render_name,
    take,
)


@dataclass(frozen=True)
class Wishes:
    """The options of the command."""

    cluster: str
    bucket: str | None = None
    name: str | None = None
    template: str | None = None
    dry_run: bool = False
    wait: bool = False
    timeout: float = 3600.0
    yes: bool = False
    confirm: str | None = None


def create_snapshot(session: Session, wishes: Wishes) -> ExitCode:
    """Create one snapshot. From here on every failure says whether it was started."""
    attempt = Attempt(session.log, wishes.cluster, wishes.name, wishes.bucket)
    session.document_of, session.preface = attempt.document, attempt.sentence
    return _Creation(session, wishes, attempt).run()


class _Creation:
    """The steps of one create, in their order."""

    def __init__(self, session: Session, wishes: Wishes, attempt: Attempt) -> None:
        self._session = session
        self._wishes = wishes
        self._attempt = attempt

    def run(self) -> ExitCode:
        if self._wishes.name is not None:
            check_name(self._wishes.name)
        identity = self._session.identity()
        self._check_words(identity)
        if not self._wishes.dry_run:
            self._check_leave(identity)
        engine = self._session.connect(identity)
        with self._session.log.action(f"look before a snapshot of {self._wishes.cluster}"):
            request = self._session.wait(self._look(engine, identity))
        if self._wishes.dry_run:
            return self._show(engine.preview_create_snapshot(request.cluster_number, request.name, request.bucket))
        self._ask(identity)
        return self._take(engine, request)

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
        if self._session.home.read_only or identity.profile.read_only:
            raise ReadOnlyRefused(
                "Read-only mode refuses to create a snapshot.",
                NOTHING_SENT,
                "Leave read-only mode (--read-only, NCP_TUI_READ_ONLY, or the profile's flag) to do it.",
            )
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
        cluster = attempt.cluster = await find_cluster(engine, self._wishes.cluster)
        if not cluster.is_running:
            self._session.out.note(f"Cluster {cluster.name} is {cluster.status!r}: the service may refuse.")
        bucket = check_bucket(attempt.bucket or "", await self._buckets(engine, cluster))
        # Rendered once: the name is what the snapshot is looked for by, whatever happens to the request.
        name = attempt.snapshot = self._wishes.name or self._render(cluster.name, identity)
        return SnapshotRequest(cluster.number, cluster.name, name, bucket)

    async def _buckets(self, engine: SearchEngine, cluster: Cluster) -> Sequence[Bucket]:
        try:
            buckets = await engine.list_buckets(cluster.number)
        except RefusedByService as refused:
            self._session.out.note(f"The buckets cannot be checked. {refused.what} The service decides.")
            return ()
        if not buckets:
            self._session.out.note(f"The service names no bucket for cluster {cluster.name}: it decides.")
        return buckets

    def _render(self, cluster: str, identity: Identity) -> str:
        profile = identity.profile
        template = self._wishes.template or profile.name_template or DEFAULT_TEMPLATE
        now = datetime.fromtimestamp(self._session.home.clock(), UTC)
        return render_name(template, cluster=cluster, profile=profile.name, region=profile.region, now=now)

    def _show(self, preview: RequestRecord) -> ExitCode:
        document = {"dry_run": True, **self._attempt.document(), "request": request_document(preview)}
        self._session.out.note("Dry run: no snapshot was asked for. This would be sent:")
        self._session.out.answer(document, request_text(preview))
        return ExitCode.DONE

    def _ask(self, identity: Identity) -> None:
        """Have the user agree, where there is one. Raises NotConfirmed, Declined."""
        wishes, attempt = self._wishes, self._attempt
        name = attempt.cluster.name if attempt.cluster else wishes.cluster
        question = f"Create snapshot {attempt.snapshot} of {name} in bucket {attempt.bucket}?"
        if wishes.confirm is not None:
            if wishes.confirm != name:
                _refuse(f"--confirm {wishes.confirm!a} is not the cluster's name.", name)
        elif identity.profile.protected:
            typed = click.prompt(f"{question}\nThe profile is protected. Type the cluster's name", err=True)
            if typed.strip() != name:
                _refuse(f"{typed.strip()!a} is not the cluster's name.", name)
        elif not wishes.yes and self._session.can_ask and not click.confirm(question, err=True):
            raise Declined

    def _take(self, engine: SearchEngine, request: SnapshotRequest) -> ExitCode:
        with self._session.log.action(f"create snapshot {request.name} of {request.cluster_name}") as action:
            self._attempt.sending = True
            taken = self._attempt.taken = self._session.wait(take(engine, request))
            action.outcome, action.failed = taken.sentence, taken.outcome is not Outcome.ACCEPTED
        return self._accepted(engine, taken) if taken.outcome is Outcome.ACCEPTED else self._not_accepted(taken)

    def _not_accepted(self, taken: Taken) -> ExitCode:
        error = taken.error or GatewayError("The service gave no reason.")
        self._session.tell(error)
        if taken.outcome is not Outcome.UNKNOWN:
            return exit_code_of(error)
        self._session.out.error(f"Look with: ncp-tui snapshot history {taken.request.cluster_name}")
        return ExitCode.UNKNOWN

    def _accepted(self, engine: SearchEngine, taken: Taken) -> ExitCode:
        out, request = self._session.out, taken.request
        if not self._wishes.wait:
            out.answer(
                self._attempt.document(), f"{taken.sentence}\nRequest id: {taken.request_id or 'none was given'}"
            )
            out.note(f"Follow it with: ncp-tui snapshot wait {request.cluster_name} {request.name}")
            return ExitCode.DONE
        out.note(taken.sentence)
        wait = follow(
            engine,
            request.cluster_number,
            request.name,
            seconds=self._wishes.timeout,
            note=out.note,
            since=taken.at,
        )
        try:
            with self._session.log.action(f"wait for {request.name}"):
                entry = self._session.wait(wait)
        except GatewayError as error:
            # Accepted is accepted: this is no failure to authenticate but the end of what can be seen of it.
            return self._wait_ended(f"{error.what} It goes on, but can no longer be followed. {error.next_step}", error)
        if entry is not None and entry.state is SnapshotState.FAILED:
            self._attempt.finished = "failed"
            raise SnapshotFailed(f"It failed: {entry.message or 'the history gives no reason'}.")
        if entry is not None and entry.state is SnapshotState.SUCCESS:
            self._attempt.finished = "success"
            out.answer(self._attempt.document(), told(entry))
            return ExitCode.DONE
        return self._wait_ended(f"{self._wishes.timeout:g} s are over; it goes on.")

    def _wait_ended(self, why: str, error: GatewayError | None = None) -> ExitCode:
        self._session.out.error(f"{self._attempt.sentence()} {why}".rstrip())
        if self._session.settings.json:
            self._session.out.document(self._attempt.document(error))
        return ExitCode.WAIT_ENDED


def _refuse(what: str, cluster: str) -> NoReturn:
    raise NotConfirmed(what, NOTHING_SENT, f"Confirm with --confirm {cluster}.")
