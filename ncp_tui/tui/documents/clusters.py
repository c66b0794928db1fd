"""A cluster in full, members that nobody knows included."""

from __future__ import annotations

from ncp_tui.search_engine import Cluster, Dashboard
from ncp_tui.tui.cells import Tone
from ncp_tui.tui.documents.bodies import raw_lines
from ncp_tui.tui.documents.lines import BLANK, Line, field, line

_LONGEST_COUNT = 20
"""Digits of a count that are grouped: 64 bits."""


def cluster_lines(cluster: Cluster, dashboard: Dashboard | None) -> list[Line]:
    """A cluster in full, members that nobody knows included."""
    lines = [
        field("cluster", cluster.name, Tone.STRONG),
        field("number", cluster.number),
        field("status", cluster.status or "-"),
        field("health", cluster.health or "-"),
        field("engine", cluster.engine or "-"),
        field("nodes", f"{cluster.nodes or '-'}   (manager + data + master)"),
        field("VPC", cluster.vpc or "-"),
        field("created", cluster.created or "-"),
    ]
    if dashboard is not None:
        lines += [
            BLANK,
            field("documents", _grouped(dashboard.documents)),
            field("indices", _grouped(dashboard.indices)),
            field("shards", _grouped(dashboard.shards)),
            field("store size", _grouped(dashboard.store_size)),
        ]
    return [*lines, BLANK, line("As the service gave it", Tone.STRONG), *raw_lines(cluster.raw)]


def _grouped(count: str) -> str:
    """A count with thousands separators; what is no count stays as the service gave it, and so does its unit."""
    is_count = count.isascii() and count.isdigit() and len(count) <= _LONGEST_COUNT
    return f"{int(count):,}" if is_count else count or "-"
