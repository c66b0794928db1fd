"""The two time zones of this program: one for people, one for records."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Final

KST: Final = timezone(timedelta(hours=9), "KST")
"""Asia/Seoul. Korea has no daylight saving time."""

SHOWN: Final = KST
"""What screens, tables and sentences tell every time in: the zone of the service, since its history names no other."""

RECORDED: Final = UTC
"""What the session log and evidence files tell every time in."""


def timestamp(moment: datetime) -> str:
    """`moment` as a record has it: ISO 8601 with milliseconds, in RECORDED."""
    return moment.astimezone(RECORDED).isoformat(timespec="milliseconds")
