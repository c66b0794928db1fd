"""A cluster in full, members that nobody knows included."""

from __future__ import annotations

from ncp_tui.search_engine import Cluster, Dashboard
from ncp_tui.tui.cells import Tone
from ncp_tui.tui.documents.bodies import raw_lines
from ncp_tui.tui.documents.lines import BLANK, Line, field, line


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
            field("documents", dashboard.documents or "-"),
            field("indices", dashboard.indices or "-"),
            field("shards", dashboard.shards or "-"),
            field("store size", dashboard.store_size or "-"),
        ]
    return [*lines, BLANK, line("As the service gave it", Tone.STRONG), *raw_lines(cluster.raw)]
