"""The board: what is known of the clusters of every profile, a row each, and when it was read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from sys import intern
from typing import Any

from ncp_tui.problem import Problem
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.errors import StoreLocked
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.cluster_summary import ClusterSummary, Look
from ncp_tui.snapshots.fleet import Bars, CheckedCluster, NotChecked, Severity, SharedBucket, checked, shared_buckets
from ncp_tui.snapshots.fleet_reading import ProfileReading
from ncp_tui.snapshots.upgrade import may_open_gate

_TELLING = ("hasErrorLog",)
"""What the state of a row is read from beside its own members."""

_NOTHING: Mapping[str, Any] = {}

_SEPARATOR = "\n"
"""Between a profile's name, which has none, and what it is about."""


class BoardState(StrEnum):
    """How far a row is to be believed."""

    WAITING = "waiting"
    """Nothing was read yet."""
    READ = "read"
    FAILED = "failed"
    """It could not be read, or not again."""
    LOCKED = "locked"
    """The store of the profile's key is locked, and its user was not asked."""


@dataclass(frozen=True)
class BoardRow:
    """A cluster as its profile sees it at `now`; without one, the row stands for the profile."""

    key: str
    name: str
    """The profile's."""
    now: datetime
    state: BoardState
    profile: Profile | None = None
    """None where that cannot be read."""
    found: CheckedCluster | None = None
    problem: Problem | None = None
    """Why it could not be read, or not again."""
    read_at: datetime | None = None
    """When what is shown was read; for a profile, when that was tried."""

    @property
    def severity(self) -> Severity | None:
        """The verdict; None where nothing is to be judged: not read yet, not counted, a profile without clusters."""
        if self.state in {BoardState.FAILED, BoardState.LOCKED}:
            return Severity.UNKNOWN
        if self.state is BoardState.WAITING or self.found is None or not self.found.verdict.counts:
            return None
        return self.found.verdict.severity


@dataclass(frozen=True)
class Changes:
    """The rows that are new or other than before, and those that are no more, by their keys."""

    changed: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()


@dataclass
class _Held:
    """What is known of one profile."""

    profile: Profile | None
    bars: Bars | None = None
    rows: dict[str, CheckedCluster] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    """Clusters that the newest reading, which has failed, did not come to."""
    problem: Problem | None = None
    tried_at: datetime | None = None
    """When the newest reading ended, well or not; None before the first."""

    @property
    def state(self) -> BoardState:
        if isinstance(self.problem, StoreLocked):
            return BoardState.LOCKED
        if self.problem is not None:
            return BoardState.FAILED
        return BoardState.READ if self.tried_at is not None else BoardState.WAITING

    @property
    def has_row(self) -> bool:
        """Whether a row stands for the profile itself: it is locked, could not be read, or shows no cluster yet."""
        return self.problem is not None or not self.rows


