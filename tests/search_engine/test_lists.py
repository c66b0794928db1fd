"""Paged lists, from services that count in every way a service might."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import Any

import httpx
import pytest

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.sandbox.sandbox import Sandbox, serve
from ncp_tui.search_engine import lists
from ncp_tui.search_engine.lists import CLUSTERS, SLICE, ListMissing, ListPage, RowReader
from ncp_tui.search_engine.models import Cluster
from ncp_tui.system import inert_json
from tests.search_engine.scripted import Scripted, engine_of
from tests.tables import each_row

ALL = [{"serviceGroupInstanceNo": str(number), "clusterName": f"c-{number}"} for number in range(137)]


def page_of(query: Mapping[str, str], size: int, rows: list[dict[str, Any]] = ALL) -> list[dict[str, Any]]:
    start = (int(query["pageNo"]) - 1) * size
    return rows[start : start + size]


def numbers(count: int) -> list[str]:
    return [str(number) for number in range(count)]


async def listed(transport: Scripted) -> list[str]:
    return [cluster.number for cluster in await transport.engine().list_clusters()]


@each_row(
    "fields",
    [
        lambda page: {"isLast": page == 14, "totalPage": 14},
        lambda page: {"isLast": str(page == 14).lower()},
        lambda page: {"isLast": int(page == 14)},
        lambda _: {"totalPage": 14},
        lambda _: {"totalPage": "14", "totalCount": 3},
        lambda _: {"totalCount": 137},
        lambda _: {"totalCount": "137", "pageSize": 100},
        lambda _: {"totalCount": 137, "totalPage": 1},
        lambda _: {"isLast": False},
        lambda _: {"isLast": False, "totalPage": 2},
    ],
    ids=[
        "both",
        "text",
        "number",
        "no isLast",
        "text total",
        "total rows",
        "total rows, our page size",
        "total rows, wrong pages",
        "never last",
        "never last, wrong total",
    ],
)
async def test_137_clusters_from_a_service_that_ignores_the_page_size(fields: Any) -> None:
    """It answers with ten rows whatever is asked: trusting our own page size would show the first ten."""
    transport = Scripted(lambda query: {"allowedClusters": page_of(query, 10), **fields(int(query["pageNo"]))})
    assert await listed(transport) == numbers(137)
    assert 14 <= len(transport.requests) <= 15
    assert transport.requests[0].url.params["pageSize"] == str(lists.PAGE_SIZE)


async def test_a_page_that_says_nothing_is_the_only_one() -> None:
    transport = Scripted(lambda query: {"allowedClusters": page_of(query, 10)})
    assert await listed(transport) == numbers(10)
    assert len(transport.requests) == 1


async def test_the_same_page_for_ever_is_read_once() -> None:
    """A service that ignores `pageNo` and never says it is done."""
    transport = Scripted(lambda _: {"allowedClusters": ALL[:10], "isLast": False})
    assert await listed(transport) == numbers(10)
    assert len(transport.requests) == 2


@each_row(
    "result",
    [
        None,
        [],
        "x",
        {},
        {"allowedClusters": None},
        {"allowedClusters": {"0": ALL[0]}},
        {"clusterList": ALL[:2], "totalCount": 2},
        {"allowedClusters": [], "totalCount": 2, "isLast": True},
        {"allowedClusters": [], "isLast": False},
        {"allowedClusters": [1, None, "x"]},
        {"allowedClusters": [{}, {}]},
    ],
)
async def test_a_list_that_did_not_come_is_not_empty(result: Any) -> None:
    with pytest.raises(ListMissing, match="The list of clusters did not come") as caught:
        await Scripted(lambda _: result).engine().list_clusters()
    assert not caught.value.may_have_acted


@each_row(
    "result",
    [
        {"allowedClusters": []},
        {"allowedClusters": [], "disallowedClusters": None, "totalCount": 0, "totalPage": 0, "isLast": True},
        {"totalCount": 0},
        {"allowedClusters": None, "totalCount": "0"},
    ],
)
async def test_an_empty_list_is_whole(result: Any) -> None:
    listing = await Scripted(lambda _: result).engine().list_clusters()
    assert (len(listing), listing.is_whole, listing.gap) == (0, True, "")


def _same(result: Any, _: Mapping[str, str]) -> Any:
    return result


@each_row(
    ("name", "member", "noun"),
    [
        ("list_buckets", "bucketList", "buckets"),
        ("snapshot_history", "snapshotHistoryResponseList", "snapshots"),
        ("recent_snapshots", "snapshotHistoryResponseList", "snapshots"),
        ("schedule_history", "snapshotSchedulingHistoryList", "schedule settings"),
    ],
)
async def test_every_list_may_be_missing(name: str, member: str, noun: str) -> None:
    missing: tuple[Any, ...] = (None, {}, {member: None, "totalCount": 2}, {member + "s": [{}], "totalCount": 2})
    for result in missing:
        with pytest.raises(ListMissing, match=f"The list of {noun} did not come"):
            await getattr(Scripted(partial(_same, result)).engine(), name)("1")
    assert not await getattr(Scripted(lambda _: {member: []}).engine(), name)("1")


@each_row(
    ("result", "gap"),
    [
        ({"allowedClusters": ALL[:5], "totalCount": 7, "isLast": True}, "NCP counts 7 clusters, and sent 5."),
        ({"allowedClusters": [*ALL[:5], None], "isLast": True}, "1 entry without a name: 5 clusters could be read"),
        ({"allowedClusters": [*ALL[:5], {}, {}], "isLast": True}, "2 entries without a name"),
        ({"allowedClusters": ALL[:5], "isLast": False}, "repeats the same 5 clusters, and says that more follow"),
        ({"allowedClusters": ALL[:5], "totalCount": 9}, "NCP counts 9 clusters, and sent 5."),
    ],
    ids=["counts more", "no object", "nameless", "repeats itself", "counts more, and never ends"],
)
async def test_a_list_that_contradicts_itself_says_so(result: Any, gap: str) -> None:
    listing = await Scripted(lambda _: result).engine().list_clusters()
    assert len(listing) == 5
    assert gap in listing.gap
    assert not listing.is_whole


async def test_a_page_that_is_missing_in_the_middle_is_a_gap() -> None:
    def result(query: Mapping[str, str]) -> Any:
        page = int(query["pageNo"])
        return None if page == 3 else {"allowedClusters": page_of(query, 10), "totalCount": 137, "totalPage": 14}

    listing = await Scripted(result).engine().list_clusters()
    assert [cluster.number for cluster in listing] == numbers(20)
    assert listing.gap == "NCP counts 137 clusters, and sent 20."


async def test_an_answer_that_was_cut_is_a_list_that_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inert_json, "MOST_VALUES", 100)
    listing = await Scripted(lambda _: {"isLast": True, "allowedClusters": ALL}).engine().list_clusters()
    assert 20 < len(listing) < 60
    assert "was cut" in listing.gap


async def test_more_rows_than_are_kept_are_cut() -> None:
    transport = Scripted(lambda query: {"allowedClusters": page_of(query, 10), "totalCount": 137, "totalPage": 14})
    found = [page async for page in transport.engine().cluster_pages(most=25)]
    assert [len(page.rows) for page in found] == [10, 10, 5]
    assert found[-1].gap == "Only the first 25 of 137 clusters were read: ncp-tui reads no more."


async def test_a_part_that_was_asked_for_has_no_gap() -> None:
    transport = Scripted(lambda _: history([history_row(2), history_row(1)], last=False) | {"totalCount": 9})
    recent = await transport.engine().recent_snapshots("1")
    assert (len(recent), recent.total, recent.is_whole, recent.gap) == (2, 9, False, "")


async def test_a_list_says_when_it_was_read() -> None:
    engine = Scripted(lambda _: {"allowedClusters": ALL[:1]}).engine()
    before = engine.now()
    assert before <= (await engine.list_clusters()).read_at <= engine.now()


async def test_rows_are_read_a_slice_at_a_time() -> None:
    """Two thousand in one answer would stop every key for 30 ms."""
    others_turns = 0

    async def another() -> None:
        nonlocal others_turns
        while True:
            others_turns += 1
            await asyncio.sleep(0)

    rows = RowReader(CLUSTERS, 10_000)
    many = [{"serviceGroupInstanceNo": str(number)} for number in range(2_000)]
    task = asyncio.ensure_future(another())
    assert len(await rows.take({"allowedClusters": many})) == 2_000
    task.cancel()
    assert others_turns >= 2_000 // SLICE


async def test_an_empty_page_ends_it() -> None:
    transport = Scripted(lambda query: {"allowedClusters": page_of(query, 100), "isLast": False, "totalPage": 99})
    assert await listed(transport) == numbers(137)
    asked = {int(request.url.params["pageNo"]) for request in transport.requests}
    assert {1, 2, 3} <= asked <= set(range(1, 3 + lists.AT_ONCE)), "some were on their way when it came"
    assert len(transport.requests) == len(asked)


async def test_a_row_that_moves_to_the_next_page_comes_once() -> None:
    """A cluster made while we read shifts every row by one."""

    def result(query: Mapping[str, str]) -> Any:
        new = [{"serviceGroupInstanceNo": "new", "clusterName": "new"}]
        shifted = new + ALL if query["pageNo"] != "1" else ALL
        return {"allowedClusters": page_of(query, 10, shifted), "isLast": query["pageNo"] == "14"}

    assert await listed(Scripted(result)) == numbers(137)


async def test_twice_on_one_page_is_once() -> None:
    transport = Scripted(lambda _: {"allowedClusters": ALL[:3] * 2, "isLast": True})
    assert await listed(transport) == numbers(3)


async def test_the_list_of_settings_may_have_either_of_two_names() -> None:
    answer = {"snapshotSchedulingHistoryResponseList": [{"snapshotName": "nightly"}], "totalCount": 1}
    found = await Scripted(lambda _: answer).engine().schedule_history("1037001")
    assert ([row.snapshot for row in found], found.gap) == (["nightly"], "")


async def test_two_settings_of_a_schedule_may_be_alike() -> None:
    """Set and released twice within the second or minute of their dates; on another page it is a repetition."""
    row = {"snapshotName": "nightly", "snapshotSchedulingStatus": "RELEASED"}
    pages = {"1": [row, row], "2": [row]}
    answer = {"totalCount": 2, "totalPage": 1, "snapshotSchedulingHistoryList": [row, row]}
    found = await Scripted(lambda _: answer).engine().schedule_history("1037001")
    assert (len(found), found.gap) == (2, "")
    transport = Scripted(
        lambda query: {"snapshotSchedulingHistoryList": pages[query["pageNo"]], "isLast": query["pageNo"] == "2"}
    )
    assert len(await transport.engine().schedule_history("1037001")) == 2


async def test_both_lists_make_a_page() -> None:
    """A page of clusters that the key may not open is not an empty one."""
    pages = {"1": {"disallowedClusters": ALL[:2]}, "2": {"allowedClusters": ALL[2:3], "disallowedClusters": ALL[3:4]}}
    transport = Scripted(lambda query: {**pages[query["pageNo"]], "isLast": query["pageNo"] == "2"})
    clusters = await transport.engine().list_clusters()
    assert [(cluster.number, cluster.allowed) for cluster in clusters] == [
        ("0", False),
        ("1", False),
        ("2", True),
        ("3", False),
    ]


async def test_an_endless_list_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_PAGES", 7)
    transport = Scripted(lambda query: {"allowedClusters": [{"clusterName": query["pageNo"]}], "isLast": False})
    listing = await transport.engine().list_clusters()
    assert len(listing) == 7
    assert listing.gap == "Only the first 7 clusters were read: ncp-tui reads no more."
    assert len(transport.requests) == 7


def history_row(index: int, **fields: Any) -> dict[str, Any]:
    return {"idx": index, "snapshotName": f"s-{index}", "actionDate": f"2026-01-01 00:{index:02d}:00", **fields}


def history(rows: list[dict[str, Any]], *, last: bool) -> dict[str, Any]:
    return {"snapshotHistoryResponseList": rows, "isLast": last}


async def test_a_history_is_sorted_newest_first_whatever_the_services_order() -> None:
    rows = [history_row(index) for index in (3, 1, 2)] + [{"snapshotName": "undated", "idx": 99}]
    found = await Scripted(lambda _: history(rows, last=True)).engine().snapshot_history("1")
    assert [row.snapshot for row in found] == ["s-3", "s-2", "s-1", "undated"]


async def test_row_numbers_that_start_anew_on_each_page_lose_nothing() -> None:
    """Nobody documents what `idx` counts; the second page must not look like the first one again."""

    def result(query: Mapping[str, str]) -> Any:
        page = int(query["pageNo"])
        rows = [history_row(index, snapshotName=f"s-{page}-{index}") for index in range(1, 4)]
        return history(rows, last=page == 3)

    assert len(await Scripted(result).engine().snapshot_history("1")) == 9


@each_row("name", ["snapshot_history", "schedule_history"])
async def test_a_history_that_repeats_itself_ends(name: str) -> None:
    rows = {
        "snapshotHistoryResponseList": [history_row(1), history_row(2)],
        "snapshotSchedulingHistoryList": [{"snapshotName": "a"}, {"snapshotName": "b"}],
    }
    transport = Scripted(lambda _: {**rows, "isLast": False})
    assert len(await getattr(transport.engine(), name)("1")) == 2
    assert len(transport.requests) == 2


async def test_recent_snapshots_cost_one_request() -> None:
    transport = Scripted(lambda _: history([history_row(1), history_row(2)], last=False))
    assert [row.snapshot for row in await transport.engine().recent_snapshots("1")] == ["s-2", "s-1"]
    assert len(transport.requests) == 1


async def test_a_large_account_on_a_real_server() -> None:
    async with serve(Sandbox(clusters=250)) as served:
        engine = engine_of(served)
        clusters = await engine.list_clusters()
        await engine.aclose()
        assert len({cluster.number for cluster in clusters}) == len(clusters) == 252
        assert len(served.sandbox.ledger.requests) == 3


async def test_the_newest_are_found_where_the_service_begins_with_the_oldest() -> None:
    """A snapshot on the last of many pages would be watched for ever, and never be found."""
    days = range(1, 31)
    rows = [{"idx": day, "snapshotName": f"s-{day}", "actionDate": f"2026-01-{day:02d} 00:00:00"} for day in days]

    def page(query: Mapping[str, str]) -> Any:
        number = int(query["pageNo"])
        part = rows[(number - 1) * 10 : number * 10]
        return {"totalPage": 3, "isLast": number == 3, "snapshotHistoryResponseList": part}

    scripted = Scripted(page)
    found = await scripted.engine().recent_snapshots("1")
    assert found[0].snapshot == "s-30"
    assert len(scripted.requests) == 2


def named(page: ListPage[Cluster]) -> list[int]:
    return [int(cluster.name) for cluster in page.rows]


class Gate:
    """Pages that are answered when they are let through, in whatever order."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.asked: list[int] = []
        self.cancelled: list[int] = []
        self._doors: dict[int, asyncio.Event] = {}

    async def fetch(self, page: int) -> dict[str, Any]:
        self.asked.append(page)
        try:
            await self.door(page).wait()
        except asyncio.CancelledError:
            self.cancelled.append(page)
            raise
        return {"allowedClusters": [{"clusterName": str(page)}], "totalPage": self.total}

    def door(self, page: int) -> asyncio.Event:
        return self._doors.setdefault(page, asyncio.Event())


