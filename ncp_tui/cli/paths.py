"""`ncp-tui paths`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ncp_tui.cli.options import Command
from ncp_tui.cli.output import facts
from ncp_tui.cli.running import run

if TYPE_CHECKING:
    from ncp_tui.cli.work.session import Session


@click.command("paths", cls=Command)
def command() -> None:
    """Where this program keeps its files.

    NCP_TUI_HOME puts all of them under one folder. Nothing is created by asking.
    """
    run(_show_paths)


def _show_paths(session: Session) -> int:
    paths = session.home.paths
    known = {
        "config": str(paths.config_dir),
        "state": str(paths.state_dir),
        "data": str(paths.data_dir),
        "profiles": str(paths.profiles_file),
    }
    session.out.answer(known, facts(list(known.items())))
    return 0
