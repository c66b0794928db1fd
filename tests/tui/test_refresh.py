"""The rhythm in which a list is read again, without a clock and without a screen."""

from __future__ import annotations

from ncp_tui.tui.refresh import CHOICES, AutoRefresh
from tests.tui.stage import staged


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
    async with staged((120, 40)) as stage:
        await stage.press("R", "down", "enter")
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
