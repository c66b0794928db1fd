"""The gate before a rolling upgrade: a good snapshot of the last six hours opens it, as far as the history tells.

NCP lets an upgrade begin only with a snapshot made within the last six hours (api.ncloud-docs.com,
"ses-rollingupgradeprecheck"). Whether they count from its start or its end is not documented, and neither is whether a
row of the history still has its snapshot: so the gate is open, shut or unknown, and NCP decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from ncp_tui.gateway.errors import GatewayError, PermissionDenied
from ncp_tui.problem import Problem
from ncp_tui.search_engine.lists import Listing
from ncp_tui.search_engine.models import Cluster, HistoryEntry, SnapshotState, Version
from ncp_tui.snapshots.cluster_summary import ClusterSummary, Look, duration_seconds, oldest_of, summary_of
from ncp_tui.snapshots.history_match import is_of_cluster

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

WINDOW = timedelta(hours=6)
"""How long a snapshot lets an upgrade begin."""

_BEFORE = timedelta(hours=12)
"""How much longer than the window a snapshot may have run: rows have to reach back so far before none is said."""

_AHEAD = timedelta(minutes=10)
"""A row may be dated so far in the future: clocks differ."""


class Gate(StrEnum):
    """Whether an upgrade may begin, by the history alone."""

    OPEN = "open"
    SHUT = "shut"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Why the gate is open, shut or unknown."""

    RECENT = "recent"
    """A good snapshot began within the window."""
    NONE = "none"
    """The history has no good snapshot."""
    TOO_OLD = "too_old"
    NOT_READ = "not_read"
    """The history was not read, or cannot be, see `problem`."""
    INCOMPLETE = "incomplete"
    """Some rows are missing, see `problem`."""
    NOT_FAR_ENOUGH = "not_far_enough"
    """Older rows were not read, and one of them may be good and recent."""
    NO_DATE = "no_date"
    """A row that may be good has no date that can be read."""
    UNCLEAR = "unclear"
    """The state of a recent row is not known."""
    AHEAD = "ahead"
    """The newest good one is dated in the future."""
    BY_ITS_END = "by_its_end"
    """It ended within the window and began before it: which of the two NCP counts from is not documented."""


@dataclass(frozen=True)
class UpgradeGate:
    """How the gate of a cluster stands at the moment `at` of NCP's clock."""

    gate: Gate
    reason: Reason
    at: datetime
    row: HistoryEntry | None = None
    """The row that decides: the newest good one, or the one that is in doubt."""
    newest_good: HistoryEntry | None = None
    ended: datetime | None = None
    """When the newest good one ended; None where its duration does not tell."""
    running: tuple[HistoryEntry, ...] = ()
    problem: Problem | None = None
    """Why the history is not known, or not whole."""
    read_at: datetime | None = None

    @property
    def until(self) -> datetime | None:
        """Until when the newest good one opens the gate: WINDOW after its end, else, as the safer one, its start."""
        good = self.newest_good
        if good is None or good.at is None or self.reason is Reason.AHEAD:
            return None
        return (self.ended or good.at) + WINDOW

    @property
    def surely_until(self) -> datetime | None:
        """Until when it does even if NCP counts from the start of the snapshot."""
        good = self.newest_good
        return good.at + WINDOW if good is not None and good.at is not None and self.until is not None else None

    @property
    def left(self) -> timedelta | None:
        """How long it stays open; None where it is not."""
        return self.until - self.at if self.until is not None and self.gate is Gate.OPEN else None


def judge_gate(cluster: Cluster, summary: ClusterSummary, now: datetime) -> UpgradeGate:
    """Judge the gate by the newest rows of a history; `now` is NCP's time.

    Open is said of a row that succeeded and began within the window, whatever else is missing. Shut is said only where
    every row that could open it was read and cannot.
    """
    # The state of a row is worked out each time, so that of an old one only where it can matter.
    rows = [row for row in summary.rows if may_open_gate(row, now) and is_of_cluster(row, cluster.number, cluster.name)]
    states = [(row, row.state) for row in rows]
    dated = [(row, row.at) for row, state in states if state is SnapshotState.SUCCESS and row.at is not None]
    ahead = next((row for row, at in dated if at > now + _AHEAD), None)
    # One from the future proves nothing, and hides none that does.
    good = next((row for row, at in dated if at <= now + _AHEAD), None) or ahead or _older_good(cluster, summary)
    ended = _end_of(good, now) if good is not None else None
    running = tuple(row for row in summary.running if is_of_cluster(row, cluster.number, cluster.name))
    known = UpgradeGate(
        Gate.UNKNOWN, Reason.NOT_READ, now, good, good, ended, running, summary.problem, summary.read_at
    )
    if good is not None and good.at is not None:
        if good is ahead:
            return replace(known, reason=Reason.AHEAD)
        if now <= good.at + WINDOW:
            return replace(known, gate=Gate.OPEN, reason=Reason.RECENT)
        if ended is not None and now <= ended + WINDOW:
            return replace(known, reason=Reason.BY_ITS_END)
    if summary.look not in {Look.FOUND, Look.NONE}:
        return known
    if ahead is not None:
        return replace(known, reason=Reason.AHEAD, row=ahead)
    reason, row = next(_doubts(summary, states, now), (None, None))
    if reason is not None:
        return replace(known, reason=reason, row=row or good)
    return replace(known, gate=Gate.SHUT, reason=Reason.NONE if good is None else Reason.TOO_OLD)


