"""How long to wait before the next try, or the next look: longer each time, and never for many at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def chance() -> float:
    """A number from 0 to 1."""
    import random  # which loads hashes; a start waits for nothing

    return random.random()  # noqa: S311 - nothing secret


@dataclass(frozen=True)
class Backoff:
    """Pauses in seconds: `first`, then `growth` times as long after each try, up to `longest`.

    Each is multiplied by anything from `least` to `most`: clients that failed together would else come back together.
    """

    first: float
    longest: float
    growth: float = 2.0
    least: float = 0.8
    most: float = 1.2

    def pause(self, tries: int, asked: float | None = None, jitter: Callable[[], float] = chance) -> float:
        """The pause after so many tries, and never shorter than what the other side `asked` for (`Retry-After`)."""
        # A watch may last for weeks; the growth is over long before its power is too large for a float.
        pause = min(self.first * self.growth ** min(tries - 1, 64), self.longest)
        return max(asked or 0.0, pause * (self.least + (self.most - self.least) * jitter()))
