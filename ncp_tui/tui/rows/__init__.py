"""What the tables say about each object: pure functions from a domain object to cells, without any UI import.

State is said in words; the tone only repeats it, so nothing is lost without colour.
"""

from typing import TYPE_CHECKING

from ncp_tui.lazy_exports import lazy_exports

if TYPE_CHECKING:
    from ncp_tui.tui.rows.clusters import cluster_row, health_cell, last_snapshot_cell, status_cell
    from ncp_tui.tui.rows.history import bucket_row, history_row, state_cell
    from ncp_tui.tui.rows.journal import journal_row
    from ncp_tui.tui.rows.profiles import identity_row
    from ncp_tui.tui.rows.session_log import action_rows, exchange_word, target_end
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "clusters": "cluster_row health_cell last_snapshot_cell status_cell",
            "history": "bucket_row history_row state_cell",
            "journal": "journal_row",
            "profiles": "identity_row",
            "session_log": "action_rows exchange_word target_end",
        },
    )

__all__ = [
    "action_rows",
    "bucket_row",
    "cluster_row",
    "exchange_word",
    "health_cell",
    "history_row",
    "identity_row",
    "journal_row",
    "last_snapshot_cell",
    "state_cell",
    "status_cell",
    "target_end",
]
