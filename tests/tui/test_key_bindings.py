"""The key that sends: a held one decides once, and nothing else that arrives as keys decides at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.tui.key_bindings import ALONE_SECONDS, PAUSE_SECONDS, SendKey

if TYPE_CHECKING:
    from textual.timer import Timer


@dataclass
class Later:
    """What is to be called at a time, unless it was stopped."""

    at: float
    act: Callable[[], None]
    is_stopped: bool = False

    def stop(self) -> None:
        """Forget it."""
        self.is_stopped = True


@dataclass
class Desk:
    """A key on a clock that is moved by hand, and when something was decided with it."""

    held: bool = False
    seconds: float = 100.0
    decisions: list[float] = field(default_factory=list)
    timers: list[Later] = field(default_factory=list)
    key: SendKey = field(init=False)

    def __post_init__(self) -> None:
        self.key = SendKey(lambda: self.seconds, self._later, held=self.held)

    def _later(self, seconds: float, act: Callable[[], None]) -> Timer:
        timer = Later(self.seconds + seconds, act)
        self.timers.append(timer)
        return cast("Timer", timer)

    def _decide(self) -> None:
        self.decisions.append(self.seconds)

    def wait(self, seconds: float) -> None:
        """Let time pass, and what was to be called then be called."""
        self.seconds += seconds
        due = [timer for timer in self.timers if timer.at <= self.seconds]
        self.timers = [timer for timer in self.timers if timer.at > self.seconds]
        for timer in due:
            if not timer.is_stopped:
                timer.act()

    def press(self, *, after: float = 0.0) -> bool:
        """One event of the key."""
        self.wait(after)
        return self.key.press(self._decide)


def test_a_form_takes_the_first_press_at_once() -> None:
    desk = Desk()
    assert desk.press()
    assert len(desk.decisions) == 1


def test_a_request_is_followed_by_none_however_long_the_key_is_held_or_left() -> None:
    desk = Desk()
    desk.press()
    desk.key.spend()
    for after in [0.66, *[0.03] * 60, 5.0, 0.03, 600.0]:
        assert not desk.press(after=after)
    desk.wait(600)
    assert len(desk.decisions) == 1


@pytest.mark.parametrize("sent", [True, False])
def test_another_key_makes_the_next_press_a_new_one(*, sent: bool) -> None:
    desk = Desk()
    desk.press()
    if sent:
        desk.key.spend()
    desk.key.let_go()
    assert desk.press()
    assert len(desk.decisions) == 2


def test_the_key_that_opened_a_question_answers_it_after_a_pause_when_it_stays_alone() -> None:
    desk = Desk(held=True)
    assert desk.press(after=PAUSE_SECONDS + 0.01)
    desk.wait(ALONE_SECONDS / 2)
    assert desk.decisions == [], "a repeat may be right behind it"
    desk.wait(ALONE_SECONDS)
    assert desk.decisions == [desk.seconds]


@given(first=st.floats(0.0, 30.0), repeats=st.lists(st.floats(0.0, ALONE_SECONDS - 0.01), min_size=1, max_size=60))
def test_a_held_key_answers_no_question(first: float, repeats: list[float]) -> None:
    """Whatever its first delay is, or a connection that stalls makes of it; what is held longer ends the same way."""
    desk = Desk(held=True)
    for after in [first, *repeats]:
        desk.press(after=after)
    desk.wait(PAUSE_SECONDS)
    assert not desk.decisions


@given(st.lists(st.floats(0.0, PAUSE_SECONDS - 0.01), max_size=60))
def test_no_pause_is_no_answer(pauses: list[float]) -> None:
    desk = Desk(held=True)
    for pause in pauses:
        assert not desk.press(after=pause)
    assert not desk.decisions


def test_a_key_right_behind_it_takes_it_back() -> None:
    desk = Desk(held=True)
    assert desk.press(after=PAUSE_SECONDS + 0.01)
    desk.key.let_go()
    desk.wait(ALONE_SECONDS)
    assert not desk.decisions
