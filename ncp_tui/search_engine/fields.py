"""Reading members of an answer whose fields may be missing, retyped or new."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

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
