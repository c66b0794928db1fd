"""`ncp-tui bucket`."""

from __future__ import annotations

from functools import partial

import click

from ncp_tui.cli.options import Group, complete_cluster
from ncp_tui.cli.runner import run_command


@click.group("bucket", cls=Group)
def command() -> None:
    """The buckets that can take a cluster's snapshots."""


@command.command("list")
@click.argument("cluster", shell_complete=complete_cluster)
def list_buckets(cluster: str) -> None:
    """List the buckets that CLUSTER sees.

    CLUSTER is a name or a number. Where a bucket cannot be used, the reason is said.
    """
    from ncp_tui.cli.work import reads

    run_command(partial(reads.list_buckets, wanted=cluster))
