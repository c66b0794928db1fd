"""Members of an answer whose fields may be missing, retyped or new, and the many ways in which a date is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from ncp_tui.system.time_zone import KST

_MILLISECONDS_FROM = 10**11
"""Epoch numbers above this are milliseconds: as seconds they would lie after the year 5138."""

_FLAGS = {"true": True, "1": True, "y": True, "yes": True, "t": True} | {
    "false": False,
    "0": False,
    "n": False,
    "no": False,
    "f": False,
}
_YEARS = range(1970, 9999)
"""What is taken for a date. Java's empty date, 0001-01-01, is none, and cannot even be moved to another zone."""


def text(item: Mapping[str, Any], name: str) -> str:
    """The member as text; empty where it is missing, null or no scalar."""
    value = item.get(name)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""


def number(item: Mapping[str, Any], name: str) -> int | None:
    """The member as an integer, given as one or as text; None otherwise."""
    value = item.get(name)
    if isinstance(value, bool):
        return None
    try:
        return int(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None


def flag(item: Mapping[str, Any], name: str) -> bool | None:
    """The member as a boolean, given as one, as 1 or 0, or as text; None otherwise."""
    value = item.get(name)
    return _FLAGS.get(str(value).strip().lower()) if isinstance(value, bool | int | str) else None


def epoch(item: Mapping[str, Any], name: str) -> datetime | None:
    """The member as a time, given in epoch seconds or milliseconds, told apart by magnitude."""
    value = number(item, name)
    if value is None:
        return None
    try:
        moment = datetime.fromtimestamp(value / 1000 if value > _MILLISECONDS_FROM else value, UTC)
    except (OverflowError, OSError, ValueError):
        return None
    return moment if moment.year in _YEARS else None


def members(result: Any, name: str) -> list[Mapping[str, Any]]:
    """The list `name` of a result; null, missing and non-objects in it count as nothing."""
    found = result.get(name) if isinstance(result, Mapping) else None
    return [item for item in found if isinstance(item, Mapping)] if isinstance(found, list) else []


_DATE = re.compile(
    r"(\d{4})\s?[-/.년]\s?(\d{1,2})\s?[-/.월]\s?(\d{1,2})일?"
    r"(?:T|\s+|\.\s*)(\d{1,2})\s?[:시]\s?(\d{1,2})\s?분?(?:[:\s]?\s?(\d{1,2})초?)?(?:[.,](\d{1,9}))?"
    r"\s*(Z|UTC|GMT|KST|JST|[+-]\d{2}(?::?\d{2})?)?(?:\[[\w/]+\])?",
    re.IGNORECASE,
)
_COMPACT = re.compile(r"(20\d\d)(\d\d)(\d\d)T?(\d\d)(\d\d)(\d\d)?(Z)?")
_EPOCH = re.compile(r"\d{9,19}(?:\.\d+)?")
_ZONES = {"z": UTC, "utc": UTC, "gmt": UTC, "kst": KST, "jst": KST}

_SECONDS_BELOW, _MILLISECONDS_BELOW, _MICROSECONDS_BELOW = 10**11, 10**14, 10**17
_ARRAY = range(5, 8)


def moment(item: Mapping[str, Any], name: str) -> datetime | None:
    """The member as a time in Asia/Seoul: a date with or without fraction and zone, epoch seconds or finer, an array.

    None where it is missing, or no date that is known here.
    """
    value = item.get(name)
    if isinstance(value, bool):
        return None
    try:
        found = _of_array(value) if isinstance(value, list) else _of_text(text(item, name).strip())
        return found.astimezone(KST) if found is not None and found.year in _YEARS else None
    except (OverflowError, OSError, ValueError):
        return None


def as_it_came(item: Mapping[str, Any], name: str) -> str:
    """The member as text, also where it is no date; empty where it is missing or null."""
    value = item.get(name)
    return text(item, name) if not isinstance(value, list | Mapping) else str(value)


def says_zone(text: str) -> bool:
    """Whether a date as it came says which zone it is in; what counts from the epoch does."""
    found = _DATE.fullmatch(text.strip())
    if found is not None:
        return found[8] is not None
    return _COMPACT.fullmatch(text.strip()) is None and _EPOCH.fullmatch(text.strip()) is not None


def _of_text(text: str) -> datetime | None:
    if (found := _DATE.fullmatch(text) or _COMPACT.fullmatch(text)) is not None:
        year, month, day, hour, minute, second, *more = found.groups()
        fraction, zone = more if len(more) == len(("fraction", "zone")) else (None, *more)
        micro = int((fraction or "0")[:6].ljust(6, "0"))
        return datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0), micro, tzinfo=_zone(zone)
        )
    if _EPOCH.fullmatch(text):
        return _of_epoch(float(text))
    if text[:1].isalpha() and any(sign.isdigit() for sign in text):
        # As a mail or an HTTP header has it: Sat, 28 Nov 2026 11:00:00 GMT.
        from email.utils import parsedate_to_datetime  # a start has no row with such a date

        found_mail = parsedate_to_datetime(text)
        return found_mail if found_mail.tzinfo else found_mail.replace(tzinfo=KST)
    return None


def _zone(text: str | None) -> timezone:
    if not text:
        return KST
    if text.lower() in _ZONES:
        return _ZONES[text.lower()]
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    away = timedelta(hours=hours, minutes=minutes)
    return timezone(-away if text[0] == "-" else away)


def _of_epoch(value: float) -> datetime:
    if value >= _MICROSECONDS_BELOW:
        value /= 1e9
    elif value >= _MILLISECONDS_BELOW:
        value /= 1e6
    elif value >= _SECONDS_BELOW:
        value /= 1e3
    return datetime.fromtimestamp(value, UTC)


def _of_array(value: list[Any]) -> datetime | None:
    """[2026, 11, 28, 20, 0, 0, nanoseconds], as Java's LocalDateTime is written by some."""
    if len(value) not in _ARRAY or not all(isinstance(part, int) and not isinstance(part, bool) for part in value):
        return None
    year, month, day, hour, minute, second, *_ = (*value, 0)
    return datetime(year, month, day, hour, minute, second, tzinfo=KST)
