"""The service's own codes that are known: what each means, and that nothing else is taken for one of them."""

from __future__ import annotations

import pytest

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.refusals import is_key_missing
from tests.search_engine.scripted import engine_of

CODES = {
    "key-not-set": ("10115", "no storage key", "Set the cluster's API authentication key"),
    "no-recent-snapshot": ("10154", "no recent snapshot", "Create a snapshot of the cluster"),
    "wrong-generation": ("10139", "another generation of servers", "G2 or G3"),
}


@pytest.mark.parametrize("end", ["", "-200"])
@pytest.mark.parametrize("fault", CODES)
@pytest.mark.parametrize("target", ["create", "buckets"])
async def test_a_known_code_has_its_sentence(served: RunningSandbox, target: str, fault: str, end: str) -> None:
    code, what, next_step = CODES[fault]
    install(served.sandbox, f"{fault}{end}@{target}")
    engine = engine_of(served)
    asking = engine.create_snapshot("1037001", "x-1", "bk.s") if target == "create" else engine.list_buckets("1037001")
    with pytest.raises(GatewayError) as caught:
        await asking
    await engine.aclose()
    error = caught.value
    assert (error.kind, error.code, error.may_have_acted) == ("refused", code, False)
    assert what in error.what
    assert f"code {code}: {error.message}" in error.what
    assert next_step in error.next_step
    assert error.meaning
    assert is_key_missing(error) is (code == "10115")


@pytest.mark.parametrize("answer", [(404, None), (500, None), (200, True), (200, {})])
async def test_the_code_alone_is_no_refusal(served: RunningSandbox, answer: tuple[int, object]) -> None:
    """A sure block on what a proxy said would keep somebody from a snapshot; a sure "not started" costs one twice."""
    status, result = answer
    body = {"code": 10115, "message": "no", "result": result, "requestId": "r"}
    served.sandbox.faults.add("createSnapshot", act=(status, body))
    engine = engine_of(served)
    with pytest.raises(GatewayError) as caught:
        await engine.create_snapshot("1037001", "x-1", "bk.ses.snapshot")
    await engine.aclose()
    assert caught.value.may_have_acted
    assert not is_key_missing(caught.value)
