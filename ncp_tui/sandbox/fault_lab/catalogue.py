"""Faults by name, as a person or a test names them: `NAME`, `NAME:3`, `NAME:always`, `NAME@history`.

A target is a word, or the operation as the API calls it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import Literal

from ncp_tui.sandbox.fault_lab.answer_faults import answer_faults
from ncp_tui.sandbox.fault_lab.clock_faults import clock_faults, clock_off
from ncp_tui.sandbox.fault_lab.connection_faults import connection_faults
from ncp_tui.sandbox.fault_lab.echo_faults import echo_faults
from ncp_tui.sandbox.fault_lab.fault import TARGETS, LabFault
from ncp_tui.sandbox.fault_lab.history_faults import history_faults
from ncp_tui.sandbox.fault_lab.schedule_faults import schedule_faults
from ncp_tui.sandbox.sandbox import Sandbox

ALWAYS = "always"
_SPEC = re.compile(r"(?P<name>[^@:]+)(?:@(?P<target>[^@:]*))?(?::(?P<times>[^@:]*))?")
_CLOCK = re.compile(r"clock([+-][0-9]{1,9})")
_TIMES = re.compile(r"[1-9][0-9]{0,8}")


class UnknownFault(ValueError):
    """There is no such fault, or not in that form. The text says what there is."""


@dataclass(frozen=True)
class PlannedFault:
    """A fault and to how many requests it applies; None is all."""

    fault: LabFault
    times: int | None

    def __str__(self) -> str:
        return f"{self.fault.name}:{ALWAYS if self.times is None else self.times}"

    def install(self, sandbox: Sandbox) -> None:
        """Plan it in a sandbox. Raises OSError when a TLS fault cannot write its files."""
        self.fault.install(sandbox, self.times)


def read_fault(text: str) -> PlannedFault:
    """Read `NAME[@TARGET][:N]`; N is a number from 1 up or `always`. Raises UnknownFault."""
    found = _SPEC.fullmatch(text)
    if not found:
        raise UnknownFault(f"{text!r} is not a fault: write NAME, NAME:N, NAME:{ALWAYS} or NAME@TARGET:N.")
    fault = _find(found["name"])
    if found["target"] is not None:
        fault = _with_target(fault, found["target"])
    return PlannedFault(fault, fault.usual_times if found["times"] is None else _read_times(found["times"]))


def install(sandbox: Sandbox, fault: str, times: int | Literal["usual"] | None = "usual") -> PlannedFault:
    """Install a fault by name, with or without a target.

    `times` None is always; where it is not given, the name or the fault says how often. Raises UnknownFault, and
    ValueError for less than one time.
    """
    planned = read_fault(fault)
    if times != "usual":
        planned = PlannedFault(planned.fault, times)
    planned.install(sandbox)
    return planned


# In the order in which they are listed.
FAULTS: Mapping[str, LabFault] = MappingProxyType(
    {
        fault.name: fault
        for kind in (connection_faults, answer_faults, echo_faults, clock_faults, history_faults, schedule_faults)
        for fault in kind()
    }
)


def _find(name: str) -> LabFault:
    clock = _CLOCK.fullmatch(name)
    if clock:
        return clock_off(int(clock[1]))
    if name not in FAULTS:
        raise UnknownFault(f"There is no fault {name!r}. {_instead(name)}")
    return FAULTS[name]


def _instead(name: str) -> str:
    variants = [known for known in FAULTS if known.startswith(f"{name}-")]
    close = list(dict.fromkeys([*variants, *get_close_matches(name, FAULTS, n=3)]))
    return f"Did you mean {' or '.join(close)}?" if close else "--list-faults shows all of them."


def _with_target(fault: LabFault, target: str) -> LabFault:
    by_operation = {operation: word for word, operation in TARGETS.items()}
    target = by_operation.get(target, target)
    if target not in TARGETS:
        raise UnknownFault(f"There is no target {target!r}. Targets: {', '.join(TARGETS)}.")
    if fault.fixed:
        raise UnknownFault(f"{fault.name} has a fixed target: {fault.target}.")
    return fault.at(target)


def _read_times(text: str) -> int | None:
    if text == ALWAYS:
        return None
    if not _TIMES.fullmatch(text):
        raise UnknownFault(f"{text!r} is not a number of requests: write 1 or more, or {ALWAYS!r}.")
    return int(text)
