"""`python -m ncp_tui`, and the `ncp-tui` command."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    from ncp_tui.cli.main import main as run_command_line

    sys.exit(run_command_line())


if __name__ == "__main__":
    main()
