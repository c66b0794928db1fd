"""Following a paged list to its end, however the service counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any

from ncp_tui.search_engine import reading

PAGE_SIZE = 100
"""Rows asked for at once. The service documents no maximum, and answers with its own page size if it has one."""

MOST_PAGES = 200

AT_ONCE = 4
"""Pages of a long list that are asked for at the same time: as many as the gateway's client has connections."""


async def pages(
    fetch: Callable[[int], Awaitable[Any]], is_empty: Callable[[Any], bool], *, at_once: int = 1
) -> AsyncGenerator[tuple[Mapping[str, Any], bool], None]:
    """Yield the result of `fetch(page)` for pages 1, 2, ... in their order, and whether it is known to be the last.

    The last is the one that says `isLast`, or reaches `totalPage`, or is empty, or says neither; `totalCount` is not
    trusted, since nobody documents whether it counts the clusters that a key may not open. Once `totalPage` is known,
    `at_once` pages are fetched at the same time, none beyond that number. Close it to have them cancelled.
    """
    ahead = _Ahead(fetch, at_once)
    try:
        for page in range(1, MOST_PAGES + 1):
            result = await ahead.take(page)
            if not isinstance(result, Mapping) or is_empty(result):
                return
            last, total = reading.flag(result, "isLast"), reading.number(result, "totalPage")
            is_end = last or (last is None and (total is None or page >= total))
            if not is_end:
                ahead.begin(page + 1, min(total or 0, MOST_PAGES))
            yield result, bool(is_end)
            if is_end:
                return
    finally:
        ahead.cancel()


class _Ahead:
    """Pages that are on their way before they are wanted."""

    def __init__(self, fetch: Callable[[int], Awaitable[Any]], at_once: int) -> None:
        self._fetch = fetch
        self._at_once = at_once
        self._tasks: dict[int, asyncio.Future[Any]] = {}

    def begin(self, first: int, last: int) -> None:
        """Have as many pages from `first` on be on their way as there may be, none after `last`."""
        if self._at_once > 1:
            for page in range(first, min(last, first + self._at_once - 1) + 1):
                if page not in self._tasks:
                    self._tasks[page] = asyncio.ensure_future(self._fetch(page))

    async def take(self, page: int) -> Any:
        """The result of a page, which is fetched now if it is not on its way."""
        task = self._tasks.pop(page, None)
        return await (task if task is not None else self._fetch(page))

    def cancel(self) -> None:
        """Leave alone what nobody waits for any more."""
        for task in self._tasks.values():
            task.cancel()
            task.add_done_callback(_forget)


def _forget(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()  # else asyncio tells that nobody has looked at it


def number_of_pages(result: Any) -> int:
    """How many pages the service says there are; 1 where it says nothing."""
    return (reading.number(result, "totalPage") if isinstance(result, Mapping) else None) or 1


def total_rows(result: Any) -> int | None:
    """How many rows the service says there are on all pages; None where it says nothing."""
    return reading.number(result, "totalCount") if isinstance(result, Mapping) else None
