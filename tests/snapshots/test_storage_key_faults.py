"""Every fault of the lab on the request that sets a storage key: sent once, and nothing claimed that is not so."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from _pytest.mark.structures import ParameterSet

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.sandbox.fault_lab.catalogue import FAULTS, install
from ncp_tui.sandbox.sandbox import Sandbox, serve
from ncp_tui.search_engine.operations import SET_STORAGE_KEY
from ncp_tui.snapshots import storage_key
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.snapshots.resolve import search_storage_key
from ncp_tui.snapshots.storage_key import send_storage_key
from tests.search_engine.scripted import engine_of
from tests.snapshots.journals import journal_in
from tests.snapshots.storage_keys import ACCESS, SECRET, WITH_KEY, WITHOUT_KEY, draft_of
from tests.snapshots.waiting import Waiting

NEVER_ANSWERED = {"hang-before", "hang-after", "late", "hang-in-body", "trickle-headers", "trickle-body"}
ON_A_REQUEST = [name for name, fault in FAULTS.items() if not fault.fixed and fault.operation != "getSnapshotHistory"]
ALWAYS_RUN = {
    *("drop-before", "drop-after", "reset-after", "hang-after", "late", "truncate-after", "huge", "empty-200-after"),
    *("html-502-before", "result-null-before", "result-text", "code-text", "refused-and-confirmed-before", "echo-200"),
    *("echo-after", "throttled", "authentication-failed", "permission-denied", "endpoint-timeout-after", "clock-slow"),
    *("redirect-307-same-host", "refused-200", "result-false", "key-not-set", "date-missing"),
}


def all_of_them() -> list[ParameterSet]:
    return [
        pytest.param(name, marks=[] if name in ALWAYS_RUN else [pytest.mark.slow])
        for name in ON_A_REQUEST
        if not name.startswith("tls")
    ]


@pytest.fixture(autouse=True)
def few_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(_seconds: float) -> None:
        return

    patched = partial(search_storage_key, sleep=at_once, monotonic=count(0.0, 10.0).__next__)
    monkeypatch.setattr(storage_key, "search_storage_key", patched)


def test_the_lab_has_them() -> None:
    assert set(ON_A_REQUEST) >= ALWAYS_RUN | NEVER_ANSWERED


@pytest.mark.parametrize("fault", all_of_them())
@pytest.mark.parametrize("had_key", [False, True])
async def test_sent_once_and_true(fault: str, had_key: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox, journal, cluster = Sandbox(duration=0), journal_in(tmp_path), WITH_KEY if had_key else WITHOUT_KEY
    said: list[GatewayError] = []
    async with serve(sandbox) as served, aclosing(engine_of(served)) as engine, asyncio.TaskGroup() as group:
        draft = await draft_of(engine, served, cluster, journal)
        install(sandbox, f"{fault}@set-key:always")
        if fault in NEVER_ANSWERED:
            group.create_task(Waiting(monkeypatch).runs_out(sandbox.faults.waiting[0]))
        result = await send_storage_key(engine, draft, journal=journal, on_resolving=said.append)
    arrived = [entry for entry in sandbox.ledger.requests if entry.operation == SET_STORAGE_KEY]
    effects = [effect for effect in sandbox.ledger.effects if effect.operation == SET_STORAGE_KEY]
    outcome, sent = result.sent.outcome, result.sent
    assert (len(arrived), len(effects) <= 1, sent.attempts) == (1, True, 1)
    if outcome is Outcome.ACCEPTED:
        assert len(effects) == 1
        assert sent.error is None or not had_key, "with a key that was there nothing proves the new one"
    elif outcome is not Outcome.UNKNOWN:
        assert not effects
    else:
        assert said
        assert sent.resolution is not None
    (entry,) = journal.entries()
    assert (entry.outcome, entry.is_open) == (outcome, outcome is Outcome.UNKNOWN)
    data = journal.path.read_text()
    shown = repr(result) + data + "".join(error.sentences() + error.message for error in said)
    assert SECRET not in shown
    assert ACCESS not in shown
