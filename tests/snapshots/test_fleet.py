"""The verdict on a cluster: tables of what its history says, and what follows."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.models import Cluster, HistoryEntry, ScheduleEntry
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, Look, summary_of
from ncp_tui.snapshots.fleet import (
    Bars,
    CheckedCluster,
    FleetReport,
    NotChecked,
    Severity,
    Verdict,
    Wanted,
    judge,
)
from ncp_tui.snapshots.fleet_reading import Caller, read_fleet
from ncp_tui.snapshots.schedule import schedule_of
from ncp_tui.system.time_zone import KST
from tests.tables import each_row

NOW = datetime(2026, 11, 25, 3, tzinfo=UTC)
BARS = Bars(timedelta(hours=26), timedelta(hours=20))
RUNNING = Cluster("1037001", "search-0001", "running")


def run(hours: float, message: str = "SUCCESS", name: str = "", duration: str = "60s") -> HistoryEntry:
    """A row of the history, so many hours ago."""
    date = (NOW - timedelta(hours=hours)).astimezone(KST).strftime("%Y-%m-%d %H:%M:%S")
    raw = {"snapshotName": name or f"s-{hours:g}", "actionDate": date, "message": message, "duration": duration}
    return HistoryEntry.read(raw)


def going(hours: float) -> HistoryEntry:
    return run(hours, "", "now", "")


def history(*rows: HistoryEntry, is_whole: bool = True, gap: str = "") -> ClusterSummary:
    return summary_of(rows, NOW, is_whole=is_whole, problem=Problem(gap) if gap else None)


def nightly(*rows: HistoryEntry) -> ClusterSummary:
    """A schedule that was due two hours ago."""
    raw = {"snapshotName": "nightly", "day": "Everyday", "time": "10:00", "status": "active"}
    entry = dataclasses.replace(ScheduleEntry.read(raw), snapshot="nightly", day="Everyday", time="10:00")
    return dataclasses.replace(history(*rows), schedule=schedule_of([dataclasses.replace(entry, status="active")]))


UNREADABLE_SCHEDULE = dataclasses.replace(history(run(1)), schedule_problem=Problem("Timed out."))


@each_row(
    "summary, severity, said",
    [
        (history(run(1)), Severity.OK, "60 min old"),
        (history(run(20.5)), Severity.WARNING, "More than 20 h"),
        (history(run(26.5)), Severity.CRITICAL, "more than 26 h"),
        (history(run(0.5, "FAILED"), run(0.7)), Severity.WARNING, "The newest run failed"),
        (history(run(0.5, "PARTIAL: 2 of 40 shards failed"), run(0.7)), Severity.WARNING, "The newest run failed"),
        (history(run(1, "FAILED"), run(24 * 90)), Severity.CRITICAL, "90 d old"),
        (history(run(1, "GEHT SO"), run(2)), Severity.WARNING, "unknown"),
        (history(run(1, "FAILED")), Severity.CRITICAL, "No good snapshot"),
        (history(), Severity.CRITICAL, "No snapshot in the whole history"),
        (history(going(0.1), run(2)), Severity.OK, "2 h old"),
        (history(going(0.1), run(30)), Severity.CRITICAL, "more than 26 h"),
        (history(going(1), run(2)), Severity.WARNING, "stuck"),
        (history(going(1), run(2, duration="3600s")), Severity.OK, "2 h old"),
        (history(run(1), going(90)), Severity.OK, "60 min old"),  # it was given up, and a later one is good
        (nightly(run(5)), Severity.WARNING, "missed"),
        (nightly(run(1.9, name="nightly-1")), Severity.OK, "old"),
        (NOT_READ, Severity.UNKNOWN, "not read"),
        (ClusterSummary(Look.NO_PERMISSION), Severity.UNKNOWN, "permission"),
        (ClusterSummary(Look.FAILED, problem=Problem("Timed out.")), Severity.UNKNOWN, "Timed out."),
        (history(run(1), gap="3 of 9 rows did not come."), Severity.UNKNOWN, "incomplete"),
        (history(gap="3 rows did not come."), Severity.UNKNOWN, "3 rows did not come"),
        (history(run(1, "FAILED"), is_whole=False), Severity.UNKNOWN, "older rows"),
        (history(run(1, "FAILED"), run(40, "FAILED"), is_whole=False), Severity.CRITICAL, "within the last 40 h"),
        (history(run(-5)), Severity.UNKNOWN, "future"),
        (history(dataclasses.replace(run(1), at=None)), Severity.UNKNOWN, "date"),
        (UNREADABLE_SCHEDULE, Severity.UNKNOWN, "schedule"),
    ],
)
def test_a_verdict_comes_from_the_last_good_snapshot(summary: ClusterSummary, severity: Severity, said: str) -> None:
    """And what could not be read is never OK."""
    verdict = judge(RUNNING, summary, BARS, NOW)
    assert (verdict.severity, verdict.counts) == (severity, True)
    assert said in verdict.reason


@each_row(
    "status, counts",
    [("creating", False), ("Deleting", False), ("return", False), ("error", True), ("changing", True), ("", True)],
)
def test_a_cluster_that_comes_or_leaves_does_not_count(status: str, counts: bool) -> None:
    assert judge(dataclasses.replace(RUNNING, status=status), history(), BARS, NOW).counts is counts


def checked(severity: Severity, *, counts: bool = True) -> CheckedCluster:
    return CheckedCluster(
        Profile(name="prod", access_key="A"), RUNNING, NOT_READ, BARS, Verdict(severity, "", counts=counts), NOW
    )


OK, WARNING, CRITICAL, UNKNOWN = map(checked, (Severity.OK, Severity.WARNING, Severity.CRITICAL, Severity.UNKNOWN))
LEAVING = checked(Severity.OK, counts=False)
LOCKED = NotChecked("prod", "The keyring is locked.", "profile")


@each_row(
    "rows, missing, severity",
    [
        ((OK, WARNING), (), Severity.WARNING),
        ((OK, LEAVING), (), Severity.OK),
        ((OK, UNKNOWN, WARNING), (), Severity.UNKNOWN),
        ((UNKNOWN, CRITICAL), (LOCKED,), Severity.CRITICAL),
        ((OK,), (LOCKED,), Severity.UNKNOWN),
        ((LEAVING,), (), Severity.UNKNOWN),
        ((), (), Severity.UNKNOWN),
    ],
)
def test_the_worst_decides_and_none_left_to_judge_is_unknown(
    rows: tuple[CheckedCluster, ...], missing: tuple[NotChecked, ...], severity: Severity
) -> None:
    assert FleetReport(rows, missing, NOW).severity is severity


async def test_a_profile_that_hangs_or_is_locked_costs_the_others_nothing() -> None:
    """The deadline ends the one; the other's own sentence is kept."""

    async def hangs() -> SearchEngine:
        await asyncio.Event().wait()
        raise AssertionError

    async def locked() -> SearchEngine:
        raise Problem("The keyring is locked.")

    callers = [
        Caller(Profile(name=name, access_key="A"), BARS, opening)
        for name, opening in (("slow", hangs), ("shut", locked))
    ]
    report = await read_fleet(callers, Wanted(("search-0001",)), lambda: NOW, deadline=0.05)
    assert {each.name: each.reason for each in report.not_checked} == {
        "slow": "Not read within the deadline of 0.05 s.",
        "shut": "The keyring is locked.",
        "search-0001": "No cluster that was listed has the name or number 'search-0001'.",
    }
    assert report.severity is Severity.UNKNOWN


async def test_an_internal_error_is_not_taken_for_an_answer() -> None:
    async def broken() -> SearchEngine:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await read_fleet([Caller(Profile(name="a", access_key="A"), BARS, broken)], Wanted(), lambda: NOW)


@each_row(
    "wanted, has",
    [
        (Wanted(), True),
        (Wanted(("search-0001",)), True),
        (Wanted(("1037001",)), True),
        (Wanted(("search",)), False),
        (Wanted(match="search-*"), True),
        (Wanted(match="*-000[2-9]"), False),
        (Wanted(match="SEARCH-*"), False),
    ],
)
def test_which_clusters_are_wanted(wanted: Wanted, has: bool) -> None:
    assert wanted.has(RUNNING) is has
