"""What can be seen before a create: seven checks, each with its evidence and its age; only a sure refusal blocks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from ncp_tui.gateway.clock import ClockOffset
from ncp_tui.gateway.endpoints import may_reach_same_clusters
from ncp_tui.gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    NotFound,
    PermissionDenied,
    RefusedByGateway,
    RefusedByService,
)
from ncp_tui.problem import Problem
from ncp_tui.search_engine.client import WrongCluster
from ncp_tui.search_engine.history_reader import OLDER_NOT_READ, OlderRows, read_older_rows
from ncp_tui.search_engine.lists import Listing
from ncp_tui.search_engine.models import Bucket, Cluster, HistoryEntry, SnapshotState
from ncp_tui.search_engine.operations import is_key_missing
from ncp_tui.snapshots.earlier_ends import end_of
from ncp_tui.snapshots.earlier_requests import Earlier, EarlierState, earlier_request, stops
from ncp_tui.snapshots.history_match import is_of_cluster
from ncp_tui.snapshots.inventory import DashboardRead, Inventory, reading_dashboard
from ncp_tui.snapshots.journal import Journal, on_disk
from ncp_tui.snapshots.journal_contents import DamageReport
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import SnapshotRequest
from ncp_tui.snapshots.resolve import SECONDS
from ncp_tui.snapshots.rules import InvalidBucket, check_bucket, check_cluster
from ncp_tui.text import plural

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

T = TypeVar("T")

_SIGNATURE_WINDOW = 300.0
_STUCK = timedelta(hours=24)


class Severity(StrEnum):
    """What a check says. Nothing but a sure refusal stops anybody."""

    OK = "ok"
    UNSURE = "unsure"
    BAD = "bad"


@dataclass(frozen=True)
class Check:
    """One check: what it is about, what it says, the evidence, what to do, and when the evidence was read."""

    subject: str
    severity: Severity
    evidence: str
    advice: str = ""
    read_at: datetime | None = None
    problem: Problem | None = None
    """Why sending would be refused for certain, where it would."""

    @property
    def blocks(self) -> bool:
        """Whether sending would be refused for certain."""
        return self.problem is not None

    @property
    def sentence(self) -> str:
        """The evidence and what to do about it. Evidence may be a sentence of its own, as one that a problem says."""
        return f"{self.evidence.removesuffix('.')}. {self.advice}".rstrip()


@dataclass(frozen=True)
class ReadResult:
    """Something asked of the service: its value or why there is none, and when that was."""

    at: datetime
    problem: Problem | None = None
    gap: str = ""
    """What is missing of a list that came; empty where nothing is, or no more was wanted."""


@dataclass(frozen=True)
class PreflightEvidence:
    """What was read before a create. Anything may be missing: then its check says so."""

    cluster: Cluster
    cluster_read: ReadResult
    buckets: Sequence[Bucket] = ()
    buckets_read: ReadResult | None = None
    history: Sequence[HistoryEntry] | None = None
    """The newest rows."""
    history_read: ReadResult | None = None
    journal: Sequence[JournalEntry] = ()
    journal_problem: Problem | None = None
    clock_offset: ClockOffset | None = None
    health_is_listed: bool = False
    """The cluster was read anew, but its health was not in that: it is as old as the list."""
    damage: DamageReport | None = None
    """What of the journal is damaged, and not accepted."""
    dashboard: DashboardRead | None = None
    """What is in the cluster; None where it was not read, in time or at all: no check needs it."""
    older: OlderRows | None = None
    """The rows of the history behind the newest; None where there are none, or they were not read, see `has_older`."""

    @property
    def inventory(self) -> Inventory:
        """What the cluster holds, as far as it was read."""
        return Inventory.of(self.cluster, self.dashboard)

    @property
    def has_older(self) -> bool:
        """Whether the history has older rows than those that were read."""
        return self.older is None and isinstance(self.history, Listing) and self.history.has_more

    @property
    def older_gap(self) -> str:
        """What of the older rows was not read; empty where nothing is left."""
        if self.older is not None:
            return self.older.gap
        return OLDER_NOT_READ if self.has_older else ""

    def rows_for(self, name: str) -> Sequence[HistoryEntry] | None:
        """The newest rows, and all older ones of that name; None where the history could not be read."""
        if self.history is None or self.older is None:
            return self.history
        return [*self.history, *self.older.named(name)]


@dataclass(frozen=True)
class Preflight:
    """The preflight checks for one request."""

    checks: tuple[Check, ...]
    earlier: Earlier | None = None
    """The earlier request for the same snapshot that the user has to say yes to first."""
    damage: DamageReport | None = None
    """The damage of the journal, where it may be about the same snapshot: it has to be accepted first."""

    @property
    def blocked(self) -> Check | None:
        """The first check that forbids sending."""
        return next((check for check in self.checks if check.blocks), None)

    @property
    def doubts(self) -> tuple[Check, ...]:
        """The checks that a user should have seen before saying yes, the bad ones first."""
        worst_first = {Severity.BAD: 0, Severity.UNSURE: 1}
        found = [check for check in self.checks if check.severity is not Severity.OK]
        return tuple(sorted(found, key=lambda check: worst_first[check.severity]))

    @property
    def severity(self) -> Severity:
        """The worst of them."""
        found = {check.severity for check in self.checks}
        return next((each for each in (Severity.BAD, Severity.UNSURE) if each in found), Severity.OK)


async def read_evidence(
    engine: SearchEngine,
    cluster: Cluster,
    journal: Journal | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    just_read: bool = False,
    with_inventory: bool = False,
) -> PreflightEvidence:
    """Read the cluster, its buckets and its history, side by side, and the journal. A read that fails is evidence too.

    A cluster that was `just_read` is not read again. With its inventory, what is in it is read beside all that, and
    not waited for.
    """
    async with reading_dashboard(engine, cluster.number, now, is_wanted=with_inventory) as beside:
        shown, buckets, history, entries = await asyncio.gather(
            _tried(_nothing() if just_read else _shown(engine, cluster), now),
            _tried(engine.list_buckets(cluster.number), now),
            _tried(engine.recent_snapshots(cluster.number), now),
            _tried(on_disk(journal.contents) if journal is not None else _nothing(), now),
        )
        dashboard = await beside.result()
    contents, offset = entries[0], engine.clock_offset
    return PreflightEvidence(
        cluster=cluster.with_detail(shown[0]) if shown[0] is not None else cluster,
        cluster_read=shown[1],
        health_is_listed=shown[0] is not None and not shown[0].health,
        buckets=() if buckets[0] is None else buckets[0],
        buckets_read=buckets[1],
        history=history[0],
        history_read=history[1],
        journal=_with_ends(contents.entries, history[0] or [], history[1].at, offset) if contents else (),
        damage=contents.damage if contents else None,
        journal_problem=entries[1].problem,
        clock_offset=offset,
        dashboard=dashboard,
    )


async def look_further(
    engine: SearchEngine,
    evidence: PreflightEvidence,
    request: SnapshotRequest | None = None,
    gateway: str = "",
    *,
    seconds: float = SECONDS,
) -> PreflightEvidence:
    """The evidence with the older rows of a history that has more than its newest page; else nothing is read.

    With a `request` through `gateway` they are looked through for its name alone, and no further than to what stops it.
    Never longer than `seconds`; what was not read is evidence too.
    """
    if not evidence.has_older or not isinstance(evidence.history, Listing):
        return evidence
    newest, number = evidence.history, evidence.cluster.number
    if request is None:
        older = await read_older_rows(engine, number, newest, seconds=seconds)
    else:
        earlier = earlier_request(request, gateway, evidence.journal, newest)
        # Of an accepted one the older rows may tell that it has failed.
        if earlier is not None and earlier.state is not EarlierState.ACCEPTED:
            return evidence
        older = await read_older_rows(
            engine, number, newest, name=request.name, is_enough=lambda row: stops(row, request), seconds=seconds
        )
    names = {entry.request.name for entry in evidence.journal if entry.request.cluster_number == number}
    rows = [*newest, *(row for name in names for row in older.named(name))]
    looked_at = evidence.history_read.at if evidence.history_read is not None else newest.read_at
    return replace(evidence, older=older, journal=_with_ends(evidence.journal, rows, looked_at, evidence.clock_offset))


def preflight(request: SnapshotRequest, evidence: PreflightEvidence, gateway: str) -> Preflight:
    """Judge `request` by `evidence`; nothing is read. `gateway` tells the journal's entries of other gateways apart."""
    entries = [
        entry
        for entry in evidence.journal
        if entry.request.cluster_number == request.cluster_number
        and may_reach_same_clusters(entry.caller.gateway, gateway)
    ]
    earlier = earlier_request(request, gateway, evidence.journal, evidence.rows_for(request.name))
    damage = evidence.damage
    if damage is not None and not damage.touches((request.cluster_number, request.name), evidence.journal):
        damage = None
    checks = (_cluster, _health, _bucket, _others, _api_key, _clock)
    found = [check(request, evidence, entries) for check in checks]
    found.insert(3, _name(request, evidence, earlier, damage))
    return Preflight(tuple(found), earlier, damage)


