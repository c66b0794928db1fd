"""The fault lab: trouble that an operator can rehearse and a test can rely on, each kind under a name of its own."""

from __future__ import annotations

from ncp_tui.sandbox.fault_lab.clocks import clock_off
from ncp_tui.sandbox.fault_lab.connections import trickle_body, trickle_headers, truncate_at
from ncp_tui.sandbox.fault_lab.gateway_errors import redirect
from ncp_tui.sandbox.fault_lab.lab_fault import TARGETS, LabFault
from ncp_tui.sandbox.fault_lab.specs import FAULTS, PlannedFault, UnknownFault, install, read_fault

__all__ = [
    "FAULTS",
    "TARGETS",
    "LabFault",
    "PlannedFault",
    "UnknownFault",
    "clock_off",
    "install",
    "read_fault",
    "redirect",
    "trickle_body",
    "trickle_headers",
    "truncate_at",
]
