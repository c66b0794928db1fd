"""When a schedule is due, in Korean time."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ncp_tui.sandbox.protocol import DAY

KOREA = 9 * 3_600.0
"""Seconds that Korea is ahead of UTC."""

_DAYS = ("Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday")
"""1970 began on a Thursday."""

_MOST = 400
"""Runs that are caught up with: more than a year of nights."""


def due_moments(day: str, hour: int, minute: int, after: float, until: float) -> Iterator[float]:
    """Each moment later than `after` and not later than `until`, in epoch seconds, at which a schedule is due."""
    at = hour * 3_600.0 + minute * 60.0
    first, last = math.floor((after + KOREA) / DAY), math.floor((until + KOREA) / DAY)
    for number in range(max(first, last - _MOST), last + 1):
        due = number * DAY + at - KOREA
        if after < due <= until and day in {"Everyday", _DAYS[number % 7]}:
            yield due
