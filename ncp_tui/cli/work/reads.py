"""The commands that only look: clusters, buckets, and the history of snapshots."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Sequence

from ncp_tui import profiles
from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.cli.output import facts, table
from ncp_tui.cli.work.documents import (
    BUCKET_HEADINGS,
    CLUSTER_HEADINGS,
    HISTORY_HEADINGS,
    bucket_document,
    bucket_row,
    cluster_document,
    cluster_row,
    history_document,
    history_row,
)
from ncp_tui.cli.work.finding import find_cluster, is_number, named
from ncp_tui.cli.work.problems import UnknownCluster
from ncp_tui.cli.work.session import Session
from ncp_tui.profiles import Identity
from ncp_tui.search_engine import Cluster, SearchEngine
from ncp_tui.snapshots import check_cluster


def list_clusters(session: Session) -> ExitCode:
    """`cluster list`."""
    identity = session.identity()
    engine = session.connect(identity)
    with session.log.action("list clusters"):
        clusters = session.wait(engine.list_clusters())
    documents = [cluster_document(cluster, identity.profile) for cluster in clusters]
    session.out.answer(documents, table(CLUSTER_HEADINGS, [cluster_row(cluster) for cluster in clusters]))
    if not clusters:
        session.out.note("There are no clusters in this region.")
    with contextlib.suppress(OSError):  # a comfort for the shell: it completes what was listed before
        profiles.LastListing(session.home.paths).keep(identity, [cluster.name for cluster in clusters])
    return ExitCode.DONE


def show_cluster(session: Session, wanted: str) -> ExitCode:
    """`cluster show`."""
    identity = session.identity()
    engine = session.connect(identity)
    with session.log.action(f"show cluster {wanted}"):
        cluster = session.wait(_read_cluster(engine, wanted))
    session.out.answer(cluster_document(cluster, identity.profile), _cluster_text(cluster, identity))
    return ExitCode.DONE


def list_buckets(session: Session, wanted: str) -> ExitCode:
    """`bucket list`."""
    engine = session.connect(session.identity())

    with session.log.action(f"list buckets of {wanted}"):
        cluster = session.wait(find_cluster(engine, wanted))
        buckets = session.wait(engine.list_buckets(cluster.number))
    documents = [bucket_document(bucket) for bucket in buckets]
    session.out.answer(documents, table(BUCKET_HEADINGS, [bucket_row(bucket) for bucket in buckets]))
    if not buckets:
        session.out.note("The service names no bucket. An API authentication key must be set on the cluster first.")
    return ExitCode.DONE


def show_history(session: Session, wanted: str, limit: int | None) -> ExitCode:
    """`snapshot history`. All pages are read whatever the limit: the service's order is not documented."""
    engine = session.connect(session.identity())

    with session.log.action(f"snapshot history of {wanted}"):
        cluster = session.wait(find_cluster(engine, wanted))
        entries = session.wait(engine.snapshot_history(cluster.number))[:limit]
    documents = [history_document(entry) for entry in entries]
    session.out.answer(documents, table(HISTORY_HEADINGS, [history_row(entry) for entry in entries]))
    if not entries:
        session.out.note("No snapshot has been taken of this cluster.")
    return ExitCode.DONE


async def _read_cluster(engine: SearchEngine, wanted: str) -> Cluster:
    """The cluster from both answers: only the list has its health, only the detail has its nodes."""
    clusters = await engine.list_clusters()
    row = _numbered(clusters, wanted) if is_number(wanted) else named(clusters, wanted)
    if row is not None:
        check_cluster(row)
    detail = await engine.show_cluster(row.number if row else wanted, row.name if row else "")
    if row is None:
        if detail is None:
            raise UnknownCluster(wanted)
        return detail
    return dataclasses.replace(row, raw={**row.raw, **detail.raw}) if detail else row


def _numbered(clusters: Sequence[Cluster], number: str) -> Cluster | None:
    return next((cluster for cluster in clusters if cluster.number == number), None)


def _cluster_text(cluster: Cluster, identity: Identity) -> str:
    known = [
        ("cluster", cluster.name),
        ("number", cluster.number),
        ("status", cluster.status),
        ("health", cluster.health),
        ("engine", cluster.engine),
        ("nodes", cluster.nodes),
        ("vpc", cluster.vpc),
        ("created", cluster.created),
        ("zone", identity.profile.zone),
        ("region", identity.profile.region),
    ]
    return "\n\n".join(
        (facts(known), "As the service has it:\n" + json.dumps(cluster.raw, indent=2, ensure_ascii=False))
    )
