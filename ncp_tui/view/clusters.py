"""How a cluster reads: state in words, an unknown one shown as NCP sent it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.models import Cluster, Dashboard
from ncp_tui.snapshots.last_snapshot import NOT_READ, LastSnapshot, Look
from ncp_tui.view.format import age, grouped, size_of
from ncp_tui.view.history import state_cell
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import BLANK, Cell, Line, Tone, field, line, raw_lines

_STATUS_TONES = {
    "running": Tone.GOOD,
    "creating": Tone.WARNING,
    "changing": Tone.WARNING,
    "working": Tone.WARNING,
    "error": Tone.BAD,
    "deleting": Tone.DIM,
    "return": Tone.DIM,
}

_HEALTH_TONES = {
    "green": Tone.GOOD,
    "yellow": Tone.WARNING,
    "orange": Tone.WARNING,
    "red": Tone.BAD,
    "gray": Tone.DIM,
}

_NO_PERMISSION = "no permission"

_LOOKS = {
    Look.NOT_READ: Cell("not read", Tone.DIM),
    Look.NONE: Cell("none", Tone.WARNING, sort=0.0),
    Look.NO_PERMISSION: Cell(_NO_PERMISSION, Tone.DIM),
    Look.FAILED: Cell("cannot be read", Tone.BAD),
}


@dataclass(frozen=True)
class ListedCluster:
    """A cluster in a list, as of `now`; `tracked` says what is known of a snapshot of it that has not ended."""

    cluster: Cluster
    now: datetime
    last: LastSnapshot = NOT_READ
    tracked: str = ""


def status_cell(status: str) -> Cell:
    """A cluster's status; an unknown one is shown verbatim."""
    return Cell(status or "-", _STATUS_TONES.get(status.lower(), Tone.PLAIN))


def health_cell(health: str) -> Cell:
    """A cluster's health; an unknown one is shown verbatim."""
    return Cell(health or "-", _HEALTH_TONES.get(health.lower(), Tone.PLAIN))


def last_snapshot_cell(last: LastSnapshot, now: datetime) -> Cell:
    """`succeeded 26 h ago`, `none`, or why it is not known."""
    entry = last.entry
    if entry is None:
        return _LOOKS[last.look]
    state = state_cell(entry)
    when = age(entry.at, now) if entry.at else "time unknown"
    return Cell(f"{state.text} {when}", state.tone, sort=entry.sort_key[0])


def _name_cell(listed: ListedCluster) -> Cell:
    return Cell(listed.cluster.name or "(no name)", Tone.STRONG if listed.cluster.allowed else Tone.DIM)


def _newest_cell(listed: ListedCluster) -> Cell:
    if not listed.cluster.allowed:
        return _LOOKS[Look.NO_PERMISSION]
    if listed.tracked:
        return Cell(listed.tracked, Tone.WARNING)
    return last_snapshot_cell(listed.last, listed.now)


def _access_cell(listed: ListedCluster) -> Cell:
    return Cell("" if listed.cluster.allowed else "no permission (name only)")


CLUSTERS: Table[ListedCluster] = Table(
    (
        Column("CLUSTER", _name_cell, most=36, least=12),
        Column("STATUS", lambda listed: status_cell(listed.cluster.status), most=10, least=8),
        Column("HEALTH", lambda listed: health_cell(listed.cluster.health), most=8, least=6),
        Column("ENGINE", lambda listed: Cell(listed.cluster.engine or "-"), most=22, least=10, room=66),
        Column("NODES", lambda listed: Cell(listed.cluster.nodes or "-"), most=8, least=5),
        # A command that lists clusters does not read a history for each of them.
        Column("LAST SNAPSHOT", _newest_cell, most=20, least=12, in_commands=False),
        # On the screen these stand in the detail of a cluster.
        Column("NUMBER", lambda listed: Cell(listed.cluster.number or "-"), on_screen=False),
        Column("VPC", lambda listed: Cell(listed.cluster.vpc or "-"), on_screen=False),
        Column("ACCESS", _access_cell, on_screen=False),
    ),
    key=lambda listed: listed.cluster.number or listed.cluster.name,
    is_dim=lambda listed: not listed.cluster.allowed,
    empty="No clusters in this region. Wrong region or profile?",
)


def cluster_lines(
    cluster: Cluster,
    dashboard: Dashboard | None = None,
    *,
    profile: Profile | None = None,
    last: LastSnapshot | None = None,
) -> list[Line]:
    """A cluster in full, unknown members included; with `profile` and `last` where it is and its newest snapshot."""
    known = [
        ("number", cluster.number),
        ("status", cluster.status),
        ("health", cluster.health),
        ("engine", cluster.engine),
        ("nodes", f"{cluster.nodes or '-'}   (manager + data + master)"),
        ("VPC", cluster.vpc),
        ("created", cluster.created),
    ]
    known += [("site", profile.site), ("region", profile.region)] if profile is not None else []
    known += [("newest", last_snapshot_sentence(last))] if last is not None else []
    lines = [field("cluster", cluster.name, Tone.STRONG), *(field(label, value or "-") for label, value in known)]
    if dashboard is not None:
        lines += [
            BLANK,
            field("documents", grouped(dashboard.documents)),
            field("indices", grouped(dashboard.indices)),
            field("shards", grouped(dashboard.shards)),
            field("store size", size_of(dashboard.store_size)),
        ]
    return [*lines, BLANK, line("Raw API response", Tone.STRONG), *raw_lines(cluster.raw)]


def last_snapshot_sentence(last: LastSnapshot) -> str:
    """The newest snapshot in a line, or why it is not known."""
    why = f" {last.problem.what}" if last.problem else ""
    if last.entry is not None:
        at = f", {last.entry.when}" if last.entry.when else ""
        return f"{last.entry.snapshot}: {state_cell(last.entry).text}{at}{why}"
    return _LOOKS[last.look].text + (f":{why}" if why else "")


def cluster_document(
    cluster: Cluster, profile: Profile, read_at: datetime, last: LastSnapshot = NOT_READ
) -> dict[str, Any]:
    """A cluster for scripts, with the place it is in and what is known of its newest snapshot."""
    return {
        "name": cluster.name,
        "number": cluster.number,
        "status": cluster.status,
        "health": cluster.health or None,
        "engine": cluster.engine or None,
        "vpc": cluster.vpc or None,
        "allowed": cluster.allowed,
        "site": profile.site,
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
