"""Opening the gate before an upgrade, through the real program in a real terminal, with keys alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.journeys.terminal import DOWN, ESCAPE, F2
from tests.journeys.test_everyday_jobs import created, opened

pytestmark = pytest.mark.slow


def test_open_the_upgrade_gate(tmp_path: Path) -> None:
    """A cluster without a recent snapshot is shut; one is created, and from then on the details say until when."""
    with ThreadedSandbox(Sandbox(duration=1.0)) as gateway, opened(gateway, tmp_path) as terminal:
        terminal.expect("14 clusters", "none !")
        terminal.press(DOWN)
        terminal.expect("search-0002  number 1037002", "gate shut: no good snapshot of the last 6 h")
        terminal.press("U")
        terminal.expect("Upgrade check of search-0002", "The gate is shut", "OpenSearch 1.3.9, as this cluster has")
        terminal.press(ESCAPE)
        terminal.expect_gone("Upgrade check of search-0002")
        terminal.press("s")
        terminal.expect("search-0002 / Create snapshot", "valid (UTC)", "ok: cluster")
        terminal.press(F2)
        terminal.expect("succeeded in")
        terminal.press(ESCAPE)
        terminal.expect("/ KR / Clusters", "search-0002  number 1037002", "gate open until", "left)")
        terminal.press("U")
        terminal.expect("The gate is open until", "Begin the upgrade in the NCP console")
        terminal.press(ESCAPE)
        terminal.expect_gone("Upgrade check of search-0002")
        terminal.press("q")
        assert terminal.expect_end() == 0
        assert created(gateway) == ["createSnapshot"], "to look at the gate changes nothing"
