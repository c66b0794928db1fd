"""Every operation we may ask of the service, registered once with its effect.

The HTTP method says nothing here: `releaseSnapshotScheduling` is a GET that changes things. What is not marked as a
read counts as a write, for retries, read-only mode and dry runs alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Effect(StrEnum):
    """Whether asking changes anything."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True)
class Operation:
    """One call of the API; `name` is the API's own, `title` what a person reads in the session log."""

    name: str
    title: str
    method: str
    group: str
    effect: Effect
    for_cluster: bool = True
    boolean: bool = False
    """The documented result is `true | null`: only `true` is a success."""
    secret: frozenset[str] = frozenset()
    """The parameters that are keys: they are sent, and written down nowhere."""

    def path(self, number: str = "") -> str:
        """The path below the region's prefix; `number` is the cluster's service group instance number."""
        return f"/{self.group}/{self.name}/{number}" if self.for_cluster else f"/{self.group}/{self.name}"


CREATE_SNAPSHOT: Final = "createSnapshot"

_READ, _WRITE = Effect.READ, Effect.WRITE

# Methods and paths: api.ncloud-docs.com, "Search Engine Service"; a wrong method is answered with 404/300.
_ALL = (
    Operation("getClusterInfoList", "list clusters", "GET", "cluster", _READ, for_cluster=False),
    Operation("getClusterInfo", "show cluster", "GET", "cluster", _READ),
    Operation("getSearchEngineVersionList", "list versions", "GET", "cluster", _READ, for_cluster=False),
    Operation("getDashboardInformation", "show indices", "GET", "dashboard", _READ),
    Operation("getBucketList", "list buckets", "GET", "snapshot", _READ),
    Operation(
        "updateAPIAuthenticationKey",
        "set API key",
        "POST",
        "snapshot",
        _WRITE,
        boolean=True,
        secret=frozenset({"accessKeyId", "secretKey"}),
    ),
    Operation(CREATE_SNAPSHOT, "create snapshot", "POST", "snapshot", _WRITE, boolean=True),
    Operation("getSnapshotHistory", "snapshot history", "GET", "snapshot", _READ),
    Operation("setSnapshotScheduling", "set schedule", "POST", "snapshot", _WRITE, boolean=True),
    Operation("getSnapshotSchedulingHistory", "schedule history", "GET", "snapshot", _READ),
    Operation("releaseSnapshotScheduling", "release schedule", "GET", "snapshot", _WRITE, boolean=True),
)

OPERATIONS: Mapping[str, Operation] = MappingProxyType({operation.name: operation for operation in _ALL})
