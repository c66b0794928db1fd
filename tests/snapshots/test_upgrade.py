"""The gate before an upgrade: open by a row that proves it, shut only where no row can open it, else unknown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ncp_tui.problem import Problem
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.models import Cluster, HistoryEntry, Version
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, Look, summary_of
from ncp_tui.snapshots.upgrade import Gate, Reason, UpgradeCheck, UpgradeGate, judge_gate, read_upgrade
from tests.search_engine.scripted import Scripted, engine_of
from tests.tables import each_row

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)
CLUSTER = Cluster("1037001", "search-0001", "running")


def row(hours_ago: float, message: str = "SUCCESS", duration: str = "60s", **more: Any) -> HistoryEntry:
    """Of a snapshot that began so long ago."""
    at = NOW - hours_ago * HOUR
    name = f"s-{hours_ago:g}"
    return HistoryEntry.read(
        {"snapshotName": name, "actionDate": at.isoformat(), "message": message, "duration": duration} | more
    )


def gate_of(*rows: HistoryEntry, **summary: Any) -> UpgradeGate:
    newest = sorted(rows, key=lambda each: each.sort_key, reverse=True)
    return judge_gate(CLUSTER, summary_of(newest, NOW, **summary), NOW)


def said(gate: UpgradeGate) -> tuple[Gate, Reason]:
    return gate.gate, gate.reason


UNDATED: dict[str, Any] = {"actionDate": "yesterday"}


@each_row(
    "rows, gate, reason",
    [
        ([], Gate.SHUT, Reason.NONE),
        ([row(1)], Gate.OPEN, Reason.RECENT),
        ([row(5.99)], Gate.OPEN, Reason.RECENT),
        ([row(6)], Gate.OPEN, Reason.RECENT),
        ([row(6.01)], Gate.UNKNOWN, Reason.BY_ITS_END),
        ([row(6.02, duration="")], Gate.SHUT, Reason.TOO_OLD),
        ([row(6.02, duration="72")], Gate.SHUT, Reason.TOO_OLD),
        ([row(6.1)], Gate.SHUT, Reason.TOO_OLD),
        ([row(8, duration="3h")], Gate.UNKNOWN, Reason.BY_ITS_END),
        ([row(10, duration="3h")], Gate.SHUT, Reason.TOO_OLD),
        ([row(1, "FAILED"), row(2, "PARTIAL: 2 of 40 shards failed")], Gate.SHUT, Reason.NONE),
        ([row(1, "FAILED"), row(2)], Gate.OPEN, Reason.RECENT),
        ([row(0.1, "IN_PROGRESS", ""), row(30)], Gate.SHUT, Reason.TOO_OLD),
        ([row(1, "HALF A SNAPSHOT", "")], Gate.UNKNOWN, Reason.UNCLEAR),
        ([row(40, "HALF A SNAPSHOT", "")], Gate.SHUT, Reason.NONE),
        ([row(1, **UNDATED)], Gate.UNKNOWN, Reason.NO_DATE),
        ([row(1, "FAILED", **UNDATED)], Gate.UNKNOWN, Reason.NO_DATE),
        ([row(1, **UNDATED), row(2)], Gate.OPEN, Reason.RECENT),
        ([row(-1)], Gate.UNKNOWN, Reason.AHEAD),
        ([row(-0.1)], Gate.OPEN, Reason.RECENT),
        ([row(-1), row(2)], Gate.OPEN, Reason.RECENT),
        ([row(-1), row(30)], Gate.UNKNOWN, Reason.AHEAD),
        ([row(-1), row(12)], Gate.UNKNOWN, Reason.AHEAD),
        ([row(1, serviceGroupInstanceNo=1037002)], Gate.SHUT, Reason.NONE),
        ([row(1, clusterName="search-0002")], Gate.SHUT, Reason.NONE),
    ],
)
def test_the_rows_of_a_whole_history(rows: Sequence[HistoryEntry], gate: Gate, reason: Reason) -> None:
    assert said(gate_of(*rows)) == (gate, reason)


def test_it_opens_until_six_hours_after_the_end_of_the_newest_good_one() -> None:
    gate = gate_of(row(2, duration="30 min"), row(4))
    assert gate.until == NOW + 4.5 * HOUR
    assert gate.surely_until == NOW + 4 * HOUR
    assert gate.left == 4.5 * HOUR
    assert gate.ended == NOW - 1.5 * HOUR
    assert gate.row is gate.newest_good


@each_row("duration", ["", "-", "30", "about 5 min", "90 h"])
def test_where_its_end_is_unknown_they_count_from_its_start(duration: str) -> None:
    """The safer one. A duration that would end it in the future is no end either."""
    gate = gate_of(row(2, duration=duration))
    assert (gate.gate, gate.until, gate.ended) == (Gate.OPEN, NOW + 4 * HOUR, None)


def test_what_is_missing_of_the_history_shuts_nothing() -> None:
    """Missing is not empty: a row that is not there may be the one that opens it. One that is there opens it anyway."""
    gap = Problem("3 rows are missing.")
    for rows, opened in (([row(30)], False), ([], False), ([row(1)], True)):
        gate = gate_of(*rows, problem=gap)
        assert gate.gate is (Gate.OPEN if opened else Gate.UNKNOWN)
        assert gate.problem is gap
    assert said(gate_of(row(30), problem=gap)) == (Gate.UNKNOWN, Reason.INCOMPLETE)


@each_row("oldest, gate", [(17, Gate.UNKNOWN), (19, Gate.SHUT)])
def test_older_rows_that_were_not_read_have_to_be_too_old_to_open_it(oldest: int, gate: Gate) -> None:
    """One may have run for half a day."""
    found = gate_of(row(1, "FAILED"), row(oldest), is_whole=False)
    found_many = gate_of(*(row(oldest * place / 30, "FAILED") for place in range(1, 31)))
    assert found.gate is gate
    assert found_many.gate is (Gate.SHUT if oldest * 20 / 30 >= 18 else Gate.UNKNOWN), "only the newest are kept"


@each_row("look", [look for look in Look if look not in {Look.FOUND, Look.NONE}])
def test_a_history_that_was_not_read_shuts_nothing(look: Look) -> None:
    summary = ClusterSummary(look, problem=Problem("No."))
    assert said(judge_gate(CLUSTER, summary, NOW)) == (Gate.UNKNOWN, Reason.NOT_READ)
    tracked = replace(NOT_READ.with_row(row(0.2)), read_at=None)
    assert judge_gate(CLUSTER, tracked, NOW).gate is Gate.OPEN


def test_many_rows_of_which_some_have_no_date_shut_nothing() -> None:
    """Those without a date come last, and only the newest rows are kept."""
    rows = [*(row(hours, "FAILED") for hours in range(24, 48)), row(1, **UNDATED)]
    assert said(gate_of(*rows)) == (Gate.UNKNOWN, Reason.NO_DATE)


def test_what_runs_is_named() -> None:
    gate = gate_of(row(0.1, "IN_PROGRESS", ""), row(30))
    assert [each.snapshot for each in gate.running] == ["s-0.1"]
    assert (gate.newest_good and gate.newest_good.snapshot) == "s-30"


def test_the_version_of_the_cluster_is_known_by_its_name_or_its_code() -> None:
    offered = Version("2171", "OpenSearch 2.17.1")
    for raw in ({"searchEngineVersionCode": "2171"}, {"searchEngineVersion": "OpenSearch 2.17.1"}):
        cluster = Cluster.read(raw)
        assert UpgradeCheck(cluster, gate_of()).is_of_cluster(offered)
    assert not UpgradeCheck(Cluster.read({"searchEngineVersionCode": "217"}), gate_of()).is_of_cluster(offered)


async def test_it_is_read_with_the_versions_on_offer(served: RunningSandbox) -> None:
    served.sandbox.world.add_past("search-0001", "before", ended=3_600.0)
    engine = engine_of(served)
    check = await read_upgrade(engine, CLUSTER)
    await engine.aclose()
    assert check.gate.gate is Gate.OPEN
    assert check.versions is not None
    assert [version.code for version in check.versions] == ["2171", "1319", "7102", "773"]
    assert sorted(str(each.operation) for each in served.sandbox.ledger.requests) == [
        "getSearchEngineVersionList",
        "getSnapshotHistory",
    ]


@pytest.mark.parametrize("status", [500, 403])
async def test_what_cannot_be_read_is_told(status: int) -> None:
    engine = Scripted(lambda _: (status, {})).engine()
    check = await read_upgrade(engine, CLUSTER)
    assert check.gate.gate is Gate.UNKNOWN
    assert check.gate.problem is not None
    assert (check.versions, check.versions_problem is not None) == (None, True)


async def test_time_is_that_of_ncp(served: RunningSandbox) -> None:
    """A machine whose clock is hours off would else shut a gate that is open, or open one that is shut."""
    served.sandbox.world.add_past("search-0001", "before", ended=5.5 * 3_600.0)
    served.sandbox.faults.skew(2 * 3_600.0)
    engine = engine_of(served)
    check = await read_upgrade(engine, CLUSTER)
    await engine.aclose()
    assert check.gate.gate is not Gate.OPEN
    assert check.gate.at - datetime.now(UTC) > 1.9 * HOUR
