"""Other tests rely on the ledger: it must see everything, in order, and keep no secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from ncp_tui.sandbox.sandbox import Sandbox
from tests.sandbox.signed_client import KEYLESS, READY, START, Caller, Clock


@pytest.fixture
def ledger_path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@pytest.fixture
def sandbox(clock: Clock, ledger_path: Path) -> Sandbox:
    ids = (f"request-{number}" for number in range(1, 100))
    return Sandbox(clock=clock, ledger_path=ledger_path, new_request_id=ids.__next__)


async def test_requests_of_every_ending(caller: Caller) -> None:
    await caller.create("before-upgrade")
    await caller.create("before-upgrade")
    await caller.http.get("/nowhere?x=%EA")
    await caller.http.get("/api/v2/cluster/getClusterInfoList")
    entries = caller.sandbox.ledger.requests
    assert [(entry.operation, entry.status, entry.error_code, entry.code) for entry in entries] == [
        ("createSnapshot", 200, None, 0),
        ("createSnapshot", 200, None, 40070),
        (None, 404, "300", None),
        ("getClusterInfoList", 401, "200", None),
    ]
    assert [entry.authenticated for entry in entries] == [True, True, False, False]
    assert [entry.access_key for entry in entries] == [caller.sandbox.access_key] * 2 + [None] * 2
    assert entries[2].target == "/nowhere?x=%EA"
    assert entries[3].refusal == "missing_header"


async def test_lines_on_disk(caller: Caller, ledger_path: Path) -> None:
    """Another process reads the file while the sandbox runs, so a line is there when its answer is."""
    await caller.create("before-upgrade")
    lines = [json.loads(line) for line in _text(ledger_path).splitlines()]
    assert lines[0] == {
        "type": "effect",
        "time": START,
        "request_id": "request-1",
        "operation": "createSnapshot",
        "cluster": READY,
        "name": "before-upgrade",
        "bucket": "bk.ses.snapshot",
    }
    assert (lines[1]["type"], lines[1]["request_id"], lines[1]["status"]) == ("request", "request-1", 200)
    assert len(lines) == 2


async def test_no_secret_is_written(caller: Caller, ledger_path: Path) -> None:
    keys = {"accessKeyId": "AKID", "secretKey": "object-storage-secret"}
    await caller.send("POST", f"/snapshot/updateAPIAuthenticationKey/{KEYLESS}", keys)
    seen = _text(ledger_path) + repr(caller.sandbox.ledger.__dict__)
    assert "object-storage-secret" not in seen
    assert caller.sandbox.secret_key not in seen
    assert [effect.operation for effect in caller.sandbox.ledger.effects] == ["updateAPIAuthenticationKey"]


async def test_a_client_that_leaves_in_the_middle_of_its_body(caller: Caller) -> None:
    """Entered without a status; nothing was done."""
    messages: Iterator[dict[str, object]] = iter(
        [{"type": "http.request", "body": b'{"snap', "more_body": True}, {"type": "http.disconnect"}],
    )

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(_message: object) -> None:
        pytest.fail("no client is there to be answered")

    scope = {
        "type": "http",
        "method": "POST",
        "raw_path": f"/api/v2/snapshot/createSnapshot/{READY}".encode(),
        "query_string": b"",
        "headers": [],
    }
    await caller.sandbox.app(scope, receive, send)
    (entry,) = caller.sandbox.ledger.requests
    assert (entry.status, entry.fault) == (None, None)
    assert not caller.sandbox.ledger.effects


async def test_control_characters_do_not_reach_the_ledger(caller: Caller) -> None:
    await caller.http.get(
        "/nowhere", headers={"x-ncp-iam-access-key": "\x1b[31mred".encode("latin-1").decode("latin-1")}
    )
    assert caller.sandbox.ledger.requests[-1].access_key == "?[31mred"


async def test_effects_are_counted_per_snapshot(caller: Caller) -> None:
    """The same create sent many times is one effect: what a client's retry is measured by."""
    responses: list[httpx.Response] = [await caller.create("only-once") for _ in range(5)]
    assert sum(response.json()["result"] is True for response in responses) == 1
    assert len(caller.sandbox.ledger.effects) == 1
    assert len(caller.sandbox.ledger.requests) == 5