class Board:
    """The rows of every profile. It is told what a reading finds, and reads nothing itself."""

    def __init__(self) -> None:
        self._held: dict[str, _Held] = {}
        self.shared: tuple[SharedBucket, ...] = ()
        """The buckets that several clusters write, as of the last reading that came to its end."""

    def begin(self, profiles: Sequence[Profile], unreadable: Sequence[NotChecked] = ()) -> None:
        """Have these profiles and no others; one that was changed is read anew."""
        before, self._held = self._held, {}
        for profile in profiles:
            held = before.get(profile.name)
            if held is None or held.profile != profile:
                held = _Held(profile, Bars(profile.max_age_bar, profile.warn_age_bar))
            self._held[profile.name] = held
        for missing in unreadable:
            self._held.setdefault(missing.name, _Held(None, problem=Problem(missing.reason)))

    def is_due(self, name: str, now: datetime, least: timedelta) -> bool:
        """Whether a profile was not read to its end within the last `least`; a locked one is not read by itself."""
        held = self._held[name]
        if held.state is BoardState.LOCKED:
            return False
        return held.tried_at is None or now - held.tried_at >= least

    def locked(self) -> list[str]:
        """The profiles whose key is locked."""
        return [name for name, held in self._held.items() if held.state is BoardState.LOCKED]

    @property
    def read_at(self) -> datetime | None:
        """When the profile was read that was read longest ago; None before any was."""
        return min((held.tried_at for held in self._held.values() if held.tried_at is not None), default=None)

    def start(self, name: str) -> None:
        """A reading of this profile has begun; until it ends, its profile counts as not read."""
        self._held[name].tried_at = None

    def take(self, reading: ProfileReading, changed: Sequence[str], now: datetime) -> Changes:
        """What a reading has found. What was read before stays until something newer is there."""
        name = reading.caller.profile.name
        held = self._held.get(name)
        if held is None or held.profile != reading.caller.profile:
            return Changes()
        touched = frozenset(self._key(name, key) for key in changed)
        is_new = reading.is_over or any(key not in held.rows for key in changed)
        before = frozenset(self._keys_of(name, held)) if is_new else touched
        for key in changed:
            held.rows[key] = _slim(_newer(held.rows.get(key), reading.rows[key]))
            if reading.rows[key].summary.look is not Look.NOT_READ:
                held.unread.discard(key)
        if reading.is_over:
            _end(held, reading, now)
        after = frozenset(self._keys_of(name, held)) if is_new else touched
        return Changes(after if reading.is_over else touched, before - after)

    def end(self) -> None:
        """Compare the buckets of all clusters; for a thread, as it grows with them."""
        self.shared = shared_buckets([row for held in self._held.values() for row in held.rows.values()])

    def row_keys(self) -> Iterator[str]:
        """The keys of all rows, profile by profile."""
        for name, held in self._held.items():
            yield from self._keys_of(name, held)

    def row(self, key: str, now: datetime) -> BoardRow | None:
        """A row, judged as of `now`; None where it is no more."""
        name, _, of = key.partition(_SEPARATOR)
        held = self._held.get(name)
        if held is None or (of and of not in held.rows):
            return None
        if not of:
            return BoardRow(key, name, now, held.state, held.profile, None, held.problem, held.tried_at)
        return self._cluster_row(key, held, held.rows[of], now, is_unread=of in held.unread)

    def _cluster_row(self, key: str, held: _Held, found: CheckedCluster, now: datetime, *, is_unread: bool) -> BoardRow:
        summary = found.summary
        found = checked(found.profile, found.bars, found.cluster, summary, now)
        state = held.state if is_unread else BoardState.READ
        is_waiting = summary.look is Look.NOT_READ and summary.problem is None and found.verdict.counts
        if is_waiting and not is_unread:
            state = BoardState.WAITING
        problem = held.problem if is_unread else None
        return BoardRow(key, found.profile.name, now, state, found.profile, found, problem, summary.read_at)

    def _keys_of(self, name: str, held: _Held) -> Iterator[str]:
        if held.has_row:
            yield self._key(name)
        for key in held.rows:
            yield self._key(name, key)

    @staticmethod
    def _key(name: str, key: str = "") -> str:
        return f"{name}{_SEPARATOR}{key}"


def _newer(before: CheckedCluster | None, found: CheckedCluster) -> CheckedCluster:
    """`found`, with what was known before where its history is still to come."""
    summary = found.summary
    if before is None or summary.look is not Look.NOT_READ or summary.problem is not None:
        return found
    return checked(found.profile, found.bars, found.cluster, before.summary, found.at)


def _slim(found: CheckedCluster) -> CheckedCluster:
    """The same without the service's objects, of which nothing else is read, and without rows that tell nothing more.

    Of 2,000 clusters they are three quarters of the memory.
    """
    summary = replace(found.summary, rows=_needed(found.summary))
    rows = {id(row): _slim_row(row) for row in (*summary.rows, *summary.running)}

    def slim(row: HistoryEntry | None) -> HistoryEntry | None:
        return rows.get(id(row)) or _slim_row(row) if row is not None else None

    summary = replace(
        summary,
        rows=tuple([rows[id(row)] for row in summary.rows]),
        running=tuple([rows[id(row)] for row in summary.running]),
        last_run=slim(summary.last_run),
        last_good=slim(summary.last_good),
    )
    return replace(found, cluster=replace(found.cluster, raw=_NOTHING), summary=summary)


def _needed(summary: ClusterSummary) -> tuple[HistoryEntry, ...]:
    """The rows that the verdict and the cells are made of: a due run is judged by all of them, else one a bucket does.

    Without a good one they tell whether that is proved, and recent ones whether an upgrade may begin.
    """
    if summary.schedule is not None or summary.last_good is None:
        return summary.rows
    buckets = {row.bucket: row for row in reversed(summary.rows)}
    at = summary.read_at
    return tuple([row for row in summary.rows if buckets[row.bucket] is row or at is None or may_open_gate(row, at)])


def _slim_row(row: HistoryEntry) -> HistoryEntry:
    """What tells its state stays, and words that stand in many rows are there once."""
    return replace(
        row,
        bucket=intern(row.bucket),
        kind=intern(row.kind),
        message=intern(row.message),
        duration=intern(row.duration),
        cluster_name=intern(row.cluster_name),
        cluster_number=intern(row.cluster_number),
        raw={name: row.raw[name] for name in _TELLING if name in row.raw} or _NOTHING,
    )


def _end(held: _Held, reading: ProfileReading, now: datetime) -> None:
    """Keep what a reading has ended in: clusters that a whole list does not have are gone, else they are not read."""
    held.problem, held.tried_at = reading.problem, now
    if reading.is_listed and reading.problem is None:
        held.rows = {key: held.rows[key] for key in reading.rows}
        held.unread = set()
    else:
        held.unread = {key for key in held.rows if key not in reading.rows}
