"""The check before a rolling upgrade: open for six hours after a good snapshot, and a no with its reason."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.signed_client import FRESH, READY, Caller

HOUR = 3_600.0
PATH = "/cluster/rollingUpgradePreCheck"
NEWER = "1319"
"""An OpenSearch, as search-0001 has, of another version."""


async def _asked(caller: Caller, number: str = READY, **body: Any) -> tuple[int, int, Any, str]:
    answer = (await caller.send("POST", PATH, {"serviceGroupInstanceNo": number} | body)).json()
    response = await caller.send("POST", PATH, {"serviceGroupInstanceNo": number} | body)
    assert response.json()["message"] == answer["message"], "to ask changes nothing"
    return response.status_code, answer["code"], answer["result"], answer["message"]


async def test_a_good_snapshot_opens_it_for_six_hours(caller: Caller) -> None:
    assert (await _asked(caller, FRESH, targetVersionCode="2171"))[:3] == (400, 10154, None)
    caller.sandbox.world.add_past("search-0001", "before", ended=5.9 * HOUR)
    assert await _asked(caller, targetVersionCode=NEWER) == (200, 0, True, "SUCCESS")
    assert [(each.operation, each.cluster) for each in caller.sandbox.ledger.effects] == [(PATH[9:], READY)] * 2
    caller.clock.now += 0.2 * HOUR
    status, code, result, message = await _asked(caller, targetVersionCode=NEWER)
    assert (status, code, result) == (400, 10154, None)
    assert "a recent snapshot is required" in message


@pytest.mark.parametrize("name", ["it-fail-1", "it-partial-1"])
async def test_one_that_did_not_succeed_opens_nothing(caller: Caller, name: str) -> None:
    caller.sandbox.world.add_past("search-0001", name, ended=60.0)
    assert (await _asked(caller, targetVersionCode=NEWER))[:2] == (400, 10154)


@pytest.mark.parametrize(
    ("target", "reason"),
    [("2171", "has version 2171 already"), ("9999", "9999 is not supported"), ("7102", "cannot be upgraded to 7102")],
)
async def test_another_no_is_a_result_of_null_with_its_reason(caller: Caller, target: str, reason: str) -> None:
    caller.sandbox.world.add_past("search-0001", "before", ended=60.0)
    status, code, result, message = await _asked(caller, targetVersionCode=target, regionNo="1")
    assert (status, code, result) == (200, 0, None)
    assert reason in message
    assert caller.sandbox.ledger.effects == []


@pytest.mark.parametrize("body", [{}, {"targetVersionCode": 1319}, {"targetVersionCode": NEWER, "regionNo": 1}])
async def test_what_it_needs_is_text(caller: Caller, body: dict[str, Any]) -> None:
    caller.sandbox.world.add_past("search-0001", "before", ended=60.0)
    assert (await _asked(caller, **body))[0] == 400


async def test_the_number_is_in_the_body_alone(caller: Caller) -> None:
    assert (await caller.send("POST", f"{PATH}/{READY}", {"targetVersionCode": NEWER})).status_code == 404
    assert (await caller.send("POST", PATH, {"targetVersionCode": NEWER})).json()["code"] == 40001
