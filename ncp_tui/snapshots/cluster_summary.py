"""What the newest rows of a cluster's history say of it, or why that is not known: five things that look different."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from ncp_tui.gateway.errors import GatewayError, PermissionDenied
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster, HistoryEntry, SnapshotState
from ncp_tui.snapshots.schedule import DueVerdict, RowsRead, Schedule, judge_last_due, schedule_of

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.search_engine.lists import Listing
    from ncp_tui.search_engine.models import ScheduleEntry

LOOKS_AT_ONCE = 2
"""Histories read at the same time; the service publishes no rate limit, so we stay far below any."""

MOST_FAILED_LOOKS = 3
"""Histories in a row that cannot be read, after which the others are left alone."""

MOST_MEASURED = 10
"""Good snapshots whose duration says how long one usually takes: an index grows, so old ones say little."""

MOST_KEPT = 20
"""Rows of a cluster that are kept: of 2,000 clusters a whole page of 100 each would take 100 MiB."""

_CLOCK = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})(?:\.\d+)?"
_AMOUNT = r"(?i)(\d+(?:\.\d+)?)\s*(ms(?:ec)?|h(?:ours?)?|시간|m(?:in(?:ute)?s?)?|분|s(?:ec(?:ond)?s?)?|초)(?![a-z])"
_SIXTY = 60
_LONGEST = 30 * 86_400.0
"""Seconds: beyond that it is damage, no duration."""
_SECONDS_OF = {"ms": 0.001, "h": 3_600.0, "시": 3_600.0, "m": 60.0, "분": 60.0, "s": 1.0, "초": 1.0}


class Look(StrEnum):
    """What a look at the history of a cluster has come to."""

    NOT_READ = "not_read"
    FOUND = "found"
    NONE = "none"
    """The history came, and it is empty."""
    NO_PERMISSION = "no_permission"
    FAILED = "failed"
    """The history could not be read, or its answer contradicts itself."""


@dataclass(frozen=True)
class UsualDuration:
    """How long a snapshot of a cluster usually takes: the median of the newest `count` good ones, in seconds."""

    seconds: float
    count: int


@dataclass(frozen=True)
class ClusterSummary:
    """What is known of the snapshots of a cluster, and since when. Each may be missing, and missing is not none."""

    look: Look = Look.NOT_READ
    last_run: HistoryEntry | None = None
    """The newest row, whatever became of it."""
    last_good: HistoryEntry | None = None
    """The newest row that succeeded, among those that were read."""
    running: tuple[HistoryEntry, ...] = ()
    rows: tuple[HistoryEntry, ...] = ()
    """The newest rows, newest first; at most MOST_KEPT of them."""
    reaches_back_to: datetime | None = None
    """The time of the oldest row that was kept, where there are older ones; None where there are none."""
    is_dated: bool = True
    """Whether each row that was read has a date."""
    usual: UsualDuration | None = None
    is_whole: bool = True
    """Whether there are no older rows than those that were read: without a good one among these there is none."""
    read_at: datetime | None = None
    problem: Problem | None = None
    """Why it is not known, or may not be the newest: the history has a gap."""
    schedule: Schedule | None = None
    """What is set; None where nothing is, or it was not read."""
    is_schedule_read: bool = False
    """Whether that was read: without it no schedule is not none."""
    schedule_problem: Problem | None = None
    """Why that is not known."""

    def last_due(self, now: datetime) -> DueVerdict | None:
        """What became of the last scheduled run; None where none was due, or that is not known."""
        if self.schedule is None or self.look not in {Look.FOUND, Look.NONE}:
            return None
        has_gap = self.problem is not None
        read = RowsRead(self.rows, self.read_at or now, self.reaches_back_to, has_gap=has_gap)
        return judge_last_due(self.schedule, read, now)

    def with_row(self, row: HistoryEntry) -> ClusterSummary:
        """This with what a later look said of one snapshot, of the newest run or of a newer one.

        All the rest is as old as it was.
        """
        others = tuple(each for each in self.running if each.snapshot != row.snapshot)
        is_good, is_running = row.state is SnapshotState.SUCCESS, row.state is SnapshotState.RUNNING
        is_newest = self.last_run is None or row.sort_key >= self.last_run.sort_key
        is_newest_good = self.last_good is None or row.sort_key >= self.last_good.sort_key
        return replace(
            self,
            look=Look.FOUND,
            last_run=row if is_newest else self.last_run,
            last_good=row if is_good and is_newest_good else self.last_good,
            running=(row, *others) if is_running else others,
            rows=self._rows_with(row),
            is_whole=self.is_whole and self.look in {Look.FOUND, Look.NONE},
        )

    def _rows_with(self, row: HistoryEntry) -> tuple[HistoryEntry, ...]:
        others = [each for each in self.rows if (each.snapshot, each.at) != (row.snapshot, row.at)]
        return tuple(sorted([row, *others], key=lambda each: each.sort_key, reverse=True))[:MOST_KEPT]


NOT_READ = ClusterSummary()


def summary_of(
    rows: Sequence[HistoryEntry], read_at: datetime, *, is_whole: bool = True, problem: Problem | None = None
) -> ClusterSummary:
    """What `rows`, newest first, say of their cluster; no rows where some are missing say nothing."""
    if not rows and problem is not None:
        return ClusterSummary(Look.FAILED, is_whole=False, read_at=read_at, problem=problem)
    if not rows:
        return ClusterSummary(Look.NONE, is_whole=is_whole, read_at=read_at, problem=problem)
    good = [row for row in rows if row.state is SnapshotState.SUCCESS]
    return ClusterSummary(
        Look.FOUND,
        rows[0],
        good[0] if good else None,
        tuple(row for row in rows if row.state is SnapshotState.RUNNING),
        tuple(rows[:MOST_KEPT]),
        None if is_whole and len(rows) <= MOST_KEPT else oldest_of(rows[:MOST_KEPT]),
        all(row.at is not None for row in rows),
        usual_duration(good),
        is_whole,
        read_at,
        problem,
    )


def oldest_of(rows: Sequence[HistoryEntry]) -> datetime | None:
    """The time of the oldest row that has one; None where none has."""
    return min((row.at for row in rows if row.at is not None), default=None)


def usual_duration(good: Iterable[HistoryEntry]) -> UsualDuration | None:
    """The median duration of the newest MOST_MEASURED of `good`, newest first; None where none says one."""
    seconds = [found for row in good if (found := duration_seconds(row.duration)) is not None][:MOST_MEASURED]
    middle = sorted(seconds)[(len(seconds) - 1) // 2 : len(seconds) // 2 + 1]
    return UsualDuration(sum(middle) / len(middle), len(seconds)) if seconds else None


def duration_seconds(text: str) -> float | None:
    """Seconds of a duration as the history has it: `12s`, `3 min 20 s`, `00:03:20`, `3분 20초`.

    None for a number without a unit, for no time at all, for weeks on end, and for anything else: the service documents
    neither form nor unit (fact sheet, section 3.2), and a guess would move the estimate by a factor of sixty.
    """
    text = text.strip()
    seconds = _clock_seconds(text) if ":" in text else _amount_seconds(text)
    return seconds if seconds is not None and 0 < seconds <= _LONGEST else None


def _clock_seconds(text: str) -> float | None:
    clock = re.fullmatch(_CLOCK, text)
    if clock is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in clock.groups())
    return hours * 3_600.0 + minutes * 60.0 + seconds if minutes < _SIXTY and seconds < _SIXTY else None


def _amount_seconds(text: str) -> float | None:
    amounts = list(re.finditer(_AMOUNT, text))
    units = [_unit(each[2]) for each in amounts]
    if not amounts or re.sub(_AMOUNT, "", text).strip(" ,") or sorted(set(units), reverse=True) != units:
        return None
    return sum(float(each[1]) * unit for each, unit in zip(amounts, units, strict=True))


def _unit(unit: str) -> float:
    unit = unit.lower()
    return _SECONDS_OF["ms"] if unit.startswith("ms") else _SECONDS_OF[unit[0]]


async def read_summary(engine: SearchEngine, cluster: Cluster) -> ClusterSummary:
    """Read the newest rows of a cluster's history. A look that fails is an answer too: nothing is raised for it."""
    summary = await _read_newest(engine, cluster)
    if summary.look not in {Look.FOUND, Look.NONE}:
        return summary
    return _with_schedule(summary, *await _read_settings(engine, cluster))


