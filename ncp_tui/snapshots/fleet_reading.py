"""Reads the clusters of many profiles and their histories, and shows each as it comes; a check waits for the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.models import Cluster, HistoryEntry, SnapshotState
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, Look, read_summary, summary_of
from ncp_tui.snapshots.fleet import (
    WORST_FIRST,
    Bars,
    CheckedCluster,
    FleetReport,
    NotChecked,
    Severity,
    Verdict,
    Wanted,
    checked,
    is_called,
)

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

AT_ONCE = 4
"""Requests of a profile at the same time, unless chosen."""

DEADLINE = 300.0
"""Seconds for the whole run, unless chosen."""

GIVEN_UP = "Not read: {count} histories of this profile in a row could not be read."

_CLOSING = 1.0
"""Seconds that tasks have to end after the deadline."""


@dataclass(frozen=True)
class Caller:
    """A profile to read with its bars; `open` gives a client for it, or raises the Problem of its keys."""

    profile: Profile
    bars: Bars
    open: Callable[[], Awaitable[SearchEngine]] = field(repr=False)
    close: Callable[[SearchEngine], Awaitable[None]] | None = field(default=None, repr=False)
    """Closes that client once the profile is read, or no longer; None where whoever opened it does that."""


async def _at_once() -> None:
    """Wait for nothing."""


@dataclass(frozen=True)
class Pace:
    """How much is read at the same time, and when."""

    at_once: int = AT_ONCE
    """Requests of a profile."""
    profiles: int | None = None
    """Profiles, in the order in which they are given; None for all of them."""
    most_failed: int | None = None
    """Histories of a profile that fail in a row, after which its others are not read; None for no limit."""
    before_each: Callable[[], Awaitable[None]] = _at_once
    """Awaited before each history: there is time for what matters more."""


@dataclass
class ProfileReading:
    """What is known of one profile so far; a run that ends early leaves it as it is."""

    caller: Caller
    rows: dict[str, CheckedCluster] = field(default_factory=dict)
    """The wanted clusters, by a key that stays; where the history is still to come the summary is NOT_READ."""
    is_listed: bool = False
    """Whether the list of the clusters came to its end."""
    problem: Problem | None = None
    """Why they are not known, or not all of them."""
    is_over: bool = False
    """Whether nothing more is read."""


Show = Callable[[ProfileReading, Sequence[str]], None]
"""Is given what is known of a profile, and the keys of the rows that are new or other than before."""


async def read_profiles(
    callers: Sequence[Caller], wanted: Wanted, now: Callable[[], datetime], show: Show, pace: Pace
) -> None:
    """Read the wanted clusters of every caller and their histories; `show` is told of each page and of each history.

    Raises nothing of a profile: one that hangs, is locked or is refused is told, and costs the others nothing but its
    place among those that are read at the same time.
    """
    waiting, reader = iter(callers), _Reader(wanted, now, show, pace)

    async def read() -> None:
        for caller in waiting:
            await reader.read(ProfileReading(caller))

    tasks = [asyncio.create_task(read()) for _ in range(min(len(callers), pace.profiles or len(callers)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=_CLOSING)


async def read_fleet(
    callers: Sequence[Caller],
    wanted: Wanted,
    now: Callable[[], datetime],
    *,
    at_once: int = AT_ONCE,
    deadline: float = DEADLINE,
    show: Callable[[int, int], None] = lambda _done, _all: None,
) -> FleetReport:
    """Check the wanted clusters of every caller at the same time, `at_once` requests of each, `deadline` seconds long.

    `show` is given how many clusters have been read, of how many that are known so far.
    Raises nothing of a profile: one that hangs, is locked or is refused costs the others nothing, and is told.
    """
    found = {id(caller): ProfileReading(caller) for caller in callers}

    def keep(reading: ProfileReading, _changed: Sequence[str]) -> None:
        found[id(reading.caller)] = reading
        rows = [row for one in found.values() for row in one.rows.values() if row.verdict.counts]
        show(sum(row.summary is not NOT_READ for row in rows), len(rows))

    task = asyncio.create_task(read_profiles(callers, wanted, now, keep, Pace(at_once)))
    try:
        await asyncio.wait([task], timeout=deadline)
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=2 * _CLOSING)
    if task.done() and not task.cancelled() and (error := task.exception()) is not None:
        raise error
    return _report(list(found.values()), wanted, now(), deadline)


@dataclass(frozen=True)
class _Reader:
    """Reads one profile after the other as it is told to."""

    wanted: Wanted
    now: Callable[[], datetime]
    show: Show
    pace: Pace

    async def read(self, found: ProfileReading) -> None:
        caller = found.caller
        try:
            engine = await caller.open()
        except Problem as problem:
            found.problem = problem
        else:
            try:
                await self._read_clusters(found, engine)
            finally:
                if caller.close is not None:
                    await caller.close(engine)
        found.is_over = True
        self.show(found, ())

    async def _read_clusters(self, found: ProfileReading, engine: SearchEngine) -> None:
        waiting, failed, most = asyncio.Queue[str | None](), 0, self.pace.most_failed

        async def check() -> None:
            nonlocal failed
            while (key := await waiting.get()) is not None:
                await self.pace.before_each()
                if most is not None and failed >= most:
                    summary = replace(NOT_READ, problem=Problem(GIVEN_UP.format(count=most)))
                else:
                    summary = await _summary(engine, found.rows[key].cluster)
                    failed = failed + 1 if summary.look is Look.FAILED else 0
                self._put(found, key, found.rows[key].cluster, summary)
                self.show(found, (key,))

        async with asyncio.TaskGroup() as group:
            for _ in range(self.pace.at_once):
                group.create_task(check())
            # The histories of a page are read while the next one is on its way.
            async for keys in self._listed(found, engine):
                self.show(found, keys)
                for key in keys:
                    if found.rows[key].verdict.counts:
                        waiting.put_nowait(key)
            for _ in range(self.pace.at_once):
                waiting.put_nowait(None)

    async def _listed(self, found: ProfileReading, engine: SearchEngine) -> AsyncGenerator[list[str], None]:
        """Put the wanted clusters of a profile in its rows, a page at a time, and yield the keys of each page."""
        try:
            async with aclosing(engine.cluster_pages()) as pages:
                async for page in pages:
                    keys = []
                    for cluster in filter(self.wanted.has, page.rows):
                        keys.append(cluster.number or f"{cluster.name} {len(found.rows)}")
                        self._put(found, keys[-1], cluster, NOT_READ)
                    found.problem = Problem(page.gap) if page.gap else None
                    yield keys
        except Problem as problem:
            found.problem = problem
        else:
            found.is_listed = True

    def _put(self, found: ProfileReading, key: str, cluster: Cluster, summary: ClusterSummary) -> None:
        caller = found.caller
        found.rows[key] = checked(caller.profile, caller.bars, cluster, summary, self.now())


async def _summary(engine: SearchEngine, cluster: Cluster) -> ClusterSummary:
    """The summary of the newest rows; where none of them is good and there are older ones, of as many as it takes."""
    summary = NOT_READ
    try:
        summary = await read_summary(engine, cluster)
        if summary.look is not Look.FOUND or summary.last_good is not None or summary.is_whole:
            return summary
        whole = await _back_to_a_good_one(engine, cluster)
    except Problem as problem:  # of the keys, which may expire meanwhile, or of the older rows
        return replace(summary, look=Look.FAILED, problem=problem) if summary is NOT_READ else summary
    return replace(
        whole,
        schedule=summary.schedule,
        is_schedule_read=summary.is_schedule_read,
        schedule_problem=summary.schedule_problem,
    )


async def _back_to_a_good_one(engine: SearchEngine, cluster: Cluster) -> ClusterSummary:
    """The summary of the rows back to a page with a good one, one request at a time."""
    rows, gap, is_whole = list[HistoryEntry](), "", True
    async with aclosing(engine.history_pages(cluster.number)) as pages:
        async for page in pages:
            rows += page.rows
            gap = page.gap
            if any(row.state is SnapshotState.SUCCESS for row in page.rows):
                is_whole = page.is_last
                break
    rows.sort(key=lambda row: row.sort_key, reverse=True)
    return summary_of(rows, engine.now(), is_whole=is_whole and not gap, problem=Problem(gap) if gap else None)


def _report(found: Sequence[ProfileReading], wanted: Wanted, now: datetime, deadline: float) -> FleetReport:
    late = f"Not read within the deadline of {deadline:g} s."
    rows = [_in_time(row, late) for one in found for row in one.rows.values()]
    missing = [
        NotChecked(one.caller.profile.name, one.problem.what if one.problem is not None else late, "profile")
        for one in found
        if one.problem is not None or not one.is_listed
    ]
    missing += [
        NotChecked(name, f"No cluster that was listed has the name or number {name!r}.")
        for name in dict.fromkeys(wanted.names)
        if not any(is_called(row.cluster, name) for row in rows)
    ]
    rows.sort(key=lambda row: (not row.verdict.counts, WORST_FIRST.index(row.verdict.severity), row.cluster.name))
    return FleetReport(tuple(rows), tuple(missing), now)


def _in_time(row: CheckedCluster, late: str) -> CheckedCluster:
    if row.verdict.counts and row.summary.look is Look.NOT_READ:
        return replace(row, verdict=Verdict(Severity.UNKNOWN, late))
    return row
