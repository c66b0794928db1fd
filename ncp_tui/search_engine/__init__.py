"""Search Engine Service (SES) over the gateway: its operations with their effects, its objects, its client."""

from typing import TYPE_CHECKING

from ncp_tui.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine, WrongCluster
    from ncp_tui.search_engine.listing import Listing, ListMissing, ListPage, gap_of
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
    from ncp_tui.search_engine.refusals import is_key_missing
    from ncp_tui.search_engine.retries import Retries
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "client": "SearchEngine WrongCluster",
            "listing": "ListMissing ListPage Listing gap_of",
            "models": "Bucket Cluster Dashboard HistoryEntry ScheduleEntry SnapshotState Version",
            "operations": "OPERATIONS Effect Operation",
            "refusals": "is_key_missing",
            "retries": "Retries",
        },
    )

__all__ = [
    "OPERATIONS",
    "Bucket",
    "Cluster",
    "Dashboard",
    "Effect",
    "HistoryEntry",
    "ListMissing",
    "ListPage",
    "Listing",
    "Operation",
    "Retries",
    "ScheduleEntry",
    "SearchEngine",
    "SnapshotState",
    "Version",
    "WrongCluster",
    "gap_of",
    "is_key_missing",
]
