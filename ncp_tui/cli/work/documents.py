"""The service's objects as scripts read them (`--json`) and as rows for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ncp_tui.cli.output import table
from ncp_tui.gateway import RequestRecord, as_curl
from ncp_tui.profiles import Profile
from ncp_tui.search_engine import Bucket, Cluster, HistoryEntry, SnapshotState
from ncp_tui.snapshots import NOT_READ, Check, JournalEntry, LastSnapshot, Look, Settlement
from ncp_tui.view.quantities import ZONE, date_time, size

CLUSTER_HEADINGS = ("CLUSTER", "NUMBER", "STATUS", "HEALTH", "ENGINE", "NODES", "VPC", "")
BUCKET_HEADINGS = ("BUCKET", "USABLE", "SIZE", "OBJECTS", "CREATED", "")
HISTORY_HEADINGS = ("SNAPSHOT", "BUCKET", f"TIME ({ZONE})", "KIND", "STATE", "DURATION", "MESSAGE")

_DAY = "%Y-%m-%d"


def cluster_document(
    cluster: Cluster, profile: Profile, read_at: datetime, last: LastSnapshot = NOT_READ
) -> dict[str, Any]:
    """A cluster with the place it is in, and what is known of its newest snapshot."""
    return {
        "name": cluster.name,
        "number": cluster.number,
        "status": cluster.status,
        "health": cluster.health or None,
        "engine": cluster.engine or None,
        "vpc": cluster.vpc or None,
        "allowed": cluster.allowed,
        "zone": profile.zone,
        "region": profile.region,
        "nodes": {"manager": cluster.manager_nodes, "data": cluster.data_nodes, "master": cluster.master_nodes},
        "created": cluster.created or None,
        "last_snapshot": last_snapshot_document(last),
        "read_at": read_at.isoformat(),
        "raw": cluster.raw,
    }


def last_snapshot_document(last: LastSnapshot) -> dict[str, Any]:
    """The newest snapshot of a cluster. `look` tells what was not read from what is not there or cannot be read."""
    entry = last.entry
    return {
        "look": last.look.value,
        "read_at": last.read_at.isoformat() if last.read_at else None,
        "snapshot": entry.snapshot if entry else None,
        "at": entry.at.isoformat() if entry and entry.at else None,
        "state": entry.state.value if entry else None,
        "problem": last.problem.what if last.problem else None,
    }


def last_snapshot_text(last: LastSnapshot) -> str:
    """The same in a line."""
    why = f" {last.problem.what}" if last.problem else ""
    if last.entry is not None:
        at = f", {last.entry.when}" if last.entry.when else ""
        return f"{last.entry.snapshot}: {last.entry.state.value}{at}{why}"
    return _LOOKS[last.look] + why


_LOOKS = {
    Look.NOT_READ: "not read",
    Look.NONE: "none: the history is empty",
    Look.NO_PERMISSION: "not known: this key may not read the history.",
    Look.FAILED: "not known: the history could not be read.",
}


def cluster_row(cluster: Cluster) -> tuple[str, ...]:
    """A cluster in the columns of CLUSTER_HEADINGS."""
    remark = "" if cluster.allowed else "by name only: this key may not open it"
    return (
        cluster.name,
        cluster.number,
        cluster.status,
        cluster.health,
        cluster.engine,
        cluster.nodes,
        cluster.vpc,
        remark,
    )


def bucket_document(bucket: Bucket, read_at: datetime) -> dict[str, Any]:
    """A bucket; `reason` is null for one that can be used."""
    return {
        "name": bucket.name,
        "usable": bucket.usable,
        "reason": bucket.reason or None,
        "bytes": bucket.bytes_used,
        "objects": bucket.objects,
        "created": bucket.created.isoformat() if bucket.created else None,
        "read_at": read_at.isoformat(),
        "raw": bucket.raw,
    }


def bucket_row(bucket: Bucket) -> tuple[str, ...]:
    """A bucket in the columns of BUCKET_HEADINGS."""
    return (
        bucket.name,
        "yes" if bucket.usable else "no",
        "" if bucket.bytes_used is None else size(bucket.bytes_used),
        "" if bucket.objects is None else f"{bucket.objects:,}",
        bucket.created.strftime(_DAY) if bucket.created else "",
        bucket.reason,
    )


def history_document(entry: HistoryEntry, read_at: datetime | None = None) -> dict[str, Any]:
    """A row of the history. `at` carries the service's zone, +09:00; a date that cannot be read is there as it came.

    `read_at` is when the list was read.
    """
    return {
        "snapshot": entry.snapshot,
        "bucket": entry.bucket or None,
        "at": entry.at.isoformat() if entry.at else entry.date or None,
        "kind": entry.kind or None,
        "state": entry.state.value,
        "message": entry.message,
        "duration": entry.duration or None,
        "failed": entry.state is SnapshotState.FAILED,
        **({"read_at": read_at.isoformat()} if read_at else {}),
        "raw": entry.raw,
    }


def history_row(entry: HistoryEntry) -> tuple[str, ...]:
    """A row of the history in the columns of HISTORY_HEADINGS."""
    at = date_time(entry.at) if entry.at else entry.date or "-"
    return (entry.snapshot, entry.bucket, at, entry.kind, entry.state.value, entry.duration, entry.message)


def request_document(request: RequestRecord) -> dict[str, Any]:
    """A request that was not sent; keys and signature masked."""
    return {
        "method": request.method,
        "url": request.url,
        "headers": dict(request.headers),
        "body": request.body,
        "string_to_sign": request.string_to_sign,
        "curl": as_curl(request),
    }


def request_text(request: RequestRecord) -> str:
    """The same for people."""
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers)
    return (
        f"{request.method} {request.url}\n{headers}\n\n{request.body}\n\n"
        f"String to sign:\n{request.string_to_sign}\n\n"
        f"As a shell command that signs itself:\n{as_curl(request).rstrip()}"
    )


def check_document(check: Check) -> dict[str, Any]:
    """One light before a create."""
    return {
        "subject": check.subject,
        "light": check.light.value,
        "evidence": check.evidence,
        "advice": check.advice or None,
        "read_at": check.read_at.isoformat() if check.read_at else None,
        "blocks": check.blocks,
    }


def checks_text(checks: Sequence[Check]) -> str:
    """The lights for people, one a line; words, since a terminal may have no colours."""
    return table(
        ("CHECK", "", "EVIDENCE"),
        [(check.subject, check.light.value, check.sentence) for check in checks],
    )


def entry_document(entry: JournalEntry, settlement: Settlement | None) -> dict[str, Any]:
    """A create of the journal and what was found out about it; `verdict` null: another program has it in its hands."""
    request, caller = entry.request, entry.caller
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "profile": caller.profile,
        "zone": caller.zone,
        "region": caller.region,
        "cluster": {"name": request.cluster_name, "number": request.cluster_number},
        "snapshot": request.name,
        "bucket": request.bucket,
        "request_id": entry.request_id,
        "verdict": settlement.verdict.value if settlement else None,
        "evidence": settlement.evidence if settlement else None,
        "next_step": (settlement.next_step or None) if settlement else None,
    }
