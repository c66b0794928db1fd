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
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)

LATE = timedelta(minutes=30)
"""After a due time without a row of the history: missed."""
EARLY = timedelta(minutes=5)
"""Before a due time, in which a row may still be its own: clocks differ."""

# Patterns as text: the first frame has no schedule, and compiling these takes 3 ms. Each is a whole value: what else
# stands in it, `PM`, `UTC`, `failed`, may turn its meaning round.
_TIME = r"(?ia)(\d{1,2})(?:\s*[:h]\s*(\d{2})(?::\d{2})?|\s*시(?:\s*(\d{1,2})\s*분)?)(?:\s*KST|\s*\+09:?00)?"
_RELEASED = (
    r"(?i)\s*(releas(e|ed)|inactive|inactivated|deactivated|disabled?|deleted?|cancell?ed|cancel|stop|stopped|off"
    r"|(해제|삭제|중지|취소)(됨|완료)?)\s*"
)
_IN_FORCE = r"(?i)\s*(active|activated|enabled?|on|set|running|scheduled|사용|사용중|설정|설정됨|활성)\s*"
_BY_HAND = r"(?i)\s*(manual(ly)?|on[ _-]?demand|by[ _-]?hand|user|수동|즉시)\s*"


class InForce(StrEnum):
    """Whether a schedule makes snapshots, as far as its status says."""

    YES = "yes"
    NO = "no"
    """Released."""
    UNKNOWN = "unknown"
    """A status that is not known."""


@dataclass(frozen=True)
class Schedule:
    """The newest setting of a cluster's schedule. `day` and `at` are None where they cannot be read."""

    entry: ScheduleEntry
    in_force: InForce
    day: str | None
    """EVERY_DAY or one of DAYS."""
    at: tuple[int, int] | None
    """Hour and minute, in Korean time."""
    is_newest: bool = True
    """Whether its date says so: not where one of several settings has a date that cannot be read."""

    def next_run(self, now: datetime) -> datetime | None:
        """When it is due next; None where it is released or cannot be read."""
        last = self.last_due(now)
        return None if last is None else last + self.period

    def last_due(self, now: datetime) -> datetime | None:
        """When it was due last, were it in force then; None where it is released or cannot be read."""
        if self.at is None or self.day is None or self.in_force is InForce.NO:
            return None
        today = now.astimezone(KST)
        due = today.replace(hour=self.at[0], minute=self.at[1], second=0, microsecond=0)
        if self.day != EVERY_DAY:
            due += timedelta(days=(DAYS.index(self.day) - due.weekday()) % len(DAYS))
        return due if due <= today else due - self.period

    @property
    def period(self) -> timedelta:
        """From one run to the next."""
        return timedelta(days=1 if self.day == EVERY_DAY else len(DAYS))


def schedule_of(rows: Sequence[ScheduleEntry]) -> Schedule | None:
    """The newest of `rows`, whatever their order; None where nothing was ever set."""
    if not rows:
        return None
    newest = max(_in_order(rows), key=_set_at)
    is_newest = len(rows) == 1 or all(row.set_at is not None for row in rows)
    in_force = _in_force(newest.status) if is_newest else InForce.UNKNOWN
    return Schedule(newest, in_force, _day(newest.day), _time(newest.time), is_newest=is_newest)


def newest_first(rows: Sequence[ScheduleEntry]) -> list[ScheduleEntry]:
    """`rows` by the time when each was set, those of the same time or of none in the service's order.

    That is taken for the newest first, unless the others come the other way round.
    """
    return sorted(_in_order(rows), key=_set_at, reverse=True)


def others_in_force(rows: Sequence[ScheduleEntry]) -> list[ScheduleEntry]:
    """The settings beside the newest whose status says in force, newest first.

    Whether a new setting, or a release, ends them is not documented; nor is whether a status is ever changed.
    """
    newest = schedule_of(rows)
    others = [row for row in rows if newest is not None and row is not newest.entry]
    return newest_first([row for row in others if _in_force(row.status) is InForce.YES])


def _in_order(rows: Sequence[ScheduleEntry]) -> Sequence[ScheduleEntry]:
    dates = [row.set_at for row in rows if row.set_at is not None]
    return rows[::-1] if dates and dates[0] < dates[-1] else rows


def _set_at(row: ScheduleEntry) -> float:
    return row.set_at.timestamp() if row.set_at else 0.0


def unread_setting(entry: ScheduleEntry) -> tuple[str, ...]:
    """The fields of a setting from which nothing can be read, by the names that the API has for them."""
    is_read = {
        "snapshotSchedulingStatus": _in_force(entry.status) is not InForce.UNKNOWN,
        "snapshotSchedulingSetUpDay": _day(entry.day) is not None,
        "snapshotSchedulingSetUpTime": _time(entry.time) is not None,
        "snapshotSchedulingConfigSetUpDate": entry.set_at is not None,
    }
    return tuple(name for name, known in is_read.items() if not known)


def unread_run(row: HistoryEntry) -> tuple[str, ...]:
    """The same for a row of the history."""
    is_read = {
        "message": row.state is not SnapshotState.UNKNOWN,
        "requestType": row.is_scheduled or _is_by_hand(row),
        "actionDate": row.at is not None,
    }
    return tuple(name for name, known in is_read.items() if not known)


