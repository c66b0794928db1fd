"""A history that is read as far as it is wanted: the newest page at once, the others when the user goes there."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.search_engine.lists import AT_ONCE, Listing
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.system.blocking import in_slices

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.search_engine.lists import ListPage


T = TypeVar("T")


class HistoryReader(Generic[T]):
    """What has been read of one cluster's history, newest first. A read that failed is taken up where it was."""

    def __init__(self, engine: SearchEngine, number: str, make: Callable[[HistoryEntry], T], *, most: int) -> None:
        """Of at most `most` entries; `make` is called once for each, a few at a time, for what it is shown as."""
        self.rows: list[tuple[HistoryEntry, T]] = []
        """Each entry, and what was made of it."""
        self.total: int | None = None
        """How many rows there are in all, where NCP says so."""
        self.read_at: datetime | None = None
        """When the newest of it was read."""
        self.is_complete = False
        """Whether there is nothing more to read."""
        self.gap = ""
        """What is missing all the same; empty where these are all."""
        self._engine = engine
        self._number = number
        self._make = make
        self._known: set[object] = set()
        self._order: list[tuple[float, int]] = []
        self._most = most
        self._pages: AsyncIterator[ListPage[HistoryEntry]] | None = None

    @property
    def entries(self) -> list[HistoryEntry]:
        """All that has been read."""
        return [entry for entry, _ in self.rows]

    async def read(self) -> bool:
        """Read one more page; whether there is another. Raises GatewayError, and then the next call begins anew."""
        pages, self._pages = self._pages or self._engine.history_pages(self._number, most=self._most), None
        page = await anext(pages, None)
        if page is None:
            self.is_complete = True
            return False
        fresh = [entry for entry in page.rows if _identity(entry) not in self._known]
        self._known.update(map(_identity, fresh))
        self._put_in(fresh, await in_slices(self._make, fresh))
        self.read_at = self.read_at or self._engine.now()
        self.total, self.is_complete, self.gap = page.total, page.is_last, page.gap
        self._pages = pages
        return not page.is_last

    def _put_in(self, fresh: list[HistoryEntry], made: list[T]) -> None:
        """The order of rows on a page is not documented, nor that of the pages. What orders a row is made once."""
        rows = self.rows + list(zip(fresh, made, strict=True))
        order = self._order + [entry.sort_key for entry in fresh]
        places = sorted(range(len(order)), key=order.__getitem__, reverse=True)
        self.rows = [rows[place] for place in places]
        self._order = [order[place] for place in places]


def _identity(row: HistoryEntry) -> object:
    return row.index, row.snapshot, row.at or row.date


OLDER_NOT_READ = "Older rows were not read."


@dataclass(frozen=True)
class OlderRows:
    """What was read behind the newest page. It says nothing of rows that it has a `gap` for."""

    by_name: Mapping[str, Sequence[HistoryEntry]] = field(default_factory=dict)
    """By the name of their snapshot; of the wanted name alone, where one was."""
    count: int = 0
    """How many were read, whatever their names."""
    gap: str = OLDER_NOT_READ
    """A sentence of what was not read; empty where nothing is left."""

    def named(self, name: str) -> Sequence[HistoryEntry]:
        """The rows of that name."""
        return self.by_name.get(name, ())


async def read_older_rows(
    engine: SearchEngine,
    number: str,
    newest: Listing[HistoryEntry],
    *,
    name: str | None = None,
    is_enough: Callable[[HistoryEntry], bool] = lambda _: False,
    seconds: float,
) -> OlderRows:
    """Read on in the history of cluster `number` behind its `newest` rows, several pages at once.

    It ends after the page with a row that `is_enough`, and after `seconds`. With a `name` no other rows are kept. A
    read that fails is a gap, no exception. It begins with the first page once more: rows may have moved on since.
    """
    seen = {_identity(row) for row in newest}
    kept, count, gap = defaultdict[str, list[HistoryEntry]](list), 0, OLDER_NOT_READ
    try:
        async with asyncio.timeout(seconds), aclosing(engine.history_pages(number, at_once=AT_ONCE)) as pages:
            async for page in pages:
                older = [row for row in page.rows if _identity(row) not in seen]
                count += len(older)
                for row in older:
                    if name is None or row.snapshot == name:
                        kept[row.snapshot].append(row)
                if page.is_last:
                    gap = page.gap
                if any(map(is_enough, older)):
                    break
    except GatewayError as error:
        gap = f"{OLDER_NOT_READ} {error.what}"
    except TimeoutError:
        gap = f"{OLDER_NOT_READ} No complete response within {seconds:g} s."
    return OlderRows(dict(kept), count, gap)
