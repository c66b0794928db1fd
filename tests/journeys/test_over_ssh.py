"""The bastion: a login over SSH, tmux, keys in an encrypted file, and a connection that breaks at the worst moment."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.journeys.bastion import Bastion, bastion, missing
from tests.journeys.terminal import ENTER, ESCAPE, F2, PATIENCE, Terminal

PHRASE = "canary battery staple"
WHY_NOT = missing()

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]


@pytest.fixture
def gateway() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox(duration=1.0)) as running:
        yield running


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Bastion]:
    with bastion(tmp_path) as host:
        yield host


class Gate:
    """Holds the create back, in the gateway, until it is opened."""

    def __init__(self, gateway: ThreadedSandbox) -> None:
        self.opened = threading.Event()
        self.reached = gateway.sandbox.faults.add("createSnapshot", "before", self._wait).reached

    def wait_until_reached(self, terminal: Terminal) -> None:
        """Read on meanwhile: ssh takes no keys while it cannot write to its terminal."""
        ends = time.monotonic() + PATIENCE
        while not self.reached.is_set():
            assert time.monotonic() < ends, f"no create arrives:\n{terminal.text()}"
            terminal.read(0.05)

    async def _wait(self, _visit: object) -> None:
        await asyncio.to_thread(self.opened.wait, PATIENCE)


def add_profile(host: Bastion, gateway: ThreadedSandbox) -> None:
    """Without a terminal, as somebody's script does it; the file of the passphrase is there for that long only."""
    host.run("umask 077 && cat >phrase", stdin=PHRASE)
    sandbox = gateway.sandbox
    where = f"--store file --gateway-url {gateway.url} --default-bucket bk.ses.snapshot --secret-stdin"
    add = f"NCP_TUI_PASSPHRASE_FILE=phrase ncp-tui profile add box --access-key {sandbox.access_key} {where}"
    host.run(f"{add} && rm phrase", stdin=sandbox.secret_key)


def wait_until_nobody_looks_on(host: Bastion) -> None:
    ends = time.monotonic() + PATIENCE
    while host.run("tmux list-clients"):
        assert time.monotonic() < ends, "tmux still has its terminal"


def cut(terminal: Terminal) -> None:
    """End the connection without a word, as a network does."""
    os.kill(terminal.process.pid, signal.SIGKILL)
    terminal.expect_end()


def files_with(home: Path, text: str) -> list[Path]:
    return [path for path in home.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]


def test_the_connection_breaks_in_the_middle_of_a_create(host: Bastion, gateway: ThreadedSandbox) -> None:
    """The one thing this program is for: nobody is there when the answer comes, and everything is there afterwards."""
    secret_key = gateway.sandbox.secret_key
    assert "DBUS" not in host.run("env")
    add_profile(host, gateway)
    gate = Gate(gateway)
    with host.terminal("tmux new -A -s w ncp-tui") as terminal:
        terminal.expect("Unlock key file")
        terminal.press(PHRASE, ENTER)
        terminal.expect("box / KR / Clusters", "14 clusters")
        terminal.press("s")
        # Until all checks are known F2 asks whether to create all the same.
        terminal.expect(
            "valid (UTC)", "bk.ses.snapshot can be used", "no other snapshot is running", "storage key set: lists"
        )
        terminal.press(F2)
        gate.wait_until_reached(terminal)
        cut(terminal)
        shown = terminal.raw
    wait_until_nobody_looks_on(host)
    assert not gateway.sandbox.ledger.effects, "the connection broke before anything had happened"
    gate.opened.set()
    with host.terminal("tmux attach -t w") as terminal:
        terminal.expect("Snapshot search-0001-")
        terminal.press(ESCAPE)
        terminal.expect("KR / Clusters")
        terminal.press("q")
        assert terminal.expect_end() == 0
        shown += terminal.raw
    (effect,) = gateway.sandbox.ledger.effects
    assert effect.operation == "createSnapshot"
    journal = host.home / ".local" / "state" / "ncp-tui" / "journal.jsonl"
    facts = [json.loads(line) for line in journal.read_text().splitlines()]
    assert {fact["entry"] for fact in facts} == {facts[0]["entry"]}
    assert (facts[0]["event"], facts[0]["parameters"]["snapshotName"]) == ("begun", effect.name)
    assert facts[-1]["event"] == "finished"
    assert (host.home / ".local" / "share" / "ncp-tui" / "keys.enc").is_file()
    assert files_with(host.home, gateway.sandbox.access_key), "what is looked for would be found"
    assert not files_with(host.home, secret_key) + files_with(host.home, PHRASE)
    assert secret_key.encode() not in shown
    assert PHRASE.encode() not in shown
