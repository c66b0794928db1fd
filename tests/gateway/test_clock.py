from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway.clock import ClockOffset, offset_from, timestamp_ms
from tests.tables import each_row

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC).timestamp()


@each_row(
    ("header", "seconds"),
    [
        ("Thu, 01 Jan 2026 12:00:00 GMT", 0.5),
        ("Thu, 01 Jan 2026 12:05:00 GMT", 300.5),
        ("Thu, 01 Jan 2026 11:54:59 GMT", -300.5),
        ("Thu, 01 Jan 2026 21:00:00 +0900", 0.5),
        ("Thu, 01 Jan 2026 12:00:00 -0000", 0.5),
        ("Thu, 01 Jan 2026 12:00:00", 0.5),
        ("01 Jan 2026 12:00:00 GMT", 0.5),
    ],
)
def test_offset(header: str, seconds: float) -> None:
    """A Date without a zone is UTC; taken as local time it would be nine hours off in Korea."""
    offset = offset_from([header], NOW, 0.0)
    assert offset is not None
    assert offset.seconds == seconds
    assert offset.is_worrying == (abs(seconds) > 60)


@each_row(
    "header",
    [
        "",
        "yesterday",
        "1",
        "Thu, 01 Jan 0001 00:00:00 GMT",
        "Fri, 31 Dec 9999 23:59:59 GMT",
        "Thu, 01 Jan 2026 12:00:00 +9999999999",
        "Thu, 01 Jan 2026 99:99:99 GMT",
        "Thu, 32 Jan 2026 12:00:00 GMT",
        "Thu, 01 Jan 99999999999 12:00:00 GMT",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        ",,,,",
        "\x00",
    ],
)
def test_a_date_that_says_nothing(header: str) -> None:
    """A proxy's 1970 must not make every refused signature look like a clock error."""
    offset = offset_from([header], NOW, 0.0)
    assert offset is None or offset.is_absurd


@given(st.text(max_size=60), st.floats(-1e18, 1e18), st.floats(-1e18, 1e18))
def test_any_header_and_clock(header: str, started: float, elapsed: float) -> None:
    offset_from([header], started, elapsed)
    offset_from(["Thu, 01 Jan 2026 12:00:00 GMT"], started, elapsed)


def test_no_date_and_two_that_differ_say_nothing() -> None:
    """A proxy that adds its own must not decide which one is believed."""
    noon, later = "Thu, 01 Jan 2026 12:00:00 GMT", "Thu, 01 Jan 2026 12:10:00 GMT"
    assert offset_from([], NOW, 0.0) is None
    assert offset_from([noon, later], NOW, 0.0) is None
    assert offset_from([noon, noon], NOW, 0.0) == offset_from([noon], NOW, 0.0) == ClockOffset(0.5, 0.5)


def test_a_slow_answer_makes_it_uncertain() -> None:
    offset = offset_from(["Thu, 01 Jan 2026 12:01:10 GMT"], NOW, 60.0)
    assert offset == ClockOffset(40.5, 30.5)
    assert not ClockOffset(90.0, 31.0).is_worrying
    assert str(ClockOffset(0.25, 0.5)) == "+0.2 s"


def test_timestamp() -> None:
    assert timestamp_ms(lambda: 1_700_000_000.1239) == 1_700_000_000_123
