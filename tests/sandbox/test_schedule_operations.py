"""The schedule of a cluster: set, seen through its history, released by a GET."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.signed_client import FRESH, READY, Caller

GOOD: dict[str, Any] = {
    "snapshotName": "weekly",
    "bucketName": "bk.ses.snapshot",
    "scheduledDay": "Sunday",
    "scheduledHour": 3,
    "scheduledMinute": 15,
}


async def _set(caller: Caller, number: str = FRESH, **changes: Any) -> tuple[int, int, Any]:
    response = await caller.send("POST", f"/snapshot/setSnapshotScheduling/{number}", GOOD | changes)
    body = response.json()
    return response.status_code, body["code"], body["result"]


async def _rows(caller: Caller, number: str = FRESH) -> list[dict[str, str]]:
    result = await caller.get(f"/snapshot/getSnapshotSchedulingHistory/{number}")
    rows: list[dict[str, str]] = result["snapshotSchedulingHistoryList"]
    return rows


async def test_a_schedule_is_set_and_seen(caller: Caller) -> None:
    assert await _set(caller) == (200, 0, True)
    (row,) = await _rows(caller)
    assert row == {
        "snapshotName": "weekly",
        "bucketName": "bk.ses.snapshot",
        "snapshotSchedulingConfigSetUpDate": "2025-10-09 17:53:20",
        "snapshotSchedulingSetUpDay": "Sunday",
        "snapshotSchedulingSetUpTime": "03:15",
        "snapshotSchedulingStatus": "ACTIVE",
    }


async def test_another_one_takes_its_place(caller: Caller) -> None:
    """Two active schedules would be a state that the service cannot be in."""
    await _set(caller)
    await _set(caller, snapshotName="daily", scheduledDay="Everyday")
    assert [(row["snapshotName"], row["snapshotSchedulingStatus"]) for row in await _rows(caller)] == [
        ("daily", "ACTIVE"),
        ("weekly", "RELEASED"),
    ]


async def test_release_is_a_get_with_an_effect(caller: Caller) -> None:
    assert [row["snapshotSchedulingStatus"] for row in await _rows(caller, READY)] == ["ACTIVE", "RELEASED"]
    assert await caller.get(f"/snapshot/releaseSnapshotScheduling/{READY}") is True
    assert {row["snapshotSchedulingStatus"] for row in await _rows(caller, READY)} == {"RELEASED"}
    assert [effect.operation for effect in caller.sandbox.ledger.effects] == ["releaseSnapshotScheduling"]


async def test_nothing_to_release_is_a_null_result(caller: Caller) -> None:
    """The documented failure of a boolean operation: HTTP 200, code 0, and yet not done."""
    assert await caller.get(f"/snapshot/releaseSnapshotScheduling/{FRESH}") is None
    assert not caller.sandbox.ledger.effects


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"snapshotName": "a" * 16}, 40011),
        ({"snapshotName": "ab"}, 40011),
        ({"scheduledDay": "sunday"}, 40012),
        ({"scheduledDay": None}, 40012),
        ({"scheduledHour": 24}, 40013),
        ({"scheduledHour": -1}, 40013),
        ({"scheduledHour": "24"}, 40013),
        ({"scheduledHour": "3.0"}, 40013),
        ({"scheduledHour": " 3"}, 40013),
        ({"scheduledHour": "٣"}, 40013),
        ({"scheduledHour": ""}, 40013),
        ({"scheduledMinute": "07"}, 40013),
        ({"scheduledHour": True}, 40013),
        ({"scheduledHour": 3.0}, 40013),
        ({"scheduledMinute": 10}, 40013),
        ({"scheduledMinute": "015"}, 40013),
        ({"bucketName": "audit-locked"}, 40021),
        ({"bucketName": None}, 40020),
    ],
)
async def test_what_a_schedule_may_not_be(caller: Caller, changes: dict[str, Any], code: int) -> None:
    assert await _set(caller, **changes) == (400, code, None)
    assert await _rows(caller) == []


async def test_the_limits_of_a_schedule(caller: Caller) -> None:
    for hour, minute in ((0, 0), (23, 45), (12, 30)):
        assert await _set(caller, scheduledHour=hour, scheduledMinute=minute) == (200, 0, True)
    assert await _set(caller, snapshotName="a" * 15) == (200, 0, True)
