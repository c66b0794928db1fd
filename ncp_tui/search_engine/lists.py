"""A list as it was read: its rows, when that was, and whether they are all there are. A list that is missing is none.

The service's lists differ in the names of their members and in nothing else, so each kind is described once, here.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, overload

from ncp_tui.gateway.errors import BadAnswer
from ncp_tui.search_engine import fields
from ncp_tui.search_engine.models import Bucket, Cluster, HistoryEntry, ScheduleEntry, Version
from ncp_tui.system.inert_json import CutList

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Raw = Mapping[str, Any]

SLICE = 40
"""Rows that are read without letting anything else have its turn: a millisecond."""


class ListMissing(BadAnswer):
    """An answer without the list it should have, or one that counts rows and sends none. It is not an empty list."""

    kind = "list_missing"
    may_have_acted = False

    def __init__(self, noun: str, why: str) -> None:
        super().__init__(
            f"The list of {noun} did not come: {why}.",
            f"It is unknown which {noun} there are; it does not mean that there are none.",
            "Retry; if it persists, check the NCP console.",
        )


@dataclass(frozen=True)
class Listing(Sequence[T_co]):
    """The rows that were read of one list, and how far they are the list."""

    rows: tuple[T_co, ...]
    read_at: datetime
    total: int | None = None
    """How many rows the service counts; None where it says nothing."""
    is_whole: bool = True
    """Whether these are known to be all. False where only some were requested, too."""
    gap: str = ""
    """A sentence of what is missing though it was wanted: cut off, or fewer than the service counts; else empty."""
    has_more: bool = False
    """Whether the service has pages behind these rows that were not requested."""

    @overload
    def __getitem__(self, index: int) -> T_co: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[T_co, ...]: ...
    def __getitem__(self, index: int | slice) -> T_co | tuple[T_co, ...]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[T_co]:
        return iter(self.rows)


def gap_of(rows: Sequence[object]) -> str:
    """What is missing of `rows`; empty where they are all, or were made here."""
    return rows.gap if isinstance(rows, Listing) else ""


@dataclass(frozen=True)
class ListPage(Generic[T]):
    """Some rows of a list, none of them on an earlier page. The last has the `gap` of the whole, if there is one."""

    rows: list[T]
    total: int | None = None
    is_last: bool = False
    gap: str = ""


@dataclass(frozen=True)
class ListKind(Generic[T]):
    """One of the service's lists: the members it comes in, what its rows are called, and how one is read."""

    noun: str
    members: tuple[str, ...]
    read: Callable[[Raw, str], T]
    """A row from an item and the name of the list that it stood in."""
    identity: Callable[[T], object]
    """What a row that comes twice has in common; None for one that nothing can be done with."""
    may_repeat: bool = False
    """Whether a page may have two rows that are alike and not the same."""


CLUSTERS: ListKind[Cluster] = ListKind(
    "clusters",
    ("allowedClusters", "disallowedClusters"),
    lambda item, name: Cluster.read(item, allowed=name == "allowedClusters"),
    lambda cluster: cluster.number or cluster.name or None,
)
BUCKETS: ListKind[Bucket] = ListKind(
    "buckets", ("bucketList",), lambda item, _: Bucket.read(item), lambda bucket: bucket.name or None
)
HISTORY: ListKind[HistoryEntry] = ListKind(
    "snapshots",
    ("snapshotHistoryResponseList",),
    lambda item, _: HistoryEntry.read(item),
    # Not the row number alone: nobody documents that it does not start anew on each page.
    lambda row: (row.index, row.snapshot, row.at or row.date) if row.snapshot or row.index else None,
)
SCHEDULES: ListKind[ScheduleEntry] = ListKind(
    "schedule settings",
    # The first is of the SDK of version 1. The other history has this ending in version 2, so this one may as well.
    ("snapshotSchedulingHistoryList", "snapshotSchedulingHistoryResponseList"),
    lambda item, _: ScheduleEntry.read(item),
    lambda row: (row.snapshot, row.bucket, row.set_up, row.day, row.time, row.status),
    may_repeat=True,
)
VERSIONS: ListKind[Version] = ListKind(
    "versions", ("searchEngineVersionList",), lambda item, _: Version.read(item), lambda version: version.code or None
)


