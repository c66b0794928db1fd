"""The cluster group: a list that pages, and a world that has one of everything."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from ncp_tui.sandbox.sandbox import Sandbox
from tests.sandbox.signed_client import KEYLESS, READY, Caller, Clock

LIST = "/cluster/getClusterInfoList"
STATES = {"creating", "changing", "working", "running", "error", "deleting", "return"}
HEALTHS = {"green", "yellow", "orange", "red", "gray"}


def _caller(sandbox: Sandbox, clock: Clock) -> Caller:
    http = httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox")
    return Caller(http, sandbox, clock)


async def test_pages_default_to_ten_from_one(caller: Caller) -> None:
    first = await caller.get(LIST)
    second = await caller.get(f"{LIST}?pageNo=2")
    assert {name: first[name] for name in ("currentPage", "pageSize", "totalCount", "totalPage")} == {
        "currentPage": 1,
        "pageSize": 10,
        "totalCount": 14,
        "totalPage": 2,
    }
    assert [(page["isFirst"], page["isLast"]) for page in (first, second)] == [(True, False), (False, True)]
    assert (len(first["allowedClusters"]), len(first["disallowedClusters"])) == (10, 0)
    assert (len(second["allowedClusters"]), len(second["disallowedClusters"])) == (2, 2)


async def test_a_page_behind_the_end_is_empty_and_last(caller: Caller) -> None:
    """A client that stops on an empty page or on isLast must be able to."""
    result = await caller.get(f"{LIST}?pageNo=99")
    assert (result["allowedClusters"], result["disallowedClusters"], result["isLast"]) == ([], [], True)


async def test_the_default_world_has_one_of_everything(caller: Caller) -> None:
    result = await caller.get(f"{LIST}?pageSize=100")
    rows = result["allowedClusters"]
    assert len(rows) == 12
    assert {row["clusterStatus"] for row in rows} == STATES
    assert {row["searchEngineStatus"] for row in rows} == HEALTHS
    assert "검색-로그-서울" in {row["clusterName"] for row in rows}
    assert {"OpenSearch 2.17.1", "Elasticsearch 7.10.2"} <= {row["searchEngineVersion"] for row in rows}
    assert [set(row) for row in result["disallowedClusters"]] == [
        {"serviceGroupInstanceNo", "clusterName", "clusterStatus", "searchEngineStatus"}
    ] * 2


@pytest.mark.parametrize("count", [1, 2, 3, 11, 250])
async def test_as_many_clusters_as_asked_for(clock: Clock, count: int) -> None:
    """However small the world, the cluster that is ready comes first."""
    caller = _caller(Sandbox(clusters=count, clock=clock), clock)
    result = await caller.get(f"{LIST}?pageSize=1000")
    rows = result["allowedClusters"]
    assert (len(rows), len(result["disallowedClusters"])) == (count, 2)
    first = rows[0]
    assert [first[name] for name in ("clusterName", "serviceGroupInstanceNo", "clusterStatus")] == [
        "search-0001",
        READY,
        "running",
    ]
    assert len({row["serviceGroupInstanceNo"] for row in rows}) == count
    assert rows[-1]["clusterName"] in {f"search-{count:04d}", "검색-로그-서울"}


def test_a_world_has_a_cluster() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Sandbox(clusters=0)


async def test_filters(caller: Caller) -> None:
    """Korean text arrives as escapes: the filter is decoded, the signature is not."""
    korean = await caller.get(f"{LIST}?inputText=%EA%B2%80%EC%83%89")
    assert [row["clusterName"] for row in korean["allowedClusters"]] == ["검색-로그-서울"]
    part = await caller.get(f"{LIST}?inputText=-0012")
    assert (part["totalCount"], part["allowedClusters"][0]["clusterName"]) == (1, "search-0012")
    vpc = await caller.get(f"{LIST}?vpcName=vpc-prod&pageSize=100")
    assert {row["vpcName"] for row in vpc["allowedClusters"]} == {"vpc-prod"}
    assert (await caller.get(f"{LIST}?vpcName=vpc-pro"))["totalCount"] == 0


@pytest.mark.parametrize(
    "query", ["pageNo=0", "pageNo=-1", "pageNo=x", "pageNo=1.0", "pageNo=" + "9" * 5000, "pageSize=0", "pageNo=%D9%A1"]
)
async def test_a_page_that_is_none(caller: Caller, query: str) -> None:
    response = await caller.send("GET", f"{LIST}?{query}")
    assert (response.status_code, response.json()["code"], response.json()["result"]) == (400, 40002, None)


async def test_an_empty_page_parameter_is_the_default(caller: Caller) -> None:
    assert (await caller.get(f"{LIST}?pageNo=&pageSize="))["pageSize"] == 10


async def test_detail(caller: Caller) -> None:
    """Types as documented: the number is a string here, the storage size too, and the version is a code."""
    result: dict[str, Any] = await caller.get(f"/cluster/getClusterInfo/{READY}")
    assert (result["serviceGroupInstanceNo"], result["searchEngineVersionCode"]) == (READY, "2171")
    assert "searchEngineStatus" not in result
    assert isinstance(result["dataNodeStorageSize"], str)
    counts = sum(result[f"{role}NodeCount"] for role in ("manager", "data", "master"))
    assert len(result["clusterNodeList"]) == counts


async def test_detail_of_an_unknown_number(caller: Caller) -> None:
    assert await caller.get("/cluster/getClusterInfo/99") is None


async def test_detail_of_a_cluster_that_is_not_open(caller: Caller) -> None:
    response = await caller.send("GET", "/cluster/getClusterInfo/1037013")
    assert (response.status_code, response.json()["error"]["errorCode"]) == (401, "210")


@pytest.mark.parametrize("number", ["abc", "1037001x", "-1", "%31", "9" * 4999, "1037001%0A"])
async def test_a_number_that_is_none(caller: Caller, number: str) -> None:
    response = await caller.send("GET", f"/cluster/getClusterInfo/{number}")
    assert (response.status_code, response.json()["code"]) == (400, 40001)
    assert "java.lang.Long" in response.json()["message"]


async def test_versions(caller: Caller) -> None:
    rows = (await caller.get("/cluster/getSearchEngineVersionList"))["searchEngineVersionList"]
    assert rows[0] == {
        "searchEngineVersionCode": "2171",
        "searchEngineVersionName": "OpenSearch 2.17.1",
        "searchEngineDashboardVersionName": "OpenSearch Dashboards 2.17.0",
        "type": "OpenSearch",
    }


async def test_dashboard(caller: Caller) -> None:
    result = await caller.get(f"/dashboard/getDashboardInformation/{READY}?pageSize=3")
    indices = result["clusterIndicesStatus"]
    assert (len(indices["indiceInfoList"]), indices["isPaged"]) == (3, True)
    assert result["clusterStatus"]["indicesCount"] == str(indices["totalCount"])
    assert all(isinstance(value, str) for row in indices["indiceInfoList"] for value in row.values())


async def test_a_scene_can_be_set(caller: Caller) -> None:
    """Other tests let a cluster change under a client's eyes."""
    caller.sandbox.world.change("search-0001", status="changing", health="yellow")
    row = (await caller.get(LIST))["allowedClusters"][0]
    assert (row["clusterStatus"], row["searchEngineStatus"]) == ("changing", "yellow")


async def test_the_cluster_without_a_key_is_running(caller: Caller) -> None:
    """Otherwise its refusal would be about the status."""
    assert (await caller.get(f"/cluster/getClusterInfo/{KEYLESS}"))["clusterStatus"] == "running"
