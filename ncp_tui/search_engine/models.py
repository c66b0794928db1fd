"""The service's objects, read leniently: every field may be missing, and what is unknown is kept and shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from ncp_tui.search_engine import fields
from ncp_tui.search_engine.messages import Saying, saying_of
from ncp_tui.system.time_zone import KST

Raw = Mapping[str, Any]
_CHANGING = ("status", "health", "manager_nodes", "data_nodes", "master_nodes")


@dataclass(frozen=True)
class Cluster:
    """A search engine cluster. `allowed` is False for one that this key may only see by name."""

    number: str
    name: str
    status: str
    health: str = ""
    engine: str = ""
    vpc: str = ""
    created: str = ""
    manager_nodes: int | None = None
    data_nodes: int | None = None
    master_nodes: int | None = None
    allowed: bool = True
    raw: Raw = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, item: Raw, *, allowed: bool = True) -> Cluster:
        """Read an item of getClusterInfoList, or the result of getClusterInfo."""
        return cls(
            number=fields.text(item, "serviceGroupInstanceNo"),
            name=fields.text(item, "clusterName"),
            status=fields.text(item, "clusterStatus"),
            health=fields.text(item, "searchEngineStatus"),
            engine=fields.text(item, "searchEngineVersion") or fields.text(item, "searchEngineVersionCode"),
            vpc=fields.text(item, "vpcName") or fields.text(item, "vpcNo"),
            created=fields.text(item, "createDate"),
            manager_nodes=fields.number(item, "managerNodeCount"),
            data_nodes=fields.number(item, "dataNodeCount"),
            master_nodes=fields.number(item, "masterNodeCount"),
            allowed=allowed,
            raw=dict(item),
        )

    def with_detail(self, detail: Cluster) -> Cluster:
        """This listed cluster with what its detail, read later, says of it; each names fields that the other does not.

        What changes is taken from the detail where it says anything; what does not stays as listed, since a detail has
        the engine and the network as bare codes.
        """
        changing = {name: getattr(detail, name) for name in _CHANGING}
        lasting = {name: getattr(self, name) or getattr(detail, name) for name in ("engine", "vpc", "created")}
        told = {name: value for name, value in detail.raw.items() if value is not None}
        known = {name: value for name, value in changing.items() if value not in ("", None)}
        return replace(self, **lasting, **known, raw={**self.raw, **told})

    @property
    def title(self) -> str:
        """What to call it in a sentence: its name, or its number where it has none."""
        return self.name if self.name.strip() else self.number

    @property
    def is_running(self) -> bool:
        """Ready for a snapshot: the only state in which the service is known to accept one."""
        return self.status.lower() == "running"

    @property
    def nodes(self) -> str:
        """`2+3` or `2+3+3`: manager, data and, where there are any, master nodes; empty when nothing is known."""
        counts = [self.manager_nodes, self.data_nodes, self.master_nodes or None]
        return "+".join(str(count) for count in counts if count is not None)


@dataclass(frozen=True)
class Bucket:
    """An Object Storage bucket, judged by the service with the API authentication key stored on the cluster."""

    name: str
    locked: bool = False
    denied: bool = False
    bytes_used: int | None = None
    objects: int | None = None
    created: datetime | None = None
    raw: Raw = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, item: Raw) -> Bucket:
        """Read an item of getBucketList."""
        return cls(
            name=fields.text(item, "name"),
            locked=fields.text(item, "bucketProtectionState").upper() == "ENABLED",
            denied=fields.text(item, "permission").lower() == "deny",
            bytes_used=fields.number(item, "bytesUsed"),
            objects=fields.number(item, "objectCount"),
            created=fields.epoch(item, "creationTime"),
            raw=dict(item),
        )

    @property
    def usable(self) -> bool:
        """Whether a snapshot can be stored here, as far as the service has said."""
        return not (self.locked or self.denied)

    @property
    def reason(self) -> str:
        """Why not, in words; empty for a usable bucket."""
        reasons = ["locked: object lock is on"] * self.locked + [
            "the cluster's storage key has no access"
        ] * self.denied
        return "; ".join(reasons)


class SnapshotState(StrEnum):
    """What a row of the history proves about a snapshot. The API itself publishes no state."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    UNKNOWN = "unknown"


_STATE_OF = {state.value: state for state in (SnapshotState.SUCCESS, SnapshotState.FAILED, SnapshotState.RUNNING)}
"""By the word of a `Saying` that tells the state by itself."""

_ANY_TIME_AT_ALL = re.compile(r"[1-9]")
_NO_DURATION = frozenset({"", "-", "null"})
_SCHEDULED = re.compile(r"(?<!un)sched|auto|cron|periodic|batch|예약|자동|주기|스케[줄쥴]", re.IGNORECASE)


