"""The gate before an upgrade on the screen: in the details of a cluster, and the whole of it in a box."""

from __future__ import annotations

from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.tui.dialogs.upgrade import UpgradeDialog
from tests.tui.stage import staged

WIDE = (120, 40)
HOUR = 3_600.0


def created_an_hour_ago(sandbox: Sandbox) -> None:
    sandbox.world.add_past("search-0001", "before-upgrade", ended=HOUR)


async def test_the_details_say_until_when_it_is_open_and_the_check_says_all() -> None:
    async with staged(WIDE, prepare=created_an_hour_ago) as stage:
        assert stage.shows("upgrade      gate open until 14:00 KST (4 h 59 min left)")
        await stage.press("U")
        assert isinstance(stage.app.screen, UpgradeDialog)
        assert stage.shows(
            "The gate is open until 14:00:00 KST",
            "before-upgrade, taken 2026-01-02 07:59:00 KST",
            "2171  OpenSearch 2.17.1, as this cluster has",
            "Begin the upgrade in the NCP console before then;",
            "create the first snapshot again",
        )
        await stage.press("escape", "down")
        assert stage.shows("upgrade      gate shut: no good snapshot of the last 6 h")
        stage.sandbox.faults.add("getSnapshotHistory", act=(500, b"<html>no</html>"), times=None)
        await stage.press("U")
        assert stage.shows("Unknown whether the gate is open:", "h on the clusters")
        await stage.press("escape", "r")
        assert stage.shows("upgrade      gate unknown: the history is not known")
        titles = [command.title for command in stage.app.get_system_commands(stage.app.screen)]
        assert any(title.startswith("Upgrade check: ") for title in titles)
        assert not stage.effects
