"""The snapshot schedule of a cluster as its history tells it: what is set, when it runs next, and whether it came.

The newest row of getSnapshotSchedulingHistory is the only way to see what is set. The words of its status, its time
zone (Korean time is assumed) and the names of the snapshots it makes are not documented (fact sheet, section 3.2): what
they decide is told as it came, and never more is claimed than a row proves.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ncp_tui.search_engine.models import HistoryEntry, ScheduleEntry, SnapshotState
from ncp_tui.system.time_zone import KST

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVERY_DAY = "Everyday"

LATE = timedelta(minutes=30)
"""After a due time without a row of the history: missed."""
EARLY = timedelta(minutes=5)
"""Before a due time, in which a row may still be its own: clocks differ."""

# Patterns as text: the first frame has no schedule, and compiling these four takes 3 ms.
_TIME = r"(?is)(\d{1,2})\s*[:시h]\s*(\d{1,2})?.*"
_RELEASED = r"(?i)releas|inactiv|disabl|delet|cancel|stop|\boff\b|해제|삭제|중지|취소"
_IN_FORCE = r"(?i)\s*(active|activated|enabled?|on|set|running|scheduled|사용|사용중|설정|설정됨|활성)\s*"


class InForce(StrEnum):
    """Whether a schedule makes snapshots, as far as its status says."""

    YES = "yes"
    NO = "no"
    """Released."""
    UNKNOWN = "unknown"
    """A status that nobody knows."""


@dataclass(frozen=True)
class Schedule:
    """The newest setting of a cluster's schedule. `day` and `at` are None where they cannot be read."""

    entry: ScheduleEntry
    in_force: InForce
    day: str | None
    """EVERY_DAY or one of DAYS."""
    at: tuple[int, int] | None
    """Hour and minute, in Korean time."""

    def next_run(self, now: datetime) -> datetime | None:
        """When it is due next; None where it is released or cannot be read."""
        last = self.last_due(now)
        return None if last is None else last + self._period

    def last_due(self, now: datetime) -> datetime | None:
        """When it was due last, were it in force then; None where it is released or cannot be read."""
        if self.at is None or self.day is None or self.in_force is InForce.NO:
            return None
        today = now.astimezone(KST)
        due = today.replace(hour=self.at[0], minute=self.at[1], second=0, microsecond=0)
        if self.day != EVERY_DAY:
            due += timedelta(days=(DAYS.index(self.day) - due.weekday()) % len(DAYS))
        return due if due <= today else due - self._period

    @property
    def _period(self) -> timedelta:
        return timedelta(days=1 if self.day == EVERY_DAY else len(DAYS))


def schedule_of(rows: Sequence[ScheduleEntry]) -> Schedule | None:
    """The newest of `rows`, whatever their order; None where nothing was ever set."""
    if not rows:
        return None
    newest = max(enumerate(rows), key=lambda each: (each[1].set_at.timestamp() if each[1].set_at else 0.0, -each[0]))[1]
    return Schedule(newest, _in_force(newest.status), _day(newest.day), _time(newest.time))


def _in_force(status: str) -> InForce:
    if re.search(_RELEASED, status):
        return InForce.NO
    return InForce.YES if re.fullmatch(_IN_FORCE, status) else InForce.UNKNOWN


def _day(text: str) -> str | None:
    wanted = text.strip().lower().replace(" ", "")
    return next((day for day in (EVERY_DAY, *DAYS) if wanted and day.lower() == wanted), None)


def _time(text: str) -> tuple[int, int] | None:
    found = re.fullmatch(_TIME, text.strip())
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    return (hour, minute) if hour < 24 and minute < 60 else None  # noqa: PLR2004 - a clock


class DueRun(StrEnum):
    """What became of the last run that was due."""

    CAME = "came"
    """A row at its time that succeeded."""
    FAILED = "failed"
    RUNNING = "running"
    UNCLEAR = "unclear"
    """A row at its time whose state nobody can tell, or a history that ends before it."""
    WAITED_FOR = "waited_for"
    """Due less than LATE ago, and no row yet."""
    MISSED = "missed"


@dataclass(frozen=True)
class DueVerdict:
    """The last due run of a schedule: when it was due, what became of it, and the row that says so."""

    due: datetime
    run: DueRun
    row: HistoryEntry | None = None


_RUN_OF = {
    SnapshotState.SUCCESS: DueRun.CAME,
    SnapshotState.FAILED: DueRun.FAILED,
    SnapshotState.RUNNING: DueRun.RUNNING,
    SnapshotState.UNKNOWN: DueRun.UNCLEAR,
}


def judge_last_due(
    schedule: Schedule, rows: Sequence[HistoryEntry], now: datetime, *, reaches_back_to: datetime | None = None
) -> DueVerdict | None:
    """What the history says of the last run that was due; None where none was due since the schedule was set.

    `rows` are newest first; where older ones were not read, `reaches_back_to` is the time of the oldest. A row belongs
    to the run when it says that a schedule asked for it, or has its name, and lies within EARLY before and LATE after
    the due time.
    """
    due = schedule.last_due(now)
    set_at = schedule.entry.set_at
    if due is None or (set_at is not None and set_at > due):
        return None
    for row in rows:
        if row.at is not None and due - EARLY <= row.at <= due + LATE and _is_of(schedule, row):
            return DueVerdict(due, _RUN_OF[row.state], row)
    if now < due + LATE:
        return DueVerdict(due, DueRun.WAITED_FOR)
    if reaches_back_to is not None and reaches_back_to > due - EARLY:
        return DueVerdict(due, DueRun.UNCLEAR)
    return DueVerdict(due, DueRun.MISSED)


def _is_of(schedule: Schedule, row: HistoryEntry) -> bool:
    return row.is_scheduled or row.snapshot.startswith(schedule.entry.snapshot)
