"""The documented operations: method, path, effect, and what each one does to the world."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ncp_tui.sandbox.authentication import Account
from ncp_tui.sandbox.clusters import (
    BUCKETS,
    VERSIONS,
    Cluster,
    dashboard,
    detail_row,
    list_row,
    reduced_row,
    usable_bucket,
    version_rows,
)
from ncp_tui.sandbox.ledger import Effect, Ledger
from ncp_tui.sandbox.protocol import (
    SNAPSHOT_NAME_LENGTH,
    Denied,
    Fields,
    NotPossible,
    Page,
    Refusal,
    Refused,
    read_body,
    read_number,
    read_page,
    read_snapshot_name,
    read_text,
)
from ncp_tui.sandbox.world import World, matches, read_schedule


@dataclass(frozen=True)
class Call:
    """One authenticated request, and the ledger that its effects are entered in."""

    operation: str
    account: Account
    number: str
    query: Mapping[str, str]
    body: bytes = field(repr=False)
    request_id: str
    ledger: Ledger

    def effect(self, world: World, cluster: Cluster, name: str | None = None, bucket: str | None = None) -> None:
        """Enter what this call changed."""
        self.ledger.add_effect(Effect(world.now, self.request_id, self.operation, cluster.number, name, bucket))


@dataclass(frozen=True)
class Operation:
    """One operation. `has_effect` is a property of the operation: in this API some GETs change things."""

    name: str
    method: str
    group: str
    has_number: bool
    has_effect: bool
    perform: Callable[[World, Call], Any]


def perform(operation: Operation, world: World, call: Call) -> Any:
    """Carry out a call and return the `result` of its envelope. Raises Refused and Denied; then nothing was changed."""
    if operation.has_effect and not call.account.may_write:
        raise Denied
    return operation.perform(world, call)


# KR and FKR are /api/v2, the other regions /api/<code>-v2. All of them show the same world.
_PATH = re.compile(rb"/api/(?:(?:sgn|jpn|krs)-)?v2/([a-z]+)/([A-Za-z]+)(?:/([^/]+))?")


def find_operation(method: str, path: bytes) -> tuple[Operation, str] | None:
    """The operation at a path, with the number at the path's end; None where the gateway has no route.

    `path` is the raw one: an escaped letter in it is another path.
    """
    found = _PATH.fullmatch(path)
    if not found:
        return None
    group, name, number = (part.decode("latin-1") for part in found.groups(b""))
    operation = OPERATIONS.get(name)
    if operation is None or (operation.method, operation.group) != (method, group):
        return None
    return (operation, number) if operation.has_number == bool(number) else None


def _get_cluster_info_list(world: World, call: Call) -> Fields:
    """One list of all clusters is cut into pages; each page is then split by what the account may open."""
    page = read_page(call.query)
    found = [cluster for cluster in world.clusters if matches(cluster, call.query)]
    rows = page.cut(found)
    return page.fields(len(found)) | {
        "allowedClusters": [list_row(cluster) for cluster in rows if world.may_open(call.account, cluster)],
        "disallowedClusters": [reduced_row(cluster) for cluster in rows if not world.may_open(call.account, cluster)],
    }


def _get_cluster_info(world: World, call: Call) -> Fields | None:
    """An unknown number is not an error here: the result is null."""
    cluster = world.find(call.account, read_number(call.number))
    return detail_row(cluster) if cluster else None


def _get_version_list(_world: World, _call: Call) -> Fields:
    return {"searchEngineVersionList": version_rows()}


_UPGRADE_WINDOW = 6 * 3_600.0
"""Seconds since the end of a good snapshot in which an upgrade may begin."""


def _pre_check_upgrade(world: World, call: Call) -> bool:
    """Whether a rolling upgrade may begin. Without a recent snapshot it says no by a code, and else by a reason.

    A yes is entered as an effect, although nothing is changed here: of the service that is not known.
    """
    fields = read_body(call.body)
    number = read_text(fields, "serviceGroupInstanceNo", Refusal.INVALID_NUMBER)
    cluster = world.cluster(call.account, read_number(number))
    target = read_text(fields, "targetVersionCode", Refusal.INVALID_VERSION)
    if "regionNo" in fields:
        read_text(fields, "regionNo", Refusal.INVALID_REGION)
    if not world.has_good_snapshot(cluster, _UPGRADE_WINDOW):
        raise Refused(Refusal.NO_RECENT_SNAPSHOT)
    reason = _why_no_upgrade(cluster, target)
    if reason:
        raise NotPossible(reason)
    call.effect(world, cluster, target)
    return True


def _why_no_upgrade(cluster: Cluster, target: str) -> str:
    known = {code: engine for code, _, _, engine in VERSIONS}
    if not cluster.is_running:
        return f"클러스터 상태가 {cluster.status}입니다. (The cluster is {cluster.status}.)"
    if target == cluster.version[0]:
        return f"The cluster has version {target} already."
    if target not in known:
        return f"지원하지 않는 버전입니다. (Version {target} is not supported.)"
    return "" if known[target] == cluster.version[3] else f"{cluster.version[1]} cannot be upgraded to {target}."


def _get_dashboard(world: World, call: Call) -> Fields:
    return dashboard(_cluster(world, call), read_page(call.query))


def _get_bucket_list(world: World, call: Call) -> Fields:
    cluster = _cluster(world, call)
    _check_key(world, cluster)
    return {"bucketList": [bucket.row(world.start) for bucket in BUCKETS]}


def _update_authentication_key(world: World, call: Call) -> bool:
    cluster = _cluster(world, call)
    fields = read_body(call.body)
    for name in ("accessKeyId", "secretKey"):
        read_text(fields, name, Refusal.INVALID_AUTHENTICATION_KEY)
    world.state(cluster).key_set = True
    call.effect(world, cluster)
    return True


def _create_snapshot(world: World, call: Call) -> bool:
    cluster = _cluster(world, call)
    fields = read_body(call.body)
    name = read_snapshot_name(fields, SNAPSHOT_NAME_LENGTH, Refusal.INVALID_SNAPSHOT_NAME)
    bucket = read_text(fields, "bucketName", Refusal.BUCKET_NOT_FOUND)
    _check_ready(world, cluster, bucket)
    world.start_snapshot(cluster, name, bucket)
    call.effect(world, cluster, name, bucket)
    return True


def _get_snapshot_history(world: World, call: Call) -> Fields:
    """Newest first."""
    cluster, page = _cluster(world, call), read_page(call.query)
    return history_page(page, [run.row(cluster, world.now) for run in world.state(cluster).runs[::-1]])


def history_page(page: Page, rows: Sequence[Fields]) -> Fields:
    """One page of a history of `rows`, as getSnapshotHistory has it."""
    return page.fields(len(rows)) | {"snapshotHistoryResponseList": list(page.cut(rows))}


def _set_schedule(world: World, call: Call) -> bool:
    cluster = _cluster(world, call)
    request = read_schedule(read_body(call.body))
    _check_ready(world, cluster, request.bucket)
    world.set_schedule(cluster, request)
    call.effect(world, cluster, request.name, request.bucket)
    return True


def _get_schedule_history(world: World, call: Call) -> Fields:
    """Newest first; a list of what was set is the only way to see what is set."""
    cluster, page = _cluster(world, call), read_page(call.query)
    schedules = world.state(cluster).schedules[::-1]
    rows = [schedule.row() for schedule in page.cut(schedules)]
    return page.fields(len(schedules)) | {"snapshotSchedulingHistoryList": rows}


def _release_schedule(world: World, call: Call) -> bool | None:
    """`result` is documented as `true | null`, null for failure: without a schedule there is nothing to release."""
    cluster = _cluster(world, call)
    if not world.release_schedule(cluster):
        return None
    call.effect(world, cluster)
    return True


def _cluster(world: World, call: Call) -> Cluster:
    return world.cluster(call.account, read_number(call.number))


def _check_key(world: World, cluster: Cluster) -> None:
    if not world.state(cluster).key_set:
        raise Refused(Refusal.AUTHENTICATION_KEY_NOT_SET)


def _check_ready(world: World, cluster: Cluster, bucket: str) -> None:
    if not cluster.is_running:
        raise Refused(Refusal.CLUSTER_NOT_RUNNING)
    _check_key(world, cluster)
    usable_bucket(bucket)


def _read(name: str, group: str, perform: Callable[[World, Call], Any], *, has_number: bool = True) -> Operation:
    return Operation(name, "GET", group, has_number, has_effect=False, perform=perform)


def _change(
    method: str, name: str, perform: Callable[[World, Call], Any], group: str = "snapshot", *, has_number: bool = True
) -> Operation:
    return Operation(name, method, group, has_number, has_effect=True, perform=perform)


OPERATIONS: Mapping[str, Operation] = {
    operation.name: operation
    for operation in (
        _read("getClusterInfoList", "cluster", _get_cluster_info_list, has_number=False),
        _read("getClusterInfo", "cluster", _get_cluster_info),
        _read("getSearchEngineVersionList", "cluster", _get_version_list, has_number=False),
        _change("POST", "rollingUpgradePreCheck", _pre_check_upgrade, "cluster", has_number=False),
        _read("getDashboardInformation", "dashboard", _get_dashboard),
        _read("getBucketList", "snapshot", _get_bucket_list),
        _change("POST", "updateAPIAuthenticationKey", _update_authentication_key),
        _change("POST", "createSnapshot", _create_snapshot),
        _read("getSnapshotHistory", "snapshot", _get_snapshot_history),
        _change("POST", "setSnapshotScheduling", _set_schedule),
        _read("getSnapshotSchedulingHistory", "snapshot", _get_schedule_history),
        _change("GET", "releaseSnapshotScheduling", _release_schedule),
    )
}
