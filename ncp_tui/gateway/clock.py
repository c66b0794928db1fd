"""How far this machine's clock is from the gateway's: the gateway refuses a request that is five minutes off."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

WORTH_SAYING = 60.0
"""Seconds of offset from which a user is told. The gateway's window is 300 s (api.ncloud-docs.com, "common")."""

_DATE_RESOLUTION = 1.0
_ABSURD = timedelta(days=3650)


@dataclass(frozen=True)
class ClockOffset:
    """Gateway time minus local time, in seconds, and how wrong that may be."""

    seconds: float
    uncertainty: float

    @property
    def is_worrying(self) -> bool:
        """Whether the offset alone could explain a refused signature."""
        return abs(self.seconds) - self.uncertainty > WORTH_SAYING

    def __str__(self) -> str:
        return f"{self.seconds:+.1f} s"


def offset_from(date_header: str | None, sent: float, received: float) -> ClockOffset | None:
    """Read the offset from a `Date` header; `sent` and `received` are local epoch seconds around the request.

    None for a missing, unreadable or absurd date. A Date has a resolution of one second, so half of that and half the
    round trip are the uncertainty.
    """
    if not date_header:
        return None
    try:
        date = parsedate_to_datetime(date_header)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    if date.tzinfo is None:
        date = date.replace(tzinfo=UTC)
    middle = (sent + received) / 2
    try:
        if abs(date - datetime.fromtimestamp(middle, UTC)) > _ABSURD:
            return None
        seconds = date.timestamp() + _DATE_RESOLUTION / 2 - middle
    except (OverflowError, OSError, ValueError):
        return None
    return ClockOffset(round(seconds, 1), round((received - sent + _DATE_RESOLUTION) / 2, 1))


def timestamp_ms(clock: Callable[[], float] = time.time) -> int:
    """Epoch milliseconds, the unit of `x-ncp-apigw-timestamp`."""
    return int(clock() * 1000)