def shared_checks(request: SnapshotRequest, evidence: PreflightEvidence) -> tuple[Check, Check, Check, Check]:
    """The checks of cluster, bucket, storage key and clock: what holds before a schedule is set as before a create."""
    check_all = (_cluster, _bucket, _api_key, _clock)
    cluster, bucket, key, clock = (check(request, evidence, ()) for check in check_all)
    return cluster, bucket, key, clock


_REFUSED_OVER = (
    (
        "name",
        r"snapshot[ _]?name|same name|already exist|duplicate|스냅샷 ?(이름|명)|이미 존재",
    ),
    ("bucket", r"bucket|object storage|버킷"),
    ("storage key", r"api[ _]?(authentication[ _]?)?key|authentication key|인증 ?키"),
    (
        "snapshots",
        r"in progress|another snapshot|being (created|processed)|concurrent|진행 ?중",
    ),
    ("cluster", r"cluster|not running|status|클러스터|상태"),
)
"""What a refusal is about, by its words: NCP documents no code for it. The more special words stand first."""


def doubted_by(error: GatewayError) -> tuple[str, ...]:
    """The subjects of the checks that a certain refusal speaks against; empty where its words name none."""
    if is_key_missing(error):
        return ("storage key",)
    if isinstance(error, AuthenticationFailed):
        return ("clock",)
    if isinstance(error, PermissionDenied | NotFound):
        return ("cluster",)
    if not isinstance(error, RefusedByService | RefusedByGateway):
        return ()
    said = error.message or error.what
    return next(((subject,) for subject, words in _REFUSED_OVER if re.search(words, said, re.IGNORECASE)), ())


