"""The full-screen program. Nothing outside of this package imports Textual."""

from __future__ import annotations

import asyncio
import os
import sys

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.tui.terminal.setup import prepare_terminal, wants_mouse
from ncp_tui.workspace import Workspace


def run(workspace: Workspace, secrets: list[SecretKey], *, profile: str | None = None) -> int:
    """Run the program in this terminal until the user leaves, and return the exit code.

    Each secret key that it uses is added to `secrets`, so that a report of a crash can leave them out.
    The process ends within two seconds of the user's leaving, whatever is done afterwards. Raises whatever crashed the
    app, once the terminal is restored, for the caller to report without local variables.
    """
    choices = prepare_terminal(workspace)
    from ncp_tui.tui.app import NcpApp  # Textual is loaded when a screen is wanted, and the environment is clean

    app = NcpApp(workspace, profile, choices.theme, secrets, notify_by=choices.notify_by)
    app.session.choices.update(choices.kept.choices)
    app.wanted_keys = choices.kept.keys
    if choices.kept.problem:
        app.session.key_problems = (choices.kept.problem,)
    log_file = app.session.keep_log()
    try:
        asyncio.run(app.run_to_the_end(mouse=wants_mouse(os.environ)))
    finally:
        log_file.close()
        for line in app.session.not_written_down():
            sys.stderr.write(f"{line}\n")
    failure = app.crashed or app.session.log.listener_failure
    if failure is not None:
        raise failure
    return app.return_code or 0
