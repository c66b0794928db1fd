"""The rhythm in which a list is read again, without a clock and without a screen."""

from __future__ import annotations

from ncp_tui.tui.refresh import CHOICES, AutoRefresh


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
