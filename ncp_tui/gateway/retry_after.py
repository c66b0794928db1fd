"""How long a throttling gateway asks to be left alone: `Retry-After`, read without trusting it."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from ncp_tui.gateway.exchange import Answer

LONGEST = 60.0
"""Seconds. Whoever asks for more gets this much: a person is waiting, and the pages name no figure at all."""

_ABSURD = 86_400.0
"""Seconds from which the header says nothing: a day is no pause between two requests."""

_SECONDS = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,6})?")


def retry_after(answer: Answer, now: float) -> float | None:
    """The pause `answer` asks for in seconds, from 0 to LONGEST; None where it asks for nothing that makes sense.

    A date is read against the answer's own `Date`, so that no clock of ours matters; without one against `now`, in
    epoch seconds.
    """
    asked = (answer.header("retry-after") or "").strip()
    if _SECONDS.fullmatch(asked):
        seconds: float | None = float(asked)
    else:
        until = _epoch(asked)
        seconds = None if until is None else until - (_epoch(answer.header("date")) or now)
    if seconds is None or not 0 <= seconds < _ABSURD:
        return None
    return min(seconds, LONGEST)


def _epoch(header: str | None) -> float | None:
    try:
        date = parsedate_to_datetime(header or "")
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, IndexError, OverflowError, OSError):
        return None
