"""The newest snapshot of a cluster as its history had it, or why it is not known: five things that look different."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from ncp_tui.gateway.errors import GatewayError, PermissionDenied
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import Cluster, HistoryEntry

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine


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
