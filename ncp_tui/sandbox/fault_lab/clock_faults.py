"""A gateway whose clock is off, and a `Date` that cannot be relied on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from email.utils import formatdate

from ncp_tui.sandbox.authentication import WINDOW_MS
from ncp_tui.sandbox.fault_lab.fault import ANY, Act, LabFault, Stage, Visit, applying
from ncp_tui.sandbox.protocol import Answer

# Twice what the gateway tolerates.
_OFF_SECONDS = 600
_LIE_SECONDS = 3_600


def clock_faults() -> Iterator[LabFault]:
    """All of this module. A clock stays wrong, so these apply to all requests unless a number is given."""
    for name, seconds, what in (("clock-slow", -_OFF_SECONDS, "behind"), ("clock-fast", _OFF_SECONDS, "ahead")):
        described = f"The gateway's clock is 10 minutes {what} and rejects valid signatures; same as clock{seconds:+d}."
        yield dataclasses.replace(clock_off(seconds), name=name, description=described)
    yield _dated("date-missing", "Answers come without a Date.", lambda _now: ())
    yield _dated(
        "date-wrong",
        "The Date is an hour ahead, while signatures are judged by the right time.",
        lambda now: (_http(now + _LIE_SECONDS),),
    )
    yield _dated("date-garbage", "The Date is no date.", lambda _now: ("yesterday, about noon",))
    yield _dated("date-twice", "Two Dates, an hour apart.", lambda now: (_http(now), _http(now + _LIE_SECONDS)))


def clock_off(seconds: int) -> LabFault:
    """The gateway's clock is `seconds` ahead (behind, when negative): it judges signatures and dates answers by it."""
    refuses = abs(seconds) * 1000 >= WINDOW_MS

    def set_up(fault: LabFault, sandbox: Stage, times: int | None) -> None:
        sandbox.faults.skew(seconds, fault.operation, times, fault.name)

    return LabFault(
        f"clock{seconds:+d}",
        f"The gateway's clock is off by {seconds:+d} seconds.",
        "before" if refuses else "after",
        set_up,
        operation=ANY,
        usual_times=None,
    )


def _dated(name: str, description: str, dates: Callable[[float], tuple[str, ...]]) -> LabFault:
    def make(sandbox: Stage) -> Act:
        async def act(visit: Visit) -> Answer:
            return dataclasses.replace(visit.coming, dates=dates(sandbox.world.now))

        return act

    return LabFault(name, description, "after", applying("answer", make), operation=ANY, usual_times=None)


def _http(moment: float) -> str:
    return formatdate(moment, usegmt=True)