def _in_force(status: str) -> InForce:
    if re.fullmatch(_RELEASED, status):
        return InForce.NO
    return InForce.YES if re.fullmatch(_IN_FORCE, status) else InForce.UNKNOWN


def _day(text: str) -> str | None:
    wanted = text.strip().lower().replace(" ", "")
    return next((day for day in (EVERY_DAY, *DAYS) if wanted and day.lower() == wanted), None)


def _time(text: str) -> tuple[int, int] | None:
    found = re.fullmatch(_TIME, text.strip())
    if found is None:
        return None
    hour, minute = int(found[1]), int(found[2] or found[3] or 0)
    return (hour, minute) if hour < 24 and minute < 60 else None  # noqa: PLR2004 - a clock


class DueRun(StrEnum):
    """What became of the last run that was due."""

    CAME = "came"
    """A row at its time that succeeded."""
    FAILED = "failed"
    RUNNING = "running"
    UNCLEAR = "unclear"
    """A row at its time whose state is unknown."""
    PERHAPS = "perhaps"
    """A row of which it is not known whether it is this run: of another name or kind, or at another time."""
    WAITED_FOR = "waited_for"
    """Due less than LATE ago, and no row yet."""
    NOT_READ = "not_read"
    """The rows that were read do not tell: they end before it, were read before it, or are not all."""
    PERHAPS_RELEASED = "perhaps_released"
    """No row, and a schedule of which it is not known whether it is in force."""
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


@dataclass(frozen=True)
class RowsRead:
    """The newest rows of a history, and how far they can be relied on."""

    rows: Sequence[HistoryEntry]
    read_at: datetime
    reaches_back_to: datetime | None = None
    """The time of the oldest, where older ones were not read."""
    has_gap: bool = False
    """Whether some between them are missing."""


def judge_last_due(schedule: Schedule, read: RowsRead, now: datetime) -> DueVerdict | None:
    """What the history says of the last run that was due; None where none was due since the schedule was set.

    A row is the run when it says that a schedule created it, or has its name, and lies within EARLY before and LATE
    after the due time. "Missed" needs a schedule in force, rows without a gap that were read after that time, and no
    row that may be the run all the same: names, kinds and the time zone of a schedule are not documented.
    """
    due = schedule.last_due(now)
    set_at = schedule.entry.set_at
    if due is None or (set_at is not None and set_at > due):
        return None
    at_its_time = [row for row in read.rows if row.at is not None and due - EARLY <= row.at <= due + LATE]
    for row in at_its_time:
        if _is_of(schedule, row):
            return DueVerdict(due, _RUN_OF[row.state], row)
    late = [row for row in read.rows if row.at is not None and row.at > due + LATE and _is_of(schedule, row)]
    perhaps = [row for row in at_its_time if not _is_by_hand(row)] + late
    if perhaps:
        return DueVerdict(due, DueRun.PERHAPS, perhaps[-1])
    run = _run_without_row(schedule, read, due, now)
    elsewhere = _perhaps_in_another_zone(schedule, read, due) if run is DueRun.MISSED else None
    return DueVerdict(due, run) if elsewhere is None else DueVerdict(due, DueRun.PERHAPS, elsewhere)


def _run_without_row(schedule: Schedule, read: RowsRead, due: datetime, now: datetime) -> DueRun:
    if now < due + LATE:
        return DueRun.WAITED_FOR if read.read_at >= due and not read.has_gap else DueRun.NOT_READ
    reaches = read.reaches_back_to is None or read.reaches_back_to <= due - EARLY
    if not reaches or read.has_gap or read.read_at < due + LATE or any(row.at is None for row in read.rows):
        return DueRun.NOT_READ
    if schedule.in_force is not InForce.YES:
        return DueRun.PERHAPS_RELEASED
    earlier = [row for row in read.rows if row.at is not None and row.at < due - EARLY and _is_of(schedule, row)]
    # None of its runs came at the time that it names: then that time is in another zone.
    return DueRun.MISSED if not earlier or any(_is_punctual(row, due) for row in earlier) else DueRun.NOT_READ


def _perhaps_in_another_zone(schedule: Schedule, read: RowsRead, due: datetime) -> HistoryEntry | None:
    """A row that is the first run of a schedule if its date, or the time of the schedule, is in another zone.

    None where a run of it is known: that tells the zone, and how they are called; nor of one that was set long before.
    """
    set_at = schedule.entry.set_at
    if set_at is None or due - set_at > schedule.period + _DAY or any(_is_of(schedule, row) for row in read.rows):
        return None
    near = [row for row in read.rows if row.at is not None and row.at >= set_at and abs(row.at - due) < _DAY]
    return next((row for row in near if not _is_by_hand(row) and _is_punctual(row, due, _HOUR)), None)


def _is_punctual(row: HistoryEntry, due: datetime, period: timedelta = _DAY) -> bool:
    behind = (row.at - due) % period if row.at is not None else _DAY
    return behind <= LATE or period - EARLY <= behind < period


def _is_of(schedule: Schedule, row: HistoryEntry) -> bool:
    name = schedule.entry.snapshot
    return row.is_scheduled or (bool(name) and row.snapshot.startswith(name) and not _is_by_hand(row))


def _is_by_hand(row: HistoryEntry) -> bool:
    return re.fullmatch(_BY_HAND, row.kind) is not None
