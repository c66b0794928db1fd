"""What a set and a release of a schedule end in, fault by fault: no repeated effect, and no claim that is not so."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest
from _pytest.mark.structures import ParameterSet

from ncp_tui.gateway.request import Timeouts
from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.fault_lab.fault import Visit
from ncp_tui.sandbox.protocol import Answer, GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import Sandbox
from tests.cli.program import Called
from tests.snapshots.journals import journal_in

SET = ("schedule", "set", "search-0002", "--name", "weekly", "--bucket", "bk.ses.snapshot", "--day", "Sunday")
COMMANDS = {
    "set-schedule": (*SET, "--at", "02:30", "--json"),
    "release-schedule": ("schedule", "release", "search-0001", "--json"),
}
OPERATIONS = {"set-schedule": "setSnapshotScheduling", "release-schedule": "releaseSnapshotScheduling"}


class Row(NamedTuple):
    """One line of the table."""

    fault: str
    outcome: str
    resolved_by: str | None
    exit_code: int
    kind: str | None


def contradictory(name: str, kind: str) -> list[Row]:
    """The same answer of what was done and of what was not: the schedule history knows."""
    return [Row(f"{name}-before", "unknown", None, 9, kind), Row(f"{name}-after", "accepted", "history", 0, None)]


TABLE = [
    # No answer, or none that says anything: the schedule history tells, where it can.
    *contradictory("drop", "answer_lost"),
    *contradictory("reset", "answer_lost"),
    *contradictory("hang", "answer_lost"),
    *contradictory("unexpected-error", "server_error"),
    *contradictory("endpoint-error", "endpoint_error"),
    *contradictory("endpoint-timeout", "endpoint_timeout"),
    *contradictory("html-502", "server_error"),
    *contradictory("html-200", "bad_answer"),
    *contradictory("empty-200", "bad_answer"),
    *contradictory("result-null", "bad_answer"),
    *contradictory("envelope-500", "server_error"),
    *contradictory("html-429", "throttled"),
    *contradictory("mismatch-409-900", "server_error"),
    *contradictory("refused-and-confirmed", "bad_answer"),
    Row("truncate-after", "accepted", "history", 0, None),
    Row("result-text", "accepted", "history", 0, None),
    Row("result-false", "unknown", None, 9, "bad_answer"),
    Row("redirect-307", "unknown", None, 9, "redirected"),
    # Certain refusals: nothing was done, and nothing is repeated.
    Row("refused", "refused", None, 8, "refused"),
    Row("refused-200", "refused", None, 8, "refused"),
    Row("key-not-set-200", "refused", None, 8, "refused"),
    Row("authentication-failed", "refused", None, 4, "authentication_failed"),
    Row("permission-denied", "refused", None, 5, "permission_denied"),
    Row("not-found", "refused", None, 8, "not_found"),
    Row("throttled", "refused", None, 7, "throttled"),
    Row("rate-limited", "refused", None, 7, "throttled"),
    Row("quota-exceeded", "refused", None, 7, "quota_exceeded"),
    # Odd, and yet a confirmation.
    Row("code-text", "accepted", None, 0, None),
    Row("content-type", "accepted", None, 0, None),
]


def one_of_each_kind() -> Iterator[ParameterSet]:
    """The rows, those in the slow lane that prove what an earlier one has."""
    known: set[object] = set()
    for row in TABLE:
        kind = row[1:]
        yield pytest.param(row, id=row.fault, marks=[pytest.mark.slow] if kind in known else [])
        known.add(kind)


@pytest.fixture(autouse=True)
def nothing_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("ncp_tui.cli.schedule_change"), "RESOLVE_SECONDS", 1.0)


@pytest.mark.parametrize("target", COMMANDS)
@pytest.mark.parametrize("row", list(one_of_each_kind()))
def test_the_table(call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, row: Row, target: str) -> None:
    if row.fault.startswith("hang"):
        monkeypatch.setattr("ncp_tui.search_engine.client.CREATE_TIMEOUTS", Timeouts(read=0.3, total=0.5))
    install(sandbox, f"{row.fault}@{target}")
    operation = OPERATIONS[target]
    result = call(*COMMANDS[target])
    document = result.json()
    assert (document["outcome"], document["resolved_by"], result.code) == (row.outcome, row.resolved_by, row.exit_code)
    assert (document["error"] and document["error"]["kind"]) == row.kind
    effects = [effect.operation for effect in sandbox.ledger.effects]
    if row.outcome != "unknown":
        assert effects == [operation] * (row.outcome == "accepted")
    assert document["attempts"] == 1
    journal = journal_in(Path(call.program.environ["NCP_TUI_HOME"]))
    (entry,) = journal.entries()
    assert (entry.operation, entry.is_open) == (operation, row.outcome == "unknown")
    assert entry.outcome.value == row.outcome
    second = call(*COMMANDS[target]).json()
    if row.outcome == "unknown":  # unresolved: the next one stops, whatever it is
        assert (second["error"]["kind"], second["earlier"]["source"]) == ("second_request", "journal")
    elif row.outcome == "accepted":  # in force, or released already
        assert (second["error"]["kind"], second["earlier"]["source"]) == ("second_request", "history")
    else:
        assert second["outcome"] == "accepted"
    asked = [entry.operation for entry in sandbox.ledger.requests].count(operation)
    assert asked == (2 if row.outcome == "refused" else 1)
    assert len(sandbox.ledger.effects) <= 1


@pytest.mark.parametrize("target", COMMANDS)
def test_a_wrong_clock_is_corrected_once(call: Called, sandbox: Sandbox, target: str) -> None:
    install(sandbox, f"clock-slow@{target}")
    result = call(*COMMANDS[target])
    assert (result.code, result.json()["outcome"]) == (0, "accepted")
    assert len(sandbox.ledger.effects) == 1


@pytest.mark.parametrize("target", COMMANDS)
def test_a_history_that_fails_meanwhile_proves_nothing(call: Called, sandbox: Sandbox, target: str) -> None:
    """The look before is answered; the ones after the lost answer are not."""
    own = "1037002" if target == "set-schedule" else "1037001"

    async def fails_once_it_left(visit: Visit) -> Answer | None:
        has_left = any(entry.operation == OPERATIONS[target] for entry in sandbox.ledger.requests)
        return gateway_answer(GatewayError.UNEXPECTED) if has_left and visit.number == own else None

    sandbox.faults.add("getSnapshotSchedulingHistory", "before", fails_once_it_left, times=None)
    install(sandbox, f"drop-after@{target}")
    result = call(*COMMANDS[target])
    assert (result.code, result.json()["outcome"]) == (9, "unknown")
    assert "could not be read" in result.stderr
