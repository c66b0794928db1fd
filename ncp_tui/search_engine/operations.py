"""Every operation we may ask of the service, registered once with its effect.

The HTTP method says nothing here: `releaseSnapshotScheduling` is a GET that changes things. What is not marked as a
read counts as a write, for retries, read-only mode and dry runs alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeGuard

from ncp_tui.gateway.errors import GatewayError, RefusedByService
from ncp_tui.problem import NextAction


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
    null_refuses: bool = False
    """A result of null with code 0 and a message is documented as its refusal, the message as the reason."""
    number_in_body: bool = False
    """The cluster's number is a member of the body, and not in the path."""
    secret: frozenset[str] = frozenset()
    """The parameters that are keys: they are sent, and written down nowhere."""

    def path(self, number: str = "") -> str:
        """The path below the region's prefix; `number` is the cluster's service group instance number."""
        return f"/{self.group}/{self.name}/{number}" if self.for_cluster else f"/{self.group}/{self.name}"


CREATE_SNAPSHOT: Final = "createSnapshot"
SET_STORAGE_KEY: Final = "updateAPIAuthenticationKey"
SET_SCHEDULE: Final = "setSnapshotScheduling"
RELEASE_SCHEDULE: Final = "releaseSnapshotScheduling"
UPGRADE_PRE_CHECK: Final = "rollingUpgradePreCheck"
NUMBER: Final = "serviceGroupInstanceNo"
"""A cluster's number, as the API calls it."""

_READ, _WRITE = Effect.READ, Effect.WRITE

# Methods and paths: api.ncloud-docs.com, "Search Engine Service"; a wrong method is answered with 404/300.
_ALL = (
    Operation("getClusterInfoList", "list clusters", "GET", "cluster", _READ, for_cluster=False),
    Operation("getClusterInfo", "show cluster", "GET", "cluster", _READ),
    Operation("getSearchEngineVersionList", "list versions", "GET", "cluster", _READ, for_cluster=False),
    # Nothing says that it changes anything, and nothing says that it does not: it counts as a write.
    Operation(
        UPGRADE_PRE_CHECK,
        "pre-check an upgrade",
        "POST",
        "cluster",
        _WRITE,
        for_cluster=False,
        boolean=True,
        null_refuses=True,
        number_in_body=True,
    ),
    Operation("getDashboardInformation", "show indices", "GET", "dashboard", _READ),
    Operation("getBucketList", "list buckets", "GET", "snapshot", _READ),
    Operation(
        SET_STORAGE_KEY,
        "set storage key",
        "POST",
        "snapshot",
        _WRITE,
        boolean=True,
        secret=frozenset({"accessKeyId", "secretKey"}),
    ),
    Operation(CREATE_SNAPSHOT, "create snapshot", "POST", "snapshot", _WRITE, boolean=True),
    Operation("getSnapshotHistory", "snapshot history", "GET", "snapshot", _READ),
    Operation(SET_SCHEDULE, "set schedule", "POST", "snapshot", _WRITE, boolean=True),
    Operation("getSnapshotSchedulingHistory", "schedule history", "GET", "snapshot", _READ),
    Operation(RELEASE_SCHEDULE, "release schedule", "GET", "snapshot", _WRITE, boolean=True),
)

OPERATIONS: Mapping[str, Operation] = MappingProxyType({operation.name: operation for operation in _ALL})


KEY_NOT_SET = "10115"
WRONG_GENERATION = "10139"
NO_RECENT_SNAPSHOT = "10154"


@dataclass(frozen=True)
class _Known:
    what: str
    meaning: str
    next_step: str
    action: NextAction | None = None


# The service documents no codes of its own; these three were seen live by others (ncloud-mcp-server 1.16.0).
_KNOWN: Mapping[str, _Known] = MappingProxyType(
    {
        KEY_NOT_SET: _Known(
            "NCP refused: the cluster has no storage key (its API authentication key for Object Storage)",
            "No snapshot can be created or scheduled until the key is set; nothing was started.",
            "Set the cluster's storage key, then try again.",
            NextAction("storage_key.set"),
        ),
        NO_RECENT_SNAPSHOT: _Known(
            "NCP refused: the cluster has no recent snapshot, which the check before an upgrade requires",
            "Nothing was changed, and no snapshot was started.",
            "Create a snapshot of the cluster, wait until it has succeeded, then repeat the check.",
        ),
        WRONG_GENERATION: _Known(
            "NCP refused: the request is for another generation of servers than this cluster's",
            "Nothing was changed; the snapshots of the cluster are not affected.",
            "Check in the NCP console which generation the cluster is (G2 or G3), and use what that one offers.",
        ),
    }
)


def is_key_missing(problem: object) -> TypeGuard[RefusedByService]:
    """Whether the service refused for certain because the cluster has no storage key."""
    return isinstance(problem, RefusedByService) and not problem.may_have_acted and problem.code == KEY_NOT_SET


def explained(error: GatewayError) -> GatewayError:
    """The same error; where the service refused with a code that is known, in that code's sentences."""
    known = _KNOWN.get(error.code or "") if isinstance(error, RefusedByService) else None
    if known is not None and not error.may_have_acted:
        said = f": {error.message.rstrip('. ')}" if error.message else ""
        error.what = f"{known.what} (code {error.code}{said})."
        error.meaning, error.next_step = known.meaning, known.next_step
        error.actions = (known.action,) if known.action is not None else ()
    return error
