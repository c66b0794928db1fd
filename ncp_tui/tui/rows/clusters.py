"""A cluster in a table: state in words, an unknown one shown as the service sent it."""

from __future__ import annotations

from datetime import datetime

from ncp_tui.search_engine import Cluster
from ncp_tui.snapshots import LastSnapshot, Look
from ncp_tui.tui.cells import Cell, Row, Tone
from ncp_tui.tui.rows.history import state_cell
from ncp_tui.view.quantities import age

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


def cluster_row(cluster: Cluster, last: Cell) -> Row:
    """A line of the clusters screen; `last` is the cell about the cluster's newest snapshot."""
    name_tone = Tone.STRONG if cluster.allowed else Tone.DIM
    if not cluster.allowed:
        last = Cell("no access", Tone.DIM)
    cells = (
        Cell(cluster.name or "(no name)", name_tone),
        status_cell(cluster.status),
        health_cell(cluster.health),
        Cell(cluster.engine or "-"),
        Cell(cluster.nodes or "-"),
        last,
    )
    return Row(cluster.number or cluster.name, cells, dim=not cluster.allowed)


def status_cell(status: str) -> Cell:
    """A cluster's status; one that nobody knows is shown verbatim."""
    return Cell(status or "-", _STATUS_TONES.get(status.lower(), Tone.PLAIN))


def health_cell(health: str) -> Cell:
    """A cluster's health; one that nobody knows is shown verbatim."""
    return Cell(health or "-", _HEALTH_TONES.get(health.lower(), Tone.PLAIN))


_LOOKS = {
    Look.NOT_READ: Cell("not read", Tone.DIM),
    Look.NONE: Cell("none", Tone.WARNING, sort=0.0),
    Look.NO_PERMISSION: Cell("no access", Tone.DIM),
    Look.FAILED: Cell("cannot be read", Tone.BAD),
}


def last_snapshot_cell(last: LastSnapshot, now: datetime) -> Cell:
    """`2 h ago ok`, `none`, or why nobody knows."""
    entry = last.entry
    if entry is None:
        return _LOOKS[last.look]
    state = state_cell(entry)
    when = age(entry.at, now) if entry.at else "?"
    return Cell(f"{when} {state.text}", state.tone, sort=entry.sort_key[0])
