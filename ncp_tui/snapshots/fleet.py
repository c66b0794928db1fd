"""Whether there is a good recent snapshot of each of many clusters: which are meant, the verdict on one, and on all."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

from ncp_tui.profiles.identity import SourceKind
from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.models import Cluster, HistoryEntry, SnapshotState
from ncp_tui.snapshots.cluster_summary import ClusterSummary, Look
from ncp_tui.snapshots.schedule import DueRun, DueVerdict

if TYPE_CHECKING:
    from ncp_tui.profiles.identity import Identities, Identity
    from ncp_tui.profiles.profiles_file import ProfilesFile

_STUCK_FACTOR = 3
_STUCK_LEAST = timedelta(minutes=30)
_STUCK_UNKNOWN = timedelta(hours=24)
"""Where no good run says how long one usually takes."""
_AHEAD = timedelta(minutes=10)
"""A good snapshot may be dated so far in the future: clocks differ."""
_NOT_COUNTED = {"creating": "created", "deleting": "deleted", "return": "returned"}


class Severity(StrEnum):
    """The verdict on a cluster."""

    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    UNKNOWN = "unknown"
    """It could not be checked."""


WORST_FIRST = (Severity.CRITICAL, Severity.UNKNOWN, Severity.WARNING, Severity.OK)


@dataclass(frozen=True)
class Bars:
    """From which age of the newest good snapshot on it is critical, and worth a warning; the latter may be none."""

    max_age: timedelta
    warn_age: timedelta | None = None


@dataclass(frozen=True)
class Verdict:
    """How a cluster stands, in a word and in sentences; one that does not count is listed only."""

    severity: Severity
    reason: str
    counts: bool = True
    notes: tuple[str, ...] = ()
    """What of the reason is wrong although the newest good snapshot is young enough, a sentence each."""


@dataclass(frozen=True)
class CheckedCluster:
    """A cluster with what its history said at `at`, and the verdict."""

    profile: Profile
    cluster: Cluster
    summary: ClusterSummary
    bars: Bars
    verdict: Verdict
    at: datetime

    @property
    def age(self) -> timedelta | None:
        """Of the newest good snapshot; None where that is not known."""
        good = self.summary.last_good
        return self.at - good.at if good is not None and good.at is not None else None

    @property
    def last_due(self) -> DueVerdict | None:
        """What became of the last scheduled run; None where none was due or it is not known."""
        return self.summary.last_due(self.at)


@dataclass(frozen=True)
class NotChecked:
    """A profile, or a cluster that was named, that could not be checked; or a file that could not be written."""

    name: str
    reason: str
    kind: Literal["profile", "cluster", "file"] = "cluster"


@dataclass(frozen=True)
class SharedBucket:
    """A bucket that the histories of several clusters name. Two repositories in one place can damage each other.

    Which path NCP uses in a bucket is not known, so it is told, and no verdict changes with it.
    """

    bucket: str
    clusters: tuple[str, ...]


@dataclass(frozen=True)
class FleetReport:
    """Everything a check found, worst first."""

    clusters: tuple[CheckedCluster, ...]
    not_checked: tuple[NotChecked, ...]
    at: datetime

    @property
    def severity(self) -> Severity:
        """The worst of all that count; UNKNOWN where none is left."""
        counted = {row.verdict.severity for row in self.clusters if row.verdict.counts}
        counted |= {Severity.UNKNOWN} if self.not_checked or not counted else set()
        return next(each for each in WORST_FIRST if each in counted)

    @property
    def shared_buckets(self) -> tuple[SharedBucket, ...]:
        """The buckets that more than one of the clusters writes, as far as their newest rows say."""
        return shared_buckets(self.clusters)

    def count(self, severity: Severity) -> int:
        """How many clusters that count, and profiles that could not be read, are so."""
        more = len(self.not_checked) if severity is Severity.UNKNOWN else 0
        return more + sum(row.verdict.counts and row.verdict.severity is severity for row in self.clusters)


def shared_buckets(rows: Iterable[CheckedCluster]) -> tuple[SharedBucket, ...]:
    """The buckets that more than one of these clusters writes, as far as their newest rows say."""
    writers: dict[tuple[str, str], dict[str, str]] = {}
    for row in rows:
        for bucket in {each.bucket for each in row.summary.rows if each.bucket}:
            # A bucket's name is unique in a site; one cluster may be seen through two profiles.
            number = row.cluster.number or row.cluster.name
            writers.setdefault((row.profile.site, bucket), {})[number] = row.cluster.name or number
    shared = {bucket: found for bucket, found in writers.items() if len(found) > 1}
    return tuple(SharedBucket(bucket, tuple(sorted(found.values()))) for (_, bucket), found in sorted(shared.items()))


def judge(cluster: Cluster, summary: ClusterSummary, bars: Bars, now: datetime) -> Verdict:
    """The verdict on a cluster, from its newest good snapshot; what is not known is never OK."""
    coming = _NOT_COUNTED.get(cluster.status.lower())
    if coming is not None:
        return Verdict(Severity.OK, f"Not counted: the cluster is being {coming}.", counts=False)
    unread = _unread(summary)
    if unread:
        return Verdict(Severity.UNKNOWN, unread)
    good, notes = summary.last_good, [*_notes(summary, now)]
    if good is None:
        return _without_good(summary, bars, now, notes)
    if good.at is None:
        return Verdict(Severity.UNKNOWN, "The date of the newest good snapshot cannot be read.")
    age = now - good.at
    if age < -_AHEAD:
        return Verdict(Severity.UNKNOWN, "The newest good snapshot is dated in the future: the clocks differ.")
    if age > bars.max_age:
        text = f"Newest good snapshot {_age(age)} old, more than {_age(bars.max_age)}."
        return Verdict(Severity.CRITICAL, " ".join([text, *notes]))
    text = f"Newest good snapshot {_age(age)} old."
    if summary.schedule_problem is not None:
        return Verdict(Severity.UNKNOWN, f"The schedule cannot be read: {summary.schedule_problem.what} {text}")
    if bars.warn_age is not None and age > bars.warn_age:
        notes = [f"More than {_age(bars.warn_age)}.", *notes]
    return Verdict(Severity.WARNING if notes else Severity.OK, " ".join([text, *notes]), notes=tuple(notes))


def _unread(summary: ClusterSummary) -> str:
    """Why the history is not known, in a sentence; empty where it is."""
    what = summary.problem.what if summary.problem is not None else ""
    if summary.look is Look.NO_PERMISSION:
        return "No permission to read the snapshot history."
    if summary.look is Look.FAILED:
        return f"The snapshot history cannot be read: {what}"
    if summary.look is Look.NOT_READ:
        return what or "The snapshot history was not read."
    return f"The snapshot history is incomplete: {what}" if what else ""


def _without_good(summary: ClusterSummary, bars: Bars, now: datetime, notes: Sequence[str]) -> Verdict:
    if summary.look is Look.NONE and summary.is_whole:
        return Verdict(Severity.CRITICAL, "No snapshot in the whole history.")
    if summary.is_whole:
        return Verdict(Severity.CRITICAL, " ".join(["No good snapshot in the whole history.", *notes]))
    oldest = summary.reaches_back_to
    if oldest is not None and now - oldest > bars.max_age:
        text = f"No good snapshot within the last {_age(now - oldest)}; older rows are not read."
        return Verdict(Severity.CRITICAL, " ".join([text, *notes]))
    return Verdict(Severity.UNKNOWN, "No good snapshot among the newest rows; older rows are not read.")


def _notes(summary: ClusterSummary, now: datetime) -> Iterable[str]:
    """What is wrong beside the age of the newest good snapshot, a sentence each."""
    run = summary.last_run
    if run is not None and run.state is SnapshotState.FAILED:
        yield f"The newest run failed: {run.snapshot}."
    if run is not None and run.state is SnapshotState.UNKNOWN:
        yield f"The state of the newest run is unknown: {run.snapshot}."
    good = summary.last_good
    for row in summary.running:
        if (good is None or row.sort_key > good.sort_key) and (since := _stuck_for(row, summary, now)) is not None:
            yield (
                f"{row.snapshot} looks stuck: running for {_age(since)}, far beyond the usual. Likely causes: "
                "much new data, a busy cluster, or a storage key that was changed or deleted."
            )
    due = summary.last_due(now)
    if due is not None and due.run is DueRun.MISSED:
        yield f"The scheduled run of {due.due:%m-%d %H:%M} was missed."
    if due is not None and due.run is DueRun.FAILED and due.row is not run:
        yield f"The scheduled run of {due.due:%m-%d %H:%M} failed."


def _stuck_for(row: HistoryEntry, summary: ClusterSummary, now: datetime) -> timedelta | None:
    """For how long a run has been running, where that is far beyond the usual."""
    if row.at is None:
        return None
    usual, longest = summary.usual, _STUCK_UNKNOWN
    if usual is not None:
        longest = max(_STUCK_FACTOR * timedelta(seconds=usual.seconds), _STUCK_LEAST)
    return now - row.at if now - row.at > longest else None


def _age(age: timedelta) -> str:
    minutes = int(age.total_seconds() // 60)
    hours, days = minutes // 60, minutes // 1440
    if minutes < 100:  # noqa: PLR2004 - 90 minutes are a bar that is typed so
        return f"{max(0, minutes)} min"
    return f"{hours} h" if hours <= 72 else f"{days} d"  # noqa: PLR2004 - as in the lists


@dataclass(frozen=True)
class Wanted:
    """Which clusters are checked: those of `names` (or numbers), those that `match`, or all."""

    names: tuple[str, ...] = ()
    match: str | None = None

    def has(self, cluster: Cluster) -> bool:
        """Whether this cluster is one of them."""
        if self.names:
            return any(is_called(cluster, name) for name in self.names)
        return self.match is None or matches(cluster, self.match)


def is_called(cluster: Cluster, wanted: str) -> bool:
    """Whether `wanted` is this cluster's name or number."""
    return wanted == cluster.number or _same_form(wanted) == _same_form(cluster.name)


def matches(cluster: Cluster, glob: str) -> bool:
    """Whether the name of a cluster matches `glob`, with `*`, `?` and `[…]` as in a shell."""
    return fnmatchcase(_same_form(cluster.name), _same_form(glob))


def _same_form(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def checked(profile: Profile, bars: Bars, cluster: Cluster, summary: ClusterSummary, now: datetime) -> CheckedCluster:
    """A cluster with the verdict on it; one that the profile exempts does not count."""
    if any(matches(cluster, glob) for glob in profile.check_exempt or ()):
        verdict = Verdict(Severity.OK, "Not counted: exempt by the profile.", counts=False)
    else:
        verdict = judge(cluster, summary, bars, now)
    return CheckedCluster(profile, cluster, summary, bars, verdict, now)


def saved_profiles(book: ProfilesFile, found: Identities) -> tuple[list[Identity], list[NotChecked]]:
    """Every saved profile, and those that are saved and cannot be read."""
    saved = [identity for identity in found.identities if identity.kind is SourceKind.PROFILE]
    missing = [NotChecked(name, "The profile cannot be read.", "profile") for name in book.unreadable]
    if book.damaged and not missing:
        missing = [NotChecked("(all)", "The profiles file is damaged.", "profile")]
    return saved, missing
