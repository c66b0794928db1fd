"""What a schedule's history proves, at chosen moments."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from ncp_tui.search_engine.models import HistoryEntry, ScheduleEntry
from ncp_tui.snapshots.schedule import DueRun, InForce, RowsRead, Schedule, judge_last_due, others_in_force, schedule_of
from ncp_tui.system.time_zone import KST
from tests.tables import each_row

NOON = datetime(2026, 11, 25, 12, tzinfo=KST)  # a Wednesday


def entry(
    day: str = "Everyday", time: str = "03:00", status: str = "ACTIVE", set_up: str = "2026-11-01 09:00:00"
) -> ScheduleEntry:
    return ScheduleEntry.read(
        {
            "snapshotName": "nightly",
            "bucketName": "logs",
            "snapshotSchedulingConfigSetUpDate": set_up,
            "snapshotSchedulingSetUpDay": day,
            "snapshotSchedulingSetUpTime": time,
            "snapshotSchedulingStatus": status,
        }
    )


def schedule(
    day: str = "Everyday", time: str = "03:00", status: str = "ACTIVE", set_up: str = "2026-11-01 09:00:00"
) -> Schedule:
    found = schedule_of([entry(day, time, status, set_up)])
    assert found is not None
    return found


def row(at: str, *, name: str = "nightly-1", kind: str = "SCHEDULED", message: str = "SUCCESS") -> HistoryEntry:
    return HistoryEntry.read({"snapshotName": name, "actionDate": at, "requestType": kind, "message": message})


@each_row(
    "day, time, now, last, following",
    [
        ("Everyday", "03:00", "25 12:00", "25 03:00", "26 03:00"),
        ("Everyday", "03:00", "25 02:59", "24 03:00", "25 03:00"),
        ("Everyday", "03:00", "25 03:00", "25 03:00", "26 03:00"),
        ("EVERYDAY", "3:15", "25 12:00", "25 03:15", "26 03:15"),
        ("Wednesday", "23:45", "25 12:00", "18 23:45", "25 23:45"),
        ("wednesday", "03:00", "25 12:00", "25 03:00", "02 03:00"),
        ("Sunday", "03:00", "25 12:00", "22 03:00", "29 03:00"),
        ("Everyday", "3시 30분", "25 12:00", "25 03:30", "26 03:30"),
        ("Everyday", "03:00:00", "25 12:00", "25 03:00", "26 03:00"),
        ("Everyday", "03:00 KST", "25 12:00", "25 03:00", "26 03:00"),
        ("Everyday", "03:00 +09:00", "25 12:00", "25 03:00", "26 03:00"),
        ("Everyday", "3시", "25 12:00", "25 03:00", "26 03:00"),
        ("Everyday", "03:00 PM", "25 12:00", None, None),
        ("Everyday", "03:00 UTC", "25 12:00", None, None),
        ("Everyday", "03:00+00:00", "25 12:00", None, None),
        ("Everyday", "3 hours", "25 12:00", None, None),
        ("Everyday", "03:00, 15:00", "25 12:00", None, None),
        ("Everyday", "03:75", "25 12:00", None, None),
        ("Monday, Friday", "03:00", "25 12:00", None, None),
        ("Fortnightly", "03:00", "25 12:00", None, None),
        ("", "03:00", "25 12:00", None, None),
        ("Everyday", "soon", "25 12:00", None, None),
        ("Everyday", "24:00", "25 12:00", None, None),
        ("Everyday", "", "25 12:00", None, None),
    ],
)
def test_when_a_schedule_is_due(day: str, time: str, now: str, last: str | None, following: str | None) -> None:
    moment = datetime.strptime(f"2026-11-{now}", "%Y-%m-%d %H:%M").replace(tzinfo=KST)
    found = schedule(day, time)
    for due, wanted in ((found.last_due(moment), last), (found.next_run(moment), following)):
        assert (f"{due:%d %H:%M}" if due else None) == wanted


@each_row(
    "status, in_force",
    [
        ("ACTIVE", InForce.YES),
        ("active", InForce.YES),
        ("RELEASED", InForce.NO),
        ("release", InForce.NO),
        ("INACTIVE", InForce.NO),
        ("DISABLED", InForce.NO),
        ("사용", InForce.YES),
        ("해제", InForce.NO),
        ("", InForce.UNKNOWN),
        ("PENDING", InForce.UNKNOWN),
        ("NOT ACTIVE YET", InForce.UNKNOWN),
        ("RELEASE FAILED", InForce.UNKNOWN),
        ("NOT RELEASED", InForce.UNKNOWN),
        ("releasing", InForce.UNKNOWN),
        ("해제 실패", InForce.UNKNOWN),
        ("해제됨", InForce.NO),
    ],
)
def test_a_status_that_nobody_knows_is_neither_set_nor_released(status: str, in_force: InForce) -> None:
    assert schedule(status=status).in_force is in_force


def test_the_newest_setting_is_the_one_that_counts_whatever_the_order() -> None:
    old, new = entry(time="01:00", set_up="2026-10-01 09:00:00"), entry(time="05:00", set_up="2026-11-01 09:00:00")
    for rows in ([old, new], [new, old]):
        found = schedule_of(rows)
        assert found is not None
        assert found.at == (5, 0)
    undated = [entry(time="07:00", set_up="?"), entry(time="01:00", set_up="?")]
    first = schedule_of(undated)
    assert first is not None
    assert first.at == (7, 0)  # without dates: as the service gave them
    assert schedule_of([]) is None


def test_a_released_schedule_is_never_due() -> None:
    released = schedule(status="RELEASED")
    assert released.next_run(NOON) is None
    assert judge_last_due(released, RowsRead([], NOON), NOON) is None


@each_row(
    "rows, now, run",
    [
        ([row("2026-11-25 03:07:00")], NOON, DueRun.CAME),
        ([row("2026-11-25 02:57:00")], NOON, DueRun.CAME),
        ([row("2026-11-25 03:07:00", message="FAILED: disk")], NOON, DueRun.FAILED),
        ([row("2026-11-25 03:07:00", message="")], NOON, DueRun.RUNNING),
        ([row("2026-11-25 03:07:00", message="wobbly")], NOON, DueRun.UNCLEAR),
        ([row("2026-11-25 03:07:00", kind="?")], NOON, DueRun.CAME),  # it has the schedule's name
        ([row("2026-11-25 03:07:00", name="by-hand", kind="MANUAL")], NOON, DueRun.MISSED),
        ([row("2026-11-24 03:07:00")], NOON, DueRun.MISSED),
        ([row("2026-11-25 04:00:00")], NOON, DueRun.PERHAPS),
        ([row("2026-11-25 03:07:00", name="nightly-9", kind="수동")], NOON, DueRun.MISSED),
        ([row("2026-11-25 03:07:00", name="other", kind="")], NOON, DueRun.PERHAPS),
        ([row("2026-11-25 03:07:00", name="other", kind="TYPE7")], NOON, DueRun.PERHAPS),
        ([row("2026-11-24 12:00:00"), row("2026-11-23 12:01:00")], NOON, DueRun.NOT_READ),  # is 03:00 in UTC?
        ([row("the day before yesterday", name="other", kind="MANUAL")], NOON, DueRun.NOT_READ),
        ([], NOON, DueRun.MISSED),
        ([], NOON.replace(hour=3, minute=20), DueRun.WAITED_FOR),
    ],
)
def test_what_became_of_the_last_run_that_was_due(rows: list[HistoryEntry], now: datetime, run: DueRun) -> None:
    verdict = judge_last_due(schedule(), RowsRead(rows, now), now)
    assert verdict is not None
    assert verdict.due == NOON.replace(hour=3)
    assert verdict.run is run


@each_row(
    "rows, set_up, run",
    [
        ([row("2026-11-24 18:02:00", name="other", kind="TYPE7")], "11-24 10:00", DueRun.PERHAPS),  # dated in UTC?
        ([row("2026-11-25 11:02:00", name="other", kind="")], "11-24 10:00", DueRun.PERHAPS),  # is 03:00 in UTC?
        ([row("2026-11-24 18:02:00", name="other", kind="MANUAL")], "11-24 10:00", DueRun.MISSED),
        ([row("2026-11-24 18:45:00", name="other", kind="TYPE7")], "11-24 10:00", DueRun.MISSED),  # not whole hours off
        ([row("2026-11-24 18:02:00", name="other", kind="TYPE7")], "11-24 19:00", DueRun.MISSED),
        ([row("2026-11-24 18:02:00", name="other", kind="TYPE7")], "11-01 10:00", DueRun.MISSED),
    ],
)
def test_the_first_run_may_have_come_in_another_zone(rows: list[HistoryEntry], set_up: str, run: DueRun) -> None:
    verdict = judge_last_due(schedule(set_up=f"2026-{set_up}:00"), RowsRead(rows, NOON), NOON)
    assert verdict is not None
    assert verdict.run is run


def test_missed_is_said_only_where_the_history_was_read_that_far_back() -> None:
    for reaches_back_to, run in ((NOON - timedelta(days=1), DueRun.MISSED), (NOON, DueRun.NOT_READ)):
        verdict = judge_last_due(schedule(), RowsRead([], NOON, reaches_back_to), NOON)
        assert verdict is not None
        assert verdict.run is run


@each_row(
    "read_at, now, has_gap, status, run",
    [
        ("03:31", "12:00", False, "ACTIVE", DueRun.MISSED),
        ("03:29", "12:00", False, "ACTIVE", DueRun.NOT_READ),
        ("02:00", "03:10", False, "ACTIVE", DueRun.NOT_READ),
        ("03:05", "03:10", False, "ACTIVE", DueRun.WAITED_FOR),
        ("03:05", "03:10", True, "ACTIVE", DueRun.NOT_READ),
        ("12:00", "12:00", True, "ACTIVE", DueRun.NOT_READ),
        ("12:00", "12:00", False, "PENDING", DueRun.PERHAPS_RELEASED),
    ],
)
def test_missed_is_said_only_of_what_was_read_after_it_and_without_a_gap(
    read_at: str, now: str, has_gap: bool, status: str, run: DueRun
) -> None:
    read, moment = (NOON.replace(hour=int(at[:2]), minute=int(at[3:])) for at in (read_at, now))
    verdict = judge_last_due(schedule(status=status), RowsRead([], read, has_gap=has_gap), moment)
    assert verdict is not None
    assert verdict.run is run


def test_a_schedule_without_a_name_owns_no_row_by_its_name() -> None:
    nameless = schedule_of([replace(entry(), snapshot="")])
    assert nameless is not None
    verdict = judge_last_due(nameless, RowsRead([row("2026-11-25 03:07:00", kind="MANUAL")], NOON), NOON)
    assert verdict is not None
    assert verdict.run is DueRun.MISSED


def test_of_settings_with_a_date_that_cannot_be_read_none_is_the_newest() -> None:
    found = schedule_of([entry(status="RELEASED", set_up="yesterday"), entry()])
    assert found is not None
    assert (found.in_force, found.is_newest) == (InForce.UNKNOWN, False)


def test_a_run_before_the_schedule_was_set_was_never_due() -> None:
    assert judge_last_due(schedule(set_up="2026-11-25 09:00:00"), RowsRead([], NOON), NOON) is None


def test_of_settings_of_the_same_moment_the_services_order_tells_the_newest() -> None:
    """Dates have whole seconds, or minutes; which end of the history is the newest shows in the others."""
    old = entry(set_up="2026-11-01 09:00:00", status="RELEASED")
    released, in_force = (entry(set_up="2026-11-20 09:00:00", status=status) for status in ("RELEASED", "ACTIVE"))
    for rows in ([in_force, released, old], [old, released, in_force], [in_force, released]):
        found = schedule_of(rows)
        assert found is not None
        assert found.in_force is InForce.YES


def test_the_settings_beside_the_newest_that_are_in_force_by_their_status_are_found() -> None:
    released = entry(status="RELEASED", set_up="2026-11-20 09:00:00")
    first, second = entry(set_up="2026-11-01 09:00:00"), entry(set_up="2026-11-10 09:00:00")
    assert others_in_force([]) == []
    assert others_in_force([second]) == []
    assert others_in_force([released, second, entry(status="HOLD", set_up="2026-10-01 09:00:00"), first]) == [
        second,
        first,
    ]
