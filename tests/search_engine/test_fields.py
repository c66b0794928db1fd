"""A date in any form that a service writes: read where it is known, and never a crash."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ncp_tui.search_engine.fields import as_it_came, moment, says_zone
from tests.tables import each_row

AT = datetime(2026, 11, 28, 11, 0, 0, tzinfo=UTC)


@each_row(
    ("value", "zoned"),
    [
        ("2026-11-28 20:00:00", False),
        (" 2026-11-28 20:00:00 ", False),
        ("2026-11-28T20:00:00", False),
        ("2026-11-28 20:00", False),
        ("2026-11-28 20:00:00.0", False),
        ("2026-11-28T20:00:00.000000000", False),
        ("2026/11/28 20:00:00", False),
        ("2026.11.28 20:00:00", False),
        ("2026. 11. 28. 20:00:00", False),
        ("2026년 11월 28일 20시 00분 00초", False),
        ("20261128200000", False),
        ("20261128T200000", False),
        ("2026-11-28T11:00:00Z", True),
        ("2026-11-28T11:00:00.000Z", True),
        ("2026-11-28T20:00:00+09:00", True),
        ("2026-11-28T20:00:00+0900", True),
        ("2026-11-28T20:00:00+09", True),
        ("2026-11-28T06:00:00-05:00", True),
        ("2026-11-28T20:00:00+09:00[Asia/Seoul]", True),
        ("2026-11-28 11:00:00 UTC", True),
        ("2026-11-28 20:00:00 KST", True),
        (1795863600, True),
        ("1795863600", True),
        (1795863600.0, True),
        (1795863600000, True),
        ("1795863600000", True),
        (1795863600000000, True),
        ("Sat, 28 Nov 2026 11:00:00 GMT", False),
        ([2026, 11, 28, 20, 0], False),
        ([2026, 11, 28, 20, 0, 0, 0], False),
    ],
)
def test_one_moment_in_many_forms(value: Any, *, zoned: bool) -> None:
    """A date without a zone is Seoul's, wherever the program runs."""
    found = moment({"t": value}, "t")
    assert found is not None
    assert found.astimezone(UTC).replace(microsecond=0) == AT
    assert found.utcoffset() == datetime.fromisoformat("2026-01-01T00:00:00+09:00").utcoffset()
    assert says_zone(as_it_came({"t": value}, "t")) is zoned


@each_row(
    "value",
    [
        None,
        "",
        "about noon",
        "2025-02-30 10:00:00",
        "2026-11-28",
        "2026-11-28 08:00:00 PM",
        "28/11/2026 20:00:00",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "2026-11-28T20:00:00+99:00",
        "9" * 4000,
        10**4000,
        0,
        -1,
        1e308,
        float("nan"),
        True,
        [],
        [2026, 11],
        [2026, 13, 28, 20, 0],
        [2026, True, 28, 20, 0],
        ["2026", 11, 28, 20, 0],
        {},
    ],
)
def test_what_is_no_date_is_none(value: Any) -> None:
    """Java's empty date is none."""
    assert moment({"t": value}, "t") is None
    assert bool(as_it_came({"t": value}, "t")) is (value is not None and value != "")


@given(st.text(max_size=40) | st.from_regex(r"\d{1,20}[-/: T.]\d{1,4}.*", fullmatch=True))
def test_no_text_is_a_crash(value: str) -> None:
    moment({"t": value}, "t")
    says_zone(value)
