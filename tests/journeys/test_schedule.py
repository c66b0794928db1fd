"""A schedule from its setting to its release, through the real program in a real terminal, by keys alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.system.time_zone import KST
from tests.journeys.terminal import DOWN, ENTER, ESCAPE, F2, Terminal

pytestmark = pytest.mark.slow

CLUSTER, ITS_HOUR_IS_ANOTHERS = "search-0002", 3
TWO_DAYS = 2 * 86_400.0


def far_from_now() -> str:
    """An hour that is long over and far ahead, at which no other cluster writes the same bucket."""
    now = datetime.now(UTC).astimezone(KST).hour
    return next(f"{hour % 24:02d}" for hour in (now + 12, now + 11) if hour % 24 != ITS_HOUR_IS_ANOTHERS)


def test_set_a_schedule_see_its_next_run_see_a_missed_one_and_release_it(tmp_path: Path) -> None:
    with ThreadedSandbox(Sandbox(duration=3.0)) as gateway:
        environ = {
            "NCLOUD_ACCESS_KEY": gateway.sandbox.access_key,
            "NCLOUD_SECRET_KEY": gateway.sandbox.secret_key,
            "NCLOUD_API_GW": gateway.url,
            "NCP_TUI_PROFILE": "environment",
        }
        hour, world = far_from_now(), gateway.sandbox.world
        with Terminal(tmp_path, environ=environ, size=(120, 40)) as terminal:
            terminal.expect("14 clusters", "d Schedule")
            terminal.press(DOWN)
            terminal.expect(f"{CLUSTER}  number 1037002")
            terminal.press("d")
            terminal.expect(f"{CLUSTER} / Schedule", "none: the history of the schedule is empty")
            terminal.press("s")
            terminal.expect("Set schedule", "ok: cluster, bucket", "11/15  valid")
            terminal.press(ENTER, ENTER, DOWN, *hour)
            terminal.expect(f"< {hour} >", f'"scheduledHour": {int(hour)}')
            terminal.press(F2)
            terminal.expect(f"Set: schedule {CLUSTER} of {CLUSTER}.")
            terminal.press(ESCAPE)
            terminal.expect(f"every day at {hour}:00 into", "next run", f"{hour}:00 KST", "since the schedule was set")
            state = world.state(world.named(CLUSTER))
            state.schedules[:] = [replace(each, set_up=each.set_up - TWO_DAYS) for each in state.schedules]
            terminal.press("r")
            terminal.expect(f"{hour}:00: no row by {hour}:30, missed.")
            terminal.press("x")
            terminal.expect(f"Release the schedule of {CLUSTER}", "Snapshots that exist", "f2 Release")
            terminal.expect_quiet(1.0)  # the key that opened it was let go
            terminal.press(F2)
            terminal.expect(f"Released: the schedule of {CLUSTER}.", "released (NCP says 'RELEASED')")
            terminal.press(ESCAPE)
            terminal.expect("/ KR / Clusters", "released: search-0002")
            terminal.press("q")
            assert terminal.expect_end() == 0
        changed = [effect.operation for effect in gateway.sandbox.ledger.effects]
    assert changed == ["setSnapshotScheduling", "releaseSnapshotScheduling"]
