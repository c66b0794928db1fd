"""Which row of the history is the snapshot that was requested. Everything that reads a history asks here.

A row is *ours* only where nothing speaks against it: our cluster and bucket as far as it names them, not scheduled, and
either new since the rows that were seen before the request, or dated within the window of the request. What could be
ours and is not proved is *maybe ours*: it is not to be taken for a success, nor explained away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from ncp_tui.search_engine.client import same_name
from ncp_tui.search_engine.models import HistoryEntry

if TYPE_CHECKING:
    from ncp_tui.snapshots.journal_entry import JournalEntry
    from ncp_tui.snapshots.outcome import SnapshotRequest

SAME_MOMENT = timedelta(seconds=2)
"""Rows and Date have whole seconds: what was requested at 12.9 may be dated 12."""

OTHER_CLOCK = timedelta(minutes=10)
"""By how much two clocks may differ that both are taken for right: twice what a signature may."""

LATEST_START = timedelta(days=1)
"""What was sent is begun within a day, or never: a row dated later was requested by somebody else."""

# By how much a date is early and late that is local time somewhere, from UTC-12 to UTC+14: where it is read as Korean
# time, which is a guess, and where it is marked as UTC, which is a common mistake.
_ZONE_GUESSED = timedelta(hours=21), timedelta(hours=5)
_ZONE_WRITTEN = timedelta(hours=12), timedelta(hours=14)

RowKeys = frozenset[tuple[int, str]]


class Whose(StrEnum):
    """Whether a row is the snapshot that was requested."""

    OURS = "ours"
    MAY_BE = "may be ours"
    NOT_OURS = "not ours"


@dataclass(frozen=True)
class Asked:
    """What was requested, and all by which its row can be told: an empty text and None are not known."""

    cluster_number: str
    name: str
    bucket: str = ""
    cluster_name: str = ""
    at: datetime | None = None
    """When its first byte left at the earliest, by this machine's clock. None where it was not requested here: then
    any row of the name on the cluster is the one that is meant."""
    clock_offset: float | None = None
    """Seconds to add to `at` for the gateway's time."""
    seen_before: RowKeys | None = None
    """The rows that had the name already, see `rows_named`; None where the history was not read."""

    @classmethod
    def of(
        cls,
        request: SnapshotRequest,
        at: datetime | None = None,
        clock_offset: float | None = None,
        seen_before: RowKeys | None = None,
    ) -> Asked:
        """What is looked for after `request` was sent."""
        cluster, bucket = request.cluster_number, request.bucket
        return cls(cluster, request.name, bucket, request.cluster_name, at, clock_offset, seen_before)

    @classmethod
    def by(cls, entry: JournalEntry) -> Asked:
        """What is looked for after what the journal tells of."""
        return cls.of(entry.request, entry.at, entry.clock_offset, entry.seen_before)

    def on_clock(self, offset: float | None) -> Asked:
        """The same with the gateway's clock as measured since, where it was not known when it was requested."""
        return self if self.clock_offset is not None else replace(self, clock_offset=offset)


@dataclass(frozen=True)
class Match:
    """A row of the name, whose it is, and what says so; `why` is empty for a row that is ours."""

    row: HistoryEntry
    whose: Whose
    why: str = ""


def row_key(row: HistoryEntry) -> tuple[int, str]:
    """What tells one row from another of the same name."""
    return row.index, row.at.isoformat() if row.at else row.date


def rows_named(rows: Iterable[HistoryEntry], name: str) -> RowKeys:
    """The rows that had `name` already, so that none of them is taken for a snapshot requested later."""
    return frozenset(row_key(row) for row in rows if row.snapshot == name)


def is_of_cluster(row: HistoryEntry, number: str, name: str = "") -> bool:
    """Whether a row belongs to that cluster, as far as it names one."""
    if row.cluster_number:
        return row.cluster_number == number
    return not (row.cluster_name and name) or same_name(row.cluster_name.strip(), name)


def awaited(entries: Iterable[JournalEntry], number: str, name: str) -> tuple[JournalEntry | None, bool]:
    """The newest request for a snapshot in the journal, and whether its row is still to come.

    It is where the request may have been started and its end is not known: a row of an earlier one says nothing of it.
    """
    newest = max(
        (entry for entry in entries if (entry.request.cluster_number, entry.request.name) == (number, name)),
        key=lambda entry: entry.at,
        default=None,
    )
    return newest, newest is not None and (newest.in_doubt or newest.is_under_way)


def best_match(asked: Asked, rows: Iterable[HistoryEntry], looked_at: datetime) -> Match | None:
    """The newest row that is ours; else the newest that may be, else the newest of the name; None where there is none.

    `looked_at` is when the rows were read, by this machine's clock.
    """
    found = matches(asked, rows, looked_at)
    by_weight = (next((match for match in found if match.whose is whose), None) for whose in Whose)
    return next((match for match in by_weight if match is not None), None)


