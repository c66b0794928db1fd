"""What requests change: for each cluster its key, its snapshots and its schedule.

A snapshot runs for a while and is then over; where it stands is read off the clock, so nothing ticks. What a schedule
has started by then is there when the cluster is read.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ncp_tui.sandbox.authentication import Account
from ncp_tui.sandbox.clusters import BUCKETS, MEMBER_NUMBER, Cluster, build_clusters
from ncp_tui.sandbox.due_runs import KOREA, due_moments
from ncp_tui.sandbox.protocol import (
    DAY,
    SCHEDULE_NAME_LENGTH,
    Denied,
    Fields,
    Refusal,
    Refused,
    read_snapshot_name,
    read_text,
    seoul_stamp,
    seoul_time,
)

RequestType = Literal["MANUAL", "SCHEDULED"]
Ending = Literal["SUCCESS", "PARTIAL", "FAILED"]

_PAST_OF_FIRST = 23
_PAST_OF_OTHERS = 6
_DUE = 3 * 3_600
"""Seconds after Korea's midnight when the first cluster's schedule is due."""
_AFTER_DUE = 40.0
"""Seconds after which a run that was due has begun."""

_FAILED_LAST = 3
"""The cluster whose newest attempt has failed."""
_SINCE_LAST = {_FAILED_LAST: 0.2, 8: 0.1}
"""Days since the newest attempt on some clusters; on the others longer than a nightly schedule would have it."""

_PAST_BUCKETS = ("bk.ses.snapshot", "es-backup-weekly")


@dataclass(frozen=True)
class SnapshotRun:
    """One attempt to create a snapshot. `started` and `ends` are epoch seconds; `ending` is fixed from the start.

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
    started = _past_start(cluster, start, age, scheduled=scheduled)
    return SnapshotRun(
        idx=cluster.index * 100_000 + place,
        name=f"{'auto' if scheduled else 'snapshot'}-{seoul_stamp(started)}",
        bucket=_PAST_BUCKETS[age % len(_PAST_BUCKETS)],
        request_type="SCHEDULED" if scheduled else "MANUAL",
        started=started,
        ends=started + 21 + (age * 37) % 240,
        ending="FAILED" if age == 0 and cluster.index == _FAILED_LAST else _past_ending(age),
    )


def _past_start(cluster: Cluster, start: float, age: int, *, scheduled: bool) -> float:
    """When the attempt began, `age` attempts back: of the first cluster at the hour of its schedule, as it was due."""
    if cluster.index == 1:
        due = (start + KOREA - _DUE) // DAY * DAY + _DUE - KOREA - age * DAY
        return float(int(due + _AFTER_DUE if scheduled else due + 13 * 3_600 - DAY + 60))
    since = _SINCE_LAST.get(cluster.index, 1.75)
    return float(int(start - (age * 1.75 + since) * DAY - cluster.index % 50 * 60))


def _past_ending(age: int) -> Ending:
    if age % 9 == 3:  # noqa: PLR2004 - the fourth youngest and every ninth before it
        return "FAILED"
    return "PARTIAL" if age % 9 == 5 else "SUCCESS"  # noqa: PLR2004


_DAYS = frozenset({"Everyday", "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"})
_TWO_DIGITS = re.compile(r"[0-9]{1,2}")
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
    """The schedule in a request body. Raises Refused.

    Hour and minute are documented as integers. A public client (npm ncloud-mcp-server 1.16.0) sends their digits as
    text, which services of this kind take for the number: so does this one.
    """
    name = read_snapshot_name(fields, SCHEDULE_NAME_LENGTH, Refusal.INVALID_SCHEDULE_NAME)
    bucket = read_text(fields, "bucketName", Refusal.BUCKET_NOT_FOUND)
    day = read_text(fields, "scheduledDay", Refusal.INVALID_SCHEDULE_DAY)
    if day not in _DAYS:
        raise Refused(Refusal.INVALID_SCHEDULE_DAY)
    hour, minute = _whole_number(fields.get("scheduledHour")), _whole_number(fields.get("scheduledMinute"))
    if hour is None or minute is None or hour not in _HOURS or minute not in _MINUTES:
        raise Refused(Refusal.INVALID_SCHEDULE_TIME)
    return ScheduleRequest(name, bucket, day, hour, minute)


