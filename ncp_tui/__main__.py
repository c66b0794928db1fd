"""`python -m ncp_tui`, and the `ncp-tui` command."""

from __future__ import annotations

import os
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    from ncp_tui.cli.streams import take_over_streams
    from ncp_tui.system.process import pause_gc

    take_over_streams()
    pause_gc()
    from ncp_tui.cli.signals import Signals

    with Signals() as signals:
        from ncp_tui.cli.main import main as run_command_line

        code = run_command_line(signals=signals)
    # All is written and closed. To take the interpreter apart would cost 13 ms of a create's 230 (measured), and it
    # would wait for threads that hang.
    os._exit(code)


if __name__ == "__main__":
    main()
