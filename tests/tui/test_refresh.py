"""The rhythm in which a list is read again, without a clock and without a screen."""

from __future__ import annotations

import httpx

from ncp_tui.snapshots.cluster_summary import LOOKS_AT_ONCE
from ncp_tui.tui.refresh import CHOICES, AutoRefresh
from ncp_tui.tui.screens.clusters import ClustersScreen
from tests.tui.stage import staged
from tests.tui.wires import Held


def test_a_list_is_due_its_rhythm_after_the_last_read_ended() -> None:
    refresh = AutoRefresh(every=30)
    assert refresh.due_in(0) is None  # nothing was read yet: the first read is not its own
    refresh = refresh.started()
    assert refresh.due_in(100) is None
    refresh = refresh.ended(100)
    assert [refresh.due_in(now) for now in (100, 110, 130, 500)] == [30, 20, 0, 0]


def test_off_is_never_due() -> None:
    assert AutoRefresh(every=0).ended(0).due_in(10_000) is None
    assert AutoRefresh(every=30).ended(0).chosen(0).due_in(10_000) is None


def test_only_the_choices_are_rhythms() -> None:
    """A settings file written by hand may hold anything; every second is no rhythm for somebody else's service."""
    assert [AutoRefresh().chosen(every).every for every in (*CHOICES, 1, -30)] == [*CHOICES, 0, 0]


def test_a_pause_only_holds_back() -> None:
    """What became due while a form was open, or while nobody looked, is read once when that ends, not once a period."""
    refresh = AutoRefresh(every=60).ended(0)
    covered = refresh.covered(is_covered=True)
    assert covered.is_paused
    assert covered.due_in(1_000) is None
    assert covered.covered(is_covered=False).due_in(1_000) == 0
    assert covered.covered(is_covered=False).ended(1_000).due_in(1_001) == 59
    away = refresh.fronted(is_in_front=False)
    assert away.due_in(1_000) is None
    assert away.covered(is_covered=True).fronted(is_in_front=True).due_in(1_000) is None


def test_a_read_by_key_starts_the_rhythm_anew() -> None:
    refresh = AutoRefresh(every=30).ended(0).started().ended(20)
    assert refresh.due_in(30) == 20


async def test_a_list_says_when_it_was_read_and_is_read_again_as_chosen() -> None:
    async with staged((120, 40)) as stage:
        assert stage.shows("as of 09:00:00 KST")
        assert stage.asked("getClusterInfoList") == 1
        await stage.press("R", "down", "enter")
        assert stage.shows("as of 09:00:00 KST, every 30 s", "Automatic refresh: every 30 s.")
        refresher = stage.app.screen.refresher  # type: ignore[attr-defined]
        assert refresher.rhythm.due_in(stage.app.session.workspace.monotonic()) == 30
        stage.clock.advance(45)
        refresher.front(is_in_front=True)
        await stage.until(lambda: stage.asked("getClusterInfoList") == 2)
        await stage.expect("as of 09:00:45 KST, every 30 s")


async def test_the_rhythm_pauses_under_a_dialog_and_while_the_terminal_is_not_in_front() -> None:
    async with staged((100, 30)) as stage:
        await stage.press("R", "down", "enter")
        assert stage.shows("as of 09:00:00 KST"), "also where the rhythm has no room beside it"
        refresher = stage.app.screen.refresher  # type: ignore[attr-defined]
        await stage.press("question_mark")
        assert refresher.rhythm.is_paused
        stage.clock.advance(100)
        await stage.press("escape")
        await stage.until(lambda: stage.asked("getClusterInfoList") == 2)
        stage.app.app_focus = False
        await stage.settle()
        assert refresher.rhythm.is_paused


async def test_the_rhythm_is_the_profiles_own() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("R", "down", "enter")
        assert stage.app.session.identity is not None
        assert stage.app.session.choices[f"refresh.{stage.app.session.identity.name}"] == "30"
        await stage.press("h")
        assert stage.shows("as of 09:00:00 KST, every 30 s"), "the history of its clusters as well"


async def test_histories_that_were_not_read_when_the_screen_was_left_are_read_later_and_the_rhythm_waits() -> None:
    """One of 2,000 clusters takes minutes: it would begin anew with each refresh, and never come to its end."""
    wires: list[Held] = []

    def wrap(inner: httpx.AsyncBaseTransport) -> Held:
        wires.append(Held(inner, {"getSnapshotSchedulingHistory"}))
        return wires[0]

    async with staged((120, 40), wrap=wrap, settled=False) as stage:
        await stage.until(lambda: wires and wires[0].arrived == LOOKS_AT_ONCE)
        refresher = stage.app.screen.refresher  # type: ignore[attr-defined]
        refresher.choose(30)
        assert refresher.rhythm.due_in(1e12) is None, "it is still being read"
        assert stage.shows("not read")
        await stage.pilot.press("p")
        await stage.until(lambda: not isinstance(stage.app.screen, ClustersScreen))
        wires[0].gate.set()
        await stage.press("escape")
        summaries = stage.app.session.summaries
        running = [each for each in stage.app.session.clusters.values() if each.is_running and each.allowed]
        await stage.until(lambda: all(each.number in summaries for each in running))
        await stage.settle()
        assert stage.asked("getClusterInfoList") == 1
        assert refresher.rhythm.due_in(1e12) == 0
