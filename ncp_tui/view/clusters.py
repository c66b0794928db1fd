"""How a cluster reads: state in words, an unknown one shown as NCP sent it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.models import Cluster, Dashboard
from ncp_tui.snapshots.cluster_summary import NOT_READ, ClusterSummary
from ncp_tui.view.cluster_summary import (
    NOT_KNOWN,
    Moment,
    last_good_cell,
    last_run_cell,
    next_cell,
    summary_document,
    summary_lines,
)
from ncp_tui.view.format import ZONE, grouped, size_of
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import BLANK, Cell, Line, Span, Tone, field, line, raw_lines

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

_NO_PERMISSION = Cell("no permission", Tone.DIM, is_missing=True)

_BY_SEVERITY = ("error", "deleting", "return", "creating", "changing", "working", "running")
"""The states of a cluster, worst first; an unknown one stands before all of them."""

_HEALTH_BY_SEVERITY = ("red", "orange", "yellow", "gray", "green")


@dataclass(frozen=True)
class ListedCluster:
    """A cluster in a list, as of a moment; `tracked` says what is known of a snapshot of it that has not ended."""

    cluster: Cluster
    moment: Moment
    summary: ClusterSummary = NOT_READ
    tracked: str = ""


def status_cell(status: str) -> Cell:
    """A cluster's status; an unknown one is shown verbatim."""
    return Cell(status or "-", _STATUS_TONES.get(status.lower(), Tone.PLAIN), sort=_severity(status, _BY_SEVERITY))


def health_cell(health: str) -> Cell:
    """A cluster's health; an unknown one is shown verbatim."""
    tone = _HEALTH_TONES.get(health.lower(), Tone.PLAIN)
    return Cell(health or "-", tone, sort=_severity(health, _HEALTH_BY_SEVERITY))


def _severity(word: str, order: tuple[str, ...]) -> float:
    return float(order.index(word.lower())) if word.lower() in order else -1.0


def _name_cell(listed: ListedCluster) -> Cell:
    return Cell(listed.cluster.name or "(no name)", Tone.STRONG if listed.cluster.allowed else Tone.DIM)


def _last_good_cell(listed: ListedCluster) -> Cell:
    return last_good_cell(listed.summary, listed.moment) if listed.cluster.allowed else _NO_PERMISSION


def _last_run_cell(listed: ListedCluster) -> Cell:
    if not listed.cluster.allowed:
        return NOT_KNOWN
    return Cell(listed.tracked, Tone.WARNING, sort=0.5) if listed.tracked else last_run_cell(listed.summary)


def _next_cell(listed: ListedCluster) -> Cell:
    return next_cell(listed.summary, listed.moment.now) if listed.cluster.allowed else NOT_KNOWN


def _nodes_of(cluster: Cluster) -> dict[str, int]:
    counts = {"manager": cluster.manager_nodes, "data": cluster.data_nodes, "master": cluster.master_nodes}
    return {role: count for role, count in counts.items() if count}


def _nodes_cell(listed: ListedCluster) -> Cell:
    total = sum(_nodes_of(listed.cluster).values())
    return Cell(f"{total:,}" if total else "-", sort=total)


def nodes_text(cluster: Cluster) -> str:
    """`9 (2 manager, 4 data, 3 master)`; `-` where nothing is known."""
    counts = _nodes_of(cluster)
    roles = ", ".join(f"{count:,} {role}" for role, count in counts.items())
    return f"{sum(counts.values()):,} ({roles})" if counts else "-"


def _access_cell(listed: ListedCluster) -> Cell:
    return Cell("" if listed.cluster.allowed else "no permission (name only)")