def _cluster(_: SnapshotRequest, evidence: PreflightEvidence, __: Sequence[JournalEntry]) -> Check:
    cluster, read = evidence.cluster, evidence.cluster_read
    status = cluster.status or "unknown"
    try:
        check_cluster(cluster)
    except (PermissionDenied, WrongCluster) as denied:
        return Check("cluster", Severity.BAD, denied.what, denied.next_step, read.at, denied)
    if isinstance(read.problem, WrongCluster):
        return Check("cluster", Severity.BAD, read.problem.what, read.problem.next_step, read.at, read.problem)
    if read.problem is not None:
        return Check("cluster", Severity.UNSURE, f"{status!r} when last read. {read.problem.what}", "", read.at)
    if cluster.is_running:
        return Check("cluster", Severity.OK, "running", "", read.at)
    return Check(
        "cluster",
        Severity.BAD,
        f"{status!r}, not running",
        "NCP may refuse the request. Wait until the cluster is running.",
        read.at,
    )


_HEALTHS = {
    "green": (Severity.OK, "green", ""),
    "yellow": (Severity.UNSURE, "yellow: some replica shards are missing, no data is", ""),
    "red": (Severity.BAD, "red: some primary shards are missing", "The snapshot would be incomplete."),
}


def _health(_: SnapshotRequest, evidence: PreflightEvidence, __: Sequence[JournalEntry]) -> Check:
    health, at = evidence.cluster.health.lower(), evidence.cluster_read.at
    if evidence.health_is_listed and health in _HEALTHS:
        severity, words, advice = _HEALTHS[health]
        return Check("health", severity, f"{words} (from the cluster list)", advice)
    if health in {"green", "yellow"} and evidence.cluster_read.problem is not None:
        return Check("health", Severity.UNSURE, f"{health} when last read", "", at)
    if health in _HEALTHS:
        severity, words, advice = _HEALTHS[health]
        return Check("health", severity, words, advice, at)
    return Check("health", Severity.UNSURE, f"{health or 'unknown'}: says nothing about the data", "", at)