@dataclass(frozen=True)
class ScheduleRead:
    """What was read of the schedule of a cluster; what is set, and what became of its runs, is in the summary."""

    summary: ClusterSummary
    settings: Listing[ScheduleEntry] | None = None
    """Every setting; None where they could not be read, see `summary.schedule_problem`."""


async def read_schedule(engine: SearchEngine, cluster: Cluster) -> ScheduleRead:
    """Read every setting of the schedule and the newest rows of the history, side by side. Nothing is raised.

    Each is read whatever becomes of the other one.
    """
    summary, (settings, problem) = await asyncio.gather(_read_newest(engine, cluster), _read_settings(engine, cluster))
    return ScheduleRead(_with_schedule(summary, settings, problem), settings)


async def _read_newest(engine: SearchEngine, cluster: Cluster) -> ClusterSummary:
    if not cluster.allowed:
        return ClusterSummary(Look.NO_PERMISSION)
    try:
        rows = await engine.recent_snapshots(cluster.number)
    except PermissionDenied as denied:
        return ClusterSummary(Look.NO_PERMISSION, read_at=engine.now(), problem=denied)
    except GatewayError as problem:
        return ClusterSummary(Look.FAILED, read_at=engine.now(), problem=problem)
    gap = Problem(rows.gap) if rows.gap else None
    return summary_of(rows, rows.read_at, is_whole=rows.is_whole, problem=gap)


