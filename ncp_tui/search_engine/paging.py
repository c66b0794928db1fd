"""Following a paged list to its end, however the service counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from ncp_tui.search_engine import fields
from ncp_tui.search_engine.lists import ListMissing, ListPage, RowReader, counted

T = TypeVar("T")

PAGE_SIZE = 100
"""Rows asked for at once. The service documents no maximum, and answers with its own page size if it has one."""

MOST_PAGES = 5_000
MOST_ROWS = 50_000
"""Of one list: 120 MB as clusters. A list that goes on is cut, and says so; the largest fleet known has 400."""

AT_ONCE = 4
"""Pages of a long list that are asked for at the same time: as many as the gateway's client has connections."""

_MOST_EMPTY = 3
"""Pages in a row without anything new, after which a list that is read backwards is given up."""

Fetch = Callable[[int], Awaitable[Any]]


async def pages(
    fetch: Fetch, rows: RowReader[T], *, at_once: int = 1, first: tuple[Any, ...] = ()
) -> AsyncGenerator[ListPage[T], None]:
    """Yield what `rows` makes of `fetch(page)` for pages 1, 2, ... in their order; the last page is marked as that.

    The end is a page that says `isLast`; where none says anything of it, the page that reaches both `totalPage` and
    `totalCount`; or one without rows that are new. Once it is known how many there are, `at_once` pages are fetched at
    the same time. `first` holds the result of page 1, where it has been fetched. Close it to have them cancelled.
    Raises ListMissing where page 1 has no list, or the whole list no rows and a gap.
    """
    ahead = _Prefetch(fetch, at_once)
    try:
        for page in range(1, MOST_PAGES + 1):
            result = first[0] if page == 1 and first else await ahead.take(page)
            try:
                fresh = await rows.take(result)
            except ListMissing:
                if page == 1:
                    raise
                fresh = []
            is_end = not fresh or is_end_of(result, page, rows)
            if is_end or rows.is_full or page == MOST_PAGES:
                if not rows.taken and _goes_on(result):
                    raise ListMissing(rows.kind.noun, "the answer says that more follows, and has none of it")
                yield last_page(fresh, rows, is_end=is_end)
                return
            ahead.begin(range(page + 1, min(number_of_pages(result), MOST_PAGES) + 1))
            yield ListPage(fresh, rows.total)
    finally:
        ahead.cancel()


async def pages_backwards(
    fetch: Fetch, rows: RowReader[T], first: Any, *, at_once: int = 1
) -> AsyncGenerator[ListPage[T], None]:
    """The same for a list that begins with the oldest: from its last page to its `first`, which has been fetched.

    Where the last pages have nothing, the number of pages is not to be trusted, and the rest is read forwards.
    """
    last, empty = number_of_pages(first), 0
    end, ahead = max(1, last - MOST_PAGES), _Prefetch(fetch, at_once)
    try:
        for page in range(last, end, -1):
            try:
                fresh = await rows.take(await ahead.take(page))
            except ListMissing:
                fresh = []
            empty = 0 if fresh else empty + 1
            if empty == _MOST_EMPTY:
                async with aclosing(pages(fetch, rows, first=(first,))) as found:
                    async for each in found:
                        yield each
                return
            if fresh:
                ahead.begin(range(page - 1, end, -1))
            yield ListPage(fresh, rows.total)
            if rows.is_full:
                break
    finally:
        ahead.cancel()
    fresh = await rows.take(first)
    yield last_page(fresh, rows, is_end=end == 1 and not rows.is_full)


def is_end_of(result: Any, page: int, rows: RowReader[T]) -> bool:
    """Whether nothing follows `page`, of which `rows` have been taken."""
    last = fields.flag(result, "isLast")
    if last is not None:
        return last
    return page >= number_of_pages(result) and rows.taken >= (rows.total or 0)


def _goes_on(result: Any) -> bool:
    """Whether a page says that more follows."""
    return fields.flag(result, "isLast") is False if isinstance(result, Mapping) else False


def last_page(fresh: list[T], rows: RowReader[T], *, is_end: bool) -> ListPage[T]:
    """The page after which no more is read, with the gap of the whole. Raises ListMissing for no rows and a gap."""
    gap = rows.gap(is_end=is_end)
    if gap and not rows.taken:
        raise ListMissing(rows.kind.noun, gap[0].lower() + gap[1:].rstrip("."))
    return ListPage(fresh, rows.total, is_last=True, gap=gap)


class _Prefetch:
    """Pages that are on their way before they are wanted."""

    def __init__(self, fetch: Fetch, at_once: int) -> None:
        self._fetch = fetch
        self._at_once = at_once
        self._tasks: dict[int, asyncio.Future[Any]] = {}

    def begin(self, wanted: Sequence[int]) -> None:
        """Have as many of the pages that are `wanted` next be on their way as there may be."""
        if self._at_once > 1:
            for page in wanted[: self._at_once]:
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
    """How many pages the service says there are, by its own page size where it counts rows alone; else 1."""
    if not isinstance(result, Mapping):
        return 1
    said = fields.number(result, "totalPage")
    if said is not None:
        return max(1, said)
    size, total = fields.number(result, "pageSize"), counted(result)
    return -(-total // size) if total and size and size > 0 else 1
