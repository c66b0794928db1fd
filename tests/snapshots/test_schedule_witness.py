"""Which row of the schedule history proves a set or a release, and which may be somebody else's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from ncp_tui.search_engine.models import ScheduleEntry
from ncp_tui.search_engine.operations import RELEASE_SCHEDULE, SET_SCHEDULE
from ncp_tui.snapshots.history_match import Whose
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import SnapshotRequest, Verdict
from ncp_tui.snapshots.resolve import Resolution, at_best_unknown
from ncp_tui.snapshots.schedule_witness import is_rival, rows_before_release, rows_before_set, witness_of
from ncp_tui.system.time_zone import KST
from tests.snapshots.journals import CALLER

ASKED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=KST)
SOON, LATER = ASKED + timedelta(seconds=40), ASKED + timedelta(hours=4)
DETAILS = {
    "snapshotName": "nightly",
    "bucketName": "logs",
    "scheduledDay": "Everyday",
    "scheduledHour": 3,
    "scheduledMinute": 15,
}
SENT = {"id": "a", "fact": "sent", "at": ASKED.isoformat()}
ACCEPTED = {"id": "a", "fact": "outcome", "at": ASKED.isoformat(), "outcome": "accepted"}
REFUSED = {"id": "a", "fact": "outcome", "at": ASKED.isoformat(), "outcome": "refused"}


def row(set_up: str = "2026-01-02 03:04:06", status: str = "ACTIVE", **changes: str) -> ScheduleEntry:
    fields = {
        "snapshotName": "nightly",
        "bucketName": "logs",
        "snapshotSchedulingConfigSetUpDate": set_up,
        "snapshotSchedulingSetUpDay": "Everyday",
        "snapshotSchedulingSetUpTime": "03:15",
        "snapshotSchedulingStatus": status,
    }
    return ScheduleEntry.read(fields | changes)


OLD = row("2025-12-01 10:00:00", "RELEASED")


def a_set(*before: ScheduleEntry, known: bool = True, **changes: Any) -> JournalEntry:
    entry = JournalEntry(
        "a",
        ASKED,
        CALLER,
        SnapshotRequest("1037001", "search-0001", "", ""),
        clock_offset=0.0,
        seen_before=rows_before_set(before, "nightly") if known else None,
        events=(SENT,),
        operation=SET_SCHEDULE,
        details=DETAILS,
    )
    return replace(entry, **changes)


def a_release(*before: ScheduleEntry, known: bool = True) -> JournalEntry:
    seen = rows_before_release(before) if known else None
    return replace(a_set(), operation=RELEASE_SCHEDULE, details={}, seen_before=seen)


def whose(entry: JournalEntry, *rows: ScheduleEntry, at: datetime = SOON) -> Whose | None:
    found = witness_of(entry, rows, at, None)
    return found.whose if found is not None else None


@pytest.mark.parametrize("at", [SOON, LATER])
def test_a_new_row_with_our_fields_at_our_time_is_ours(at: datetime) -> None:
    assert whose(a_set(), row(), at=at) is Whose.OURS
    assert whose(a_set(OLD), row(), OLD, at=at) is Whose.OURS
    assert whose(a_set(OLD), OLD, row(), at=at) is Whose.OURS, "whatever their order"
    assert whose(a_set(known=False), row(), at=at) is Whose.OURS
    assert whose(a_set(), row("2026-01-02 03:04:06", "RELEASED"), at=at) is Whose.OURS, "it was set, and released since"
    assert whose(a_set(), row("2026-01-02T03:04:06Z"), at=at) is not Whose.OURS


@pytest.mark.parametrize(
    "other",
    [
        row(snapshotName="weekly"),
        row(bucketName="other"),
        row(snapshotSchedulingSetUpDay="Sunday"),
        row(snapshotSchedulingSetUpTime="03:30"),
        row(snapshotSchedulingSetUpTime="03:15 UTC"),
        OLD,
    ],
)
def test_another_setting_is_not_ours(other: ScheduleEntry) -> None:
    assert whose(a_set(OLD), other) is None


def test_one_that_was_there_before_is_not_ours_whatever_its_status_now() -> None:
    before = row("2026-01-02 03:04:05")
    assert whose(a_set(before), before) is None
    assert whose(a_set(before), row("2026-01-02 03:04:05", "RELEASED")) is None
    assert whose(a_set(before), row("2026-01-02 03:04:05"), row("2026-01-02 03:04:05", "RELEASED")) is Whose.OURS


@pytest.mark.parametrize("at", [SOON, LATER])
@pytest.mark.parametrize(
    "strange",
    [
        row(status="PROVISIONED"),
        row(status=""),
        row(set_up=""),
        row(set_up="yesterday"),
        row(set_up="2026-01-02 02:54:05"),
        row(set_up="2026-01-02 03:24:05"),
    ],
    ids=["status", "no status", "no date", "no time", "ten minutes before", "twenty minutes after"],
)
def test_what_may_be_somebody_elses_is_never_claimed(strange: ScheduleEntry, at: datetime) -> None:
    assert whose(a_set(), strange, at=at) is Whose.MAY_BE
    found = witness_of(a_set(), [strange], at, None)
    assert found is not None
    assert found.why


def test_a_date_in_another_zone_counts_only_soon() -> None:
    utc = row("2026-01-01 18:04:07")
    assert whose(a_set(), utc) is Whose.OURS
    assert whose(a_set(), utc, at=LATER) is Whose.MAY_BE
    assert whose(a_set(known=False), utc) is not Whose.OURS


def test_a_date_without_seconds_is_that_of_the_minute() -> None:
    assert whose(a_set(), row("2026-01-02 03:04")) is Whose.OURS
    assert whose(a_set(), row("2026-01-02 03:04:00"), at=LATER) is Whose.OURS
    assert whose(a_set(), row("2026-01-02 03:03")) is Whose.MAY_BE


def test_the_gateways_clock_counts() -> None:
    ahead = a_set(clock_offset=3_600.0 * 5 + 240)
    assert whose(ahead, row("2026-01-02 08:08:06")) is Whose.OURS
    assert whose(ahead, row("2026-01-02 03:04:06"), at=LATER) is Whose.MAY_BE


IN_FORCE = row("2025-12-01 10:00:00", "ACTIVE")
RELEASED = row("2025-12-01 10:00:00", "RELEASED")


def test_a_release_is_proved_by_what_was_in_force_and_is_not_any_more() -> None:
    assert whose(a_release(IN_FORCE), RELEASED) is Whose.OURS
    assert whose(a_release(IN_FORCE), RELEASED, at=LATER) is Whose.MAY_BE, "anybody may have released it since"
    assert whose(a_release(IN_FORCE), row("2026-01-02 03:04:06", "RELEASED"), IN_FORCE) is Whose.OURS, "its own row"
    assert whose(a_release(IN_FORCE), IN_FORCE) is None
    assert whose(a_release(RELEASED), RELEASED) is None, "it was released before"
    assert whose(a_release(IN_FORCE, known=False), RELEASED) is Whose.MAY_BE
    assert whose(a_release(IN_FORCE), row("2026-01-02 03:04:06", "ACTIVE"), RELEASED) is None, "another took its place"
    other = row("2026-01-02 03:04:06", "RELEASED", snapshotName="weekly")
    assert whose(a_release(IN_FORCE), other, RELEASED) is Whose.MAY_BE
    assert whose(a_release(IN_FORCE)) is None


def test_a_setting_that_was_released_before_is_no_witness_of_a_release_where_the_one_in_force_is_not_shown() -> None:
    before = row("2025-12-01 00:00:00", "RELEASED")
    assert whose(a_release(before, IN_FORCE), before) is None
    assert whose(a_release(before, IN_FORCE), before, RELEASED) is Whose.OURS


def test_another_request_of_this_machine_may_have_left_the_same_trace() -> None:
    own = a_set()
    later = replace(own, id="b", at=ASKED + timedelta(minutes=1), events=(SENT, ACCEPTED))
    assert is_rival(own, later)
    assert not is_rival(own, own)
    assert not is_rival(later, replace(own, events=(SENT, ACCEPTED))), "what it left was seen before"
    assert is_rival(later, own), "one that is unknown was not"
    assert not is_rival(own, replace(later, events=(SENT, REFUSED)))
    assert not is_rival(own, replace(later, events=()))
    assert not is_rival(own, replace(later, at=ASKED + timedelta(hours=1)))
    assert not is_rival(own, replace(later, details=DETAILS | {"scheduledHour": 4}))
    assert not is_rival(own, replace(later, request=SnapshotRequest("1037002", "", "", "")))
    found = Resolution(Verdict.STARTED, "the schedule history has it.")
    assert at_best_unknown(own, found, [own]) == found
    assert at_best_unknown(own, found, [own, later]).verdict is Verdict.UNKNOWN
