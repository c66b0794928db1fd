"""Which cluster a word on the command line means."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ncp_tui.cli.errors import AmbiguousCluster, ClusterNotSeen, UnknownCluster

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.search_engine.models import Cluster


async def read_cluster(engine: SearchEngine, wanted: str) -> Cluster:
    """The cluster from both answers: only the list has its health, only the detail has its nodes."""
    from ncp_tui.snapshots.rules import check_cluster

    if is_number(wanted):
        row = _numbered(await engine.list_clusters(), wanted)
    else:
        row = await find_named(engine, wanted)
    if row is not None:
        check_cluster(row)
    detail = await engine.show_cluster(row.number if row else wanted, row.name if row else "")
    if row is None:
        if detail is None:
            raise UnknownCluster(wanted)
        return detail
    return row.with_detail(detail) if detail else row


def _numbered(clusters: Sequence[Cluster], number: str) -> Cluster | None:
    return next((cluster for cluster in clusters if cluster.number == number), None)


async def find_cluster(engine: SearchEngine, wanted: str) -> Cluster:
    """The cluster of that name or number, which this key may open.

    A name is looked for on every page, since a second cluster of the same name may be on the last; where the list is
    cut, the name is searched for too. Raises UnknownCluster, AmbiguousCluster, ClusterNotSeen,
    PermissionDenied, WrongCluster, or what the reads raise.
    """
    from ncp_tui.snapshots.rules import check_cluster

    if is_number(wanted):
        cluster = await engine.show_cluster(wanted)
        if cluster is None:
            raise UnknownCluster(wanted)
        return check_cluster(cluster)
    return check_cluster(await find_named(engine, wanted))


async def find_named(engine: SearchEngine, wanted: str) -> Cluster:
    """The cluster of that name as it is listed. Raises UnknownCluster, AmbiguousCluster, ClusterNotSeen."""
    import dataclasses

    listed = await engine.list_clusters()
    if listed.gap and wanted.isascii():  # how a query has to spell Hangul is not documented
        searched = await engine.list_clusters(name_part=wanted)
        known = {cluster.number for cluster in listed}
        rows = (*listed, *(cluster for cluster in searched if cluster.number not in known))
        listed = dataclasses.replace(listed, rows=rows)
    return named(listed, wanted)


def named(clusters: Sequence[Cluster], wanted: str) -> Cluster:
    """The one cluster called exactly so. Raises UnknownCluster, AmbiguousCluster, ClusterNotSeen."""
    from ncp_tui.search_engine.client import same_name
    from ncp_tui.search_engine.lists import gap_of

    found = [cluster for cluster in clusters if same_name(cluster.name, wanted)]
    if not found and gap_of(clusters):
        raise ClusterNotSeen(wanted, gap_of(clusters))
    if not found:
        raise UnknownCluster(wanted, clusters)
    if len(found) > 1:
        raise AmbiguousCluster(wanted, found)
    return found[0]


def is_number(wanted: str) -> bool:
    """Whether a word is a cluster's number; a cluster's name begins with a letter."""
    return wanted.isascii() and wanted.isdigit()
