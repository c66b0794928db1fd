"""`ncp-tui cluster`."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from ncp_tui.cli.cluster_lookup import read_cluster
from ncp_tui.cli.errors import ExitCode
from ncp_tui.cli.options import Group, complete_cluster
from ncp_tui.cli.runner import CommandContext, run_command

if TYPE_CHECKING:
    pass


@click.group("cluster", cls=Group)
def command() -> None:
    """List and show clusters, set their storage keys."""


@command.command("list")
def list_all() -> None:
    """List every cluster.

    Clusters without permission for this key are listed by name only.
    """
    run_command(list_clusters)


@command.command("show")
@click.argument("cluster", shell_complete=complete_cluster)
def show(cluster: str) -> None:
    """Show the details of CLUSTER, a name or a number."""
    run_command(partial(show_cluster, wanted=cluster))


@command.command("set-key")
@click.argument("cluster", shell_complete=complete_cluster)
@click.option("--this-profile", is_flag=True, help="Use the keys of the profile that calls.")
@click.option("--access-key", metavar="AK", help="Use another key; this is its access key ID.")
@click.option("--secret-stdin", is_flag=True, help="Read its secret key from stdin; on a terminal ask for it.")
@click.option("--secret-command", metavar="'CMD ARG'", help="Run this once to print its secret key; nothing is saved.")
@click.option("--dry-run", is_flag=True, help="Show the request with placeholders for the keys; set nothing.")
@click.option("--yes", is_flag=True, help="Skip the question, which is asked on a terminal only.")
@click.option(
    "--confirm",
    metavar="CLUSTER",
    shell_complete=complete_cluster,
    help="The cluster's name again, to confirm with a protected profile.",
)
@click.option(
    "--confirm-gateway",
    metavar="HOST",
    help="Send the key to this host although it is not NCP's; the refusal names it.",
)
@click.option(
    "--again", metavar="ID", help="Send it although the earlier request ID is unresolved; the refusal names the ID."
)
def set_key(**options: Any) -> None:
    """Set the storage key of CLUSTER, a name or a number.

    The cluster writes its snapshots to Object Storage with this key. NCP never shows it again. The secret key leaves
    once, only to NCP's own host over verified HTTPS or to this machine. Exit codes: set (0), certainly not set (2 to
    8, 12), unknown (9). After a lost answer the bucket list is read, which tells that a key is set and never which.
    """
    from ncp_tui.cli.storage_key import KeyOptions, set_storage_key

    run_command(partial(set_storage_key, options=KeyOptions(**options)))


@command.command("upgrade-check")
@click.argument("cluster", shell_complete=complete_cluster)
@click.option("--ask-ncp", is_flag=True, help="Also ask NCP's own pre-check, one request that counts as a change.")
@click.option("--target", metavar="CODE", help="With --ask-ncp: the code of the version to upgrade to.")
@click.option("--region-no", metavar="N", help="With --ask-ncp: NCP's number of the region, where NCP requires it.")
@click.option("--dry-run", is_flag=True, help="With --ask-ncp: show the request; do not send it.")
@click.option("--yes", is_flag=True, help="Skip the question, which is asked on a terminal only.")
@click.option(
    "--confirm",
    metavar="CLUSTER",
    shell_complete=complete_cluster,
    help="The cluster's name again, to confirm with a protected profile.",
)
@click.option("--again", metavar="ID", help="Ask although the earlier request ID has no known answer.")
def upgrade_check(**options: Any) -> None:
    """Show whether a rolling upgrade may begin.

    CLUSTER is a name or a number. NCP lets it begin with a snapshot of the last 6 hours. Shows the newest good one,
    until when it opens the gate, the versions on offer, and what to do next. Open and shut both exit 0: read `gate`
    with --json. Exits 8 where the history does not tell, and with the usual codes where it cannot be read.

    With --ask-ncp: NCP says yes (0), no (8), or it is unknown (9). It is asked once, and never again by itself.
    """
    from ncp_tui.cli.upgrade import UpgradeOptions, check_upgrade

    if options["ask_ncp"] != (options["target"] is not None):
        raise click.UsageError("--ask-ncp and --target CODE are given together.")
    if not options["ask_ncp"] and (options["region_no"] is not None or options["dry_run"]):
        raise click.UsageError("--region-no and --dry-run are for --ask-ncp.")
    run_command(partial(check_upgrade, options=UpgradeOptions(**options)))


def list_clusters(context: CommandContext) -> ExitCode:
    """`cluster list`."""
    from ncp_tui.profiles.cluster_name_cache import ClusterNameCache
    from ncp_tui.view.cluster_summary import Moment
    from ncp_tui.view.clusters import CLUSTERS, ListedCluster, cluster_document

    identity = context.identity()
    engine = context.connect(identity)
    with context.log.action("list clusters"):
        clusters = context.wait(engine.list_clusters())
    documents = [cluster_document(cluster, identity.profile, clusters.read_at) for cluster in clusters]
    context.out.answer(
        documents, CLUSTERS.text(ListedCluster(cluster, Moment(clusters.read_at)) for cluster in clusters)
    )
    context.tell_gap(clusters)
    if not clusters:
        context.out.note(CLUSTERS.empty)
    with contextlib.suppress(OSError):  # a comfort for the shell: it completes what was listed before
        ClusterNameCache(context.workspace.paths).store(
            identity, [cluster.name for cluster in clusters], is_whole=clusters.is_whole
        )
    return ExitCode.DONE


def show_cluster(context: CommandContext, wanted: str) -> ExitCode:
    """`cluster show`."""
    from ncp_tui.snapshots.cluster_summary import read_summary
    from ncp_tui.snapshots.upgrade import judge_gate
    from ncp_tui.view.cluster_summary import Moment
    from ncp_tui.view.clusters import cluster_document, cluster_lines
    from ncp_tui.view.text import plain_text
    from ncp_tui.view.upgrade import gate_document, gate_line

    identity = context.identity()
    engine = context.connect(identity)
    with context.log.action(f"show cluster {wanted}"):
        cluster, read_at = context.wait(read_cluster(engine, wanted)), context.workspace.now()
        summary = context.wait(read_summary(engine, cluster))
    gate = judge_gate(cluster, summary, engine.time_there())
    document = cluster_document(cluster, identity.profile, read_at, summary) | {"upgrade": gate_document(gate)}
    lines = cluster_lines(
        cluster,
        profile=identity.profile,
        summary=summary,
        moment=Moment(read_at, identity.profile.max_age_bar),
        upgrade=[gate_line(gate)],
    )
    context.out.answer(document, plain_text(lines))
    return ExitCode.DONE
