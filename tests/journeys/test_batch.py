"""One for each of what is older than a day, through the real program in a real terminal, by keys alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.journeys.terminal import DOWN, ENTER, ESCAPE, F2, Terminal

pytestmark = pytest.mark.slow

BUCKET = "bk.ses.snapshot"


def one_bucket_for_all(terminal: Terminal) -> None:
    """Mark what runs and has no good snapshot of the last day, and have it all written into one bucket."""
    terminal.expect("14 clusters", "none !")
    terminal.press("/")
    terminal.expect("status:error")
    terminal.press("age>24h status:running", ENTER)
    terminal.expect_gone("search-0001 ")
    terminal.expect("search-0002", "search-0004", "search-0012")  # each as soon as its history is read
    terminal.press("A")
    terminal.expect("4 marked", "*search-0002", "*search-0004", "*search-0012")
    terminal.press("s")
    terminal.expect("Create snapshots", "2 of 4 rows blocked", "block: bucket")
    terminal.press("B")
    terminal.expect("One bucket for all", "its own for each")
    terminal.press(DOWN, ENTER)
    terminal.expect("1 of 4 rows blocked: search-0004", "block: storage key")
    terminal.press("X")
    terminal.expect("4 clusters: 3 to create, 1 left out.", BUCKET)


def send(terminal: Terminal, number: int) -> None:
    """Agree to a batch of that many."""
    terminal.press(F2)
    terminal.expect(f"Create {number} snapshots? Those into one bucket", "1 other row of the table", "f2 Create")
    terminal.expect_quiet(1.0)  # the key that opened it was let go
    terminal.press(F2)


def test_create_one_for_each_lose_the_gateway_in_the_middle_and_resume(tmp_path: Path) -> None:
    """The one that was accepted is never sent again; the others are, after another consent with their number."""
    with ThreadedSandbox(Sandbox(duration=4.0)) as gateway:
        environ = {
            "NCLOUD_ACCESS_KEY": gateway.sandbox.access_key,
            "NCLOUD_SECRET_KEY": gateway.sandbox.secret_key,
            "NCLOUD_API_GW": gateway.url,
            "NCP_TUI_PROFILE": "environment",
        }
        effects = gateway.sandbox.ledger.effects
        with Terminal(tmp_path, environ=environ, size=(120, 40)) as terminal:
            one_bucket_for_all(terminal)
            send(terminal, 3)
            terminal.expect("2 of 4 not sent yet", "running, ")
            gateway.stop()
            terminal.expect("history unreadable; next check in")
            terminal.press(ESCAPE)
            terminal.expect("/ KR / Clusters")
            terminal.press("q")
            terminal.expect("Not sent yet: 2 snapshots of batch", "can be resumed later")
            terminal.press("y")
            assert terminal.expect_end() == 0
        assert len(effects) == 1
        gateway.start()
        with Terminal(tmp_path, environ=environ, size=(120, 40)) as terminal:
            terminal.expect("/ KR / Clusters", "legal-archive")
            terminal.press("u")
            terminal.expect("Requests", "1 request")
            terminal.press("B")
            terminal.expect("Resume a batch", "2 of 3 never left, environment")
            terminal.press(ENTER)
            terminal.expect("3 clusters: 2 to create, 1 sent before.")
            send(terminal, 2)
            terminal.expect("3 succeeded (3 clusters).")
            terminal.press(ESCAPE)
            terminal.expect("/ KR / Requests", "3 requests")
            terminal.press("B")
            terminal.expect("No batch of this machine has anything that never left.")
            terminal.press("q")
            assert terminal.expect_end() == 0
    assert len(effects) == len({(effect.cluster, effect.name) for effect in effects}) == 3, "each once"
    assert {effect.bucket for effect in effects} == {BUCKET}