def may_open_gate(row: HistoryEntry, now: datetime) -> bool:
    """Whether it may open the gate, by its date; also where it has none."""
    return row.at is None or row.at > now - WINDOW - _BEFORE


def _older_good(cluster: Cluster, summary: ClusterSummary) -> HistoryEntry | None:
    """The newest good one, where none is recent."""
    good = summary.last_good
    if good is None or (good.at is not None and is_of_cluster(good, cluster.number, cluster.name)):
        return good
    dated = (row for row in summary.rows if row.at is not None and is_of_cluster(row, cluster.number, cluster.name))
    return next((row for row in dated if row.state is SnapshotState.SUCCESS), None)


def _doubts(
    summary: ClusterSummary, states: Sequence[tuple[HistoryEntry, SnapshotState]], now: datetime
) -> Iterator[tuple[Reason, HistoryEntry | None]]:
    """What forbids to say that the gate is shut, with the row it is about."""
    if summary.problem is not None:
        yield Reason.INCOMPLETE, None
    for row, state in states:
        if row.at is None and state in {SnapshotState.SUCCESS, SnapshotState.UNKNOWN}:
            yield Reason.NO_DATE, row
        if row.at is not None and state is SnapshotState.UNKNOWN:
            yield Reason.UNCLEAR, row
    back = summary.reaches_back_to
    if not summary.is_dated:
        yield Reason.NO_DATE, None
    if (back is not None and back > now - WINDOW - _BEFORE) or (back is None and not summary.is_whole):
        yield Reason.NOT_FAR_ENOUGH, None


def _end_of(row: HistoryEntry, now: datetime) -> datetime | None:
    """When it ended; None where its duration says none, or one that would end it in the future."""
    seconds = duration_seconds(row.duration)
    if seconds is None or row.at is None:
        return None
    end = row.at + timedelta(seconds=seconds)
    return end if end <= now + _AHEAD else None


@dataclass(frozen=True)
class UpgradeCheck:
    """What can be read before an upgrade of a cluster: its gate, and the versions on offer."""

    cluster: Cluster
    gate: UpgradeGate
    versions: Listing[Version] | None = field(default=None, repr=False)
    """None where they were not read, see `versions_problem`."""
    versions_problem: Problem | None = None
    """Why they are not known, or not all."""

    def is_of_cluster(self, version: Version) -> bool:
        """Whether the cluster has this version already: the list has its name, the detail its code."""
        said = {str(self.cluster.raw.get(name)) for name in ("searchEngineVersionCode", "searchEngineVersion")}
        return version.code in {*said, self.cluster.engine} or version.name in {*said, self.cluster.engine}


async def read_upgrade(engine: SearchEngine, cluster: Cluster) -> UpgradeCheck:
    """Read the newest rows of the history and the versions on offer, side by side. Nothing is raised."""
    summary, (versions, problem) = await asyncio.gather(_read_history(engine, cluster), _read_versions(engine))
    return UpgradeCheck(cluster, judge_gate(cluster, summary, engine.time_there()), versions, problem)


async def _read_history(engine: SearchEngine, cluster: Cluster) -> ClusterSummary:
    try:
        rows = await engine.recent_snapshots(cluster.number)
    except GatewayError as problem:
        look = Look.NO_PERMISSION if isinstance(problem, PermissionDenied) else Look.FAILED
        return ClusterSummary(look, read_at=engine.now(), problem=problem)
    gap = Problem(rows.gap) if rows.gap else None
    summary = summary_of(rows, rows.read_at, is_whole=rows.is_whole, problem=gap)
    return replace(summary, rows=tuple(rows), reaches_back_to=None if rows.is_whole else oldest_of(rows))


async def _read_versions(engine: SearchEngine) -> tuple[Listing[Version] | None, Problem | None]:
    try:
        versions = await engine.list_versions()
    except GatewayError as problem:
        return None, problem
    return versions, Problem(versions.gap) if versions.gap else None