CLUSTERS: Table[ListedCluster] = Table(
    (
        Column("CLUSTER", _name_cell, most=36, least=14),
        Column("STATUS", lambda listed: status_cell(listed.cluster.status), most=10, least=8),
        Column("HEALTH", lambda listed: health_cell(listed.cluster.health), most=8, least=6),
        Column("ENGINE", lambda listed: Cell(listed.cluster.engine or "-"), most=22, least=8, room=79),
        # A command that lists clusters does not read a history and a schedule for each of them.
        Column("LAST GOOD", _last_good_cell, most=14, least=10, aliases=("age", "good"), in_commands=False),
        Column("LAST RUN", _last_run_cell, most=11, least=9, in_commands=False),
        Column(f"NEXT ({ZONE})", _next_cell, most=12, least=10, room=69, in_commands=False),
        Column("NODES", _nodes_cell, most=8, least=5, room=98),
        # On the screen these stand in the detail of a cluster.
        Column("NUMBER", lambda listed: Cell(listed.cluster.number or "-"), on_screen=False),
        Column("VPC", lambda listed: Cell(listed.cluster.vpc or "-"), on_screen=False),
        Column("ACCESS", _access_cell, on_screen=False),
    ),
    key=lambda listed: listed.cluster.number or listed.cluster.name,
    is_dim=lambda listed: not listed.cluster.allowed,
    empty="No clusters in this region. Wrong region or profile?",
)


def details_lines(
    listed: ListedCluster, dashboard: Dashboard | None = None, upgrade: Sequence[Line] = ()
) -> list[Line]:
    """What an operator wants to know of a cluster, for the details pane; `upgrade` says how its gate stands."""
    cluster = listed.cluster
    title = (Span(cluster.name or "(no name)", Tone.STRONG), Span(f"  number {cluster.number or '-'}", Tone.DIM))
    if not cluster.allowed:
        return [title, field("permission", "none: this key sees only its name", Tone.WARNING)]
    running = [field("now", listed.tracked, Tone.WARNING)] if listed.tracked else []
    known = summary_lines(listed.summary, listed.moment)
    return [title, *running, *known, *upgrade, *_size_lines(cluster, dashboard)]


def _size_lines(cluster: Cluster, dashboard: Dashboard | None) -> list[Line]:
    lines = [field("engine", f"{cluster.engine or '-'}; nodes: {nodes_text(cluster)}")]
    if dashboard is not None:
        content = f"{grouped(dashboard.documents)} in {grouped(dashboard.indices)} indices"
        lines.append(field("documents", f"{content}, {size_of(dashboard.store_size)}"))
    return lines


def cluster_lines(
    cluster: Cluster,
    dashboard: Dashboard | None = None,
    *,
    profile: Profile | None = None,
    summary: ClusterSummary | None = None,
    moment: Moment | None = None,
    upgrade: Sequence[Line] = (),
) -> list[Line]:
    """A cluster in full, unknown members included; with `profile`, and `summary` as of a `moment`.

    `upgrade` says how its gate stands.
    """
    known = [
        ("number", cluster.number),
        ("status", cluster.status),
        ("health", cluster.health),
        ("engine", cluster.engine),
        ("nodes", nodes_text(cluster)),
        ("VPC", cluster.vpc),
        ("created", cluster.created),
    ]
    known += [("site", profile.site), ("region", profile.region)] if profile is not None else []
    lines = [field("cluster", cluster.name, Tone.STRONG), *(field(label, value or "-") for label, value in known)]
    if summary is not None and moment is not None:
        lines += [BLANK, *summary_lines(summary, moment), *upgrade]
    if dashboard is not None:
        lines += [
            BLANK,
            field("documents", grouped(dashboard.documents)),
            field("indices", grouped(dashboard.indices)),
            field("shards", grouped(dashboard.shards)),
            field("store size", size_of(dashboard.store_size)),
        ]
    return [*lines, BLANK, line("Raw API response", Tone.STRONG), *raw_lines(cluster.raw)]


def cluster_document(
    cluster: Cluster, profile: Profile, read_at: datetime, summary: ClusterSummary = NOT_READ
) -> dict[str, Any]:
    """A cluster for scripts, with the place it is in and what is known of its snapshots."""
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
        "last_snapshot": summary_document(summary, read_at),
        "read_at": read_at.isoformat(),
        "raw": cluster.raw,
    }
