"""`ncp-tui cluster`."""

from __future__ import annotations

from functools import partial

import click

from ncp_tui.cli.options import Group, complete_cluster
from ncp_tui.cli.runner import run_command


@click.group("cluster", cls=Group)
def command() -> None:
    """The clusters of the account."""


@command.command("list")
def list_clusters() -> None:
    """List every cluster.

    Those included that this key may see by name only.
    """
    from ncp_tui.cli.work import reads

    run_command(reads.list_clusters)


@command.command("show")
@click.argument("cluster", shell_complete=complete_cluster)
def show_cluster(cluster: str) -> None:
    """Show all that the service tells of CLUSTER, a name or a number."""
    from ncp_tui.cli.work import reads

    run_command(partial(reads.show_cluster, wanted=cluster))