def _bucket(request: SnapshotRequest, evidence: PreflightEvidence, _: Sequence[JournalEntry]) -> Check:
    read = evidence.buckets_read
    at, problem = (read.at, read.problem) if read else (None, None)
    try:
        check_bucket(request.bucket, evidence.buckets)
    except InvalidBucket as invalid:
        return Check("bucket", Severity.BAD, invalid.what, invalid.next_step, at, invalid)
    if problem is not None or not evidence.buckets:
        why = problem.what if problem is not None else "NCP lists no buckets for this cluster."
        return Check("bucket", Severity.UNSURE, f"not checked. {why}", "NCP will decide.", at)
    if read is not None and read.gap and all(bucket.name != request.bucket for bucket in evidence.buckets):
        return Check(
            "bucket", Severity.UNSURE, f"not among the buckets that were read. {read.gap}", "NCP will decide.", at
        )
    return Check("bucket", Severity.OK, f"{request.bucket} can be used", "", at)


def _name(
    request: SnapshotRequest, evidence: PreflightEvidence, earlier: Earlier | None, damage: DamageReport | None
) -> Check:
    name, at = request.name, evidence.history_read.at if evidence.history_read else None
    if damage is not None:
        said = f"the journal is damaged and may have held a create of {name}: {damage.summary}"
        return Check("name", Severity.BAD, said, "Accept the damage first.", at)
    if earlier is not None:
        said = f"{name} was requested before: the {earlier.words}"
        return Check("name", Severity.BAD, said, "Use another name.", at)
    named = (row for row in evidence.rows_for(name) or () if row.snapshot == name)
    row = next((row for row in named if is_of_cluster(row, request.cluster_number, request.cluster_name)), None)
    if row is not None:
        said = f"{name} is already in the history ({row.message or row.state.value})"
        return Check("name", Severity.UNSURE, said, "NCP may refuse it. Use another name.", at)
    if evidence.history is None:
        why = evidence.history_read.problem if evidence.history_read else None
        return Check("name", Severity.UNSURE, f"not checked. {why.what if why else ''}".rstrip(), "", at)
    unread = _unread(evidence)
    if unread:
        return Check("name", Severity.UNSURE, f"not among {unread}", "", at)
    if evidence.journal_problem is not None:
        seen = f"not among {_rows(evidence)}" if evidence.history else "the history is empty"
        said = f"{seen}. {evidence.journal_problem.what}"
        return Check("name", Severity.UNSURE, said, evidence.journal_problem.next_step, at)
    if not evidence.history:
        return Check("name", Severity.OK, "not in use: the history is empty, no journal entry", "", at)
    return Check("name", Severity.OK, f"not in use in {_rows(evidence)} and the journal", "", at)


def _others(request: SnapshotRequest, evidence: PreflightEvidence, entries: Sequence[JournalEntry]) -> Check:
    subject, at = "snapshots", evidence.history_read.at if evidence.history_read else None
    running = [
        row
        for row in _rows_of(request, evidence)
        if row.state is SnapshotState.RUNNING and row.snapshot != request.name
    ]
    if running:
        row = running[0]
        since = f" since {row.when}" if row.when else ""
        if at is not None and row.at is not None and at - row.at > _STUCK:
            said = f"{row.snapshot} has been running{since} and may be stuck"
            return Check(subject, Severity.UNSURE, said, "NCP may refuse the request while it runs.", at)
        return Check(
            subject,
            Severity.BAD,
            f"{row.snapshot} is running{since}",
            "NCP may refuse the request. Wait until it ends.",
            at,
        )
    ended = {row.snapshot for row in _rows_of(request, evidence)}
    for entry in entries:
        recent = at is not None and at - entry.at < _STUCK
        if entry.is_under_way and recent and entry.request.name not in ended | {request.name}:
            said = f"{entry.request.name} may be running, as the journal says"
            return Check(subject, Severity.UNSURE, said, "NCP may refuse the request while it runs.", at)
    if evidence.history is None:
        return Check(subject, Severity.UNSURE, "not checked: the history could not be read", "", at)
    if evidence.history_read is not None and evidence.history_read.gap:
        return Check(
            subject, Severity.UNSURE, f"none among the rows that were read. {evidence.history_read.gap}", "", at
        )
    return Check(subject, Severity.OK, "no other snapshot is running", "", at)


