"""The state behind the gateway: the clusters, and for each its key, its snapshots and its schedule."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ncp_tui.sandbox.accounts import Account
from ncp_tui.sandbox.answers import Denied, Refusal, Refused
from ncp_tui.sandbox.buckets import BUCKETS
from ncp_tui.sandbox.clusters import Cluster, build_clusters
from ncp_tui.sandbox.kst import DAY, seoul_stamp
from ncp_tui.sandbox.schedules import Schedule, ScheduleRequest
from ncp_tui.sandbox.snapshots import SnapshotRun, ending_of, past_runs

# A viewer may not open every third cluster.
_HIDDEN_FROM_VIEWERS = 3


@dataclass
class ClusterState:
    """What changes about one cluster. Runs and schedules are kept oldest first."""

    key_set: bool
    runs: list[SnapshotRun]
    schedules: list[Schedule] = field(default_factory=list)


class World:
    """All clusters of the sandbox. `duration` is how long a new snapshot runs, in seconds; 0 is over at once."""

    def __init__(self, clusters: int, duration: float, clock: Callable[[], float]) -> None:
        self.duration = duration
        self.start = clock()
        self._clock = clock
        self._clusters = {cluster.number: cluster for cluster in build_clusters(clusters, self.start)}
        self._states: dict[str, ClusterState] = {}

    @property
    def now(self) -> float:
        """The sandbox's clock, epoch seconds."""
        return self._clock()

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """Every cluster, by number; the ones that nobody may open come last."""
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
        """The cluster of that number, whoever asks, however many noughts stand before it; None when there is none."""
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
        """What changes about `cluster`. Its past is made when first looked at, so a thousand clusters cost nothing."""
        if cluster.number not in self._states:
            self._states[cluster.number] = self._first_state(cluster)
        return self._states[cluster.number]

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

    def start_elsewhere(self, cluster: Cluster, seconds: float) -> SnapshotRun:
        """A scheduled snapshot that nobody asked this sandbox for: in the history for `seconds` as running.

        It keeps nobody from starting another: whoever wants that refuses on its own.
        """
        state, now = self.state(cluster), self.now
        idx, name = _next_idx(cluster, state), f"auto-{seoul_stamp(now)}"
        run = SnapshotRun(idx, name, BUCKETS[0].name, "SCHEDULED", now, now + seconds, blocks=False)
        state.runs.append(run)
        return run

    def set_schedule(self, cluster: Cluster, request: ScheduleRequest) -> None:
        """Make `request` the schedule; one that was active is released by it."""
        self.release_schedule(cluster)
        self.state(cluster).schedules.append(Schedule(request, self.now))

    def release_schedule(self, cluster: Cluster) -> bool:
        """End the active schedule; False when there was none."""
        state = self.state(cluster)
        was_active = any(schedule.active for schedule in state.schedules)
        state.schedules = [dataclasses.replace(schedule, active=False) for schedule in state.schedules]
        return was_active

    def _first_state(self, cluster: Cluster) -> ClusterState:
        state = ClusterState(cluster.kind.key_set, past_runs(cluster, self.start))
        if cluster.index == 1:
            nightly = ScheduleRequest("nightly", "es-backup-weekly", "Sunday", 2, 30)
            auto = ScheduleRequest("auto", "bk.ses.snapshot", "Everyday", 3, 0)
            state.schedules = [
                Schedule(nightly, self.start - 58 * DAY, active=False),
                Schedule(auto, self.start - 45 * DAY),
            ]
        return state


def _next_idx(cluster: Cluster, state: ClusterState) -> int:
    return cluster.index * 100_000 + len(state.runs) + 1


def matches(cluster: Cluster, query: Mapping[str, str]) -> bool:
    """Whether the cluster passes `inputText` (part of its name) and `vpcName` (exact); an empty filter passes all."""
    part, vpc = query.get("inputText", ""), query.get("vpcName", "")
    return part in cluster.name and vpc in {"", cluster.vpc[0]}
