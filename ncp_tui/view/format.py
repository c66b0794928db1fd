"""Times, sizes and counts in words, for every table, pane, line and sentence, on the screen and in commands.

Every time is in one zone, the one NCP writes its own in: the history names no other.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ncp_tui.system.time_zone import SHOWN

_KIBI = 1024
_LONGEST_COUNT = 20
"""Digits of a count that are grouped: 64 bits."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_MOST_HOURS = 3 * _DAY


ZONE = str(SHOWN)
"""The zone of `clock_time`, `date` and `date_time`, for the head of a column."""


def clock_time(moment: datetime) -> str:
    """`09:00:00`, in ZONE."""
    return moment.astimezone(SHOWN).strftime("%H:%M:%S")


def as_of(read_at: datetime, now: datetime) -> str:
    """`as of 09:00:00 KST`, from a minute on with how long ago that is."""
    when = f"as of {clock_time(read_at)} {ZONE}"
    return when if now - read_at < timedelta(minutes=1) else f"{when}, {age(read_at, now)}"


def date_time(moment: datetime) -> str:
    """`2026-01-02 09:00:00`, in ZONE."""
    return moment.astimezone(SHOWN).strftime("%Y-%m-%d %H:%M:%S")


def date(moment: datetime) -> str:
    """`2026-01-02`, in ZONE."""
    return moment.astimezone(SHOWN).strftime("%Y-%m-%d")


def milliseconds(seconds: float | None) -> str:
    """`182 ms`, or `2.41 s` from one second on."""
    if seconds is None:
        return "-"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def size(count: int | None) -> str:
    """Bytes as `45.0 GiB`, in steps of 1,024; `-` where they are not known."""
    if count is None:
        return "-"
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if abs(value) < _KIBI:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= _KIBI
    return f"{value:,.1f} PiB"


def grouped(count: str) -> str:
    """A count with thousands separators; what is not a count stays as NCP sent it, and so does its unit."""
    return f"{int(count):,}" if _is_count(count) else count or "-"


def size_of(count: str) -> str:
    """Bytes that came as text, as `size` has them; what is not a count stays as NCP sent it, and so does its unit."""
    return size(int(count)) if _is_count(count) else count or "-"


def lasted(seconds: str) -> str:
    """A duration as the history has it, `86s`, as `elapsed` has it; anything else stays as NCP sent it."""
    number = seconds.removesuffix("s")
    return elapsed(int(number)) if number != seconds and _is_count(number) else seconds or "-"


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_COUNT


def short_age(age: timedelta) -> str:
    """`now`, `5 min`, `26 h` up to 72 h, `4 d`; `ahead` for a time that is still to come.

    Hours up to three days: the question is whether a snapshot is from last night.
    """
    seconds = age.total_seconds()
    if seconds < -_HOUR:
        return "ahead"
    if seconds < _MINUTE:
        return "now"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f} min"
    return f"{seconds // _HOUR:.0f} h" if seconds <= _MOST_HOURS else f"{seconds // _DAY:.0f} d"


def age(moment: datetime, now: datetime) -> str:
    """`just now`, `5 min ago`, `26 h ago`, `4 d ago`; `in the future` for a time that is still to come."""
    short = short_age(now.astimezone(UTC) - moment.astimezone(UTC))
    return {"now": "just now", "ahead": "in the future"}.get(short, f"{short} ago")


def elapsed(seconds: float) -> str:
    """`12 s`, `3 min 20 s`, `1 h 02 min`."""
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE:02d} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE:02d} min"