async def _read_settings(
    engine: SearchEngine, cluster: Cluster
) -> tuple[Listing[ScheduleEntry] | None, Problem | None]:
    try:
        settings = await engine.schedule_history(cluster.number)
    except GatewayError as problem:
        return None, problem
    return settings, Problem(settings.gap) if settings.gap else None


def _with_schedule(
    summary: ClusterSummary, settings: Listing[ScheduleEntry] | None, problem: Problem | None
) -> ClusterSummary:
    """A summary with what is set, where all settings came: a missing one may be the newest."""
    if settings is None or problem is not None:
        return replace(summary, schedule_problem=problem)
    return replace(summary, schedule=schedule_of(settings), is_schedule_read=True)


async def read_summaries(
    engine: SearchEngine,
    clusters: Iterable[Cluster],
    show: Callable[[Cluster, ClusterSummary], bool],
    before_each: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Read the summary of every cluster that the key may open, LOOKS_AT_ONCE at a time.

    `show` is given each result as it comes, and says whether to continue. After MOST_FAILED_LOOKS in a row that failed
    the rest is left as it is. `before_each` is awaited before each read: there is time for what matters more.
    """
    wanted = iter([each for each in clusters if each.allowed])
    failed_in_a_row, is_wanted = 0, True

    async def look() -> None:
        nonlocal failed_in_a_row, is_wanted
        for cluster in wanted:
            if before_each is not None:
                await before_each()
            if failed_in_a_row >= MOST_FAILED_LOOKS or not is_wanted:
                return
            found = await read_summary(engine, cluster)
            failed_in_a_row = failed_in_a_row + 1 if found.look is Look.FAILED else 0
            is_wanted = show(cluster, found)

    async with asyncio.TaskGroup() as group:
        for _ in range(LOOKS_AT_ONCE):
            group.create_task(look())
