"""What can be seen before a schedule is set or released: its checks, each with its evidence and its age.

Other clusters that write the same bucket at the same minute are looked for in a bounded number of schedule histories;
what was not read is unknown, and its check is never ok.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.problem import Problem
from ncp_tui.search_engine.lists import Listing
from ncp_tui.search_engine.models import Cluster, ScheduleEntry
from ncp_tui.search_engine.operations import SET_SCHEDULE
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.outcome import SnapshotRequest
from ncp_tui.snapshots.preflight import (
    Check,
    Preflight,
    PreflightEvidence,
    ReadResult,
    Severity,
    read_evidence,
    shared_checks,
)
from ncp_tui.snapshots.schedule import EVERY_DAY, InForce, Schedule, others_in_force, schedule_of
from ncp_tui.snapshots.schedule_witness import not_shown_yet
from ncp_tui.text import plural

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

MOST_NEIGHBOURS: Final = 40
"""Other clusters whose schedule is read before one is set: each is a request of its own."""

NEIGHBOURS_AT_ONCE: Final = 2
"""The service publishes no rate limit, so we stay far below any."""

NEIGHBOUR_SECONDS: Final = 20.0

_MOST_NAMED = 3


@dataclass(frozen=True)
class Neighbours:
    """The schedules of the other clusters, as far as they were read."""

    at: datetime
    schedules: tuple[tuple[Cluster, Schedule], ...] = ()
    read: int = 0
    """Of how many clusters it is known what is set."""
    unread: int = 0
    """Of how many it is not."""
    problem: Problem | None = None
    """Why it is not known which clusters there are."""


@dataclass(frozen=True)
class ScheduleEvidence:
    """What was read before a schedule is set or released. Anything may be missing: then its check says so."""

    base: PreflightEvidence
    """Cluster, buckets, newest snapshots, journal and clock."""
    settings: Listing[ScheduleEntry] | None = None
    """Every setting of the schedule; None where they could not be read."""
    settings_read: ReadResult | None = None
    neighbours: Neighbours | None = None
    """None where they were not read."""

    @property
    def read_at(self) -> datetime:
        """When it was read."""
        return self.base.cluster_read.at

    @property
    def schedule(self) -> Schedule | None:
        """The newest setting; None where nothing is set, or that is not known, see `is_settings_whole`."""
        return schedule_of(self.settings) if self.settings is not None else None

    @property
    def is_settings_whole(self) -> bool:
        """Whether it is known what is set: every setting came."""
        return self.settings is not None and not self.settings.gap


async def read_schedule_evidence(
    engine: SearchEngine,
    cluster: Cluster,
    journal: Journal | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    just_read: bool = False,
    with_neighbours: bool = True,
) -> ScheduleEvidence:
    """Read all that a set is judged by, side by side. A read that fails is evidence too: nothing is raised for it.

    A cluster that was `just_read` is not read again; a release needs no neighbours.
    """
    base, (settings, read), neighbours = await asyncio.gather(
        read_evidence(engine, cluster, journal, now, just_read=just_read),
        _read_settings(engine, cluster.number, now),
        read_neighbours(engine, cluster.number, now) if with_neighbours else _no_neighbours(),
    )
    return ScheduleEvidence(base, settings, read, neighbours)


async def read_neighbours(
    engine: SearchEngine,
    number: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    *,
    most: int = MOST_NEIGHBOURS,
    seconds: float = NEIGHBOUR_SECONDS,
) -> Neighbours:
    """Read the schedules of at most `most` clusters beside `number`, for at most `seconds`."""
    found: list[tuple[Cluster, Schedule]] = []
    counts = {"read": 0}
    try:
        listed = await engine.list_clusters()
    except GatewayError as problem:
        return Neighbours(now(), problem=problem)
    others = [each for each in listed if each.number != number]
    wanted = iter([each for each in others if each.allowed][:most])

    async def look() -> None:
        for cluster in wanted:
            try:
                rows = await engine.schedule_history(cluster.number, tries=1)
            except GatewayError:
                continue
            if rows.gap:
                continue
            counts["read"] += 1
            if (schedule := schedule_of(rows)) is not None:
                found.append((cluster, schedule))

    try:
        async with asyncio.timeout(seconds), asyncio.TaskGroup() as group:
            for _ in range(NEIGHBOURS_AT_ONCE):
                group.create_task(look())
    except TimeoutError:
        pass
    gap = Problem(listed.gap) if listed.gap else None
    return Neighbours(now(), tuple(found), counts["read"], len(others) - counts["read"], gap)


def set_preflight(
    request: SnapshotRequest, day: str, at: tuple[int, int], evidence: ScheduleEvidence, earlier: Check | None = None
) -> Preflight:
    """Judge a schedule that is to be set by `evidence`; nothing is read.

    `request` has its cluster, name and bucket; `earlier` is the check of earlier requests, where one stops it.
    """
    cluster, bucket, key, clock = shared_checks(request, evidence.base)
    existing = _existing(evidence)
    checks = (cluster, bucket, key, existing, _neighbours(request.bucket, day, at, evidence.neighbours), clock)
    return Preflight((*checks, earlier) if earlier is not None else checks)


def release_preflight(request: SnapshotRequest, evidence: ScheduleEvidence, earlier: Check | None = None) -> Preflight:
    """Judge a release by `evidence`; nothing is read."""
    cluster, _, _, clock = shared_checks(request, evidence.base)
    checks = (cluster, _to_release(evidence), clock)
    return Preflight((*checks, earlier) if earlier is not None else checks)


def shared_moment(one: tuple[str, tuple[int, int]], schedule: Schedule) -> bool | None:
    """Whether a schedule runs at the same minute as `one`, a day and a time; None where it does not say when."""
    if schedule.day is None or schedule.at is None:
        return None
    day, at = one
    return at == schedule.at and (EVERY_DAY in {day, schedule.day} or day == schedule.day)


def _existing(evidence: ScheduleEvidence) -> Check:
    at, unknown = _unread_settings(evidence)
    if unknown is not None:
        return unknown
    schedule, subject = evidence.schedule, "schedule"
    if schedule is None:
        return Check(subject, Severity.OK, "none is set", "", at)
    said = _setting(schedule)
    if schedule.in_force is InForce.NO:
        others = others_in_force(evidence.settings or ())
        if others:
            said = f"{said} was released; {other_setting(others)}"
            return Check(subject, Severity.UNSURE, said, "Whether that still runs is not documented.", at)
        return Check(subject, Severity.OK, f"none is in force; {said} was released", "", at)
    doubt = "Whether setting replaces it is not documented. Release it first."
    if schedule.in_force is InForce.UNKNOWN:
        status = f"NCP says {schedule.entry.status!r}" if schedule.is_newest else "not certain that it is the newest"
        return Check(subject, Severity.BAD, f"{said} may be in force ({status})", doubt, at)
    return Check(subject, Severity.BAD, f"{said} is in force", doubt, at)


def _to_release(evidence: ScheduleEvidence) -> Check:
    at, unknown = _unread_settings(evidence)
    if unknown is not None:
        return unknown
    schedule, subject = evidence.schedule, "schedule"
    if schedule is None:
        if _is_set_unshown(evidence):
            said = "its history does not show yet what was set from here"
            return Check(subject, Severity.UNSURE, said, "", at)
        nothing = NothingToRelease(evidence.base.cluster.title)
        return Check(subject, Severity.BAD, "none was ever set", "", at, nothing)
    said = _setting(schedule)
    if schedule.in_force is InForce.NO:
        return Check(subject, Severity.BAD, f"{said} is released already", "", at)
    if schedule.in_force is InForce.UNKNOWN:
        status = f"NCP says {schedule.entry.status!r}" if schedule.is_newest else "not certain that it is the newest"
        return Check(subject, Severity.UNSURE, f"{said} may be in force ({status})", "", at)
    return Check(subject, Severity.OK, f"{said} is in force and will be released", "", at)


def _is_set_unshown(evidence: ScheduleEvidence) -> bool:
    """Whether this machine has set, or may have, what the empty history does not show."""
    number = evidence.base.cluster.number
    own = [each for each in evidence.base.journal if each.request.cluster_number == number]
    may_be_set = any(each.operation == SET_SCHEDULE and each.in_doubt for each in own)
    return may_be_set or not_shown_yet(own, (), evidence.read_at) is not None


class NothingToRelease(Problem):
    """The whole history of the schedule is empty: no schedule was ever set."""

    kind = "nothing_to_release"

    def __init__(self, cluster: str) -> None:
        super().__init__(f"{cluster} has no schedule: its schedule history is empty.", "Nothing was sent.")


def _unread_settings(evidence: ScheduleEvidence) -> tuple[datetime | None, Check | None]:
    """When the settings were read, and the check that says that they were not."""
    read = evidence.settings_read
    at = read.at if read is not None else None
    if evidence.is_settings_whole:
        return at, None
    problem = read.problem if read is not None else None
    gap = evidence.settings.gap if evidence.settings is not None else ""
    why = problem.what if problem is not None else gap
    return at, Check("schedule", Severity.UNSURE, f"unknown what is set. {why}".rstrip(), "", at)


def _neighbours(bucket: str, day: str, at: tuple[int, int], found: Neighbours | None) -> Check:
    subject = "other clusters"
    if found is None:
        return Check(subject, Severity.UNSURE, "not checked")
    if found.problem is not None and not found.read:
        return Check(subject, Severity.UNSURE, f"not checked. {found.problem.what}", "", found.at)
    same = [
        (cluster, schedule, shared_moment((day, at), schedule))
        for cluster, schedule in found.schedules
        if schedule.entry.bucket.strip() in {"", bucket} and schedule.in_force is not InForce.NO
    ]
    certain = [
        cluster.title
        for cluster, schedule, is_shared in same
        if is_shared and schedule.in_force is InForce.YES and schedule.entry.bucket
    ]
    if certain:
        said = f"{_named(certain)} at {at[0]:02d}:{at[1]:02d} into {bucket} as well"
        advice = "Two snapshots at once in one bucket may disturb each other. Choose another time or bucket."
        return Check(subject, Severity.BAD, said, advice, found.at)
    perhaps = [cluster.title for cluster, _, is_shared in same if is_shared is not False]
    if perhaps:
        return Check(subject, Severity.UNSURE, f"{_named(perhaps)} into {bucket}, perhaps at this time", "", found.at)
    if found.unread or found.problem is not None:
        of = f"{found.read:,} of {plural(found.read + found.unread, 'other cluster')}"
        return Check(subject, Severity.UNSURE, f"none at this time among {of}; the rest was not read", "", found.at)
    if not found.read:
        return Check(subject, Severity.OK, "there are none", "", found.at)
    said = f"none writes {bucket} at this time ({plural(found.read, 'cluster')} read)"
    return Check(subject, Severity.OK, said, "", found.at)


def _named(clusters: Sequence[str]) -> str:
    more = len(clusters) - _MOST_NAMED
    names = ", ".join(clusters[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")
    return f"{names} {'runs' if len(clusters) == 1 else 'run'}"


def other_setting(others: Sequence[ScheduleEntry]) -> str:
    """That settings which are not the newest have the status of one in force: the newest of them, and how many more."""
    more = f", like {plural(len(others) - 1, 'other one')}" if len(others) > 1 else ""
    return f"an older setting, {_words_of(others[0])}, is {others[0].status!r} as well{more}"


def _setting(schedule: Schedule) -> str:
    return _words_of(schedule.entry)


def _words_of(entry: ScheduleEntry) -> str:
    when = f"{entry.day} {entry.time}".strip() or "at an unknown time"
    return f"{entry.snapshot} ({when}{f', bucket {entry.bucket}' if entry.bucket else ''})"


async def _read_settings(
    engine: SearchEngine, number: str, now: Callable[[], datetime]
) -> tuple[Listing[ScheduleEntry] | None, ReadResult]:
    try:
        settings = await engine.schedule_history(number)
    except Problem as problem:
        return None, ReadResult(now(), problem)
    return settings, ReadResult(now(), gap=settings.gap)


async def _no_neighbours() -> None:
    return None