class RowReader(Generic[T]):
    """Takes the results of one list's pages, in their order, and keeps count of what is missing."""

    def __init__(self, kind: ListKind[T], most: int) -> None:
        """Take at most `most` rows."""
        self.kind = kind
        self.total: int | None = None
        """How many rows the newest page says there are."""
        self.taken = 0
        self._most = most
        self._seen: set[object] = set()
        self._unread = 0
        self._cut = False
        self._repeats = False

    async def take(self, result: Any) -> list[T]:
        """The rows of a page that were on none before. Raises ListMissing for a page without a list."""
        total = counted(result)
        self.total = self.total if total is None else total
        rows: list[T] = []
        seen, number = set(self._seen) if self.kind.may_repeat else self._seen, -1
        for number, (name, item) in enumerate(self._items(result)):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            row = self.kind.read(item, name) if isinstance(item, Mapping) else None
            identity = None if row is None else self.kind.identity(row)
            if row is None or identity is None:
                self._unread += 1
            elif identity not in seen:
                self._seen.add(identity)
                rows.append(row)
        self._repeats = number >= 0 and not rows
        rows = rows[: max(0, self._most - self.taken)]
        self.taken += len(rows)
        return rows

    @property
    def is_full(self) -> bool:
        """Whether no more is read, however much there is."""
        return self.taken >= self._most

    def gap(self, *, is_end: bool) -> str:
        """What is missing of a whole list, once all that is wanted has been taken; `is_end` where no more comes."""
        noun, taken = self.kind.noun, f"{self.taken:,}"
        if self.damage:
            return self.damage
        if not is_end:
            of = f" of {self.total:,}" if self.total and self.total > self.taken else ""
            return f"Only the first {taken}{of} {noun} were read: ncp-tui reads no more."
        if self.total is not None and self.total > self.taken:
            return f"NCP counts {self.total:,} {noun}, and sent {taken}."
        if self._repeats and self.total is None:
            return f"NCP repeats the same {taken} {noun}, and says that more follow."
        return ""

    @property
    def damage(self) -> str:
        """What is wrong with the pages that were taken, whether or not they are all; empty where nothing is."""
        noun, taken = self.kind.noun, f"{self.taken:,}"
        if self._cut:
            return f"A response was too large and was cut: {taken} {noun} were read, and there are more."
        if self._unread:
            entries = "1 entry" if self._unread == 1 else f"{self._unread:,} entries"
            return f"The list of {noun} has {entries} without a name: {taken} {noun} could be read."
        return ""

    def _items(self, result: Any) -> Iterator[tuple[str, Any]]:
        found = {name: result.get(name) for name in self.kind.members} if isinstance(result, Mapping) else {}
        lists = {name: items for name, items in found.items() if isinstance(items, list)}
        if not lists and not (isinstance(result, Mapping) and counted(result) == 0):
            raise ListMissing(self.kind.noun, _why(result, found))
        self._cut = self._cut or any(isinstance(items, CutList) for items in lists.values())
        return ((name, item) for name, items in lists.items() for item in items)


def counted(result: Any) -> int | None:
    """How many rows the service says there are on all pages; None where it says nothing."""
    return fields.number(result, "totalCount") if isinstance(result, Mapping) else None


def _why(result: Any, found: Mapping[str, Any]) -> str:
    if not isinstance(result, Mapping):
        return "the response has no result" if result is None else "the result is not an object"
    total = counted(result)
    counts = f", though it counts {total:,}" if total else ""
    odd = next((name for name, items in found.items() if items is not None), None)
    return f"{odd} is not a list{counts}" if odd else f"the response has no {next(iter(found))}{counts}"


PAGE_SIZE = 100
"""Rows requested at once. The service documents no maximum, and answers with its own page size if it has one."""

MOST_PAGES = 5_000
MOST_ROWS = 50_000
"""Of one list: 120 MB as clusters. A longer list is cut, and says so; the largest fleet known has 400."""

AT_ONCE = 4
"""Pages of a long list that are requested at the same time: as many as the gateway's client has connections."""

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
                    raise ListMissing(rows.kind.noun, "the response says that more follows, and has none of it")
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
        """Leave alone what is not awaited any more."""
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
