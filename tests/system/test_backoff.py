"""Pauses between tries."""

from __future__ import annotations

from ncp_tui.system.backoff import Backoff, chance
from tests.tables import each_row


def test_pauses_grow_to_the_longest_and_stay_there() -> None:
    """A watch of a week makes thousands of looks, and the power of a growth is soon too large for a float."""
    pauses = [Backoff(2.0, 15.0, growth=1.5).pause(tries, jitter=lambda: 0.5) for tries in (1, 2, 3, 6, 7, 100_000)]
    assert pauses == [2.0, 3.0, 4.5, 15.0, 15.0, 15.0]


@each_row(("luck", "pause"), [(0.0, 0.8), (0.5, 1.0), (1.0, 1.2)])
def test_a_pause_is_spread(luck: float, pause: float) -> None:
    """Clients that failed together would else come back together."""
    assert Backoff(1.0, 1.0).pause(1, jitter=lambda: luck) == pause


@each_row(("asked", "pause"), [(None, 1.0), (0.0, 1.0), (0.5, 1.0), (7.0, 7.0)])
def test_what_the_other_side_asks_for_is_the_least(asked: float | None, pause: float) -> None:
    """`Retry-After` may ask for more than the longest pause; less than ours would be a storm."""
    assert Backoff(1.0, 2.0).pause(1, asked, lambda: 0.5) == pause


def test_chance_is_spread_from_nothing_to_all() -> None:
    """A constant would bring everybody back at the same moment."""
    drawn = [chance() for _ in range(200)]
    assert min(drawn) < 0.2
    assert max(drawn) > 0.8
    assert all(0 <= each < 1 for each in drawn)
