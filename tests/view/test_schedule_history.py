"""How a setting of a schedule reads, and what stands above all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import ScheduleEntry
from ncp_tui.search_engine.operations import SET_SCHEDULE
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, Look
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import Caller, SnapshotRequest
from ncp_tui.snapshots.schedule import schedule_of
from ncp_tui.view.schedule_history import SCHEDULES, schedule_entry_lines, schedule_heading
from ncp_tui.view.text import plain_text
from tests.snapshots.test_schedule import NOON, entry
from tests.tables import each_row
from tests.view.test_cluster_summary import HOUR, row, summary

DAY = timedelta(days=1)
READ_FAILED = ClusterSummary(
    Look.FAILED, problem=Problem("NCP is silent."), schedule=schedule_of([entry()]), is_schedule_read=True
)
NO_SCHEDULE_READ = replace(summary(row("a", HOUR)), schedule=None, schedule_problem=Problem("A page is missing."))
SET_JUST_NOW = summary(
    row("a", HOUR), settings=replace(entry(), set_at=NOON - timedelta(minutes=1), set_up="2026-11-25 11:59:00")
)


@each_row(
    "found, words",
    [
        (summary(row("nightly-1", 8.9 * HOUR), settings=entry()), "11-25 03:00: succeeded at 03:06"),
        (summary(row("a", 30 * HOUR), settings=entry()), "03:30, missed. Check the bucket"),
        (summary(row("other", 8.8 * HOUR), settings=entry()), "may be it (succeeded). NCP does not document names"),
        (
            summary(row("a", 30 * HOUR), settings=entry(status="HOLD")),
            "unknown whether it is in force (NCP says",
        ),
        (summary(row("a", 30 * HOUR), settings=entry(status="HOLD")), "next run if in force: Thu 11-26 03:00"),
        (summary(row("a", 30 * HOUR), settings=entry(status="")), "(NCP says nothing; the words are not documented)"),
        (summary(row("a", 30 * HOUR), settings=entry(status="RELEASED")), "released (NCP says 'RELEASED')"),
        (summary(row("a", 30 * HOUR), settings=entry("Fortnightly")), "unknown: its day or time is in no form"),
        (summary(), "none: the history of the schedule is empty"),
        (SET_JUST_NOW, "none: no run was due since the schedule was set"),
        (READ_FAILED, "11-25 03:00: unknown: NCP is silent."),
        (replace(READ_FAILED, look=Look.NOT_READ, problem=None), "unknown, the history was not read"),
        (NO_SCHEDULE_READ, "unknown: A page is missing."),
        (NOT_READ, "not read yet"),
    ],
)
def test_the_heading_says_what_is_set_and_whether_it_came(found: ClusterSummary, words: str) -> None:
    assert words in " ".join(plain_text(schedule_heading(found, NOON, 300)).split())


@each_row(
    "found",
    [summary(row("a", 30 * HOUR), settings=entry(status="RELEASED")), NO_SCHEDULE_READ, NOT_READ, summary()],
)
def test_no_run_is_promised_where_none_is_known_to_be_scheduled(found: ClusterSummary) -> None:
    assert "next run" not in plain_text(schedule_heading(found, NOON, 80))


@each_row("width", [40, 60, 78, 200])
def test_no_line_of_the_heading_is_wider_than_the_screen_and_nothing_is_lost(width: int) -> None:
    found = summary(row("other", 8.8 * HOUR), settings=replace(entry(status="H" * 90), bucket="b" * 63))
    text = plain_text(schedule_heading(found, NOON, width))
    assert max(map(len, text.splitlines())) <= width
    assert "".join(text.split()).count("H") >= 90


def test_a_row_without_a_date_that_can_be_read_shows_it_as_it_came() -> None:
    odd = ScheduleEntry.read({"snapshotName": "x", "snapshotSchedulingConfigSetUpDate": "last week", "more": 1})
    assert [cell.text for cell in SCHEDULES.row((1, odd)).cells][:2] == ["last week", "x"]
    assert '"more": 1' in plain_text(schedule_entry_lines(odd))


def test_a_change_of_which_nothing_is_known_is_named_with_what_lists_it() -> None:
    details = {"snapshotName": "x", "scheduledDay": "Everyday", "scheduledHour": 3, "scheduledMinute": 0}
    cluster = SnapshotRequest("1037001", "search-0001", "", "")
    lost = JournalEntry("a", NOON, Caller("", "", "", ""), cluster, operation=SET_SCHEDULE, details=details)
    text = plain_text(schedule_heading(summary(), NOON, 200, unresolved=[lost], key="U"))
    assert "unresolved   set x (Everyday 03:00, bucket" in text
    assert "may have taken effect; U lists it" in text
    assert "unresolved" not in plain_text(schedule_heading(summary(), NOON, 200))


def test_an_older_setting_that_is_in_force_by_its_status_is_named_and_nothing_claimed_of_it() -> None:
    older = [entry(status="ACTIVE"), entry(status="ACTIVE")]
    found = summary(settings=entry(status="RELEASED"))
    text = plain_text(schedule_heading(found, NOON, 200, others=older))
    assert "An older setting, nightly (Everyday 03:00" in text
    assert "is 'ACTIVE' as well, like 1 other one; whether it still runs is not documented" in text
