"""The Textual internals that the rule about secrets leans on: when one of them changes, these fail first."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from textual import constants, work
from textual.app import App
from textual.widgets import OptionList, Select

from ncp_tui.tui.app import NcpApp
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.terminal.driver import TerminalApp
from ncp_tui.tui.terminal.setup import silence_textual_logs
from tests.tui.stage import Stage, staged

CANARY = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"


class OnPurpose(Exception):
    """The bug."""


def broken(*_: object) -> None:
    """A bug with a secret beside it."""
    secret_key = CANARY
    raise OnPurpose(len(secret_key))


@work(group="broken", exit_on_error=False, description="break")
async def broken_worker(_: ClustersScreen) -> None:
    """The same in a worker."""
    broken(CANARY)


@pytest.mark.parametrize(("name", "replacement"), [("action_sort", broken), ("load", broken), ("load", broken_worker)])
async def test_the_original_error_is_kept_and_nothing_is_printed(
    name: str, replacement: Callable[..., object], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    kept: list[Stage] = []

    async def run() -> None:
        async with staged() as stage:
            kept.append(stage)
            monkeypatch.setattr(ClustersScreen, name, replacement)
            await stage.pilot.press("o" if name == "action_sort" else "r")
            await stage.until(lambda: stage.app.crashed)

    with pytest.raises(OnPurpose):
        await run()
    assert isinstance(kept[0].app.crashed, OnPurpose)
    printed = "".join(capfd.readouterr())
    assert CANARY not in printed
    assert "Traceback" not in printed


CRASH = f"""
from ncp_tui.tui.terminal.driver import TerminalApp

class Crashing(TerminalApp):
    def on_mount(self):
        secret = "{CANARY}"
        raise RuntimeError("broken")

app = Crashing()
app.run(headless=True)
print(type(app.crashed).__name__)
"""


def test_a_crash_prints_no_local_variable() -> None:
    """Textual's own report shows the locals of every frame, in the scrollback of a terminal that others may read."""
    done = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip().endswith("RuntimeError")
    assert "CANARY" not in done.stdout + done.stderr


def test_the_internals_are_where_they_were() -> None:
    for name in ("_handle_exception", "_fatal_error", "_close_messages_no_wait"):
        assert callable(getattr(App, name))
    assert NcpApp.__bases__ == (TerminalApp,), "one base, and parts as attributes"


@pytest.mark.parametrize("developer", [False, True])
def test_textuals_logs_are_off_unless_a_developer_asks(developer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "LOG_FILE", "/tmp/log")  # noqa: S108 - never opened
    monkeypatch.setattr(constants, "DEBUG", True)
    monkeypatch.delenv("NCP_TUI_DEV", raising=False)
    if developer:
        monkeypatch.setenv("NCP_TUI_DEV", "1")
    silence_textual_logs()
    assert (constants.LOG_FILE is not None) is developer
    assert constants.DEBUG is developer


def without_room(options: OptionList) -> None:
    """A list as it is for the moment before it is laid out: with options and without a size."""
    options.styles.border = ("none", "transparent")
    options.styles.padding = 0
    options.styles.min_height = options.styles.height = 0
    options.clear_options()
    options.add_options(["one", "two"])
    options.highlighted = 0


async def test_a_page_key_faster_than_a_list_of_options_ends_nothing() -> None:
    """Textual looks for the line of an option before it has counted the lines: with a pasted line, or a held key."""
    async with staged((120, 40)) as stage:
        await stage.press("p", "a")
        stage.app.screen.query(Select).first().focus()
        await stage.press("enter")
        options = stage.app.focused
        assert isinstance(options, OptionList)
        for key in ("pagedown", "pageup"):
            without_room(options)
            await stage.press(key)
            assert stage.app.is_running, key


async def test_a_page_key_faster_than_the_palette_ends_nothing() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("ctrl+p")
        for key in ("pagedown", "pageup"):
            without_room(stage.app.screen.query_one(OptionList))
            await stage.press(key)
            assert stage.app.is_running, key
