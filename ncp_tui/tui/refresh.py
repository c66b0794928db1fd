"""When a list is read again by itself: a state machine without a clock of its own, and the timer that asks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from textual.timer import Timer
    from textual.widget import Widget

CHOICES: Final = (0, 30, 60, 300)
"""Seconds between two reads that a person can choose; 0 is off."""


@dataclass(frozen=True)
class AutoRefresh:
    """The rhythm of one list. Every method returns the next state; the times are monotonic seconds.

    It is paused while a form or a dialog is open, or while the terminal is not in front where it says so; a list that
    became due meanwhile is read when the pause ends, once.
    """

    every: int = 0
    read_at: float | None = None
    """When the last read ended, well or not; None before the first."""
    is_reading: bool = False
    is_covered: bool = False
    """A form or a dialog stands over the list."""
    is_in_front: bool = True
    """The terminal has the focus, as far as it says."""

    @property
    def is_paused(self) -> bool:
        """Whether nothing is read by itself now."""
        return self.is_covered or not self.is_in_front

    def due_in(self, now: float) -> float | None:
        """Seconds until the list is to be read, 0 for now; None where nothing is to come: off, paused, reading."""
        if not self.every or self.is_paused or self.is_reading or self.read_at is None:
            return None
        return max(0.0, self.read_at + self.every - now)

    def started(self) -> AutoRefresh:
        """A read has begun, by itself or by a key."""
        return replace(self, is_reading=True)

    def ended(self, now: float) -> AutoRefresh:
        """The read has ended, well or not: a list that fails is not read more often than one that comes."""
        return replace(self, is_reading=False, read_at=now)

    def chosen(self, every: int) -> AutoRefresh:
        """Another rhythm."""
        return replace(self, every=every if every in CHOICES else 0)

    def covered(self, is_covered: bool) -> AutoRefresh:
        """A form or dialog was opened over the list, or the last one was closed."""
        return replace(self, is_covered=is_covered)

    def fronted(self, is_in_front: bool) -> AutoRefresh:
        """The terminal said that it has come to the front, or gone from there."""
        return replace(self, is_in_front=is_in_front)


class Refresher:
    """Reads a list again when its rhythm says so."""

    def __init__(self, owner: Widget, load: Callable[[], object], now: Callable[[], float]) -> None:
        """`load` has the list read, `now` is monotonic; the timer lives and dies with `owner`."""
        self.rhythm = AutoRefresh()
        self._owner = owner
        self._load = load
        self._now = now
        self._timer: Timer | None = None

    def choose(self, every: int) -> None:
        """Have it read every so many seconds from now on; 0 is never."""
        self._become(self.rhythm.chosen(every))

    def started(self) -> None:
        """A read has begun."""
        self._become(self.rhythm.started())

    def ended(self) -> None:
        """The read has ended, well or not."""
        self._become(self.rhythm.ended(self._now()))

    def cover(self, *, is_covered: bool) -> None:
        """A form or dialog stands over the list, or no longer."""
        self._become(self.rhythm.covered(is_covered))

    def front(self, is_in_front: bool) -> None:
        """The terminal has come to the front, or gone from there."""
        self._become(self.rhythm.fronted(is_in_front))

    def _become(self, rhythm: AutoRefresh) -> None:
        self.rhythm = rhythm
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        due = rhythm.due_in(self._now())
        if due is not None:
            self._timer = self._owner.set_timer(max(due, _LEAST), self._read_if_due)

    def _read_if_due(self) -> None:
        if self.rhythm.due_in(self._now()) == 0:
            self._load()
        else:
            self._become(self.rhythm)


_LEAST = 0.05
"""Seconds: what is due at once waits until the screen has been painted."""


def rhythm_words(every: int) -> str:
    """A rhythm in words, for the choice and for the pane that says how old a list is."""
    return {0: "off", 60: "every minute", 300: "every 5 min"}.get(every, f"every {every} s")
