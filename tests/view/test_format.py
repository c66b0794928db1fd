"""Sizes and times read the same on the screen and in commands: one unit system, one zone, and its name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from ncp_tui.view.format import ZONE, age, clock_time, date_time, elapsed, lasted, milliseconds, size, size_of
from tests.tables import each_row


@each_row(
    ("count", "text"),
    [
        (None, "-"),
        (0, "0 B"),
        (1023, "1,023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (5 << 20, "5.0 MiB"),
        (48_318_382_080, "45.0 GiB"),
        (3 << 40, "3.0 TiB"),
        (1 << 60, "1,024.0 PiB"),
    ],
)
def test_sizes(count: int | None, text: str) -> None:
    assert size(count) == text


@each_row("zone", [UTC, timezone(timedelta(hours=9)), timezone(timedelta(hours=-11))])
def test_a_moment_reads_the_same_whatever_zone_it_came_in(zone: timezone) -> None:
    moment = datetime(2026, 1, 1, 20, 5, 9, tzinfo=UTC).astimezone(zone)
    assert (date_time(moment), clock_time(moment), ZONE) == ("2026-01-02 05:05:09", "05:05:09", "KST")


def test_ages_and_durations() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    ages = [age(now - timedelta(seconds=seconds), now) for seconds in (5, 300, 7200, 100_000, 260_000)]
    assert ages == ["just now", "5 min ago", "2 h ago", "27 h ago", "3 d ago"]
    assert [elapsed(seconds) for seconds in (12, 200, 3_720)] == ["12 s", "3 min 20 s", "1 h 02 min"]
    assert [milliseconds(seconds) for seconds in (None, 0.182, 2.41)] == ["-", "182 ms", "2.41 s"]


def test_what_came_as_text_has_units_where_it_is_a_number() -> None:
    assert [size_of(text) for text in ("1860840960", "", "1.7gb")] == ["1.7 GiB", "-", "1.7gb"]
    assert [lasted(text) for text in ("86s", "12 s", "", "about an hour", "²s")] == [
        "1 min 26 s",
        "12 s",
        "-",
        "about an hour",
        "²s",
    ]
