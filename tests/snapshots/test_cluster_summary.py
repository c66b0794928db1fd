"""What the newest rows of a history say of their cluster."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.cluster_summary import NOT_READ, Look, duration_seconds, read_summaries, summary_of
from tests.search_engine.scripted import engine_of
from tests.tables import each_row

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)


def row(name: str, message: str = "SUCCESS", day: int = 20, duration: str = "60s") -> HistoryEntry:
    return HistoryEntry.read(
        {"snapshotName": name, "actionDate": f"2026-11-{day} 03:00:00", "message": message, "duration": duration}
    )


@each_row(
    "text, seconds",
    [
        ("12s", 12),
        ("12 sec", 12),
        ("3 min 20 s", 200),
        ("3m20s", 200),
        ("1 h 2 min", 3_720),
        ("00:03:20", 200),
        ("03:20", 200),
        ("1:00:00.250", 3_600),
        ("3분 20초", 200),
        ("1시간 1분", 3_660),
        ("1500ms", 1.5),
        ("2.5 s", 2.5),
        ("200", None),  # a number of what?
        ("", None),
        ("-", None),
        ("about 3 min", None),
        ("3 fortnights", None),
        ("0s", None),
        ("0:99", None),
        ("20 s 3 min", None),
        ("3 m 4 m", None),
        ("-5 s", None),
        ("9" * 5_000 + " h", None),
        ("9" * 400 + ":00:00", None),
        ("9" * 400 + "s", None),
    ],
)
def test_a_duration_is_read_only_where_it_says_its_unit(text: str, seconds: float | None) -> None:
    assert duration_seconds(text) == seconds


def test_the_newest_run_and_the_newest_good_one_are_told_apart() -> None:
    rows = [row("d", "", 24, ""), row("c", "FAILED", 23), row("b", day=22), row("a", day=21, duration="30s")]
    found = summary_of(rows, NOW)
    assert found.look is Look.FOUND
    assert found.last_run is rows[0]
    assert found.last_good is rows[2]
    assert found.running == (rows[0],)
    assert found.usual is not None
    assert (found.usual.seconds, found.usual.count) == (45, 2)


def test_no_good_row_among_the_newest_is_not_none_at_all() -> None:
    rows = [row("b", "FAILED", 23)]
    assert summary_of(rows, NOW).is_whole
    assert not summary_of(rows, NOW, is_whole=False).is_whole
    assert summary_of([], NOW).look is Look.NONE


def test_a_later_look_at_one_snapshot_leaves_the_rest_as_it_was() -> None:
    before = summary_of([row("c", "", 24, ""), row("b", day=22)], NOW)
    running = before.with_row(row("c", "", 24, ""))
    assert (running.last_run, running.last_good, running.running) == (before.last_run, before.last_good, before.running)
    done = before.with_row(row("c", "SUCCESS", 24))
    assert done.last_run == done.last_good == row("c", "SUCCESS", 24)
    assert done.running == ()
    failed = before.with_row(row("c", "FAILED", 24))
    assert failed.last_good == before.last_good
    assert failed.running == ()


def test_a_look_at_one_snapshot_does_not_make_an_unread_history_whole() -> None:
    found = NOT_READ.with_row(row("c"))
    assert found.look is Look.FOUND
    assert not found.is_whole


async def test_each_history_is_read_only_once_there_is_time_for_it(served: RunningSandbox) -> None:
    ledger, is_asked, is_time = served.sandbox.ledger, asyncio.Event(), asyncio.Event()
    shown, asked = list[str](), 0

    async def before_each() -> None:
        nonlocal asked
        asked += 1
        is_asked.set()
        await is_time.wait()

    async with aclosing(engine_of(served)) as engine:
        clusters = (await engine.list_clusters()).rows
        listed = len(ledger.requests)

        def show(cluster: object, _: object) -> bool:
            shown.append(str(cluster))
            return True

        reading = asyncio.create_task(read_summaries(engine, clusters, show, before_each))
        await is_asked.wait()
        assert (len(ledger.requests), shown) == (listed, [])
        is_time.set()
        await reading
    ready = [each for each in clusters if each.allowed]
    assert (len(shown), asked) == (len(ready), len(ready))
