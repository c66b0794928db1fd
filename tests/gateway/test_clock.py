"""A Date without a zone is UTC; taken as local time it would be nine hours off in Korea."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.gateway.clock import ClockOffset, offset_from, retry_after, timestamp_ms
from ncp_tui.gateway.errors import QuotaExceeded, Throttled
from ncp_tui.gateway.exchange import Answer
from tests.gateway.wire import CREATE, Client, RawServer, answering, http
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


NOON = 1_767_268_800.0
"""2026-01-01T12:00:00Z."""

DATE = "Thu, 01 Jan 2026 12:00:00 GMT"


def asked(header: str, *more: tuple[str, str], now: float = NOON) -> float | None:
    return retry_after(Answer(429, "", (("Retry-After", header), *more)), now)


@each_row(
    ("header", "seconds"),
    [("0", 0.0), ("7", 7.0), (" 7 ", 7.0), ("1.5", 1.5), ("60", 60.0), ("61", 60.0), ("3600", 60.0)],
)
def test_seconds(header: str, seconds: float) -> None:
    assert asked(header) == seconds


@each_row(
    "header",
    [
        "",
        "soon",
        "-1",
        "-0.1",
        "nan",
        "NaN",
        "inf",
        "1e3",
        "0x10",
        "86400",
        "999999999999",
        "9" * 400,
        "+5",
        "٣",
        "5 s",
        "1,5",
    ],
)
def test_what_makes_no_sense(header: str) -> None:
    """A pause of NaN seconds ends at once, and one of a year never."""
    assert asked(header) is None


@each_row(
    ("header", "seconds"),
    [
        ("Thu, 01 Jan 2026 12:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2026 12:00:20 GMT", 20.0),
        ("Thu, 01 Jan 2026 12:30:00 GMT", 60.0),
        ("Thu, 01 Jan 2026 11:59:59 GMT", None),
        ("Sat, 03 Jan 2026 12:00:00 GMT", None),
        ("Fri, 31 Dec 9999 23:59:59 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", None),
    ],
)
def test_a_date(header: str, seconds: float | None) -> None:
    """Against the answer's own date first: this machine's clock may be an hour off."""
    assert asked(header, now=NOON) == seconds
    assert asked(header, ("Date", DATE), now=NOON + 3600) == seconds


def test_no_header() -> None:
    assert retry_after(Answer(429, "", ()), NOON) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_any_header(header: str, date: str) -> None:
    seconds = asked(header, ("Date", date))
    assert seconds is None or 0 <= seconds <= 60


@each_row("body", [b"", json.dumps({"error": {"errorCode": "410", "message": "Limited"}}).encode()])
async def test_a_throttling_gateway_says_how_long(body: bytes) -> None:
    """A bare 429 as well, for reads; what it proves about a create is nothing."""
    async with RawServer(answering(http(429, body, "retry-after: 3"))) as server, Client(server.url) as client:
        with pytest.raises(Throttled) as caught:
            await client.gateway.send(CREATE)
    assert caught.value.retry_after == 3
    assert caught.value.may_have_acted is (not body)


async def test_a_date_without_a_date_is_read_against_the_local_clock() -> None:
    data = http(429, b"", "retry-after: Thu, 01 Jan 2026 12:00:30 GMT")
    async with RawServer(answering(data)) as server, Client(server.url, clock=lambda: NOON) as client:
        with pytest.raises(Throttled) as caught:
            await client.gateway.send(CREATE)
    assert caught.value.retry_after == 30


async def test_a_quota_is_not_waited_for() -> None:
    body = json.dumps({"error": {"errorCode": "400", "message": "Quota Exceeded"}}).encode()
    async with RawServer(answering(http(429, body, "retry-after: 3"))) as server, Client(server.url) as client:
        with pytest.raises(QuotaExceeded) as caught:
            await client.gateway.send(CREATE)
    assert not hasattr(caught.value, "retry_after")
