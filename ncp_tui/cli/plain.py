"""`ncp-tui --plain`: where lines are all that a terminal can show, or all that a reader wants."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ncp_tui.cli.runner import CommandContext

_LINES_ONLY = {"", "dumb", "unknown"}


def is_lines_only() -> bool:
    """Whether this terminal says of itself that it moves no cursor."""
    return os.environ.get("TERM", "").lower() in _LINES_ONLY


def can_converse() -> bool:
    """Whether somebody types the answers and sees every question, some of which go to stderr."""
    streams = (sys.stdin, sys.stdout, sys.stderr)
    return all(stream is not None and stream.isatty() for stream in streams)


def converse(context: CommandContext) -> int:
    """Take one snapshot by questions and answers."""
    from ncp_tui.cli.work.plain import create_plainly

    return create_plainly(context)


def converse_in_demo(context: CommandContext) -> int:
    """The same against a private sandbox."""
    from ncp_tui.cli.demo import demo_workspace
    from ncp_tui.cli.work.plain import create_plainly

    with demo_workspace() as workspace:
        context.workspace = workspace
        try:
            return create_plainly(context)
        finally:
            context.log_file.close()  # while its folder is still there
