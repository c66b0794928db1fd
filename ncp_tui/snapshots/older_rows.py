"""The rows of a history behind its newest page: any of them may have the name of a create that is to be sent."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.search_engine.lists import AT_ONCE, Listing
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.history_search import SECONDS

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

NOT_LOOKED_AT = "Older rows were not looked at."


@dataclass(frozen=True)
class OlderRows:
    """What was looked at behind the newest page. It says nothing of rows that it has a `gap` for."""

    by_name: Mapping[str, Sequence[HistoryEntry]] = field(default_factory=dict)
    """By the name of their snapshot; of the wanted name alone, where one was."""
    count: int = 0
    """How many were looked at, whatever their names."""
    gap: str = NOT_LOOKED_AT
    """A sentence of what was not looked at; empty where nothing is left."""

    def named(self, name: str) -> Sequence[HistoryEntry]:
        """The rows of that name."""
        return self.by_name.get(name, ())


async def look_at_older(
    engine: SearchEngine,
    number: str,
    newest: Listing[HistoryEntry],
    *,
    name: str | None = None,
    is_enough: Callable[[HistoryEntry], bool] = lambda _: False,
    seconds: float = SECONDS,
) -> OlderRows:
    """Go on through the history of cluster `number` behind its `newest` rows, several pages at once.

    It ends after the page with a row that `is_enough`, and after `seconds`. With a `name` no other rows are kept. A
    read that fails is a gap, no exception. It begins with the first page once more: rows may have moved on since.
    """
    seen = {_identity(row) for row in newest}
    kept, count, gap = defaultdict[str, list[HistoryEntry]](list), 0, NOT_LOOKED_AT
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
        gap = f"{NOT_LOOKED_AT} {error.what}"
    except TimeoutError:
        gap = f"{NOT_LOOKED_AT} They did not come within {seconds:g} s."
    return OlderRows(dict(kept), count, gap)


def _identity(row: HistoryEntry) -> tuple[int, str, object]:
    return row.index, row.snapshot, row.at or row.date
