"""What the gateway decides before the service sees anything: route, then authentication, then permission."""

from __future__ import annotations

import uuid
from email.utils import parsedate_to_datetime

import httpx
import pytest

from ncp_tui.sandbox.authentication import Account, new_account
from ncp_tui.sandbox.sandbox import Sandbox
from tests.sandbox.signed_client import READY, START, Caller, Clock, signed_headers

LIST = "/cluster/getClusterInfoList"


def _error(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["errorCode"]


@pytest.mark.parametrize("prefix", ["/api/v2", "/api/sgn-v2", "/api/jpn-v2", "/api/krs-v2"])
async def test_every_region_shows_the_world(caller: Caller, prefix: str) -> None:
    response = await caller.send("GET", LIST, prefix=prefix)
    assert response.status_code == 200
    assert response.json()["result"]["allowedClusters"][0]["clusterName"] == "search-0001"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", f"/api/v1{LIST}"),
        ("GET", f"/api/uswn-v2{LIST}"),
        ("POST", f"/api/v2{LIST}"),
        ("GET", f"/api/v2{LIST}/"),
        ("GET", f"/api/v2{LIST}/{READY}"),
        ("GET", "/api/v2/cluster/getClusterInfo"),
        ("GET", "/api/v2/cluster/getClusterInfo/"),
        ("GET", f"/api/v2/snapshot/createSnapshot/{READY}"),
        ("PUT", f"/api/v2/snapshot/createSnapshot/{READY}"),
        ("POST", f"/api/v2/cluster/createSnapshot/{READY}"),
        ("POST", f"/api/v2/snapshot/getSnapshotHistory/{READY}"),
        ("POST", f"/api/v2/snapshot/releaseSnapshotScheduling/{READY}"),
        ("GET", f"/api/v2/snapshot/%67etBucketList/{READY}"),
        ("GET", f"/api/v2/snapshot/getSnapshotList/{READY}"),
        ("GET", "//api/v2" + LIST),
    ],
)
async def test_no_such_route(caller: Caller, method: str, path: str) -> None:
    """A wrong path and a wrong method are the same 404/300, and before authentication: nothing is signed here."""
    response = await caller.http.request(method, "http://sandbox" + path)
    assert _error(response) == (404, "300")


async def test_a_head_request_is_no_get(caller: Caller) -> None:
    """Web frameworks answer HEAD wherever there is a GET; the gateway has no such route."""
    assert (await caller.http.head(f"/api/v2{LIST}")).status_code == 404


async def test_a_request_without_signature(caller: Caller) -> None:
    response = await caller.http.get(f"/api/v2{LIST}")
    assert _error(response) == (401, "200")
    assert response.json() == {
        "error": {
            "errorCode": "200",
            "message": "Authentication Failed",
            "details": "Invalid authentication information.",
        }
    }


@pytest.mark.parametrize(
    "account",
    [Account("SANDBOXNOBODY0000000", "x" * 40), None],
    ids=["unknown access key", "wrong secret key"],
)
async def test_wrong_keys(caller: Caller, account: Account | None) -> None:
    account = account or Account(caller.sandbox.access_key, "x" * 40)
    assert _error(await caller.send("GET", LIST, account=account)) == (401, "200")


@pytest.mark.parametrize(("offset", "status"), [(-301, 401), (-299, 200), (299, 200), (301, 401)])
async def test_the_clock_of_the_client(caller: Caller, offset: int, status: int) -> None:
    headers = signed_headers(caller.sandbox.account, "GET", f"/api/v2{LIST}", START + offset)
    response = await caller.http.get(f"/api/v2{LIST}", headers=headers)
    assert response.status_code == status


async def test_the_date_header_is_the_sandbox_clock(caller: Caller) -> None:
    """A client measures its offset from it, so it must be the clock that judged the signature."""
    caller.clock.now += 3_600
    response = await caller.send("GET", LIST)
    assert parsedate_to_datetime(response.headers["date"]).timestamp() == START + 3_600


async def test_every_answer_of_the_service_has_a_request_id(caller: Caller) -> None:
    ids = {(await caller.send("GET", LIST)).json()["requestId"] for _ in range(3)}
    assert len(ids) == 3
    assert all(str(uuid.UUID(one)) == one for one in ids)


async def test_a_body_too_large(caller: Caller) -> None:
    response = await caller.send("POST", f"/snapshot/createSnapshot/{READY}", b" " * (1 << 20) + b"{}")
    assert _error(response) == (413, "430")


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", f"/snapshot/createSnapshot/{READY}"),
        ("POST", f"/snapshot/setSnapshotScheduling/{READY}"),
        ("POST", f"/snapshot/updateAPIAuthenticationKey/{READY}"),
        ("GET", f"/snapshot/releaseSnapshotScheduling/{READY}"),
    ],
)
async def test_a_viewer_changes_nothing(caller: Caller, method: str, target: str) -> None:
    """The GET among them is the trap: by its method alone it would pass for a read."""
    response = await caller.send(method, target, {"snapshotName": "abc"}, account=caller.sandbox.viewer)
    assert _error(response) == (401, "210")
    assert not caller.sandbox.ledger.effects
    assert caller.sandbox.ledger.requests[-1].authenticated


async def test_a_viewer_reads_what_is_open_to_it(caller: Caller) -> None:
    viewer = caller.sandbox.viewer
    result = await caller.get(f"{LIST}?pageSize=100", account=viewer)
    hidden = {row["serviceGroupInstanceNo"] for row in result["disallowedClusters"]}
    assert len(hidden) == 6
    assert (await caller.get(f"/cluster/getClusterInfo/{READY}", account=viewer))["clusterName"] == "search-0001"
    response = await caller.send("GET", f"/cluster/getClusterInfo/{min(hidden)}", account=viewer)
    assert _error(response) == (401, "210")


async def test_accounts_can_be_given(clock: Clock) -> None:
    mine = new_account(access_key="MYKEY", secret_key="비밀")
    sandbox = Sandbox(clock=clock, accounts=[mine])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(sandbox.app), base_url="http://sandbox") as http:
        await Caller(http, sandbox, clock).get(LIST, account=mine)
    with pytest.raises(LookupError):
        _ = sandbox.viewer


def test_test_keys_say_what_they_are_and_hide_the_secret() -> None:
    sandbox = Sandbox()
    assert sandbox.access_key.startswith("SANDBOX")
    assert (len(sandbox.access_key), len(sandbox.secret_key)) == (20, 40)
    for thing in (sandbox, sandbox.account, sandbox.others, sandbox.ledger):
        assert sandbox.secret_key not in repr(thing)
    assert Sandbox().access_key != sandbox.access_key
