"""What the schedule history proves of a set or a release whose answer was lost.

A row is the witness of a set only where it has our fields, a status that is known, is new since the history was read
before the request, and fits its time; of a release, where it is the schedule that was to be released, said so not
before, and says so now. Anybody may set or release the same schedule: what could be theirs as well proves nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ncp_tui.search_engine.models import HistoryEntry, ScheduleEntry
from ncp_tui.search_engine.operations import RELEASE_SCHEDULE, SET_SCHEDULE
from ncp_tui.snapshots.history_match import OTHER_CLOCK, SAME_MOMENT, Asked, Match, RowKeys, Whose, matches, rows_named
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.schedule import InForce, schedule_of

CHANGES: Final = frozenset({SET_SCHEDULE, RELEASE_SCHEDULE})

SOON: Final = timedelta(minutes=3)
"""A look within this time of the request meets what it did before anybody else is likely to have done the same."""

DONE_WITHIN: Final = timedelta(minutes=5)
"""A change of a schedule is a setting and no work: one that is dated later is another's."""

LAGS: Final = timedelta(minutes=30)
"""How long after a change its history may not show it: nothing documents that it does at once."""

RIVAL_WITHIN: Final = timedelta(minutes=20)
"""Two requests of this machine for the same change, this close: a row may be of either."""


_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_RELEASED_BEFORE, _TO_RELEASE = 0, 1


@dataclass(frozen=True)
class Witness:
    """A row that is the witness of a change, or may be, and what says so."""

    whose: Whose
    entry: ScheduleEntry
    why: str = ""


def rows_before_set(rows: Sequence[ScheduleEntry], name: str) -> RowKeys:
    """What is to be remembered of the history before a schedule `name` is set."""
    return rows_named([each for each, _ in _numbered(rows, name)], name)


def rows_before_release(rows: Sequence[ScheduleEntry]) -> RowKeys:
    """What is to be remembered of the history before a release: what it releases, and its like released before."""
    schedule = schedule_of(rows)
    if schedule is None or schedule.in_force is InForce.NO or not schedule.is_newest:
        return frozenset()
    key = _setting_key(schedule.entry)
    released = {_setting_key(row) for row in rows if _is_released(row) and _is_same_setting(row, key)}
    return frozenset({(_TO_RELEASE, key), *((_RELEASED_BEFORE, each) for each in released - {key})})


def witness_of(
    entry: JournalEntry, rows: Sequence[ScheduleEntry], looked_at: datetime, offset: float | None
) -> Witness | None:
    """What `rows` say of the request `entry`; None where none of them is about it.

    `looked_at` is when they were read, by this machine's clock; `offset` is the gateway's against it, where known.
    """
    if entry.operation == SET_SCHEDULE:
        return _of_set(entry, rows, looked_at, offset)
    return _of_release(entry, rows, looked_at)


def is_rival(entry: JournalEntry, other: JournalEntry) -> bool:
    """Whether `other` is a request of this machine that may have left the trace by which `entry` is resolved."""
    is_same = (other.key, dict(other.details)) == (entry.key, dict(entry.details))
    if other.id == entry.id or entry.operation not in CHANGES or not is_same or not other.was_sent:
        return False
    may_have_acted = {Outcome.UNKNOWN} if other.at < entry.at else {Outcome.UNKNOWN, Outcome.ACCEPTED}
    return other.outcome in may_have_acted and abs(other.at - entry.at) <= RIVAL_WITHIN


def not_shown_yet(
    entries: Sequence[JournalEntry], rows: Sequence[ScheduleEntry], read_at: datetime
) -> JournalEntry | None:
    """The last change of one schedule that NCP accepted, where its history does not show it and may lag behind."""
    accepted = [each for each in entries if each.operation in CHANGES and each.outcome is Outcome.ACCEPTED]
    last = max(accepted, key=lambda each: each.at, default=None)
    if last is None or read_at - last.at > LAGS:
        return None
    if last.operation == SET_SCHEDULE:
        return last if witness_of(last, rows, read_at, None) is None else None
    schedule = schedule_of(rows)
    if schedule is None or schedule.in_force is InForce.NO:
        return None
    return last if (_TO_RELEASE, _setting_key(schedule.entry)) in (last.seen_before or ()) else None


def _of_set(
    entry: JournalEntry, rows: Sequence[ScheduleEntry], looked_at: datetime, offset: float | None
) -> Witness | None:
    wanted = _wanted(entry)
    ours = [(each, row) for each, row in _numbered(rows, wanted["name"]) if _says(row, wanted)]
    asked = Asked(
        entry.request.cluster_number,
        wanted["name"],
        wanted["bucket"],
        at=entry.at,
        clock_offset=entry.clock_offset,
        seen_before=entry.seen_before,
    ).on_clock(offset)
    until = min(looked_at, entry.at + DONE_WITHIN)
    entry_of = {id(each): row for each, row in ours}
    found = [each for each in matches(asked, [each for each, _ in ours], until) if each.whose is not Whose.NOT_OURS]
    judged = [_judged(entry, each, entry_of[id(each.row)], asked.clock_offset, looked_at) for each in found]
    return next((each for each in judged if each.whose is Whose.OURS), judged[0] if judged else None)