def _whole_number(value: object) -> int | None:
    if isinstance(value, str):
        return int(value) if _TWO_DIGITS.fullmatch(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


# A viewer may not open every third cluster.
_HIDDEN_FROM_VIEWERS = 3


@dataclass
class ClusterState:
    """What changes about one cluster. Runs and schedules are kept oldest first."""

    key_set: bool
    runs: list[SnapshotRun]
    schedules: list[Schedule] = field(default_factory=list)
    caught_up: float = 0.0
    """Until when the runs that were due are among `runs`."""


class World:
    """All clusters of the sandbox. `duration` is how long a new snapshot runs, in seconds; 0 is over at once."""

    def __init__(self, clusters: int, duration: float, clock: Callable[[], float]) -> None:
        self.duration = duration
        self.start = clock()
        self._clock = clock
        self._clusters = {cluster.number: cluster for cluster in build_clusters(clusters, self.start)}
        self._states: dict[str, ClusterState] = {}
        self._missed: int | None = 0
        self._added: int | None = 0

    @property
    def now(self) -> float:
        """The sandbox's clock, epoch seconds."""
        return self._clock()

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """Every cluster, by number; those that no account may open come last."""
        return tuple(self._clusters.values())

    def named(self, name: str) -> Cluster:
        """The cluster of that name. Raises KeyError. For tests that set a scene."""
        for cluster in self.clusters:
            if cluster.name == name:
                return cluster
        raise KeyError(name)

    def change(self, name: str, *, status: str | None = None, health: str | None = None) -> None:
        """Move a cluster to another status or health, as an operator in the console would. Raises KeyError."""
        cluster = self.named(name)
        self._clusters[cluster.number] = dataclasses.replace(
            cluster, status=status or cluster.status, health=health or cluster.health
        )

    def may_open(self, account: Account, cluster: Cluster) -> bool:
        """Whether the account sees more of the cluster than its name and status."""
        if cluster.hidden:
            return False
        return account.role == "manager" or cluster.index % _HIDDEN_FROM_VIEWERS != 0

    def find(self, account: Account, number: str) -> Cluster | None:
        """The cluster of that number, None when there is none. Raises Denied when it is not open to the account."""
        cluster = self._clusters.get(number)
        if cluster and not self.may_open(account, cluster):
            raise Denied
        return cluster

    def numbered(self, number: str) -> Cluster | None:
        """The cluster of that number, for any account, with or without leading zeros; None when there is none."""
        return self._clusters.get(number.lstrip("0"))

    def recent_runs(self) -> frozenset[int]:
        """The `idx` of every snapshot that was started since the sandbox was."""
        runs = (run for state in self._states.values() for run in state.runs)
        return frozenset(run.idx for run in runs if run.started >= self.start)

    def cluster(self, account: Account, number: str) -> Cluster:
        """The same, but a missing one is Refused."""
        cluster = self.find(account, number)
        if cluster is None:
            raise Refused(Refusal.CLUSTER_NOT_FOUND)
        return cluster

    def state(self, cluster: Cluster) -> ClusterState:
        """What changes about `cluster`. Its past is made when it is first read, so a thousand clusters cost nothing."""
        if cluster.number not in self._states:
            self._states[cluster.number] = self._first_state(cluster)
        state = self._states[cluster.number]
        self._run_what_was_due(cluster, state)
        return state

    def start_snapshot(self, cluster: Cluster, name: str, bucket: str) -> SnapshotRun:
        """Begin a snapshot. Raises Refused for a name that was used before, or while another one runs."""
        state, now = self.state(cluster), self.now
        if any(run.name == name for run in state.runs):
            raise Refused(Refusal.DUPLICATE_NAME)
        if any(run.blocks and run.is_running(now) for run in state.runs):
            raise Refused(Refusal.SNAPSHOT_IN_PROGRESS)
        run = SnapshotRun(_next_idx(cluster, state), name, bucket, "MANUAL", now, now + self.duration, ending_of(name))
        state.runs.append(run)
        return run

    def add_past(self, name: str, snapshot: str, *, ended: float, took: float = 60.0) -> SnapshotRun:
        """A manual snapshot of the cluster `name` that ended `ended` seconds ago. For tests that set a scene.

        Raises KeyError.
        """
        cluster = self.named(name)
        state, end = self.state(cluster), self.now - ended
        idx = _next_idx(cluster, state)
        run = SnapshotRun(idx, snapshot, BUCKETS[0].name, "MANUAL", end - took, end, ending_of(snapshot))
        state.runs.append(run)
        return run

    def has_good_snapshot(self, cluster: Cluster, seconds: float) -> bool:
        """Whether one that succeeded has ended within the last `seconds`."""
        now = self.now
        runs = (run for run in self.state(cluster).runs if run.ending == "SUCCESS" and not run.is_running(now))
        return any(now - run.ends <= seconds for run in runs)

    def start_elsewhere(self, cluster: Cluster, seconds: float) -> SnapshotRun:
        """A scheduled snapshot that was not requested here: in the history for `seconds` as running.

        It does not block another: a fault that wants that refuses by itself.
        """
        state, now = self.state(cluster), self.now
        idx, name = _next_idx(cluster, state), f"auto-{seoul_stamp(now)}"
        run = SnapshotRun(idx, name, BUCKETS[0].name, "SCHEDULED", now, now + seconds, blocks=False)
        state.runs.append(run)
        return run

    def set_schedule(self, cluster: Cluster, request: ScheduleRequest) -> None:
        """Make `request` the schedule; one that was active is released by it, unless `add_schedules` says otherwise."""
        if self._added == 0:
            self.release_schedule(cluster)
        elif self._added is not None:
            self._added -= 1
        self.state(cluster).schedules.append(Schedule(request, self.now))

    def add_schedules(self, times: int | None) -> None:
        """Let the next `times` sets (None: all) leave the schedule before them in force: no document says otherwise."""
        self._added = times

    def miss_runs(self, times: int | None) -> None:
        """Let the newest run that was due be missing everywhere, and `times` in all (None: every one)."""
        self._missed = times
        for cluster in self.clusters:
            if cluster.index > 1 and cluster.number not in self._states:
                continue  # has no schedule yet
            state = self.state(cluster)
            began = [_last_due(schedule, self.now) for schedule in state.schedules if schedule.active]
            kept = [
                run
                for run in state.runs
                if run.request_type != "SCHEDULED" or not any(0 <= run.started - due < DAY for due in began)
            ]
            if kept != state.runs and self._missed is not None:
                self._missed = max(0, self._missed - 1)
            state.runs = kept

    def release_schedule(self, cluster: Cluster) -> bool:
        """End the active schedule; False when there was none."""
        state = self.state(cluster)
        was_active = any(schedule.active for schedule in state.schedules)
        state.schedules = [dataclasses.replace(schedule, active=False) for schedule in state.schedules]
        return was_active

    def _run_what_was_due(self, cluster: Cluster, state: ClusterState) -> None:
        """Have begun what was due since the cluster was last read, where it could."""
        now, since = self.now, state.caught_up
        if now <= since:
            return
        state.caught_up, count = now, len(state.runs)
        for schedule in [each for each in state.schedules if each.active]:
            wanted = schedule.request
            for due in due_moments(wanted.day, wanted.hour, wanted.minute, max(since, schedule.set_up), now):
                if self._missed != 0:
                    self._missed = None if self._missed is None else self._missed - 1
                elif cluster.is_running and state.key_set:
                    state.runs.append(self._due_run(cluster, state, wanted, due))
        if len(state.runs) > count:
            state.runs.sort(key=lambda run: run.started)

    def _due_run(self, cluster: Cluster, state: ClusterState, wanted: ScheduleRequest, due: float) -> SnapshotRun:
        began = min(due + _AFTER_DUE, self.now)
        name = f"{wanted.name}-{seoul_stamp(began)}"
        idx, ends = _next_idx(cluster, state), began + self.duration
        return SnapshotRun(idx, name, wanted.bucket, "SCHEDULED", began, ends, ending_of(wanted.name))

    def _first_state(self, cluster: Cluster) -> ClusterState:
        state = ClusterState(cluster.kind.key_set, past_runs(cluster, self.start), caught_up=self.start)
        if cluster.index == 1:
            nightly = ScheduleRequest("nightly", "es-backup-weekly", "Sunday", 2, 30)
            auto = ScheduleRequest("auto", "bk.ses.snapshot", "Everyday", 3, 0)
            state.schedules = [
                Schedule(nightly, self.start - 58 * DAY, active=False),
                Schedule(auto, self.start - 45 * DAY),
            ]
        return state


def _last_due(schedule: Schedule, now: float) -> float:
    wanted = schedule.request
    moments = list(due_moments(wanted.day, wanted.hour, wanted.minute, now - 8 * DAY, now))
    return moments[-1]


def _next_idx(cluster: Cluster, state: ClusterState) -> int:
    return max((run.idx for run in state.runs), default=cluster.index * 100_000 + len(state.runs)) + 1


def matches(cluster: Cluster, query: Mapping[str, str]) -> bool:
    """Whether the cluster passes `inputText` (part of its name) and `vpcName` (exact); an empty filter passes all."""
    part, vpc = query.get("inputText", ""), query.get("vpcName", "")
    return part in cluster.name and vpc in {"", cluster.vpc[0]}
