"""Schedules that do not keep what they promise, and what NCP does not document of them."""

from __future__ import annotations

from collections.abc import Iterator

from ncp_tui.sandbox.fault_lab.fault import SET_SCHEDULE, LabFault, SetUp, Stage


def schedule_faults() -> Iterator[LabFault]:
    """All of this module."""
    yield _schedule(
        "schedule-missed",
        "The newest run that was due, and those that are due next, have no row. N counts the runs.",
        _miss,
        usual_times=None,
    )
    yield _schedule(
        "schedule-adds", "Setting a schedule leaves the one before in force. N counts the sets.", _add, usual_times=None
    )


def _schedule(name: str, description: str, set_up: SetUp, usual_times: int | None) -> LabFault:
    return LabFault(name, description, None, set_up, SET_SCHEDULE, usual_times, fixed=True)


def _miss(_: LabFault, sandbox: Stage, times: int | None) -> None:
    sandbox.world.miss_runs(times)


def _add(_: LabFault, sandbox: Stage, times: int | None) -> None:
    sandbox.world.add_schedules(times)
