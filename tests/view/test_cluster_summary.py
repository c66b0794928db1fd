"""How the snapshots of a cluster read, in cells and in the details pane."""

from __future__ import annotations

from datetime import timedelta

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import HistoryEntry, ScheduleEntry
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, Look, summary_of
from ncp_tui.snapshots.schedule import schedule_of
from ncp_tui.view.cluster_summary import (
    Moment,
    last_good_cell,
    last_run_cell,
    next_cell,
    summary_document,
    summary_lines,
)
from ncp_tui.view.format import short_age
from ncp_tui.view.text import Tone, plain_text
from tests.snapshots.test_schedule import NOON, entry
from tests.tables import each_row

MOMENT = Moment(NOON)
HOUR = timedelta(hours=1)


def row(name: str, ago: timedelta, message: str = "SUCCESS", duration: str = "3m20s") -> HistoryEntry:
    date = f"{NOON - ago:%Y-%m-%d %H:%M:%S}"
    return HistoryEntry.read(
        {"snapshotName": name, "bucketName": "logs", "actionDate": date, "message": message, "duration": duration}
    )


def summary(*rows: HistoryEntry, is_whole: bool = True, settings: ScheduleEntry | None = None) -> ClusterSummary:
    from dataclasses import replace

    return replace(summary_of(rows, NOON, is_whole=is_whole), schedule=schedule_of([settings] if settings else []))


@each_row(
    "age, text",
    [
        (timedelta(seconds=20), "now"),
        (timedelta(minutes=59), "59 min"),
        (26 * HOUR, "26 h"),
        (72 * HOUR, "72 h"),
        (73 * HOUR, "3 d"),
        (timedelta(days=90), "90 d"),
        (-2 * HOUR, "ahead"),
    ],
)
def test_an_age_is_told_in_hours_for_three_days(age: timedelta, text: str) -> None:
    assert short_age(age) == text


@each_row(
    "found, text, tone",
    [
        (summary(row("a", 2 * HOUR)), "2 h", Tone.GOOD),
        (summary(row("b", 1 * HOUR, "FAILED"), row("a", 30 * HOUR)), "30 h ! old", Tone.BAD),
        (summary(row("b", 1 * HOUR, "FAILED")), "none !", Tone.BAD),
        (summary(row("b", 1 * HOUR, "FAILED"), is_whole=False), "none recent !", Tone.BAD),
        (summary(), "none !", Tone.BAD),
        (NOT_READ, "not read", Tone.DIM),
        (ClusterSummary(Look.NO_PERMISSION), "no permission", Tone.DIM),
        (ClusterSummary(Look.FAILED, problem=Problem("Because.")), "not readable", Tone.BAD),
    ],
)
def test_the_last_good_one_is_told_by_its_age_or_why_it_is_not_known(
    found: ClusterSummary, text: str, tone: Tone
) -> None:
    cell = last_good_cell(found, MOMENT)
    assert (cell.text, cell.tone) == (text, tone)
    assert cell.is_empty is not ("h" in text)


def test_the_bar_is_the_profiles_own() -> None:
    found = summary(row("a", 2 * HOUR))
    assert last_good_cell(found, Moment(NOON, HOUR)).text == "2 h ! old"


def test_sorted_by_the_last_run_the_worst_comes_first() -> None:
    runs = [summary(row("x", HOUR, message, "")) for message in ("SUCCESS", "FAILED: disk", "", "wobbly")]
    cells = sorted(map(last_run_cell, runs), key=lambda cell: cell.sort or 0)
    assert cells[0].text == "failed"
    assert cells[-1].tone is Tone.GOOD
    assert last_run_cell(NOT_READ).is_empty


@each_row(
    "settings, text",
    [
        (entry(), "03:00"),
        (entry("Sunday"), "Sun 03:00"),
        (entry("Thursday", "11:45"), "11:45"),
        (entry(status="PENDING"), "03:00 ?"),
        (entry(status="RELEASED"), "-"),
        (entry("Fortnightly"), "set ?"),
        (None, "-"),
    ],
)
def test_the_next_run_says_its_day_only_when_it_is_not_within_one(settings: ScheduleEntry | None, text: str) -> None:
    assert next_cell(summary(settings=settings), NOON).text == text


def test_the_details_answer_the_four_questions() -> None:
    found = summary(
        row("c", timedelta(minutes=5), "", ""),
        row("b", 3 * HOUR, "FAILED: no space left"),
        row("a", 30 * HOUR),
        settings=entry(),
    )
    assert plain_text(summary_lines(found, MOMENT)).splitlines() == [
        "last good    30 h ago (older than 26 h): a, bucket logs",
        "last run     running, 5 min ago",
        "usually      3 min 20 s, median of the last 1 good run",
        "running      c for 5 min 00 s",
        "schedule     nightly: every day at 03:00 into logs",
        "next run     Thu 2026-11-26 03:00 KST (time zone assumed)",
        "last due     11-25 03:00: no row by 03:30, missed",
    ]


def test_the_last_run_says_why_it_failed() -> None:
    text = plain_text(summary_lines(summary(row("b", HOUR, "FAILED: no space left")), MOMENT))
    assert "last good    none in the whole history" in text
    assert "last run     failed, 1 h ago: FAILED: no space left" in text


def test_what_is_not_known_is_not_told_as_none() -> None:
    assert "not read yet" in plain_text(summary_lines(NOT_READ, MOMENT))
    for look in (Look.NOT_READ, Look.FAILED, Look.NO_PERMISSION):
        assert "schedule" not in plain_text(summary_lines(ClusterSummary(look), MOMENT))
    cut = plain_text(summary_lines(summary(row("b", HOUR, "FAILED"), is_whole=False), MOMENT))
    assert "none among the newest rows" in cut
    failed = ClusterSummary(Look.FAILED, problem=Problem("The list is missing."))
    assert "history      The list is missing." in plain_text(summary_lines(failed, MOMENT))


def test_the_document_tells_the_newest_run_and_the_newest_good_one() -> None:
    found = summary_document(summary(row("b", HOUR, "FAILED"), row("a", 2 * HOUR), settings=entry()), NOON)
    assert (found["look"], found["snapshot"], found["state"]) == ("found", "b", "failed")
    assert found["last_good"] == {"snapshot": "a", "at": "2026-11-25T10:00:00+09:00"}
    assert found["next_run"] == "2026-11-26T03:00:00+09:00"
    assert found["usual_seconds"] == 200
