"""What the program sends over the line, held to its budgets. Bytes do not depend on the machine, so they are asserted.

The budgets are for 80x24 in 256 colours, over a link of 256 kbit/s: 25 kB are 0.8 s there, 0.6 kB are 19 ms.
"""

from __future__ import annotations

from pathlib import Path

import pyte
import pytest

from tests.benchmarks.terminal_bytes import costs, create_snapshot, running
from tests.journeys.terminal import DOWN, TAB

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("clusters", [12, 2_000])
def test_keys_and_start_stay_within_their_budgets(tmp_path: Path, clusters: int) -> None:
    """Every key would be felt over SSH, and a long list must not cost more than a short one."""
    missed = [cost for cost in costs(tmp_path, clusters) if not cost.is_met]
    assert not missed


def test_a_snapshot_in_progress_is_one_small_update_a_second(tmp_path: Path) -> None:
    """The seconds count; panes and scroll bars where nothing happens stay as they are."""
    with running(tmp_path) as line:
        create_snapshot(line)
        line.read(2.0)
        seconds = [line.read(1.0) for _ in range(4)]
    assert max(second.frames for second in seconds) <= 2, "a read may see the end of one second and the next"
    assert sum(second.size for second in seconds) <= 5 * 100
    assert any(second.size for second in seconds)


def test_the_list_of_a_run_is_one_small_update_a_second(tmp_path: Path) -> None:
    """Each row has seconds that count; the box, the other columns and the screen behind stay as they are."""
    with running(tmp_path) as line:
        create_snapshot(line)
        line.press("w")
        line.read(2.0)
        seconds = [line.read(1.0) for _ in range(4)]
    assert max(second.frames for second in seconds) <= 2, "a read may see the end of one second and the next"
    assert sum(second.size for second in seconds) <= 5 * 150


def test_a_refresh_without_changes_is_a_line(tmp_path: Path) -> None:
    """Only the status line and the newest request are new; the rows are not sent again."""
    with running(tmp_path) as line:
        line.press("r")
        assert line.press("r").size <= 1_500


def test_a_smaller_window_is_drawn_anew(tmp_path: Path) -> None:
    """A terminal that was resized and back has lost cells; what was sent before must not be taken for granted."""
    with running(tmp_path) as line:
        line.process.setwinsize(20, 70)
        line.settle()
        before = len(line.raw)
        line.process.setwinsize(24, 80)
        line.settle()
        assert "search-0001" in screen_of(line.raw[before:])[2]


def test_what_is_left_out_is_on_the_screen(tmp_path: Path) -> None:
    """There and back again: the screen says the same, although next to nothing was sent."""
    with running(tmp_path) as line:
        before = screen_of(line.raw)
        line.press("?")
        assert screen_of(line.raw) != before
        line.press("\x1b")
        line.press(DOWN)
        line.press(TAB)
        line.press("\x1b[Z")
        line.press("\x1b[A")
        assert screen_of(line.raw)[2:] == before[2:]


def screen_of(raw: bytes) -> list[str]:
    """The rows of an 80x24 terminal after `raw`."""
    screen = pyte.Screen(80, 24)
    pyte.ByteStream(screen).feed(raw)
    return list(screen.display)
