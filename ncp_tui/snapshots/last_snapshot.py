"""The newest snapshot of a cluster as its history had it, or why it is not known: five things that look different."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from ncp_tui.gateway.errors import GatewayError, PermissionDenied
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster, HistoryEntry

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

LOOKS_AT_ONCE = 2
"""Histories read at the same time; the service publishes no rate limit, so we stay far below any."""

MOST_FAILED_LOOKS = 3
"""Histories in a row that cannot be read, after which the others are left alone."""


class Look(StrEnum):
    """What a look at the newest snapshot of a cluster has come to."""

    NOT_READ = "not_read"
    """Nobody has looked."""
    FOUND = "found"
    NONE = "none"
    """The history came, and it is empty."""
    NO_PERMISSION = "no_permission"
    FAILED = "failed"
    """The history could not be read, or its answer contradicts itself."""


@dataclass(frozen=True)
class LastSnapshot:
    """What is known of the newest snapshot of a cluster, and since when."""

    look: Look = Look.NOT_READ
    entry: HistoryEntry | None = None
    read_at: datetime | None = None
    """When the look ended; None where nobody has looked."""
    problem: Problem | None = None
    """Why it is not known, or may not be the newest: the history has a gap."""


NOT_READ = LastSnapshot()


async def look_at_last_snapshot(engine: SearchEngine, cluster: Cluster) -> LastSnapshot:
    """Read the newest rows of a cluster's history. A look that fails is an answer too: nothing is raised for it."""
    if not cluster.allowed:
        return LastSnapshot(Look.NO_PERMISSION)
    try:
        rows = await engine.recent_snapshots(cluster.number)
    except PermissionDenied as denied:
        return LastSnapshot(Look.NO_PERMISSION, None, engine.now(), denied)
    except GatewayError as problem:
        return LastSnapshot(Look.FAILED, None, engine.now(), problem)
    gap = Problem(rows.gap) if rows.gap else None
    if not rows:
        return LastSnapshot(Look.NONE, None, rows.read_at, gap)
    return LastSnapshot(Look.FOUND, rows[0], rows.read_at, gap)


async def look_at_last_snapshots(
    engine: SearchEngine, clusters: Iterable[Cluster], show: Callable[[Cluster, LastSnapshot], bool]
) -> None:
    """Look at every running cluster that the key may open, LOOKS_AT_ONCE at a time.

    `show` is given each result as it comes, and says whether to go on. After MOST_FAILED_LOOKS in a row that failed the
    rest is left as it is.
    """
    wanted = iter([each for each in clusters if each.allowed and each.is_running])
    failed_in_a_row, goes_on = 0, True

    async def look() -> None:
        nonlocal failed_in_a_row, goes_on
        for cluster in wanted:
            if failed_in_a_row >= MOST_FAILED_LOOKS or not goes_on:
                return
            last = await look_at_last_snapshot(engine, cluster)
            failed_in_a_row = failed_in_a_row + 1 if last.look is Look.FAILED else 0
            goes_on = show(cluster, last)

    async with asyncio.TaskGroup() as group:
        for _ in range(LOOKS_AT_ONCE):
            group.create_task(look())
