"""Which cluster a word on the command line means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ncp_tui.cli.errors import AmbiguousCluster, ClusterNotSeen, UnknownCluster
from ncp_tui.search_engine.client import SearchEngine, same_name
from ncp_tui.search_engine.lists import gap_of
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.rules import check_cluster


async def find_cluster(engine: SearchEngine, wanted: str) -> Cluster:
    """The cluster of that name or number, which this key may open.

    A name is looked for on every page, since a second cluster of the same name may be on the last; where the list is
    cut the service is asked for the name, too. Raises UnknownCluster, AmbiguousCluster, ClusterNotSeen,
    PermissionDenied, WrongCluster, or what the reads raise.
    """
    if is_number(wanted):
        cluster = await engine.show_cluster(wanted)
        if cluster is None:
            raise UnknownCluster(wanted)
        return check_cluster(cluster)
    return check_cluster(await find_named(engine, wanted))


async def find_named(engine: SearchEngine, wanted: str) -> Cluster:
    """The cluster of that name as it is listed. Raises UnknownCluster, AmbiguousCluster, ClusterNotSeen."""
    listed = await engine.list_clusters()
    if listed.gap and wanted.isascii():  # how the service wants Hangul to be written in a query is not documented
        searched = await engine.list_clusters(name_part=wanted)
        known = {cluster.number for cluster in listed}
        rows = (*listed, *(cluster for cluster in searched if cluster.number not in known))
        listed = replace(listed, rows=rows)
    return named(listed, wanted)


def named(clusters: Sequence[Cluster], wanted: str) -> Cluster:
    """The one cluster called exactly so. Raises UnknownCluster, AmbiguousCluster, ClusterNotSeen."""
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