async def test_a_few_pages_are_on_their_way_at_once_and_come_in_their_order() -> None:
    """One after the other, 20 pages over a link of 200 ms would take four seconds."""
    gate = Gate(total=9)
    gate.door(1).set()
    found = lists.pages(gate.fetch, RowReader(CLUSTERS, 100), at_once=4)
    assert named(await anext(found)) == [1]
    for page in (5, 3, 4):
        gate.door(page).set()
    second = asyncio.ensure_future(anext(found))
    for _ in range(10):
        await asyncio.sleep(0)
    assert gate.asked == [1, 2, 3, 4, 5], "four, and no more"
    assert not second.done(), "the order is the service's, whichever answer came first"
    gate.door(2).set()
    assert named(await second) == [2]
    await found.aclose()
    await asyncio.sleep(0)
    assert max(gate.asked) <= 6
    assert gate.cancelled == [page for page in gate.asked if page > 5], "what nobody waits for is cancelled"


async def test_pages_that_are_read_one_by_one_are_asked_for_when_they_are_wanted() -> None:
    gate = Gate(total=9)
    for page in range(1, 10):
        gate.door(page).set()
    found = lists.pages(gate.fetch, RowReader(CLUSTERS, 100))
    await anext(found)
    await asyncio.sleep(0)
    assert gate.asked == [1]
    await found.aclose()


