"""The registry against the documentation, and read-only mode against a judge that writes everything down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.gateway.errors import GatewayError, ReadOnlyRefused
from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.search_engine.client import SearchEngine, WrongCluster
from ncp_tui.search_engine.models import Cluster
from ncp_tui.search_engine.operations import OPERATIONS, Effect, is_key_missing
from ncp_tui.snapshots.rules import check_cluster
from tests.search_engine.scripted import Scripted, engine_of
from tests.tables import each_row

# Method, path and effect: api.ncloud-docs.com, "Search Engine Service".
TABLE = {
    "getClusterInfoList": ("GET", "/cluster/getClusterInfoList", "read"),
    "getClusterInfo": ("GET", "/cluster/getClusterInfo/1037001", "read"),
    "getSearchEngineVersionList": ("GET", "/cluster/getSearchEngineVersionList", "read"),
    "rollingUpgradePreCheck": ("POST", "/cluster/rollingUpgradePreCheck", "write"),
    "getDashboardInformation": ("GET", "/dashboard/getDashboardInformation/1037001", "read"),
    "getBucketList": ("GET", "/snapshot/getBucketList/1037001", "read"),
    "updateAPIAuthenticationKey": ("POST", "/snapshot/updateAPIAuthenticationKey/1037001", "write"),
    "createSnapshot": ("POST", "/snapshot/createSnapshot/1037001", "write"),
    "getSnapshotHistory": ("GET", "/snapshot/getSnapshotHistory/1037001", "read"),
    "setSnapshotScheduling": ("POST", "/snapshot/setSnapshotScheduling/1037001", "write"),
    "getSnapshotSchedulingHistory": ("GET", "/snapshot/getSnapshotSchedulingHistory/1037001", "read"),
    "releaseSnapshotScheduling": ("GET", "/snapshot/releaseSnapshotScheduling/1037001", "write"),
}
NUMBER = "1037001"
ACTS: dict[str, Callable[[SearchEngine], Awaitable[object]]] = {
    "getClusterInfoList": lambda engine: engine.list_clusters(),
    "getClusterInfo": lambda engine: engine.show_cluster(NUMBER),
    "getSearchEngineVersionList": lambda engine: engine.list_versions(),
    "rollingUpgradePreCheck": lambda engine: engine.change(
        "rollingUpgradePreCheck", NUMBER, {"targetVersionCode": "1319"}
    ),
    "getDashboardInformation": lambda engine: engine.show_dashboard(NUMBER),
    "getBucketList": lambda engine: engine.list_buckets(NUMBER),
    "updateAPIAuthenticationKey": lambda engine: engine.change(
        "updateAPIAuthenticationKey", NUMBER, {"accessKeyId": "AK", "secretKey": SecretKey("storage-secret")}
    ),
    "createSnapshot": lambda engine: engine.create_snapshot(NUMBER, "before-upgrade", "bk.ses.snapshot"),
    "getSnapshotHistory": lambda engine: engine.snapshot_history(NUMBER),
    "setSnapshotScheduling": lambda engine: engine.change(
        "setSnapshotScheduling",
        NUMBER,
        {"snapshotName": "nightly", "bucketName": "bk.ses.snapshot", "scheduledDay": "Everyday"}
        | {"scheduledHour": 3, "scheduledMinute": 15},
    ),
    "getSnapshotSchedulingHistory": lambda engine: engine.schedule_history(NUMBER),
    "releaseSnapshotScheduling": lambda engine: engine.change("releaseSnapshotScheduling", NUMBER),
}


def test_every_operation_is_in_the_table_and_has_a_method() -> None:
    assert set(OPERATIONS) == set(TABLE) == set(ACTS)


@each_row("name", TABLE)
def test_method_path_and_effect(name: str) -> None:
    """A wrong method is answered with 404; a write marked as a read would be retried."""
    operation = OPERATIONS[name]
    assert (operation.method, operation.path(NUMBER), operation.effect.value) == TABLE[name]
    assert operation.boolean == (operation.effect is Effect.WRITE)
    assert operation.title


@pytest.mark.parametrize("name", ACTS)
async def test_each_method_sends_its_operation_once_and_is_accepted(served: RunningSandbox, name: str) -> None:
    served.sandbox.world.add_past("search-0001", "just-now", ended=60.0)  # without it no upgrade may begin
    engine = engine_of(served)
    await ACTS[name](engine)
    await engine.aclose()
    ledger = served.sandbox.ledger
    assert [(entry.operation, entry.status, entry.code) for entry in ledger.requests] == [(name, 200, 0)]
    assert ledger.requests[0].method == TABLE[name][0]
    assert ledger.requests[0].target.partition("?")[0] == f"/api/v2{TABLE[name][1]}"
    assert [effect.operation for effect in ledger.effects] == [name] * (TABLE[name][2] == "write")


@pytest.mark.parametrize("name", ACTS)
async def test_read_only_refuses_exactly_the_writes(served: RunningSandbox, name: str) -> None:
    """By effect, never by method: `releaseSnapshotScheduling` is a GET."""
    engine = engine_of(served, read_only=True)
    if TABLE[name][2] == "write":
        with pytest.raises(ReadOnlyRefused) as caught:
            await ACTS[name](engine)
        assert served.sandbox.ledger.requests == []
        assert "read-only" in caught.value.next_step.lower()
        assert not caught.value.may_have_acted
    else:
        await ACTS[name](engine)
        assert len(served.sandbox.ledger.requests) == 1
    await engine.aclose()
    assert served.sandbox.ledger.effects == []


@each_row("name", [name for name, row in TABLE.items() if row[2] == "write"])
@each_row("result", [None, False, "true", 1, {}])
async def test_a_write_that_is_not_confirmed_is_no_success(name: str, result: object) -> None:
    engine = Scripted(lambda _: result).engine()
    with pytest.raises(GatewayError):
        await ACTS[name](engine)


async def test_previewing_is_allowed_in_read_only_mode_and_sends_nothing(served: RunningSandbox) -> None:
    engine = engine_of(served, read_only=True)
    record = engine.preview_create_snapshot(NUMBER, "before-upgrade", "bk.ses.snapshot")
    assert (record.method, record.target) == ("POST", "/api/v2/snapshot/createSnapshot/1037001")
    assert record.body == '{"snapshotName":"before-upgrade","bucketName":"bk.ses.snapshot"}'
    assert served.sandbox.ledger.requests == []
    await engine.aclose()


@each_row(
    "number",
    [
        "../../x",
        "1/2",
        "..",
        ".",
        "...",
        "1?x=1",
        "1#x",
        "1%2F2",
        "1 2",
        "번호",
        "//evil.example/x",
        "\\..\\x",
        "1;x",
        "",
    ],
)
async def test_a_number_is_digits_or_nothing_is_sent(number: str) -> None:
    """It comes from the service: `..` would be resolved away, and the create would go to another address."""
    transport = Scripted(lambda _: True)
    engine = transport.engine()
    with pytest.raises(WrongCluster, match="digits only") as caught:
        await engine.create_snapshot(number, "abc", "bucket")
    assert caught.value.sentences().isprintable()
    with pytest.raises(WrongCluster):
        engine.preview_create_snapshot(number, "abc", "bucket")
    with pytest.raises(WrongCluster):
        await engine.recent_snapshots(number)
    with pytest.raises(WrongCluster):
        check_cluster(Cluster(number, "search-0001", "running"))
    assert transport.requests == []


@each_row(
    ("answer", "name", "is_it"),
    [
        ({"serviceGroupInstanceNo": "1037001", "clusterName": "search-0001"}, "", True),
        ({"serviceGroupInstanceNo": 1037001, "clusterName": "search-0001"}, "search-0001", True),
        ({"serviceGroupInstanceNo": 1037001}, "search-0001", True),
        ({"serviceGroupInstanceNo": 1037002, "clusterName": "search-0001"}, "search-0001", False),
        ({"serviceGroupInstanceNo": "1037001 "}, "", False),
        ({"serviceGroupInstanceNo": 1037001.0}, "", False),
        ({"serviceGroupInstanceNo": True}, "", False),
        ({"serviceGroupInstanceNo": None, "clusterName": "search-0001"}, "search-0001", False),
        ({"clusterName": "search-0001"}, "", False),
        ({}, "", False),
        ({"serviceGroupInstanceNo": 1037001, "clusterName": "search-0002"}, "search-0001", False),
    ],
)
async def test_what_answers_is_the_cluster_that_was_asked_for(
    answer: dict[str, Any], name: str, *, is_it: bool
) -> None:
    """A create would go to whatever number comes back."""
    engine = Scripted(lambda _: answer).engine()
    if is_it:
        shown = await engine.show_cluster(NUMBER, name)
        assert shown is not None
        assert shown.number == NUMBER
        return
    with pytest.raises(WrongCluster, match=r"Cluster .*1037001.* was requested"):
        await engine.show_cluster(NUMBER, name)


async def test_a_created_snapshot_gives_the_request_id(served: RunningSandbox) -> None:
    engine = engine_of(served)
    request_id = await engine.create_snapshot(NUMBER, "before-upgrade", "bk.ses.snapshot")
    assert request_id == served.sandbox.ledger.requests[0].request_id
    assert engine.clock_offset is not None
    await engine.aclose()


async def test_the_sandbox_is_read_in_full(served: RunningSandbox) -> None:
    engine = engine_of(served)
    clusters = await engine.list_clusters()
    assert len(clusters) == 14
    assert [cluster.allowed for cluster in clusters].count(False) == 2
    assert (clusters[0].name, clusters[0].is_running, clusters[0].nodes) == ("search-0001", True, "2+4+3")
    assert await engine.check_keys() == 1
    buckets = await engine.list_buckets(NUMBER)
    assert any(bucket.usable for bucket in buckets)
    assert all(bucket.usable == (not bucket.reason) for bucket in buckets)
    shown = await engine.show_cluster(NUMBER)
    assert shown is not None
    assert shown.name == "search-0001"
    assert await engine.show_cluster("9999999") is None
    assert (await engine.show_dashboard(NUMBER)).indices
    assert (await engine.list_versions())[0].name.startswith("OpenSearch")
    await engine.aclose()


@each_row("name", ACTS)
async def test_only_a_write_that_got_no_answer_may_have_acted(name: str) -> None:
    """Nobody has to look at the history because a list could not be loaded."""
    engine = Scripted(lambda _: (504, {"error": {"errorCode": "510", "message": "Endpoint Timeout"}})).engine()
    with pytest.raises(GatewayError) as caught:
        await ACTS[name](engine)
    assert caught.value.may_have_acted == (TABLE[name][2] == "write")
    assert ("Nothing was changed" in caught.value.sentences()) == (TABLE[name][2] == "read")


CODES = {
    "key-not-set": ("10115", "no storage key", "Set the cluster's storage key"),
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
