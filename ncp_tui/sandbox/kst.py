"""How the service writes a moment: without a zone, and meaning Korean time."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

# Korea has had no summer time since 1988, so a fixed offset needs no zone data on the machine.
SEOUL = timezone(timedelta(hours=9), "KST")
DAY = 86_400.0


def seoul_time(moment: float) -> str:
    """`moment` (epoch seconds) as `yyyy-MM-dd HH:mm:ss` in Asia/Seoul."""
    return format(datetime.fromtimestamp(moment, SEOUL), "%Y-%m-%d %H:%M:%S")


def seoul_stamp(moment: float) -> str:
    """The same moment as a part of a name, `yyyyMMdd-HHmmss`."""
    return seoul_time(moment).replace("-", "").replace(":", "").replace(" ", "-")
