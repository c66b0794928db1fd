"""The screen of a schedule: what is set, when it runs next, whether it came, and everything that was ever set."""

from __future__ import annotations

from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.history import HistoryScreen
from ncp_tui.tui.screens.schedule import ScheduleScreen
from tests.tui.stage import Stage, staged

HISTORY, SETTINGS = "getSnapshotHistory", "getSnapshotSchedulingHistory"
WIDE = (120, 40)
DAY = 86_400.0


def forget_last_night(sandbox: Sandbox) -> None:
    """The run that was due last night has left no row."""
    runs = sandbox.world.state(sandbox.world.named("search-0001")).runs
    runs[:] = [run for run in runs if sandbox.world.start - run.started > DAY]


async def test_what_is_set_when_it_runs_and_all_that_was_set_before() -> None:
    async with staged(WIDE) as stage:
        await stage.press("d")
        assert stage.shows(
            "search-0001 / Schedule",
            "auto: every day at 03:00 into bk.ses.snapshot",
            "in force (NCP says 'ACTIVE')",
            "2025-11-18 09:00:00 KST, 45 d ago",
            "Sat 01-03 03:00 KST",
            "time zone assumed); in 18 h",
            "01-02 03:00: succeeded at 03:00",
            "2 schedule settings",
            "as of 09:00:00 KST",
        )
        await stage.press("down")
        assert stage.shows("name         nightly", '"snapshotSchedulingStatus": "RELEASED"'), (
            "details follow the cursor"
        )
        await stage.press("slash")
        await stage.type("everyday")
        await stage.press("enter")
        assert stage.shows("1 of 2 rows")
        assert not stage.shows("2025-11-05 09:00:00  nightly")
        await stage.press("escape", "h")
        assert isinstance(stage.app.screen, HistoryScreen)
        await stage.press("d")
        assert isinstance(stage.app.screen, ScheduleScreen)
        assert not stage.effects, "to look at it changes nothing"


async def test_what_could_not_be_read_is_not_said_to_be_none_and_a_missed_run_is_one() -> None:
    async with staged(WIDE, prepare=forget_last_night) as stage:
        await stage.press("d")
        assert stage.shows("01-02 03:00: no row by 03:30, missed.")
        stage.sandbox.faults.add(operation=HISTORY, act=(500, b"<html>no</html>"), times=None)
        await stage.press("r")
        assert stage.shows("every day at 03:00", "01-02 03:00: unknown:", "2 schedule settings")
        stage.sandbox.faults.clear()
        stage.sandbox.faults.add(operation=SETTINGS, act=(500, b"<html>no</html>"), times=None)
        await stage.press("r")
        assert stage.shows("schedule     unknown:", "2025-11-18 09:00:00  auto"), (
            "the rows of before stay below the card"
        )
        assert not stage.shows("next run", "none")
        stage.sandbox.faults.clear()
        await stage.press("r")
        assert not stage.shows("unknown:")
        await _released_meanwhile(stage)


async def _released_meanwhile(stage: Stage) -> None:
    """Whatever this screen reads the clusters show as well."""
    world = stage.sandbox.world
    world.release_schedule(world.named("search-0001"))
    await stage.press("r")
    assert stage.shows("released (NCP says 'RELEASED')")
    before = stage.asked(SETTINGS)
    await stage.press("escape")
    assert isinstance(stage.app.screen, ClustersScreen)
    assert stage.shows("released: auto: every day at 03:00")
    assert stage.asked(SETTINGS) == before
