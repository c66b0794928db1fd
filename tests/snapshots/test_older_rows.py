"""The name of a create is looked up in the whole history: behind its newest page too, and what was not read is said."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ncp_tui.search_engine import lists
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.create import create_snapshot
from ncp_tui.snapshots.earlier_requests import EarlierState, SecondRequest
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.preflight import (
    Preflight,
    PreflightEvidence,
    ReadResult,
    Severity,
    look_further,
    preflight,
)
from ncp_tui.system.time_zone import KST
from tests.search_engine.scripted import Scripted
from tests.snapshots.journals import CALLER, REQUEST, journal_in
from tests.tables import each_row

FIRST = datetime(2026, 1, 1, tzinfo=KST)
NOW = FIRST + timedelta(days=300)
CLUSTER = Cluster(REQUEST.cluster_number, REQUEST.cluster_name, "running", health="green")
ALL, PAGE = 250, 100


def row(day: int, **fields: Any) -> dict[str, Any]:
    at = f"{FIRST + timedelta(days=day):%Y-%m-%d %H:%M:%S}"
    return {"idx": day, "snapshotName": f"auto-{day}", "actionDate": at, "message": "SUCCESS", **fields}


class History(Scripted):
    """A history of `ALL` rows, one a day, in pages of `PAGE`, with those of `other` in their places."""

    def __init__(self, *, oldest_first: bool = False, other: Mapping[int, Any] | None = None, **counts: Any) -> None:
        self.rows = [row(day, **(other or {}).get(day, {})) for day in range(ALL)]
        self.rows = self.rows if oldest_first else self.rows[::-1]
        self.counts = {"totalPage": 3, "totalCount": ALL} | counts
        super().__init__(self.page)

    def page(self, query: Mapping[str, str]) -> Any:
        if "pageNo" not in query:
            return True  # a create
        number = int(query["pageNo"])
        part = self.rows[(number - 1) * PAGE : number * PAGE]
        return {key: value for key, value in self.counts.items() if value is not None} | {
            "snapshotHistoryResponseList": part
        }

    @property
    def asked(self) -> list[int]:
        return [int(request.url.params["pageNo"]) for request in self.requests if request.url.query]


async def seen(engine: SearchEngine, *entries: JournalEntry) -> PreflightEvidence:
    """What a create knows once the newest page was read."""
    history = await engine.recent_snapshots(REQUEST.cluster_number)
    return PreflightEvidence(
        CLUSTER, ReadResult(NOW), history=history, history_read=ReadResult(NOW, gap=history.gap), journal=entries
    )


def judged(evidence: PreflightEvidence) -> Preflight:
    return preflight(REQUEST, evidence, CALLER.gateway)


def name_check(evidence: PreflightEvidence) -> tuple[Severity, bool, str]:
    check = next(check for check in judged(evidence).checks if check.subject == "name")
    return check.severity, check.blocks, check.evidence


OURS = {"snapshotName": REQUEST.name}


async def stopping(history: History, *, whole: bool = False) -> EarlierState | None:
    """What stops a create by that history; until it was looked at, the newest page has no green light for it."""
    engine = history.engine()
    evidence = await seen(engine)
    assert evidence.has_older
    assert name_check(evidence)[:2] == (Severity.UNSURE, False)
    assert "Older rows were not read." in name_check(evidence)[2]
    evidence = await look_further(engine, evidence, *(() if whole else (REQUEST, CALLER.gateway)))
    earlier = judged(evidence).earlier
    if earlier is not None:
        assert earlier.source == "history"
        assert name_check(evidence)[0] is Severity.BAD
    return earlier.state if earlier is not None else None


@each_row(("oldest_first", "day"), [(False, 0), (True, 120)])
@each_row(
    "counts",
    [
        {},
        {"totalCount": None},
        {"totalPage": None, "pageSize": PAGE},
        # Totals that are not true.
        {"totalCount": 7},
        {"totalPage": 40},
        {"totalPage": 40, "totalCount": None},
    ],
)
async def test_a_row_behind_the_newest_page_stops_it(*, oldest_first: bool, day: int, counts: dict[str, Any]) -> None:
    history = History(oldest_first=oldest_first, other={day: OURS}, **counts)
    assert await stopping(history) is EarlierState.SUCCEEDED


@each_row(
    ("message", "state"),
    [
        ("SUCCESS", EarlierState.SUCCEEDED),
        ("IN_PROGRESS", EarlierState.RUNNING),
        ("MOVED", EarlierState.UNKNOWN),
        ("FAILED: x", None),
    ],
)
async def test_it_stops_by_its_state_whether_or_not_the_name_is_known_beforehand(
    message: str, state: EarlierState | None
) -> None:
    for whole in (False, True):
        assert await stopping(History(other={0: {**OURS, "message": message}}), whole=whole) is state


@each_row("oldest_first", [False, True])
async def test_a_name_that_no_row_has_is_free_and_each_page_is_read_once_more_at_most(*, oldest_first: bool) -> None:
    history = History(oldest_first=oldest_first)
    engine = history.engine()
    evidence = await seen(engine)
    newest = len(history.asked)
    evidence = await look_further(engine, evidence, REQUEST, CALLER.gateway)
    assert name_check(evidence) == (
        Severity.OK,
        False,
        "not in use in the 250 newest rows of the history and the journal",
    )
    assert sorted(history.asked[newest:]) == [1, 2, 3]


async def test_one_page_is_read_once(tmp_path: Path) -> None:
    history = History(totalPage=1, totalCount=PAGE)
    engine = history.engine()
    evidence = await look_further(engine, await seen(engine), REQUEST, CALLER.gateway)
    assert (history.asked, evidence.older, name_check(evidence)[0]) == ([1], None, Severity.OK)
    await create_snapshot(
        engine, REQUEST, caller=CALLER, journal=journal_in(tmp_path), history=evidence.rows_for(REQUEST.name)
    )
    assert len(history.requests) == 2


async def test_nothing_more_is_read_where_the_newest_page_stops_it() -> None:
    history = History(other={249: OURS})
    engine = history.engine()
    evidence = await look_further(engine, await seen(engine), REQUEST, CALLER.gateway)
    assert (history.asked, name_check(evidence)[0]) == ([1], Severity.BAD)


async def test_a_row_of_another_cluster_or_one_that_failed_stops_nothing() -> None:
    other = {3: {**OURS, "serviceGroupInstanceNo": 7}, 4: {**OURS, "message": "FAILED: x"}}
    engine = History(other=other).engine()
    evidence = await look_further(engine, await seen(engine), REQUEST, CALLER.gateway)
    assert judged(evidence).earlier is None
    assert name_check(evidence)[0] is Severity.UNSURE, "the service may refuse the name of one that failed"


async def test_an_old_end_of_an_accepted_one_is_learned() -> None:
    """It failed, and a hundred others came since."""
    evidence = ({"fact": "begun"}, {"fact": "outcome", "outcome": "accepted"})
    entry = JournalEntry("a", FIRST + timedelta(days=4), CALLER, REQUEST, events=evidence, clock_offset=0.0)
    engine = History(other={4: {**OURS, "message": "FAILED: x"}}).engine()
    before = await seen(engine, entry)
    assert judged(before).earlier is not None
    after = await look_further(engine, before, REQUEST, CALLER.gateway)
    assert after.journal[0].state == "failed"
    assert judged(after).earlier is None


class Failing(History):
    """From page 2 on the network is gone, or silent."""

    def __init__(self, *, is_silent: bool) -> None:
        super().__init__()
        self.is_silent = is_silent

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.params["pageNo"] == "1":
            return await super().handle_async_request(request)
        if self.is_silent:
            await asyncio.Event().wait()
        refused = json.dumps({"error": {"errorCode": "210", "message": "Permission Denied"}}).encode()
        return httpx.Response(403, stream=httpx.ByteStream(refused))


@each_row("is_silent", [False, True])
async def test_what_could_not_be_read_is_said_and_stops_nothing(*, is_silent: bool) -> None:
    engine = Failing(is_silent=is_silent).engine()
    evidence = await look_further(engine, await seen(engine), REQUEST, CALLER.gateway, seconds=0.5 if is_silent else 60)
    light, blocks, said = name_check(evidence)
    assert (light, blocks) == (Severity.UNSURE, False)
    assert said.startswith("not among the 100 newest rows of the history. Older rows were not read. ")
    assert said.endswith("No complete response within 0.5 s.") is is_silent
    assert judged(evidence).earlier is None


async def test_a_history_that_is_cut_is_not_green(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_PAGES", 2)
    engine = History(other={0: OURS}).engine()
    evidence = await look_further(engine, await seen(engine), REQUEST, CALLER.gateway)
    light, blocks, said = name_check(evidence)
    assert (light, blocks) == (Severity.UNSURE, False)
    assert "the 200 newest rows" in said
    assert "Only the first 200 of 250 snapshots were read" in said


async def test_a_total_that_is_never_reached_is_not_green() -> None:
    engine = History(totalCount=900).engine()
    evidence = await look_further(engine, await seen(engine), REQUEST, CALLER.gateway)
    light, blocks, said = name_check(evidence)
    assert (light, blocks) == (Severity.UNSURE, False)
    assert said.endswith("NCP counts 900 snapshots, and sent 250.")


async def test_a_row_that_moves_to_an_older_page_meanwhile_is_seen() -> None:
    """It stood behind the newest page when that was read, and a new one moves it: no gap is left between the looks."""
    history = History(other={149: OURS})
    engine = history.engine()
    evidence = await seen(engine)
    history.rows.insert(0, row(300))
    assert judged(await look_further(engine, evidence, REQUEST, CALLER.gateway)).earlier is not None


async def test_take_is_stopped_by_an_old_row_until_exactly_that_is_agreed_to(tmp_path: Path) -> None:
    history = History(other={0: OURS})
    engine, journal = history.engine(), journal_in(tmp_path)
    rows = (await look_further(engine, await seen(engine))).rows_for(REQUEST.name)
    asked = len(history.requests)
    with pytest.raises(SecondRequest) as refused:
        await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, history=rows)
    assert len(history.requests) == asked
    again = refused.value.earlier.id
    await create_snapshot(engine, REQUEST, caller=CALLER, journal=journal, history=rows, again=again)
    assert len(history.requests) == asked + 1
    await create_snapshot(engine, replace(REQUEST, name="another"), caller=CALLER, journal=journal, history=rows)