def _api_key(_: SnapshotRequest, evidence: PreflightEvidence, __: Sequence[JournalEntry]) -> Check:
    read = evidence.buckets_read
    at, problem = (read.at, read.problem) if read else (None, None)
    advice = "Set the cluster's storage key."
    if evidence.buckets:
        count = len(evidence.buckets)
        said = f"set: lists {plural(count, 'bucket')}"
        return Check("storage key", Severity.OK, said, "", at)
    if problem is not None and is_key_missing(problem):
        return Check("storage key", Severity.BAD, "not set: no snapshot can be created", advice, at, problem)
    if problem is not None:
        return Check(
            "storage key", Severity.UNSURE, f"unknown. {problem.what}", problem.next_step or "NCP will decide.", at
        )
    return Check("storage key", Severity.UNSURE, "no bucket is listed: the key may not be set", advice, at)


def _clock(_: SnapshotRequest, evidence: PreflightEvidence, __: Sequence[JournalEntry]) -> Check:
    offset, at = evidence.clock_offset, evidence.cluster_read.at
    if offset is None:
        return Check("clock", Severity.UNSURE, "unknown: no server time received", "", at)
    side = "behind" if offset.seconds > 0 else "ahead of"
    said = f"{abs(offset.seconds):.1f} s {side} NCP"
    if not offset.is_worrying:
        return Check("clock", Severity.OK, said, "", at)
    severity = Severity.BAD if abs(offset.seconds) > _SIGNATURE_WINDOW else Severity.UNSURE
    return Check("clock", severity, said, "Correct this machine's clock.", at)


def _unread(evidence: PreflightEvidence) -> str:
    """What was read of a history that did not come whole, and what was not; empty where it is whole."""
    if evidence.history_read is not None and evidence.history_read.gap:
        return f"the rows that were read. {evidence.history_read.gap}"
    return f"{_rows(evidence)}. {evidence.older_gap}" if evidence.older_gap else ""


def _rows(evidence: PreflightEvidence) -> str:
    """What was read of a history that is not empty."""
    count = len(evidence.history or ()) + (evidence.older.count if evidence.older is not None else 0)
    return f"the {count:,} newest rows of the history" if count > 1 else "the one row of the history"


def _rows_of(request: SnapshotRequest, evidence: PreflightEvidence) -> list[HistoryEntry]:
    """The rows of this cluster: what is told of another says nothing here."""
    number, name = request.cluster_number, request.cluster_name
    return [row for row in evidence.history or () if is_of_cluster(row, number, name)]


def _with_ends(
    entries: Sequence[JournalEntry], history: Sequence[HistoryEntry], looked_at: datetime, offset: ClockOffset | None
) -> Sequence[JournalEntry]:
    """The entries, with the ends that the history tells of and the journal does not know yet."""
    found = []
    for entry in entries:
        row = end_of(entry, history, looked_at, offset.seconds if offset else None)
        if row is not None:
            finished = {"fact": JournalEvent.FINISHED, "state": row.state.value}
            entry = replace(entry, events=(*entry.events, finished))  # noqa: PLW2901
        found.append(entry)
    return tuple(found)


async def _tried(read: Awaitable[T], now: Callable[[], datetime]) -> tuple[T | None, ReadResult]:
    try:
        value = await read
    except Problem as problem:
        return None, ReadResult(now(), problem)
    return value, ReadResult(now(), gap=value.gap if isinstance(value, Listing) else "")


async def _shown(engine: SearchEngine, listed: Cluster) -> Cluster:
    cluster = await engine.show_cluster(listed.number, listed.name)
    if cluster is None:
        raise Problem("NCP no longer knows this cluster.", "Nothing was sent.", "List the clusters again.")
    return cluster


async def _nothing() -> None:
    return None
