"""The commands that only look: clusters, buckets, and the history of snapshots."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from ncp_tui.cli.errors import ExitCode, UnknownCluster
from ncp_tui.cli.runner import CommandContext
from ncp_tui.cli.work.finding import find_cluster, find_named, is_number
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.search_engine.lists import Listing
from ncp_tui.search_engine.models import Cluster
from ncp_tui.snapshots.last_snapshot import look_at_last_snapshot
from ncp_tui.snapshots.rules import check_cluster
from ncp_tui.view.buckets import BUCKETS, bucket_document
from ncp_tui.view.clusters import CLUSTERS, ListedCluster, cluster_document, cluster_lines
from ncp_tui.view.history import HISTORY, history_document
from ncp_tui.view.table import gap_sentence
from ncp_tui.view.text import plain_text


def list_clusters(context: CommandContext) -> ExitCode:
    """`cluster list`."""
    from ncp_tui.profiles.cluster_name_cache import ClusterNameCache

    identity = context.identity()
    engine = context.connect(identity)
    with context.log.action("list clusters"):
        clusters = context.wait(engine.list_clusters())
    documents = [cluster_document(cluster, identity.profile, clusters.read_at) for cluster in clusters]
    context.out.answer(documents, CLUSTERS.text(ListedCluster(cluster, clusters.read_at) for cluster in clusters))
    _tell_gap(context, clusters)
    if not clusters:
        context.out.note(CLUSTERS.empty)
    with contextlib.suppress(OSError):  # a comfort for the shell: it completes what was listed before
        ClusterNameCache(context.workspace.paths).store(
            identity, [cluster.name for cluster in clusters], is_whole=clusters.is_whole
        )
    return ExitCode.DONE


def show_cluster(context: CommandContext, wanted: str) -> ExitCode:
    """`cluster show`."""
    identity = context.identity()
    engine = context.connect(identity)
    with context.log.action(f"show cluster {wanted}"):
        cluster, read_at = context.wait(_read_cluster(engine, wanted)), context.workspace.now()
        last = context.wait(look_at_last_snapshot(engine, cluster))
    document = cluster_document(cluster, identity.profile, read_at, last)
    lines = cluster_lines(cluster, profile=identity.profile, last=last)
    context.out.answer(document, plain_text(lines))
    return ExitCode.DONE


def list_buckets(context: CommandContext, wanted: str) -> ExitCode:
    """`bucket list`."""
    engine = context.connect(context.identity())

    with context.log.action(f"list buckets of {wanted}"):
        cluster = context.wait(find_cluster(engine, wanted))
        buckets = context.wait(engine.list_buckets(cluster.number))
    documents = [bucket_document(bucket, buckets.read_at) for bucket in buckets]
    context.out.answer(documents, BUCKETS.text(buckets))
    _tell_gap(context, buckets)
    if not buckets:
        context.out.note(BUCKETS.empty)
    return ExitCode.DONE


def show_history(context: CommandContext, wanted: str, limit: int | None) -> ExitCode:
    """`snapshot history`. All pages are read whatever the limit: the service's order is not documented."""
    engine = context.connect(context.identity())

    with context.log.action(f"snapshot history of {wanted}"):
        cluster = context.wait(find_cluster(engine, wanted))
        history = context.wait(engine.snapshot_history(cluster.number))
    entries = history[:limit]
    documents = [history_document(entry, history.read_at) for entry in entries]
    context.out.answer(documents, HISTORY.text(entries))
    _tell_gap(context, history)
    if not history:
        context.out.note(HISTORY.empty)
    return ExitCode.DONE


async def _read_cluster(engine: SearchEngine, wanted: str) -> Cluster:
    """The cluster from both answers: only the list has its health, only the detail has its nodes."""
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


def _tell_gap(context: CommandContext, listing: Listing[Any]) -> None:
    """Say what is missing of the answer; not a note, since an answer that is taken for all there is leads astray."""
    if listing.gap:
        context.out.error(gap_sentence(listing.gap))


def _numbered(clusters: Sequence[Cluster], number: str) -> Cluster | None:
    return next((cluster for cluster in clusters if cluster.number == number), None)
