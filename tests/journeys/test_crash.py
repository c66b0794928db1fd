"""A bug ends the program with a report, and takes no secret to the terminal, its scrollback or a log."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.terminal import Terminal

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
LEFT_ALTERNATE_SCREEN = b"\x1b[?1049l"

BREAK = f"""
import asyncio
from textual import work
from ncp_tui.snapshots.track import SnapshotTracker
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.history import HistoryScreen
from ncp_tui.tui.widgets.bars import StatusBar
from ncp_tui.tui.widgets.record_table import RecordTable

def broken(*_, **__):
    secret_key = {CANARY!r}
    headers = {{"x-ncp-iam-secret": secret_key}}
    raise RuntimeError("broken on purpose")

@work(group="broken", exit_on_error=False, description="break")
async def broken_worker(self, *_):
    secret_key = {CANARY!r}
    await asyncio.sleep(0)
    broken(secret_key)

async def broken_follow(self, *_):
    secret_key = {CANARY!r}
    await asyncio.sleep(0)
    broken(secret_key)
"""
PLACES = {
    "key": ("ClustersScreen.action_sort = broken", "o"),
    "worker": ("HistoryScreen.read_history = broken_worker", "h"),
    "worker of the app": ("SnapshotTracker.follow = broken_follow", "s\x1bOQ"),
    "after a frame": ("HistoryScreen.load = broken", "h"),
    "compose": ("HistoryScreen.body = broken", "h"),
    "drawing": (
        "plain = RecordTable._line\nRecordTable._line = lambda s, *a: broken() if s.sort else plain(s, *a)",
        "O",
    ),
}


@pytest.mark.parametrize(
    ("patch", "keys"),
    [
        pytest.param(*how, id=place, marks=[] if place == "worker of the app" else [pytest.mark.slow])
        for place, how in PLACES.items()
    ],
)
def test_a_bug_ends_in_a_report_without_values(patch: str, keys: str, tmp_path: Path) -> None:
    """Textual prints the local variables of every frame, after it has left the alternate screen."""
    with Terminal(tmp_path, "--demo", first=BREAK + patch) as terminal:
        terminal.expect("14 clusters")
        first, rest = keys[:1], keys[1:]
        terminal.press(first)
        if rest:
            terminal.expect("valid (UTC)", "ok: cluster, health, bucket, name")
            terminal.press(rest)
        assert terminal.expect_end() == 1
    after = terminal.raw[terminal.raw.rindex(LEFT_ALTERNATE_SCREEN) :]
    assert b"Internal error." in after
    assert CANARY.encode() not in terminal.raw
    assert b"Traceback" not in terminal.raw
    (report,) = [path for path in tmp_path.rglob("*") if path.is_file() and "broken on purpose" in path.read_text()]
    assert "RuntimeError: broken on purpose" in report.read_text(), "the original error is the one reported"
    assert CANARY not in report.read_text()
    assert report.stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_a_key_in_the_text_of_the_error_is_masked(tmp_path: Path) -> None:
    """An exception may quote what it was given, a key from the keyring or the key file included."""
    patch = """
def quoting(self):
    raise RuntimeError(f"broken on purpose by <{self.session.secrets[-1].reveal()}>")
ClustersScreen.action_sort = quoting
"""
    with Terminal(tmp_path, "--demo", first=BREAK + patch) as terminal:
        terminal.expect("14 clusters")
        terminal.press("o")
        assert terminal.expect_end() == 1
    (report,) = [path for path in tmp_path.rglob("*") if path.is_file() and "broken on purpose" in path.read_text()]
    assert "broken on purpose by <****>" in report.read_text()


@pytest.mark.slow
def test_no_variable_makes_textual_write_what_is_typed(tmp_path: Path) -> None:
    """TEXTUAL_LOG and TEXTUAL_DEBUG have every key and every pasted secret written into files that others may read."""
    log = tmp_path / "textual.log"
    environ = {"TEXTUAL_LOG": str(log), "TEXTUAL": "debug,devtools", "TEXTUAL_DEBUG": "1"}
    with Terminal(tmp_path, environ=environ, first=f"import os; os.chdir({str(tmp_path)!r})") as terminal:
        # Each key is pressed where the one before has been seen to arrive.
        terminal.expect("Welcome to ncp-tui", "a Enter keys")
        terminal.press("a")
        terminal.expect("Secret key", "yes: type cluster name")
        terminal.press("lab")
        terminal.expect("lab")
        terminal.press("\t", "ACCESSKEY0000000001")
        terminal.expect("ACCESSKEY0000000001")
        terminal.press("\t", f"\x1b[200~{CANARY}\x1b[201~")
        terminal.expect("••••")
        terminal.press("\x03")
        assert terminal.expect_end() == 0
    left_behind = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert CANARY.encode() not in left_behind + terminal.raw
    assert not log.exists()
    assert not list(tmp_path.rglob("keys.log"))
