"""`ncp-tui paths`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from ncp_tui.cli.options import Command
from ncp_tui.cli.runner import run_command
from ncp_tui.view.text import key_values

if TYPE_CHECKING:
    from ncp_tui.cli.runner import CommandContext

_MISSING = "  (does not exist yet)"
_LABELS = {
    "keys": "encrypted keys",
    "session_log": "session log",
    "listing": "cluster names",
    "reports": "error reports",
}
"""What is said of a file, where it is not its name in the document."""


@click.command("paths", cls=Command)
def command() -> None:
    """Show where ncp-tui keeps its files.

    Profiles, encrypted keys, the journal of requests, the session log, the names of the clusters listed last, and the
    reports of internal errors. NCP_TUI_HOME moves them all to one folder. Creates nothing.
    """
    run_command(_show_paths)


def _show_paths(context: CommandContext) -> int:
    paths = context.workspace.paths
    known = {
        "config": paths.config_dir,
        "state": paths.state_dir,
        "data": paths.data_dir,
        "profiles": paths.profiles_file,
        "settings": paths.settings_file,
        "keys": paths.keys_file,
        "journal": paths.journal_file,
        "session_log": paths.session_log_file,
        "listing": paths.listing_file,
        "reports": paths.reports_dir,
    }
    exists = {name: os.path.lexists(path) for name, path in known.items()}
    rows = [(_LABELS.get(name, name), f"{path}{'' if exists[name] else _MISSING}") for name, path in known.items()]
    context.out.answer({name: str(path) for name, path in known.items()} | {"exists": exists}, key_values(rows))
    return 0
