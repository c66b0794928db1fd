"""The first frame comes soon: nothing is loaded before it that it does not show, and nothing is fetched twice."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.tui.stage import staged

LATER = {
    *("httpx", "httpcore", "h11", "truststore", "email", "urllib.request", "wcwidth"),
    *("filelock", "tomllib", "tomli_w", "keyring", "cryptography", "starlette", "uvicorn"),
    *("ncp_tui.gateway.client", "ncp_tui.search_engine.client", "ncp_tui.snapshots.create", "ncp_tui.sandbox"),
    *("ncp_tui.profiles.store", "ncp_tui.profiles.secret_stores.os_keyring"),
    "ncp_tui.search_engine.messages",
    *("ncp_tui.tui.screens.create_snapshot", "ncp_tui.tui.screens.profiles", "ncp_tui.tui.widgets.exchange_panes"),
}


def test_what_the_app_loads() -> None:
    code = "import json, sys; import ncp_tui.tui.app; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not LATER & set(json.loads(done.stdout))


async def test_a_screen_fetches_once_when_it_opens() -> None:
    """Textual calls a handler of every class; one that called its base's as well would begin everything twice."""
    async with staged((120, 40)) as stage:
        for keys in (["h"], ["escape", "s"]):
            await stage.press(*keys)
        begun = [action.title for action in stage.app.session.log.actions]
        assert sorted(begun) == sorted(set(begun)), "begun once"
        assert {"list clusters", "history of search-0001", "look before a snapshot of search-0001"} <= set(begun)
        assert stage.asked("getClusterInfoList") == stage.asked("getBucketList") == stage.asked("getClusterInfo") == 1


async def test_the_filter_and_the_panes_are_there_at_once() -> None:
    """They come after the first frame, and before any key that wants them has been answered."""
    async with staged((120, 40), settled=False) as stage:
        await stage.pilot.press("v", "y", "slash")
        await stage.expect("Response", "Session log")
