"""A secret command that has to ask its user: it gets the terminal when the user says so, and gives it back."""

from __future__ import annotations

import os
import shlex
import signal
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.journeys.leaving import SOON, assert_restored, modes
from tests.journeys.terminal import ENTER, ESCAPE, PATIENCE, Terminal

PIN = "24687531"


@pytest.fixture
def gateway() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox(duration=3.0)) as running:
        yield running


@pytest.fixture
def home(gateway: ThreadedSandbox, closed_folder: Path) -> Path:
    """A user whose command wants a PIN from the terminal, and notes each of its processes."""
    key = shlex.quote(gateway.sandbox.secret_key)
    script = closed_folder / "print-key"
    script.write_text(
        f"#!/bin/sh\necho $$ >>{closed_folder}/pids\n[ -t 0 ] || exit 8\n"
        "stty -echo\nprintf 'PIN? ' >/dev/tty\nread pin\n"
        f'[ "$pin" = {PIN} ] || exit 7\necho {key}\n'
    )
    script.chmod(0o700)
    profiles = closed_folder / "ncp-tui" / "profiles.toml"
    profiles.parent.mkdir(mode=0o700)
    profiles.write_text(
        f'version = 1\ndefault = "prod"\n[profiles.prod]\naccess_key = "{gateway.sandbox.access_key}"\n'
        f'gateway_url = "{gateway.url}"\nstore = "command"\nsecret_command = ["{script}"]\n'
    )
    return closed_folder


def runs(home: Path) -> list[int]:
    """The processes of the command, in their order."""
    file = home / "pids"
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def test_it_asks_on_the_terminal_that_it_was_lent(home: Path, gateway: ThreadedSandbox) -> None:
    """First without a terminal; then, when the user says so, with it. A wrong answer may be corrected."""
    with Terminal(home) as terminal:
        terminal.expect("Secret command", "The secret command", "with status 8.", "enter Run")
        assert len(runs(home)) == 1
        terminal.press(ENTER)
        terminal.expect_question("PIN? ")
        assert "ncp-tui runs" in terminal.text()
        terminal.press("wrong\r")
        terminal.expect("with status 7.", "enter Run it here")
        terminal.press(ENTER)
        terminal.expect_question("PIN? ")
        terminal.press(f"{PIN}\r")
        terminal.expect("14 clusters", "secret command")
        assert len(runs(home)) == 3
        terminal.press("p")
        terminal.expect("in use, default")
        terminal.press("t")
        terminal.expect("prod work")
        assert len(runs(home)) == 3, "the key is kept in memory"
        terminal.press("q")
        assert terminal.ends_within(SOON) == 0
        assert_restored(terminal)
        written = [path for path in (home / "ncp-tui").rglob("*") if path.is_file()]
        for data in (terminal.raw, *(path.read_bytes() for path in written)):
            assert gateway.sandbox.secret_key.encode() not in data
            assert PIN.encode() not in data


def test_left_alone_it_is_not_run_again(home: Path) -> None:
    """Esc leaves the terminal to the screen; a refresh asks the user, not the command."""
    with Terminal(home) as terminal:
        terminal.expect("Secret command", "with status 8.")
        terminal.press(ESCAPE)
        terminal.expect_gone("enter Run it here")
        terminal.press("r")
        terminal.expect("enter Run it here")
        assert len(runs(home)) == 1
        terminal.press(ESCAPE)
        terminal.expect_gone("enter Run it here")
        terminal.press("q")
        assert terminal.ends_within(SOON) == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_while_it_asks(home: Path, number: signal.Signals) -> None:
    """The program ends in time, the command with it, and the terminal is as it was."""
    with Terminal(home) as terminal:
        terminal.expect("Secret command", "with status 8.")
        terminal.press(ENTER)
        terminal.expect_question("PIN? ")
        os.kill(terminal.process.pid, number)
        assert terminal.ends_within(SOON) == 128 + number
        assert_restored_modes(terminal)
        ends = time.monotonic() + PATIENCE
        while Path(f"/proc/{runs(home)[-1]}").exists():
            assert time.monotonic() < ends, "the command is left behind"


def assert_restored_modes(terminal: Terminal) -> None:
    """Echo, lines and signals are on: what the command had switched off is put back."""
    wanted = termios.ICANON | termios.ECHO | termios.ISIG
    assert modes(terminal)[1] & wanted == wanted


@pytest.mark.slow
def test_ctrl_c_ends_the_command_and_not_the_program(home: Path) -> None:
    """The user has changed their mind; the dialog is there again, and says how the command ended."""
    with Terminal(home) as terminal:
        terminal.expect("Secret command", "with status 8.")
        terminal.press(ENTER)
        terminal.expect_question("PIN? ")
        terminal.press("\x03")
        terminal.expect("signal 2", "enter Run it here")
        terminal.press(ESCAPE)
        terminal.expect_gone("enter Run it here")
        terminal.press("q")
        assert terminal.ends_within(SOON) == 0
        assert_restored(terminal)
