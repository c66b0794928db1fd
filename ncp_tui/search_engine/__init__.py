"""Search Engine Service (SES) over the gateway: its operations with their effects, its objects, its client."""

from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import (
    Bucket,
    Cluster,
    Dashboard,
    HistoryEntry,
    ScheduleEntry,
    SnapshotState,
    Version,
)
from ncp_tui.search_engine.operations import OPERATIONS, Effect, Operation

__all__ = [
    "OPERATIONS",
    "Bucket",
    "Cluster",
    "Dashboard",
    "Effect",
    "HistoryEntry",
    "Operation",
    "ScheduleEntry",
    "SearchEngine",
    "SnapshotState",
    "Version",
]
