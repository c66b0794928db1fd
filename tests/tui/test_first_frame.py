"""The first frame comes soon: nothing is loaded before it that it does not show, and nothing is fetched twice."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.tui.stage import staged

LATER = {
    *("httpx", "httpcore", "h11", "truststore", "email", "urllib.request", "wcwidth"),
    *("filelock", "tomllib", "tomli_w", "keyring", "cryptography", "starlette", "uvicorn"),
    *("ncp_tui.gateway.client", "ncp_tui.search_engine.client", "ncp_tui.snapshots.create", "ncp_tui.sandbox"),
    *("ncp_tui.profiles.profile_store", "ncp_tui.profiles.secret_stores.os_keyring"),
    *("ncp_tui.tui.screens.create_snapshot", "ncp_tui.tui.screens.profiles", "ncp_tui.tui.widgets.panes"),
    "ncp_tui.tui.widgets.inputs",
}

UNTIL_THE_FIRST_FRAME = """
import json, os, sys
from pathlib import Path
from ncp_tui.tui import main
from ncp_tui.workspace import open_workspace
from ncp_tui.tui.app import NcpApp

async def begin(app):
    print(json.dumps(sorted(sys.modules)))
    sys.stdout.flush()
    os._exit(0)

NcpApp._begin = begin
NcpApp.run_to_the_end = lambda app, mouse: app.run_async(headless=True)
main.run(open_workspace(os.environ), [])
"""


def test_what_is_loaded_before_the_first_frame(tmp_path: Path) -> None:
    """With all that the program prepares before it, such as the log on disk, not with the module of the app alone."""
    environ = {**os.environ, "NCP_TUI_HOME": str(tmp_path)}
    command = [sys.executable, "-c", UNTIL_THE_FIRST_FRAME]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    loaded = set(json.loads(done.stdout))
    assert "ncp_tui.session_log.log_file" in loaded
    assert not LATER & loaded


def test_what_must_not_be_loaded_exists() -> None:
    """A module that was renamed would be looked for in vain."""
    assert [name for name in LATER if importlib.util.find_spec(name) is None] == []


async def test_a_screen_fetches_once_when_it_opens() -> None:
    """Textual calls a handler of every class; one that called its base's as well would begin everything twice."""
    async with staged((120, 40)) as stage:
        for keys in (["h"], ["escape", "s"]):
            await stage.press(*keys)
        begun = [action.title for action in stage.app.session.log.actions]
        assert sorted(begun) == sorted(set(begun)), "begun once"
        assert {"list clusters", "history of search-0001", "preflight checks of search-0001"} <= set(begun)
        assert stage.asked("getClusterInfoList") == stage.asked("getBucketList") == stage.asked("getClusterInfo") == 1


async def test_the_filter_and_the_panes_are_there_at_once() -> None:
    """They come after the first frame, and before any key that wants them has been answered."""
    async with staged((120, 40), settled=False) as stage:
        await stage.pilot.press("v", "y", "slash")
        await stage.expect("Response", "Session log")