@dataclass(frozen=True)
class HistoryEntry:
    """One attempt at a snapshot, from getSnapshotHistory: a log of creation attempts, not a list of snapshots."""

    snapshot: str
    bucket: str = ""
    at: datetime | None = None
    kind: str = ""
    message: str = ""
    duration: str = ""
    has_error_log: bool | None = None
    index: int = 0
    cluster_name: str = ""
    cluster_number: str = ""
    date: str = ""
    """`at` as it came, also where it is no date that is known here."""
    raw: Raw = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, item: Raw) -> HistoryEntry:
        """Read an item of snapshotHistoryResponseList."""
        return cls(
            snapshot=fields.text(item, "snapshotName"),
            bucket=fields.text(item, "bucketName"),
            at=fields.moment(item, "actionDate"),
            kind=fields.text(item, "requestType"),
            message=fields.text(item, "message"),
            duration=fields.text(item, "duration"),
            has_error_log=fields.flag(item, "hasErrorLog"),
            index=fields.number(item, "idx") or 0,
            cluster_name=fields.text(item, "clusterName"),
            cluster_number=fields.text(item, "serviceGroupInstanceNo").strip(),
            date=fields.as_it_came(item, "actionDate"),
            raw=dict(item),
        )

    @property
    def is_scheduled(self) -> bool:
        """Whether it says that a schedule requested it; the values of its kind are not documented."""
        return _SCHEDULED.search(self.kind) is not None

    @property
    def has_zone(self) -> bool:
        """Whether its date says which zone it is in; else it is taken for Korean time."""
        return fields.says_zone(self.date)

    @property
    def when(self) -> str:
        """Its date in Korean time, or as it came where it cannot be read; empty where there is none."""
        return f"{self.at.astimezone(KST):%Y-%m-%d %H:%M:%S} KST" if self.at else self.date

    @property
    def state(self) -> SnapshotState:
        """The state, by evidence only; where the message says nothing, a duration above zero tells the end.

        PARTIAL counts as failed: shards are missing, and whoever deletes data next must not read it as good.
        """
        if self.has_error_log:
            return SnapshotState.FAILED
        saying = saying_of(self.message, [name for name in (self.snapshot, self.bucket, self.cluster_name) if name])
        if saying in _STATE_OF:
            state = _STATE_OF[saying]
            return SnapshotState.UNKNOWN if state is SnapshotState.SUCCESS and self._error_log_is_unclear else state
        has_ended = _ANY_TIME_AT_ALL.search(self.duration) is not None and not self._error_log_is_unclear
        if saying is Saying.UNKNOWN:
            return SnapshotState.UNKNOWN
        if has_ended and (self.has_error_log is False or not self.message):
            return SnapshotState.SUCCESS
        said_nothing = not self.message and self.duration.strip().lower() in _NO_DURATION
        return SnapshotState.RUNNING if said_nothing else SnapshotState.UNKNOWN

    @property
    def _error_log_is_unclear(self) -> bool:
        """Whether something stands there that is neither a yes nor a no."""
        return self.has_error_log is None and self.raw.get("hasErrorLog") not in (None, "")

    @property
    def sort_key(self) -> tuple[float, int]:
        """Ascending by time, then by row number; the service's own order is not documented."""
        return (self.at.timestamp() if self.at else 0.0, self.index)


@dataclass(frozen=True)
class ScheduleEntry:
    """One setting of the snapshot schedule, from getSnapshotSchedulingHistory. All text, as the service gives it."""

    snapshot: str
    bucket: str
    set_up: str
    day: str
    time: str
    status: str
    set_at: datetime | None = None
    """`set_up` as a time, where it is one."""
    raw: Raw = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, item: Raw) -> ScheduleEntry:
        """Read an item of snapshotSchedulingHistoryList."""
        return cls(
            snapshot=fields.text(item, "snapshotName"),
            bucket=fields.text(item, "bucketName"),
            set_up=fields.text(item, "snapshotSchedulingConfigSetUpDate"),
            day=fields.text(item, "snapshotSchedulingSetUpDay"),
            time=fields.text(item, "snapshotSchedulingSetUpTime"),
            status=fields.text(item, "snapshotSchedulingStatus"),
            set_at=fields.moment(item, "snapshotSchedulingConfigSetUpDate"),
            raw=dict(item),
        )


@dataclass(frozen=True)
class Version:
    """A search engine version the service offers."""

    code: str
    name: str
    dashboard: str = ""

    @classmethod
    def read(cls, item: Raw) -> Version:
        """Read an item of searchEngineVersionList."""
        return cls(
            code=fields.text(item, "searchEngineVersionCode"),
            name=fields.text(item, "searchEngineVersionName"),
            dashboard=fields.text(item, "searchEngineDashboardVersionName"),
        )


@dataclass(frozen=True)
class Dashboard:
    """What is in a cluster: a hint at how large its snapshot will be. All text, as the service gives it."""

    status: str = ""
    documents: str = ""
    indices: str = ""
    shards: str = ""
    store_size: str = ""

    @classmethod
    def read(cls, result: Any) -> Dashboard:
        """Read the result of getDashboardInformation."""
        item = result.get("clusterStatus") if isinstance(result, Mapping) else None
        if not isinstance(item, Mapping):
            return cls()
        return cls(
            status=fields.text(item, "status"),
            documents=fields.text(item, "docsCount"),
            indices=fields.text(item, "indicesCount"),
            shards=fields.text(item, "shardCount"),
            store_size=fields.text(item, "storeSizeInUsed"),
        )
