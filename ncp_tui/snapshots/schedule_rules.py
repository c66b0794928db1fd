"""What can be known to be wrong with a schedule before anything is sent: its name, its day, its time.

A name has 3 to 15 characters and else the rules of a snapshot's; a day is Everyday or a day of the week; a time is on a
quarter hour (api.ncloud-docs.com, setSnapshotScheduling).
"""

from __future__ import annotations

import re
from typing import Final

from ncp_tui.problem import Problem
from ncp_tui.snapshots.rules import InvalidName, name_problems, suggest_name
from ncp_tui.snapshots.schedule import DAYS, EVERY_DAY
from ncp_tui.text import clean

LONGEST_NAME: Final = 15

DAY_CHOICES: Final = (EVERY_DAY, "Sunday", *DAYS[:-1])
"""In the order of the API."""

MINUTES: Final = (0, 15, 30, 45)

_TIME: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


class InvalidSchedule(Problem):
    """A day or a time that NCP would refuse; nothing was sent."""

    kind = "invalid_schedule"


def schedule_name_problems(name: str) -> list[str]:
    """Everything wrong with the name of a schedule, each as a short reason; empty for a valid one."""
    return name_problems(name, LONGEST_NAME)


def check_schedule_name(name: str) -> str:
    """Return `name` if it is valid. Raises InvalidName with every reason and a valid suggestion."""
    problems = schedule_name_problems(name)
    if problems:
        raise InvalidName(
            f"{clean(name) or 'An empty name'!r} is not a valid name of a schedule: {'; '.join(problems)}.",
            "Nothing was sent.",
            f"A valid name close to it: {suggest_name(name, LONGEST_NAME)}",
        )
    return name


def day_problem(day: str) -> str:
    """What is wrong with a day, as a short reason; empty for a valid one, whatever its capitals."""
    return "" if _day(day) else f"one of {', '.join(DAY_CHOICES)}"


def check_day(day: str) -> str:
    """The day as the API spells it. Raises InvalidSchedule."""
    found = _day(day)
    if found is None:
        raise InvalidSchedule(
            f"{clean(day)!r} is not a day.", "Nothing was sent.", f"Use one of {', '.join(DAY_CHOICES)}."
        )
    return found


def time_problem(at: str) -> str:
    """What is wrong with a time of day, as a short reason; empty for a valid one."""
    found = _TIME.fullmatch(at.strip())
    if found is None:
        return "HH:MM, from 00:00 to 23:45"
    return "" if int(found[2]) in MINUTES else "on a quarter hour: :00, :15, :30 or :45"


def check_time(at: str) -> tuple[int, int]:
    """Hour and minute of `at`. Raises InvalidSchedule."""
    found, problem = _TIME.fullmatch(at.strip()), time_problem(at)
    if found is None or problem:
        nearest = "" if found is None else f" Nearest before it: {int(found[1]):02d}:{int(found[2]) // 15 * 15:02d}."
        raise InvalidSchedule(
            f"{clean(at)!r} is not a time for a schedule.",
            "Nothing was sent.",
            f"Use HH:MM on a quarter hour, as 03:00 or 03:15.{nearest}",
        )
    return int(found[1]), int(found[2])


def _day(day: str) -> str | None:
    wanted = day.strip().lower()
    return next((each for each in DAY_CHOICES if each.lower() == wanted), None)