def _judged(
    entry: JournalEntry, match: Match, row: ScheduleEntry, offset: float | None, looked_at: datetime
) -> Witness:
    """A row with our fields that was not there before: stricter than with a snapshot, whose name is no one else's."""
    if match.whose is Whose.MAY_BE:
        return Witness(Whose.MAY_BE, row, match.why)
    schedule = schedule_of([row])
    if schedule is None or schedule.in_force is InForce.UNKNOWN:
        status = f"its status {row.status!r} is not known" if row.status else "it has no status"
        return Witness(Whose.MAY_BE, row, status)
    if row.set_at is None:
        return Witness(Whose.MAY_BE, row, f"its date {row.set_up} cannot be read" if row.set_up else "it has no date")
    is_soon = entry.seen_before is not None and looked_at - entry.at <= SOON
    if not _fits(row.set_at, entry, offset, any_hour=is_soon and not match.row.has_zone):
        return Witness(Whose.MAY_BE, row, f"it is dated {match.row.when}, which is not the time of the request")
    return Witness(Whose.OURS, row)


def _of_release(entry: JournalEntry, rows: Sequence[ScheduleEntry], looked_at: datetime) -> Witness | None:
    schedule = schedule_of(rows)
    if schedule is None or schedule.in_force is not InForce.NO or not schedule.is_newest:
        return None
    row, before = schedule.entry, entry.seen_before
    if before is None:
        return Witness(Whose.MAY_BE, row, "the schedule history was not read before the request")
    keys = {key for what, key in before if what == _TO_RELEASE}
    if not keys or (_RELEASED_BEFORE, _setting_key(row)) in before:
        return None
    if _setting_key(row) not in keys and not any(_is_same_setting(row, key) for key in keys):
        return Witness(Whose.MAY_BE, row, "it is another setting than the one that was to be released")
    if looked_at - entry.at > SOON:
        return Witness(Whose.MAY_BE, row, "it does not say when it was released, and anybody may have done so since")
    return Witness(Whose.OURS, row)


def _wanted(entry: JournalEntry) -> dict[str, Any]:
    details = entry.details
    return {
        "name": details.get("snapshotName"),
        "bucket": details.get("bucketName"),
        "day": details.get("scheduledDay"),
        "at": (details.get("scheduledHour"), details.get("scheduledMinute")),
    }


def _says(row: ScheduleEntry, wanted: dict[str, Any]) -> bool:
    schedule = schedule_of([row])
    return schedule is not None and (schedule.day, schedule.at) == (wanted["day"], wanted["at"])


def _fits(set_at: datetime, entry: JournalEntry, offset: float | None, *, any_hour: bool) -> bool:
    """Whether a date is that of the request, on the gateway's clock or, where that differs a little, on ours.

    With `any_hour` it may be off by whole hours: which zone it is in is not documented. Somebody else's is as unlikely
    to be just that as to be set in the same minutes.
    """
    away = timedelta(seconds=offset or 0)
    begins = [entry.at + away, *([entry.at] if abs(away) <= OTHER_CLOCK else [])]
    for moment in begins:
        # Some dates have no seconds.
        began = moment if set_at.second else moment.replace(second=0, microsecond=0)
        behind = set_at - began + SAME_MOMENT
        if any_hour and -_DAY < behind < _DAY:
            behind %= _HOUR
        if timedelta(0) <= behind <= DONE_WITHIN + SAME_MOMENT:
            return True
    return False


def _numbered(rows: Sequence[ScheduleEntry], name: str) -> list[tuple[HistoryEntry, ScheduleEntry]]:
    """The settings of one name beside the form in which rows of the other history are matched: name, bucket and date.

    Those of the same date, which has whole seconds, are numbered, so that one more of them is a new one: the last that
    is not released.
    """
    counts = Counter[str]()
    found: list[tuple[HistoryEntry, ScheduleEntry]] = []
    for row in sorted(rows, key=_is_released, reverse=True):
        if row.snapshot == name:
            index = counts[row.set_up]
            found.append((HistoryEntry(row.snapshot, row.bucket, row.set_at, index=index, date=row.set_up), row))
            counts[row.set_up] += 1
    return found


def _is_released(row: ScheduleEntry) -> bool:
    schedule = schedule_of([row])
    return schedule is not None and schedule.in_force is InForce.NO


def _setting_key(row: ScheduleEntry) -> str:
    """All of a setting but its status, which a release may change in place."""
    return json.dumps([row.snapshot, row.bucket, row.day, row.time, row.set_up], ensure_ascii=False)


def _is_same_setting(row: ScheduleEntry, key: str) -> bool:
    """Whether it is the setting of `key`, be it in a row of its own."""
    try:
        fields = json.loads(key)
    except ValueError:
        return False
    return isinstance(fields, list) and fields[:4] == [row.snapshot, row.bucket, row.day, row.time]