async def test_a_page_that_fails_ahead_is_told_when_its_turn_comes() -> None:
    """Rows before it are shown; the failure of one after it is nobody's."""

    def result(query: Mapping[str, str]) -> Any:
        if query["pageNo"] == "3":
            raise httpx.ConnectError("gone")
        return {"allowedClusters": page_of(query, 10), "totalPage": 5}

    pages = Scripted(result).engine().cluster_pages()
    assert [len((await anext(pages)).rows) for _ in range(2)] == [10, 10]
    with pytest.raises(GatewayError):
        await anext(pages)


def oldest_first(query: Mapping[str, str], total: int, filled: int) -> Any:
    """A page of a history that begins with the oldest rows, of which only some pages have any."""
    page = int(query["pageNo"])
    rows = [
        {
            "snapshotName": f"s-{page}-{number}",
            "idx": page * 10 + number,
            "actionDate": f"2025-01-01 00:{page % 60:02}:0{number}",
        }
        for number in range(3 if page <= filled else 0)
    ]
    return {"totalPage": total, "snapshotHistoryResponseList": rows}


async def test_a_history_whose_pages_never_end_is_read_to_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_PAGES", 20)
    script = Scripted(lambda query: oldest_first(query, 10**9, 10**9))
    rows = await script.engine().snapshot_history("1")
    assert len(script.requests) == lists.MOST_PAGES + 1
    assert len(rows) == 3 * (lists.MOST_PAGES + 1)
    assert rows.gap == "Only the first 63 snapshots were read: ncp-tui reads no more."