def matches(asked: Asked, rows: Iterable[HistoryEntry], looked_at: datetime) -> list[Match]:
    """Whose each row of the name is, newest first."""
    named = [row for row in rows if row.snapshot == asked.name]
    ages = _ages(named, asked.seen_before)
    found = [_match(asked, row, age, looked_at) for row, age in zip(named, ages, strict=True)]
    return sorted(found, key=lambda match: match.row.sort_key, reverse=True)


def create_of(
    row: HistoryEntry, rows: Iterable[HistoryEntry], creates: Iterable[JournalEntry], looked_at: datetime
) -> JournalEntry | None:
    """The newest of the journal's `creates` that proved to have made `row`, one of `rows`; None where none did."""
    named = [each for each in rows if each.snapshot == row.snapshot]
    for entry in sorted(creates, key=lambda each: each.at, reverse=True):
        found = best_match(Asked.by(entry), named, looked_at) if entry.request.name == row.snapshot else None
        if found is not None and found.whose is Whose.OURS and found.row is row:
            return entry
    return None


class _Age(StrEnum):
    SEEN = "seen before"
    NEW = "new"
    NOT_KNOWN = "not known"


def _match(asked: Asked, row: HistoryEntry, age: _Age, looked_at: datetime) -> Match:
    if against := _against(asked, row, age):
        return Match(row, Whose.NOT_OURS, against)
    if asked.at is None or (age is _Age.NEW and row.at is None):
        return Match(row, Whose.OURS)
    if row.at is None:
        return Match(row, Whose.MAY_BE, f"its date {row.date} cannot be read" if row.date else "it has no date")
    early, late = _ZONE_WRITTEN if row.has_zone else _ZONE_GUESSED
    before, after = (OTHER_CLOCK + early, OTHER_CLOCK + late) if age is _Age.NEW else (SAME_MOMENT, OTHER_CLOCK)
    windows = _windows(asked, asked.at, looked_at)
    if any(first - before <= row.at <= last + after for first, last in windows):
        return Match(row, Whose.OURS)
    # An old row where the history was not read before is an earlier attempt, whatever zone its date is in.
    is_old = all(row.at < first - OTHER_CLOCK - early for first, _ in windows)
    if is_old and asked.seen_before is None:
        return Match(row, Whose.NOT_OURS, f"it is dated {row.when}, before the request")
    return Match(row, Whose.MAY_BE, f"its date {row.when} does not fit the time of the request")


def _against(asked: Asked, row: HistoryEntry, age: _Age) -> str:
    """What says for certain that it is another's; empty where nothing does."""
    if not is_of_cluster(row, asked.cluster_number, asked.cluster_name):
        return f"it is of the cluster {row.cluster_number or row.cluster_name}"
    if asked.bucket and row.bucket.strip() not in {"", asked.bucket}:
        return f"it is in the bucket {row.bucket}"
    if asked.at is not None and row.is_scheduled:
        return "a schedule created it"
    return "it was there before" if age is _Age.SEEN else ""


def _windows(asked: Asked, at: datetime, looked_at: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when the service can have begun it: on the gateway's clock, and on ours.

    Ours counts where it is not known to be wrong: a Date may be off as well, and the row's date is a third machine's.
    """
    away = timedelta(seconds=asked.clock_offset or 0)
    ends = min(max(looked_at, at), at + LATEST_START)
    windows = [(at + away, ends + away)]
    if timedelta(0) < abs(away) <= OTHER_CLOCK:
        windows.append((at, ends))
    return windows


def _ages(rows: Sequence[HistoryEntry], seen: RowKeys | None) -> list[_Age]:
    """Which of the rows of one name were there before.

    By number and date. The number alone tells nothing, since no document says that it is not a place in the list, which
    the next row moves: a row that only its number tells from one seen is that one, as often as its date was seen.
    """
    if seen is None:
        return [_Age.NOT_KNOWN] * len(rows)
    keys = [row_key(row) for row in rows]
    ages: list[_Age | None] = [_Age.SEEN if key in seen else None for key in keys]
    gone = sorted(seen - set(keys))
    moved = Counter(date for _, date in gone)
    for place, (_, date) in enumerate(keys):
        if ages[place] is None and moved[date] > 0:
            ages[place] = _Age.SEEN
            moved[date] -= 1
    # The number of a row that is gone, with another date: a row that was dated anew, or a new one in its place.
    numbers = {index for index, date in gone if moved[date] > 0}
    left = [_Age.NOT_KNOWN if index in numbers else _Age.NEW for index, _ in keys]
    return [age or other for age, other in zip(ages, left, strict=True)]
