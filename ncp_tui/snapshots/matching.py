"""Which row of the history is the snapshot that was asked for: the name is all the service gives us to go by."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from ncp_tui.search_engine import HistoryEntry

# The date of a row is the service's clock, and ours may be wrong by as much as a signature may be (5 minutes).
UNKNOWN_CLOCK = timedelta(minutes=10)
# With the gateway's clock measured: its Date has seconds, so have the rows, and their clocks are two machines'.
KNOWN_CLOCK = timedelta(seconds=60)

# Rows and Date have whole seconds: what was asked for at 12.9 may be dated 12.
SAME_MOMENT = timedelta(seconds=2)

RowKeys = frozenset[tuple[int, str]]


def row_key(row: HistoryEntry) -> tuple[int, str]:
    """What tells one row from another of the same name."""
    return row.index, row.at.isoformat() if row.at else ""


def rows_named(rows: Iterable[HistoryEntry], name: str) -> RowKeys:
    """The rows that had `name` already, so that none of them is taken for a snapshot asked for later."""
    return frozenset(row_key(row) for row in rows if row.snapshot == name)


def find_snapshot(
    rows: Iterable[HistoryEntry],
    name: str,
    since: datetime | None = None,
    *,
    seen_before: RowKeys | None = None,
    tolerance: timedelta = UNKNOWN_CLOCK,
) -> HistoryEntry | None:
    """The newest row named `name` that can be what was asked for at `since`.

    A row that was there before is not, and neither is one dated more than `tolerance` earlier. A row without a date
    proves something only where it is known which rows were there before, or where no time is asked for.
    """
    found = [row for row in rows if row.snapshot == name and row_key(row) not in (seen_before or ())]
    if since is not None:
        earliest = since - tolerance
        found = [row for row in found if (row.at >= earliest if row.at else seen_before is not None)]
    return max(found, key=lambda row: row.sort_key, default=None)
