"""`ncp-tui doctor`."""

from __future__ import annotations

from functools import partial

import click

from ncp_tui.cli.options import Command
from ncp_tui.cli.runner import run_command


@click.command("doctor", cls=Command)
@click.option("--offline", is_flag=True, help="Send nothing and ask no keyring: files, terminal, environment only.")
def command(offline: bool) -> None:
    """Look at everything that a snapshot depends on.

    What is wrong is named with how to mend it.

    Files and their modes, the journal, the terminal, the proxy, each site's gateway, this machine's clock, and the keys
    and permission of each profile. Only reads. Ends with 0 where nothing is wrong, else with the code of what is.
    """
    from ncp_tui.cli.work.doctor import examine

    run_command(partial(examine, offline=offline))
