"""A history that is read as far as it is wanted: the newest page at once, the others when somebody goes there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import TYPE_CHECKING

from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.tui.slices import in_slices
from ncp_tui.view.history import HISTORY
from ncp_tui.view.text import Row

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.search_engine.lists import ListPage

MOST_ROWS = 10_000
"""Of one list on a screen: what a key costs grows with them. The command line reads more."""


class HistoryReader:
    """What has been read of one cluster's history, newest first. A read that failed is taken up where it was."""

    def __init__(self, engine: SearchEngine, number: str) -> None:
        self.entries: list[HistoryEntry] = []
        self.rows: list[Row] = []
        """Their lines, in the same order."""
        self.failed: set[str] = set()
        """The keys of the lines of those that have failed."""
        self.total: int | None = None
        """How many rows there are in all, where the service says so."""
        self.read_at: datetime | None = None
        """When the newest of it was read."""
        self.is_complete = False
        """Whether there is nothing more to read."""
        self.gap = ""
        """What is missing all the same; empty where these are all."""
        self._engine = engine
        self._number = number
        self._known: set[object] = set()
        self._by_key: dict[str, HistoryEntry] = {}
        self._order: list[tuple[float, int]] = []
        self._pages: AsyncIterator[ListPage[HistoryEntry]] | None = None

    async def read(self) -> bool:
        """Read one more page; whether there is another. Raises GatewayError, and then the next call begins anew."""
        pages, self._pages = self._pages or self._engine.history_pages(self._number, most=MOST_ROWS), None
        page = await anext(pages, None)
        if page is None:
            self.is_complete = True
            return False
        fresh = [row for row in page.rows if _identity(row) not in self._known]
        self._known.update(map(_identity, fresh))
        self._put_in(fresh, await in_slices(HISTORY.row, fresh))
        self.read_at = self.read_at or self._engine.now()
        self.total, self.is_complete, self.gap = page.total, page.is_last, page.gap
        self._pages = pages
        return not page.is_last

    def entry(self, key: str) -> HistoryEntry | None:
        """What the line `key` is about."""
        return self._by_key.get(key)

    def _put_in(self, fresh: list[HistoryEntry], rows: list[Row]) -> None:
        """Nobody documents the order of rows on a page, nor that of the pages. What orders a row is made once."""
        for entry, row in zip(fresh, rows, strict=True):
            self._by_key[row.key] = entry
            if entry.state is SnapshotState.FAILED:
                self.failed.add(row.key)
        entries, lines = self.entries + fresh, self.rows + rows
        order = self._order + [entry.sort_key for entry in fresh]
        places = sorted(range(len(order)), key=order.__getitem__, reverse=True)
        self.entries = [entries[place] for place in places]
        self.rows = [lines[place] for place in places]
        self._order = [order[place] for place in places]

    @property
    def extent(self) -> str:
        """How much has been read: `230 snapshots`, or `100 of 10,000 snapshots read`."""
        count = len(self.entries)
        if self.is_complete and not self.gap:
            return f"{count:,} snapshot{'s' * (count != 1)}"
        return f"{count:,} of {self.total:,} snapshots read" if self.total else f"{count:,} snapshots read, not all"


def _identity(row: HistoryEntry) -> object:
    return row.index, row.snapshot, row.at or row.date
