"""What the program keeps of each refresh: nothing that grows.

    python -m tests.benchmarks.refreshes TIMES

The screen is drawn for nobody, in a process of its own, so that neither a terminal nor the gateway is measured.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.tui.app import NcpApp
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.workspace import open_workspace
from tests.benchmarks.figures import Figure
from tests.benchmarks.terminal_bytes import environ_of

_FIRST = 200
"""Refreshes after which everything that has a limit, as the session log, has come to it."""


def growing(home: Path, times: int) -> Iterator[Figure]:
    """How much more memory it holds after `times` refreshes, each a listing and the newest snapshots."""
    with ThreadedSandbox(Sandbox(clusters=2)) as gateway:
        command = [sys.executable, "-m", "tests.benchmarks.refreshes", str(times)]
        done = subprocess.run(command, env=environ_of(gateway, home), capture_output=True, text=True, check=True)
    yield Figure(f"memory grown by {times:,} refreshes", max(0.0, float(done.stdout)), "MiB", 5)


async def _grown(times: int) -> float:
    app = NcpApp(open_workspace(os.environ))
    async with app.run_test(size=(80, 24)) as pilot:
        while not isinstance(app.screen, ClustersScreen) or not app.session.clusters_complete:
            await pilot.pause(0.01)
        screen = app.screen
        before = 0.0
        for number in range(times):
            if number == min(_FIRST, times // 2):
                before = _resident_mib()
            await screen.table.load_clusters().wait()
        await pilot.pause()
        return _resident_mib() - before


def _resident_mib() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


if __name__ == "__main__":
    sys.stdout.write(f"{asyncio.run(_grown(int(sys.argv[1]))):.2f}\n")
