"""How the snapshots of a cluster read, in cells and in the details pane."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import HistoryEntry, ScheduleEntry
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary, Look, summary_of
from ncp_tui.snapshots.schedule import schedule_of
from ncp_tui.system.time_zone import KST
from ncp_tui.view.cluster_summary import (
    Moment,
    last_good_cell,
    last_run_cell,
    next_cell,
    next_run_sentence,
    summary_document,
    summary_lines,
)
from ncp_tui.view.format import short_age
from ncp_tui.view.text import Tone, plain_text
from tests.snapshots.test_schedule import NOON, entry
from tests.tables import each_row

MOMENT = Moment(NOON)
HOUR = timedelta(hours=1)
GAP = Problem("Rows are missing.")


def row(name: str, ago: timedelta, message: str = "SUCCESS", duration: str = "3m20s") -> HistoryEntry:
    date = f"{NOON - ago:%Y-%m-%d %H:%M:%S}"
    return HistoryEntry.read(
        {"snapshotName": name, "bucketName": "logs", "actionDate": date, "message": message, "duration": duration}
    )


def summary(*rows: HistoryEntry, is_whole: bool = True, settings: ScheduleEntry | None = None) -> ClusterSummary:
    found = summary_of(rows, NOON, is_whole=is_whole)
    return replace(found, schedule=schedule_of([settings] if settings else []), is_schedule_read=True)


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
        (summary(row("b", HOUR, "wobbly")), "none proved !", Tone.BAD),
        (NOT_READ, "not read", Tone.DIM),
        (summary_of([], NOON, problem=GAP), "not readable", Tone.BAD),
        (summary_of([row("b", HOUR, "FAILED")], NOON, is_whole=False, problem=GAP), "unknown ?", Tone.WARNING),
        (summary_of([row("a", 30 * HOUR)], NOON, is_whole=False, problem=GAP), "30 h ?", Tone.WARNING),
        (summary_of([row("a", 2 * HOUR)], NOON, is_whole=False, problem=GAP), "2 h", Tone.GOOD),
        (summary(row("a", -9_000 * HOUR)), "ahead ?", Tone.WARNING),
        (ClusterSummary(Look.NO_PERMISSION), "no permission", Tone.DIM),
        (ClusterSummary(Look.FAILED, problem=Problem("Because.")), "not readable", Tone.BAD),
    ],
)
def test_the_last_good_one_is_told_by_its_age_or_why_it_is_not_known(
    found: ClusterSummary, text: str, tone: Tone
) -> None:
    cell = last_good_cell(found, MOMENT)
    assert (cell.text, cell.tone) == (text, tone)
    assert cell.is_empty is not any(sign in text for sign in (" h", "ahead", "none"))


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
    run = next_run_sentence(datetime(2026, 11, 26, 3, tzinfo=KST))
    assert plain_text(summary_lines(found, MOMENT)).splitlines() == [
        "last good    30 h ago (older than 26 h): a, bucket logs",
        "last run     running, 5 min ago",
        "usually      3 min 20 s, from 1 good run",
        "running      c since 11:55:00 KST, 5 min ago",
        "schedule     nightly: every day at 03:00 into logs",
        f"next run     {run}",
        "due run      11-25 03:00: no row by 03:30, missed",
    ]


def test_the_next_run_is_told_in_korean_time_and_in_the_users_own() -> None:
    run = datetime(2026, 11, 26, 3, tzinfo=KST)
    assert next_run_sentence(run, KST) == "Thu 11-26 03:00 KST (time zone assumed)"
    assert next_run_sentence(run, UTC) == "Thu 11-26 03:00 KST = Wed 18:00 UTC (time zone assumed)"


@each_row(
    "settings, words",
    [
        (entry(status="RELEASED"), "released: nightly: every day at 03:00 into logs"),
        (entry(status="HOLD"), "NCP says 'HOLD', meaning unknown: nightly: every day at 03:00"),
        (entry(status=""), "NCP says nothing of its state: nightly"),
    ],
)
def test_no_cut_makes_a_schedule_look_in_force_that_may_not_be(settings: ScheduleEntry, words: str) -> None:
    assert f"schedule     {words}" in plain_text(summary_lines(summary(settings=settings), MOMENT))


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


def test_what_was_not_read_of_a_cluster_is_no_dash_and_no_none() -> None:
    followed = NOT_READ.with_row(row("a", HOUR))
    for unknown in (NOT_READ, ClusterSummary(Look.FAILED), ClusterSummary(Look.NO_PERMISSION), followed):
        assert next_cell(unknown, NOON).text == "?"
        assert next_cell(unknown, NOON).is_empty
        assert "none" not in plain_text(summary_lines(unknown, MOMENT))
        if unknown.last_run is None:
            assert last_run_cell(unknown).text == "?"
    assert "schedule     not read" in plain_text(summary_lines(followed, MOMENT))
    assert last_run_cell(summary()).text == "-"


@each_row(
    "settings, rows, words",
    [
        (entry(), [row("a", 30 * HOUR)], "no row by 03:30, missed"),
        (entry(status="PENDING"), [row("a", 30 * HOUR)], "no row by 03:30; unknown whether the schedule is in force"),
        (entry(), [row("other", 8.8 * HOUR)], "unknown; other of 03:12 may be it (succeeded)"),
        (entry(), [row("nightly-2", 6 * HOUR)], "unknown; nightly-2 of 06:00 may be it (succeeded)"),
    ],
)
def test_what_is_said_of_the_last_due_run(settings: ScheduleEntry, rows: list[HistoryEntry], words: str) -> None:
    assert words in plain_text(summary_lines(summary(*rows, settings=settings), MOMENT))


def test_a_due_time_after_the_read_is_not_judged() -> None:
    """The list grows older on the screen: at noon a history read at two in the night tells nothing of three."""
    old = replace(summary(row("a", 30 * HOUR), settings=entry()), read_at=NOON - 10 * HOUR)
    text = plain_text(summary_lines(old, MOMENT))
    assert "missed" not in text
    assert "11-25 03:00: unknown; the rows that were read do not tell" in text


def test_a_schedule_of_unknown_status_has_no_next_run_for_scripts() -> None:
    assert summary_document(summary(settings=entry(status="PENDING")), NOON)["next_run"] is None
