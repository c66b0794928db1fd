"""A history that is read as far as it is wanted: the newest page at once, the others when somebody goes there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from ncp_tui.search_engine import HistoryEntry, SnapshotState

if TYPE_CHECKING:
    from ncp_tui.search_engine import HistoryPage, SearchEngine


class HistoryReader:
    """What has been read of one cluster's history, newest first. A read that failed is taken up where it was."""

    def __init__(self, engine: SearchEngine, number: str) -> None:
        self.entries: list[HistoryEntry] = []
        self.total: int | None = None
        """How many rows there are in all, where the service says so."""
        self.is_complete = False
        self._engine = engine
        self._number = number
        self._pages: AsyncIterator[HistoryPage] | None = None

    async def read(self) -> bool:
        """Read one more page; whether there is another. Raises GatewayError, and then the next call begins anew."""
        pages, self._pages = self._pages or self._engine.history_pages(self._number), None
        page = await anext(pages, None)
        if page is None:
            self.is_complete = True
            return False
        known = {(entry.index, entry.snapshot, entry.at) for entry in self.entries}
        self.entries += [row for row in page.rows if (row.index, row.snapshot, row.at) not in known]
        # Nobody documents the order of rows on a page, nor that of the pages.
        self.entries.sort(key=lambda entry: entry.sort_key, reverse=True)
        self.total, self.is_complete = page.total, page.is_last
        self._pages = pages
        return not page.is_last

    @property
    def failed(self) -> int:
        """How many of those that were read have failed."""
        return sum(entry.state is SnapshotState.FAILED for entry in self.entries)

    @property
    def extent(self) -> str:
        """How much has been read: `230 snapshots`, or `100 of 10,000 snapshots read`."""
        count = len(self.entries)
        if self.is_complete:
            return f"{count:,} snapshot{'s' * (count != 1)}"
        return f"{count:,} of {self.total:,} snapshots read" if self.total else f"{count:,} snapshots read, not all"
