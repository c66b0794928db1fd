"""A local NCP gateway with Search Engine Service behind it: real HTTP on loopback, an independent judge of signatures.

It imports nothing of the client, so that client and judge cannot share a mistake.
"""

from __future__ import annotations

from ncp_tui.sandbox.accounts import Account, made_up_account
from ncp_tui.sandbox.answers import Answer, GatewayError, Refusal, gateway_answer, json_answer, refusal_answer
from ncp_tui.sandbox.fault_lab import FAULTS, LabFault, PlannedFault, UnknownFault, install, read_fault
from ncp_tui.sandbox.faults import ANY, Cut, Fault, Faults, Visit
from ncp_tui.sandbox.ledger import Effect, Ledger, RequestEntry
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.sandbox.server import RunningSandbox, ThreadedSandbox, run_forever, serve

__all__ = [
    "ANY",
    "FAULTS",
    "Account",
    "Answer",
    "Cut",
    "Effect",
    "Fault",
    "Faults",
    "GatewayError",
    "LabFault",
    "Ledger",
    "PlannedFault",
    "Refusal",
    "RequestEntry",
    "RunningSandbox",
    "Sandbox",
    "ThreadedSandbox",
    "UnknownFault",
    "Visit",
    "gateway_answer",
    "install",
    "json_answer",
    "made_up_account",
    "read_fault",
    "refusal_answer",
    "run_forever",
    "serve",
]
