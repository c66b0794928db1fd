"""The life of a snapshot: running for a while, then over; where it stands is read off the clock, so nothing ticks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ncp_tui.sandbox.clusters import MEMBER_NUMBER, Cluster
from ncp_tui.sandbox.kst import DAY, seoul_stamp, seoul_time
from ncp_tui.sandbox.request_fields import Fields

RequestType = Literal["MANUAL", "SCHEDULED"]
Ending = Literal["SUCCESS", "PARTIAL", "FAILED"]

_PAST_OF_FIRST = 23
_PAST_OF_OTHERS = 6
_PAST_BUCKETS = ("bk.ses.snapshot", "es-backup-weekly")


@dataclass(frozen=True)
class SnapshotRun:
    """One attempt to take a snapshot. `started` and `ends` are epoch seconds; `ending` is settled from the start.

    One that does not `block` lets another start while it runs.
    """

    idx: int
    name: str
    bucket: str
    request_type: RequestType
    started: float
    ends: float
    ending: Ending = "SUCCESS"
    blocks: bool = True

    def is_running(self, now: float) -> bool:
        """Whether it has not come to its end."""
        return now < self.ends

    def message(self, now: float) -> str:
        """The history's text for where it stands."""
        if self.is_running(now):
            return "IN_PROGRESS"
        if self.ending == "FAILED":
            return f"FAILED: repository_verification_exception on {self.bucket}"
        if self.ending == "PARTIAL":
            return "PARTIAL: 2 of 40 shards failed"
        return "SUCCESS"

    def row(self, cluster: Cluster, now: float) -> Fields:
        """The attempt as getSnapshotHistory has it.

        `duration` appears at the end. A partial snapshot has no error log: only its message says that it is not whole.
        """
        row: Fields = {
            "idx": self.idx,
            "clusterName": cluster.name,
            "snapshotName": self.name,
            "memberNo": MEMBER_NUMBER,
            "serviceGroupInstanceNo": int(cluster.number),
            "actionDate": seoul_time(self.started),
            "bucketName": self.bucket,
            "requestType": self.request_type,
            "message": self.message(now),
            "hasErrorLog": not self.is_running(now) and self.ending == "FAILED",
        }
        if not self.is_running(now):
            row["duration"] = f"{round(self.ends - self.started)}s"
        return row


def ending_of(name: str) -> Ending:
    """How a snapshot of that name will end: one with the part `fail` or `partial` in its name does."""
    parts = name.split("-")
    if "fail" in parts:
        return "FAILED"
    return "PARTIAL" if "partial" in parts else "SUCCESS"


def past_runs(cluster: Cluster, start: float) -> list[SnapshotRun]:
    """What had happened on `cluster` before the sandbox started, oldest first, the same for the same start.

    The first cluster has enough for three pages of ten.
    """
    if cluster.kind.fresh:
        return []
    count = _PAST_OF_FIRST if cluster.index == 1 else _PAST_OF_OTHERS
    return [_past_run(cluster, start, age, count - age) for age in reversed(range(count))]


def _past_run(cluster: Cluster, start: float, age: int, place: int) -> SnapshotRun:
    scheduled = age % 3 != 1
    started = float(int(start - (age + 1) * 1.75 * DAY - cluster.index % 50 * 60))
    return SnapshotRun(
        idx=cluster.index * 100_000 + place,
        name=f"{'auto' if scheduled else 'snapshot'}-{seoul_stamp(started)}",
        bucket=_PAST_BUCKETS[age % len(_PAST_BUCKETS)],
        request_type="SCHEDULED" if scheduled else "MANUAL",
        started=started,
        ends=started + 21 + (age * 37) % 240,
        ending=_past_ending(age),
    )


def _past_ending(age: int) -> Ending:
    if age % 9 == 3:  # noqa: PLR2004 - the fourth youngest and every ninth before it
        return "FAILED"
    return "PARTIAL" if age % 9 == 5 else "SUCCESS"  # noqa: PLR2004
