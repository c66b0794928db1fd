"""A schedule starts a snapshot when it is due, unless a fault has it missed."""

from __future__ import annotations

import pytest

from ncp_tui.sandbox.due_runs import due_moments
from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.protocol import DAY, seoul_time
from tests.sandbox.signed_client import FRESH, READY, Caller
from tests.tables import each_row

NOON = 1_764_126_000.0
"""2025-11-26 12:00 in Korea, a Wednesday."""


@each_row(
    "day, hour, minute, hours, due",
    [
        ("Everyday", 3, 0, 15, []),
        ("Everyday", 3, 0, 15.1, ["2025-11-27 03:00:00"]),
        ("Everyday", 12, 0, 24, ["2025-11-27 12:00:00"]),
        ("Everyday", 23, 45, 48, ["2025-11-26 23:45:00", "2025-11-27 23:45:00"]),
        ("Wednesday", 12, 15, 200, ["2025-11-26 12:15:00", "2025-12-03 12:15:00"]),
        ("Sunday", 0, 0, 100, ["2025-11-30 00:00:00"]),
        ("Tuesday", 12, 15, 24, []),
    ],
)
def test_when_a_schedule_is_due(day: str, hour: int, minute: int, hours: float, due: list[str]) -> None:
    found = due_moments(day, hour, minute, NOON, NOON + hours * 3_600 - (1 if hours == 15 else 0))
    assert [seoul_time(each) for each in found] == due


async def _set(caller: Caller, name: str = "nightly") -> None:
    body = {
        "snapshotName": name,
        "bucketName": "bk.ses.snapshot",
        "scheduledDay": "Everyday",
        "scheduledHour": 3,
        "scheduledMinute": 0,
    }
    assert (await caller.send("POST", f"/snapshot/setSnapshotScheduling/{FRESH}", body)).status_code == 200


async def _scheduled(caller: Caller, number: str = FRESH) -> list[str]:
    rows = await caller.history(number)
    return [row["snapshotName"] for row in rows if row["requestType"] == "SCHEDULED"]


async def test_runs_come_when_they_are_due_and_end(caller: Caller) -> None:
    await _set(caller)
    assert await _scheduled(caller) == []
    caller.clock.now += DAY
    (row,) = await caller.history(FRESH)
    assert row["snapshotName"].startswith("nightly-")
    assert row["snapshotName"].endswith("-030040")
    assert (row["message"], row["bucketName"]) == ("SUCCESS", "bk.ses.snapshot")
    caller.clock.now += 2 * DAY
    assert len(await _scheduled(caller)) == 3
    assert len({row["idx"] for row in await caller.history(FRESH)}) == 3


async def test_a_released_schedule_runs_no_more(caller: Caller) -> None:
    await _set(caller)
    caller.clock.now += DAY
    assert await caller.get(f"/snapshot/releaseSnapshotScheduling/{FRESH}") is True
    caller.clock.now += 3 * DAY
    assert len(await _scheduled(caller)) == 1


async def test_a_run_is_no_effect_of_a_request(caller: Caller) -> None:
    await _set(caller)
    caller.clock.now += DAY
    await caller.history(FRESH)
    assert [effect.operation for effect in caller.sandbox.ledger.effects] == ["setSnapshotScheduling"]


@pytest.mark.parametrize(
    ("fault", "later"), [("schedule-missed", 0), ("schedule-missed:1", 2), ("schedule-missed:2", 1)]
)
async def test_a_missed_run_has_no_row(caller: Caller, fault: str, later: int) -> None:
    before = await _scheduled(caller, READY)
    install(caller.sandbox, fault)
    assert await _scheduled(caller, READY) == before[1:]
    caller.clock.now += 2 * DAY
    assert len(await _scheduled(caller, READY)) == len(before) - 1 + later


async def test_a_set_may_leave_the_one_before_in_force(caller: Caller) -> None:
    install(caller.sandbox, "schedule-adds:1")
    await _set(caller)
    await _set(caller, "weekly")
    rows = (await caller.get(f"/snapshot/getSnapshotSchedulingHistory/{FRESH}"))["snapshotSchedulingHistoryList"]
    assert [row["snapshotSchedulingStatus"] for row in rows] == ["ACTIVE", "RELEASED"]
    install(caller.sandbox, "schedule-adds:always")
    await _set(caller, "daily")
    rows = (await caller.get(f"/snapshot/getSnapshotSchedulingHistory/{FRESH}"))["snapshotSchedulingHistoryList"]
    assert [row["snapshotSchedulingStatus"] for row in rows] == ["ACTIVE", "ACTIVE", "RELEASED"]
