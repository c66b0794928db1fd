"""Stopped, continued, put into the background, resized: the screen is whole afterwards, and the shell's in between."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.journeys.leaving import SOON, assert_restored, keys_of
from tests.journeys.terminal import DOWN, ENTER, ESCAPE, F2, Terminal


@pytest.fixture
def gateway() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox(duration=3.0)) as running:
        yield running


@pytest.mark.slow
def test_stopped_and_continued(gateway: ThreadedSandbox, tmp_path: Path) -> None:
    """The shell gets its terminal back for the while; after that the screen is whole, in the size of then."""
    with Terminal(tmp_path, environ=keys_of(gateway)) as terminal:
        terminal.expect("14 clusters")
        terminal.press("s")
        terminal.expect("valid (UTC)", "ok: cluster, health, bucket, name", "bk.ses.snapshot")
        terminal.press(F2)
        terminal.expect("running,")
        terminal.press(ESCAPE)
        terminal.expect("Clusters", "running")
        terminal.press("/", "search")
        terminal.expect("search")
        os.kill(terminal.process.pid, signal.SIGTSTP)
        terminal.expect_stopped()
        assert_restored(terminal)
        stopped = terminal.wipe()
        terminal.resize(100, 30)
        terminal.press("-0002")
        os.kill(terminal.process.pid, signal.SIGCONT)
        # Only a terminal of 100 columns has the two panes side by side.
        terminal.expect("environment / KR / Clusters", "search-0002", "─Session log (KST) ─", "Clear filter")
        terminal.expect_gone("search-0004")  # what was typed meanwhile is in the filter
        assert b"\x1b[?1049h" in terminal.raw[stopped:]
        terminal.press(ESCAPE)
        terminal.expect("search-0004", " now ")
        terminal.press("q")
        assert terminal.ends_within(SOON) == 0
        assert_restored(terminal)


def test_continued_after_a_stop_that_nobody_is_told_of(tmp_path: Path) -> None:
    """Whoever sent SIGSTOP had the terminal since, and left something else on it."""
    with Terminal(tmp_path, "--demo") as terminal:
        terminal.expect("14 clusters")
        os.kill(terminal.process.pid, signal.SIGSTOP)
        terminal.expect_stopped()
        terminal.wipe()
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.expect("sandbox / KR / Clusters", "search-0001", "[Details]  Response", "s Create")
        terminal.press(DOWN, "q")
        assert terminal.ends_within(SOON) == 0
        assert_restored(terminal)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_while_stopped(number: signal.Signals, tmp_path: Path) -> None:
    """`kill %1` in a shell sends the signal and then SIGCONT; the terminal is the shell's and stays untouched."""
    with Terminal(tmp_path, "--demo") as terminal:
        terminal.expect("14 clusters")
        os.kill(terminal.process.pid, signal.SIGTSTP)
        terminal.expect_stopped()
        stopped = terminal.wipe()
        os.kill(terminal.process.pid, number)
        os.kill(terminal.process.pid, signal.SIGCONT)
        assert terminal.ends_within(SOON) == 128 + number
        assert terminal.raw[stopped:] == b""


BASH = shutil.which("bash")
CTRL_Z = "\x1a"


@pytest.mark.slow
def test_a_window_that_is_not_what_the_shell_exported(tmp_path: Path) -> None:
    """COLUMNS and LINES of another terminal (docker exec -e, Emacs) would freeze the screen at a size nobody has.

    And ctrl+z does not stop what no shell could continue.
    """
    with Terminal(tmp_path, "--demo", environ={"COLUMNS": "200", "LINES": "60", "TEXTUAL_PRESS": "q"}) as terminal:
        terminal.expect("14 clusters", "? Help")
        terminal.resize(100, 30)
        terminal.press(CTRL_Z, DOWN, "?")
        terminal.expect("Keys")


@pytest.mark.slow
@pytest.mark.skipif(BASH is None, reason="needs a shell with job control")
def test_the_job_of_a_shell(tmp_path: Path) -> None:
    """In the background it must not touch the terminal: that would stop it in the middle of its own end."""
    start = f"{sys.executable} -m ncp_tui --demo"
    shell = [str(BASH), "--noprofile", "--norc", "-i"]
    with Terminal(tmp_path, environ={"PS1": "READY$ "}, command=shell) as terminal:
        terminal.expect("READY$")
        # -b: the shell tells at once that a job has stopped.
        terminal.press(f"set -b; clear; {start} &{ENTER}")
        terminal.expect("Stopped")
        terminal.press(f"clear; kill %1{ENTER}")
        terminal.expect("Exit 143")
        terminal.press(f"clear; {start}{ENTER}")
        terminal.expect("14 clusters")
        (job,) = children_of(terminal.process.pid)
        terminal.press(CTRL_Z)
        terminal.expect("READY$", "Stopped")
        terminal.press(f"clear; bg{ENTER}")
        terminal.expect("Stopped")
        terminal.wipe()
        terminal.press(f"fg{ENTER}")
        terminal.expect("sandbox / KR / Clusters", "search-0001", "s Create")
        terminal.press("/", "search-0002")
        terminal.expect("1 of 14")
        os.kill(job, signal.SIGTSTP)
        terminal.expect("READY$", "Stopped")
        terminal.press(f"clear; kill %1{ENTER}")
        terminal.expect("Exit 143")


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.slow
def test_two_hundred_sizes_while_typing(tmp_path: Path) -> None:
    """A window that is dragged: sizes down to one cell, while the filter is typed into."""
    chance = random.Random(7)  # noqa: S311 - sizes of windows
    typed = "search-0002"
    with Terminal(tmp_path, "--demo") as terminal:
        terminal.expect("14 clusters")
        terminal.press("/")
        for turn in range(200):
            size = (1, 1) if turn % 20 == 0 else (chance.randint(1, 200), chance.randint(1, 60))
            terminal.resize(*size)
            if turn % 20 == 10:
                terminal.press(typed[turn // 20])
            terminal.read(0.02)
        terminal.press(typed[10:])
        terminal.resize(80, 24)
        terminal.expect("search-0002", "1 of 14")
        terminal.press(ENTER)
        terminal.press("q")
        assert terminal.ends_within(SOON) == 0
        assert_restored(terminal)
