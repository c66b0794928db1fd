"""The commands and the demo that need no account."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path

import pytest

from ncp_tui.cli.sandbox import demo_workspace
from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.sandbox.sandbox import ThreadedSandbox
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.create import create_snapshot
from ncp_tui.snapshots.outcome import Outcome, SnapshotRequest
from ncp_tui.workspace import Workspace
from tests.cli.program import Called, Program, account_variables


def test_paths(call_nobody: Called, tmp_path: Path) -> None:
    home = tmp_path / "ncp-tui"
    assert call_nobody("paths", "--json").json() == {
        "config": str(home),
        "state": str(home / "state"),
        "data": str(home / "data"),
        "profiles": str(home / "profiles.toml"),
        "settings": str(home / "settings.toml"),
        "keys": str(home / "data" / "keys.enc"),
        "journal": str(home / "state" / "journal.jsonl"),
        "session_log": str(home / "state" / "session.jsonl"),
        "listing": str(home / "state" / "clusters.json"),
        "reports": str(home / "state" / "reports"),
        "exists": dict.fromkeys(
            ("config", "state", "data", "profiles", "settings", "keys", "journal", "session_log", "listing", "reports"),
            False,
        ),
    }
    assert f"session log     {home / 'state' / 'session.jsonl'}  (does not exist yet)\n" in call_nobody("paths").stdout
    assert not home.exists()


def test_paths_say_what_is_there(call: Called, tmp_path: Path) -> None:
    assert call("cluster", "list").code == 0
    there = {name for name, exists in call("paths", "--json").json()["exists"].items() if exists}
    assert there == {"config", "state", "session_log", "listing"}
    assert f"{tmp_path / 'ncp-tui' / 'state' / 'session.jsonl'}\n" in call("paths").stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_sandbox_serves_until_it_is_interrupted(nobody: Program, tmp_path: Path, number: signal.Signals) -> None:
    ledger = tmp_path / "ledger.jsonl"
    arguments = ("--clusters", "3", "--duration", "0", "--latency", "1", "--ledger", str(ledger))
    with nobody.started("sandbox", *arguments) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"url", "access_key", "secret_key"}
        keys = account_variables(ready["url"], ready["access_key"], ready["secret_key"])
        assert len(nobody.run("cluster", "list", "--json", **keys).json()) == 5
        created = nobody.run(
            *("snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot", "--name", "x-1", "--wait"), **keys
        )
        assert created.code == 0
        process.send_signal(number)
        result = nobody.ended(process)
    assert result.code == 0
    assert (result.stdout, result.stderr) == ("", "")
    assert '"type": "effect"' in ledger.read_text()


def test_a_port_that_is_taken(nobody: Program) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = nobody.run("sandbox", "--port", str(taken.getsockname()[1]))
    assert (result.code, result.stdout) == (2, "")
    assert "cannot start" in result.stderr


def test_a_ledger_that_cannot_be_written(call_nobody: Called, tmp_path: Path) -> None:
    assert call_nobody("sandbox", "--ledger", str(tmp_path / "no" / "ledger")).code == 2


def test_the_demo_is_complete_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own, a gateway that answers, and nothing of the user's."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with demo_workspace() as home:
        assert home.demo
        assert dict(home.environ) == {}
        assert home.configure_file is None
        assert home.choose().name == "sandbox"
        assert asyncio.run(_take_one(home)) is Outcome.ACCEPTED
    assert list(tmp_path.iterdir()) == []


async def _take_one(home: Workspace) -> Outcome:
    identity = home.choose()
    engine = await home.connect(identity, SessionLog())
    try:
        assert len(await engine.list_clusters()) == 14
        bucket = identity.profile.default_bucket or ""
        return (await create_snapshot(engine, SnapshotRequest("1037001", "search-0001", "demo-1", bucket))).outcome
    finally:
        await engine.aclose()


@pytest.mark.parametrize("arguments", [(), ("--profile", "prod", "--read-only"), ("--demo",)])
def test_without_a_command_the_screen_starts(
    call_nobody: Called, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    started: list[tuple[Workspace, str | None]] = []

    def run(home: Workspace, secrets: list[SecretKey], *, profile: str | None = None) -> int:
        assert secrets == [], "the keys that were used are added later"
        started.append((home, profile))
        return 7

    monkeypatch.setattr("ncp_tui.tui.main.run", run)
    monkeypatch.setattr("ncp_tui.cli.main._check_terminal", lambda **_: None)
    assert call_nobody(*arguments).code == 7
    ((home, profile),) = started
    assert home.demo is ("--demo" in arguments)
    assert home.read_only is ("--read-only" in arguments)
    assert profile == ("prod" if "prod" in arguments else None)


def test_the_sandbox_of_a_test_is_not_a_demo(served: ThreadedSandbox) -> None:
    """The demo's keys are made up anew each time."""
    with demo_workspace() as home:
        assert home.choose().profile.access_key != served.sandbox.access_key
