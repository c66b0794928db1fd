"""What is wrong with a schedule is known before anything is sent."""

from __future__ import annotations

import pytest

from ncp_tui.snapshots.rules import InvalidName, name_problems
from ncp_tui.snapshots.schedule_rules import (
    DAY_CHOICES,
    InvalidSchedule,
    check_day,
    check_schedule_name,
    check_time,
    day_problem,
    schedule_name_problems,
    time_problem,
)
from tests.tables import each_row


@each_row(
    "name", ["abc", "nightly", "a-1", "a" * 15, "n1", "Nightly", "a--b", "-ab", "ab-", "1ab", "a" * 16, "a_b", ""]
)
def test_a_name_has_the_rules_of_a_snapshots_and_half_the_length(name: str) -> None:
    is_valid = not name_problems(name) and len(name) <= 15
    assert bool(schedule_name_problems(name)) is not is_valid
    if is_valid:
        assert check_schedule_name(name) == name
    else:
        with pytest.raises(InvalidName) as raised:
            check_schedule_name(name)
        suggested = raised.value.next_step.rsplit(" ", 1)[1]
        assert schedule_name_problems(suggested) == []


@each_row(
    "day, wanted",
    [
        ("Everyday", "Everyday"),
        (" everyday", "Everyday"),
        ("SUNDAY", "Sunday"),
        ("Sun", None),
        ("", None),
        ("일", None),
    ],
)
def test_a_day_is_one_of_eight(day: str, wanted: str | None) -> None:
    assert bool(day_problem(day)) is (wanted is None)
    if wanted is not None:
        assert check_day(day) == wanted
        assert wanted in DAY_CHOICES
    else:
        with pytest.raises(InvalidSchedule, match="is not a day"):
            check_day(day)


@each_row(
    "at, wanted",
    [
        ("03:00", (3, 0)),
        ("3:15", (3, 15)),
        ("23:45", (23, 45)),
        ("00:30", (0, 30)),
        ("03:10", None),
        ("24:00", None),
        ("3", None),
        ("03:60", None),
        ("03:00\n", (3, 0)),
        ("٠٣:٠٠", None),
        ("-3:00", None),
        ("03:00:00", None),
        ("", None),
    ],
)
def test_a_time_is_on_a_quarter_hour(at: str, wanted: tuple[int, int] | None) -> None:
    assert bool(time_problem(at)) is (wanted is None)
    if wanted is not None:
        assert check_time(at) == wanted
    else:
        with pytest.raises(InvalidSchedule, match="is not a time"):
            check_time(at)


def test_the_quarter_hour_before_a_time_is_named() -> None:
    with pytest.raises(InvalidSchedule) as raised:
        check_time("03:59")
    assert raised.value.next_step.endswith("Nearest before it: 03:45.")