async def test_a_number_of_pages_that_is_not_to_be_trusted_loses_no_row_that_came() -> None:
    script = Scripted(lambda query: oldest_first(query, 10**9, 1))
    assert len(await script.engine().snapshot_history("1")) == 3
    assert len(script.requests) == 5, "the first, three at the end, and the second, after which there is none"


async def test_pages_behind_an_end_that_is_none_are_read_forwards() -> None:
    """Backwards there are three empty pages, and that is not the whole history."""
    script = Scripted(lambda query: oldest_first(query, 40, 7))
    rows = await script.engine().snapshot_history("1")
    assert (len(rows), rows[0].snapshot, rows.gap) == (21, "s-7-2", "")
    assert len(script.requests) == 1 + 3 + 7


async def test_pages_of_a_history_that_begins_with_the_oldest_are_on_their_way_at_once() -> None:
    """As many as the other way round, none of them twice, and none before the last is known to have rows."""
    gate = Gate(total=9)
    for page in range(1, 10):
        gate.door(page).set()
    gate.door(7).clear()
    found = lists.pages_backwards(gate.fetch, RowReader(CLUSTERS, 100), await gate.fetch(1), at_once=4)
    assert named(await anext(found)) == [9]
    assert gate.asked == [1, 9]
    assert named(await anext(found)) == [8]
    third = asyncio.ensure_future(anext(found))
    for _ in range(10):
        await asyncio.sleep(0)
    assert gate.asked == [1, *range(9, 3, -1)], "four, and no more"
    assert not third.done()
    gate.door(7).set()
    assert named(await third) == [7]
    assert [named(page) async for page in found] == [[6], [5], [4], [3], [2], [1]]
    assert gate.asked == [1, *range(9, 1, -1)]


@each_row(
    ("counts", "has_more"),
    [
        ({"isLast": True}, False),
        ({"isLast": True, "totalCount": 9}, False),
        ({"isLast": False}, True),
        ({"totalPage": 1, "totalCount": 2}, False),
        ({"totalPage": 2}, True),
        ({"totalCount": 9}, True),
        ({}, False),
    ],
)
async def test_the_newest_rows_say_whether_there_are_more(counts: dict[str, Any], has_more: bool) -> None:
    rows = {"snapshotHistoryResponseList": [history_row(2), history_row(1)]}
    assert (await Scripted(lambda _: rows | counts).engine().recent_snapshots("1")).has_more is has_more


@each_row("empty", [0, 1, 2])
async def test_some_empty_pages_at_the_end_hide_nothing(empty: int) -> None:
    script = Scripted(lambda query: oldest_first(query, 5 + empty, 5))
    assert len(await script.engine().snapshot_history("1")) == 15
