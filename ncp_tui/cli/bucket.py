"""`ncp-tui bucket`."""

from __future__ import annotations

from functools import partial

import click

from ncp_tui.cli.errors import ExitCode
from ncp_tui.cli.options import Group, complete_cluster
from ncp_tui.cli.runner import CommandContext, run_command


@click.group("bucket", cls=Group)
def command() -> None:
    """List the buckets for a cluster's snapshots."""


@command.command("list")
@click.argument("cluster", shell_complete=complete_cluster)
def list_all(cluster: str) -> None:
    """List the buckets available to CLUSTER, a name or a number.

    A bucket that cannot be used is listed with the reason.
    """
    run_command(partial(list_buckets, wanted=cluster))


def list_buckets(context: CommandContext, wanted: str) -> ExitCode:
    """`bucket list`."""
    from ncp_tui.cli.cluster_lookup import find_cluster
    from ncp_tui.view.buckets import BUCKETS, bucket_document

    engine = context.connect(context.identity())

    with context.log.action(f"list buckets of {wanted}"):
        cluster = context.wait(find_cluster(engine, wanted))
        buckets = context.wait(engine.list_buckets(cluster.number))
    documents = [bucket_document(bucket, buckets.read_at) for bucket in buckets]
    context.out.answer(documents, BUCKETS.text(buckets))
    context.tell_gap(buckets)
    if not buckets:
        context.out.note(BUCKETS.empty)
    return ExitCode.DONE
