"""Following a paged list to its end, however the service counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from ncp_tui.search_engine import reading

PAGE_SIZE = 100
"""Rows asked for at once. The service documents no maximum, and answers with its own page size if it has one."""

MOST_PAGES = 200


async def pages(
    fetch: Callable[[int], Awaitable[Any]], is_empty: Callable[[Any], bool]
) -> AsyncIterator[Mapping[str, Any]]:
    """Yield the result of `fetch(page)` for pages 1, 2, ... until the last.

    The last is the one that says `isLast`, or reaches `totalPage`, or is empty, or says neither; `totalCount` is not
    trusted, since nobody documents whether it counts the clusters that a key may not open.
    """
    for page in range(1, MOST_PAGES + 1):
        result = await fetch(page)
        if not isinstance(result, Mapping) or is_empty(result):
            return
        yield result
        last, total = reading.flag(result, "isLast"), reading.number(result, "totalPage")
        if last or (last is None and (total is None or page >= total)):
            return


def number_of_pages(result: Any) -> int:
    """How many pages the service says there are; 1 where it says nothing."""
    return (reading.number(result, "totalPage") if isinstance(result, Mapping) else None) or 1
