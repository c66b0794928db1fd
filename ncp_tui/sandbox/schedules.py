"""The snapshot schedule of a cluster: what a request may set, and the history that is the only way to see it.

A schedule is kept and shown but takes no snapshots: nothing happens in the sandbox that nobody asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeGuard

from ncp_tui.sandbox.answers import Refusal, Refused
from ncp_tui.sandbox.kst import seoul_time
from ncp_tui.sandbox.request_fields import SCHEDULE_NAME_LENGTH, Fields, read_snapshot_name, read_text

_DAYS = frozenset({"Everyday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"})
_HOURS = range(24)
_MINUTES = (0, 15, 30, 45)


@dataclass(frozen=True)
class ScheduleRequest:
    """What setSnapshotScheduling asks for, checked."""

    name: str
    bucket: str
    day: str
    hour: int
    minute: int


@dataclass(frozen=True)
class Schedule:
    """A schedule that was set at `set_up` (epoch seconds); at most one of a cluster is active."""

    request: ScheduleRequest
    set_up: float
    active: bool = True

    def row(self) -> Fields:
        """The schedule as getSnapshotSchedulingHistory has it, every value a string."""
        return {
            "snapshotName": self.request.name,
            "bucketName": self.request.bucket,
            "snapshotSchedulingConfigSetUpDate": seoul_time(self.set_up),
            "snapshotSchedulingSetUpDay": self.request.day,
            "snapshotSchedulingSetUpTime": f"{self.request.hour:02d}:{self.request.minute:02d}",
            "snapshotSchedulingStatus": "ACTIVE" if self.active else "RELEASED",
        }


def read_schedule(fields: Fields) -> ScheduleRequest:
    """The schedule in a request body. Raises Refused; hour and minute must be integers, not strings."""
    name = read_snapshot_name(fields, SCHEDULE_NAME_LENGTH, Refusal.INVALID_SCHEDULE_NAME)
    bucket = read_text(fields, "bucketName", Refusal.BUCKET_NOT_FOUND)
    day = read_text(fields, "scheduledDay", Refusal.INVALID_SCHEDULE_DAY)
    if day not in _DAYS:
        raise Refused(Refusal.INVALID_SCHEDULE_DAY)
    hour, minute = fields.get("scheduledHour"), fields.get("scheduledMinute")
    if not _is_integer(hour) or not _is_integer(minute) or hour not in _HOURS or minute not in _MINUTES:
        raise Refused(Refusal.INVALID_SCHEDULE_TIME)
    return ScheduleRequest(name, bucket, day, hour, minute)


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
