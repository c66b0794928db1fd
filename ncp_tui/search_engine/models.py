"""The service's objects, read leniently: every field may be missing, and what is unknown is kept and shown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from ncp_tui.search_engine import reading

Raw = Mapping[str, Any]


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
    plugin_installed: bool | None = None
    allowed: bool = True
    raw: Raw = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, item: Raw, *, allowed: bool = True) -> Cluster:
        """Read an item of getClusterInfoList, or the result of getClusterInfo."""
        return cls(
            number=reading.text(item, "serviceGroupInstanceNo"),
            name=reading.text(item, "clusterName"),
            status=reading.text(item, "clusterStatus"),
            health=reading.text(item, "searchEngineStatus"),
            engine=reading.text(item, "searchEngineVersion") or reading.text(item, "searchEngineVersionCode"),
            vpc=reading.text(item, "vpcName") or reading.text(item, "vpcNo"),
            created=reading.text(item, "createDate"),
            manager_nodes=reading.number(item, "managerNodeCount"),
            data_nodes=reading.number(item, "dataNodeCount"),
            master_nodes=reading.number(item, "masterNodeCount"),
            plugin_installed=reading.flag(item, "isPluginInstalled"),
            allowed=allowed,
            raw=dict(item),
        )

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
            name=reading.text(item, "name"),
            locked=reading.text(item, "bucketProtectionState").upper() == "ENABLED",
            denied=reading.text(item, "permission").lower() == "deny",
            bytes_used=reading.number(item, "bytesUsed"),
            objects=reading.number(item, "objectCount"),
            created=reading.epoch(item, "creationTime"),
            raw=dict(item),
        )

    @property
    def usable(self) -> bool:
        """Whether a snapshot can be stored here, as far as the service has said."""
        return not (self.locked or self.denied)

    @property
    def reason(self) -> str:
        """Why not, in words; empty for a usable bucket."""
        reasons = ["locked: objects cannot be replaced"] * self.locked + [
            "the cluster's key may not use it"
        ] * self.denied
        return "; ".join(reasons)


class SnapshotState(StrEnum):
    """What a row of the history proves about a snapshot. The API itself publishes no state."""

    RUNNING = "running"
    SUCCESS = "success"
    FAILED = "failed"
    UNKNOWN = "unknown"


# The service publishes no list of its messages, and mixes Korean and English. Failing words count anywhere in one;
# a success must be the word it begins with, so that "not completed" is never read as good.
_FAILED = re.compile(
    r"fail|partial|error|exception|incompatible|abort|unsucc|cancel|denied|reject|refuse|timed? ?out"
    r"|실패|오류|취소|거부|중단|초과",
    re.IGNORECASE,
)
_RUNNING = re.compile(
    r"in[ _]progress|running|started|requested|pending|creating|진행|요청|생성 ?중|대기", re.IGNORECASE
)
_SUCCESS = re.compile(r"\s*(?:success|succeeded|completed?|done|finished|성공|완료)", re.IGNORECASE)
# Korean denies after the word ("완료되지 않음"), English before or after ("Success: false").
_DENIED = re.compile(r"\bnot?\b|n't|false|missing|incomplet|unfinish|않|못|미완료|불가|아님", re.IGNORECASE)
_ANY_TIME_AT_ALL = re.compile(r"[1-9]")


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
    raw: Raw = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, item: Raw) -> HistoryEntry:
        """Read an item of snapshotHistoryResponseList."""
        return cls(
            snapshot=reading.text(item, "snapshotName"),
            bucket=reading.text(item, "bucketName"),
            at=reading.korean_time(item, "actionDate"),
            kind=reading.text(item, "requestType"),
            message=reading.text(item, "message"),
            duration=reading.text(item, "duration"),
            has_error_log=reading.flag(item, "hasErrorLog"),
            index=reading.number(item, "idx") or 0,
            cluster_name=reading.text(item, "clusterName"),
            raw=dict(item),
        )

    @property
    def state(self) -> SnapshotState:
        """The state, by evidence only; where the message says nothing known, a duration above zero tells the end.

        PARTIAL counts as failed: shards are missing, and whoever deletes data next must not read it as good.
        """
        if self.has_error_log or _FAILED.search(self.message):
            return SnapshotState.FAILED
        if _RUNNING.search(self.message):
            return SnapshotState.RUNNING
        if _DENIED.search(self.message):
            return SnapshotState.UNKNOWN
        if _SUCCESS.match(self.message):
            return SnapshotState.SUCCESS
        if _ANY_TIME_AT_ALL.search(self.duration) and (self.has_error_log is False or not self.message):
            return SnapshotState.SUCCESS
        return SnapshotState.UNKNOWN if self.message else SnapshotState.RUNNING

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
    raw: Raw = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, item: Raw) -> ScheduleEntry:
        """Read an item of snapshotSchedulingHistoryList."""
        return cls(
            snapshot=reading.text(item, "snapshotName"),
            bucket=reading.text(item, "bucketName"),
            set_up=reading.text(item, "snapshotSchedulingConfigSetUpDate"),
            day=reading.text(item, "snapshotSchedulingSetUpDay"),
            time=reading.text(item, "snapshotSchedulingSetUpTime"),
            status=reading.text(item, "snapshotSchedulingStatus"),
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
            code=reading.text(item, "searchEngineVersionCode"),
            name=reading.text(item, "searchEngineVersionName"),
            dashboard=reading.text(item, "searchEngineDashboardVersionName"),
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
            status=reading.text(item, "status"),
            documents=reading.text(item, "docsCount"),
            indices=reading.text(item, "indicesCount"),
            shards=reading.text(item, "shardCount"),
            store_size=reading.text(item, "storeSizeInUsed"),
        )
