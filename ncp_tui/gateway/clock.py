"""What a gateway says of time: how far its clock is from ours, and how long it asks to be left alone.

It refuses a request whose timestamp is five minutes off.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime

from ncp_tui.gateway.exchange import Answer

WORTH_SAYING = 60.0
"""Seconds of offset from which a user is told. The gateway's window is 300 s (api.ncloud-docs.com, "common")."""

MOST_CORRECTED = 86_400.0
"""Seconds by which a signature may differ from local time. A clock may be a day off (a zone mistaken, a machine that
slept); a date farther away is the sender's choice, and no signature is made for it."""

_DATE_RESOLUTION = 1.0
_ABSURD = timedelta(days=3650)
_DAY, _YEAR = 86_400, 86_400 * 365


@dataclass(frozen=True)
class ClockOffset:
    """Gateway time minus local time, in seconds, and how wrong that may be."""

    seconds: float
    uncertainty: float

    @property
    def is_worrying(self) -> bool:
        """Whether the offset alone could explain a refused signature."""
        return abs(self.seconds) - self.uncertainty > WORTH_SAYING

    @property
    def is_believable(self) -> bool:
        """Whether a clock may be so far off that it is corrected for."""
        return abs(self.seconds) - self.uncertainty <= MOST_CORRECTED

    @property
    def correction(self) -> float:
        """Seconds to add to local time for a signature; none where the offset is not believable."""
        return max(-MOST_CORRECTED, min(MOST_CORRECTED, self.seconds)) if self.is_believable else 0.0

    @property
    def in_words(self) -> str:
        """How far the other clock is ahead or behind, roughly."""
        size, side = abs(self.seconds), "ahead of" if self.seconds > 0 else "behind"
        span = f"{size / _YEAR:.0f} years" if size >= 2 * _YEAR else f"{size / _DAY:.0f} days"
        return f"{span} {side} this machine's clock"

    @property
    def is_absurd(self) -> bool:
        """Whether it is so far away that it says nothing about any clock."""
        return abs(self.seconds) > _ABSURD.total_seconds()

    def after(self, correction: float) -> ClockOffset:
        """What is left of it once local time has been corrected by so many seconds."""
        return ClockOffset(self.seconds - correction, self.uncertainty)

    def __str__(self) -> str:
        return f"{self.seconds:+.1f} s"


def offset_from(dates: Sequence[str], started: float, elapsed: float) -> ClockOffset | None:
    """Read the offset from the `Date` headers of one answer.

    `started` is local epoch seconds when the request left, `elapsed` the seconds until the answer began, by a clock
    that is never set: the gateway wrote its date somewhere in between, so the middle is compared, and half the round
    trip and half of a Date's resolution of one second are the uncertainty. None for a missing or unreadable
    date, and for two that differ.
    """
    if len(set(dates)) != 1:
        return None
    try:
        date = parsedate_to_datetime(dates[0])
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    middle = started + elapsed / 2
    try:
        seconds = date.timestamp() + _DATE_RESOLUTION / 2 - middle
    except (OverflowError, OSError, ValueError):
        return None
    return ClockOffset(round(seconds, 1), round((elapsed + _DATE_RESOLUTION) / 2, 1))


def timestamp_ms(clock: Callable[[], float] = time.time) -> int:
    """Epoch milliseconds, the unit of `x-ncp-apigw-timestamp`."""
    return int(clock() * 1000)


LONGEST_PAUSE = 60.0
"""Seconds. Whoever asks for more gets this much: a person is waiting, and the pages name no figure at all."""

_NO_PAUSE = 86_400.0
"""Seconds from which the header says nothing: a day is no pause between two requests."""

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")


def retry_after(answer: Answer, now: float) -> float | None:
    """The pause `answer` asks for in seconds, from 0 to LONGEST_PAUSE; None where it asks for nothing that makes sense.

    A date is read against the answer's own `Date`, so that no clock of ours matters; without one against `now`, in
    epoch seconds.
    """
    asked = (answer.header("retry-after") or "").strip()
    if _SECONDS.fullmatch(asked):
        seconds: float | None = float(asked)
    else:
        until = _epoch(asked)
        seconds = None if until is None else until - (_epoch(answer.header("date")) or now)
    if seconds is None or not 0 <= seconds < _NO_PAUSE:
        return None
    return min(seconds, LONGEST_PAUSE)


def _epoch(header: str | None) -> float | None:
    try:
        date = parsedate_to_datetime(header or "")
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError, OSError):
        return None
