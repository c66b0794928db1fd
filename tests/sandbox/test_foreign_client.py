"""Clients that share no line with us: curl sends, openssl signs, as the documentation's shell sample does.

The requests have the shape of those of the public clients: the headers, also on a GET; the query in the order it is
given or sorted; numbers as numbers or as text.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.sandbox.signed_client import KEYLESS, READY

pytestmark = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("openssl") and shutil.which("sh")), reason="needs curl, openssl and sh"
)

SCRIPT = r"""
set -eu
method=$1 target=$2 body=${3-}
timestamp=$(date +%s)000
signature=$(printf '%s %s\n%s\n%s' "$method" "$target" "$timestamp" "$ACCESS_KEY" |
  openssl dgst -sha256 -hmac "$SECRET_KEY" -binary | openssl base64 -A)
set -- --silent --show-error --noproxy '*' --max-time 10 --globoff -X "$method" -w '\n%{http_code}' \
  -H "x-ncp-apigw-timestamp: $timestamp" -H "x-ncp-iam-access-key: $ACCESS_KEY" \
  -H "x-ncp-apigw-signature-v2: $signature" -H 'Content-Type: application/json' -H 'Accept: application/json'
[ -z "$body" ] || set -- "$@" --data-binary "$body"
exec curl "$@" "$URL$target"
"""


@pytest.fixture
def running() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox()) as running:
        yield running


def _curl(running: ThreadedSandbox, *arguments: str) -> tuple[int, dict[str, Any]]:
    sandbox = running.sandbox
    environment = {
        "PATH": "/usr/bin:/bin",
        "URL": running.url,
        "ACCESS_KEY": sandbox.access_key,
        "SECRET_KEY": sandbox.secret_key,
    }
    done = subprocess.run(
        ["sh", "-c", SCRIPT, "sh", *arguments], env=environment, capture_output=True, text=True, check=True, timeout=20
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


@dataclass(frozen=True)
class Shape:
    """How a public client writes what is the same for all."""

    page: str
    """A query for the first two rows."""
    hour: int | str
    minute: int | str
    prefix: str = "/api/v2"


SHAPES = {
    "npm ncloud-mcp-server": Shape("?pageNo=1&pageSize=2", "3", "15"),
    "npm ncloud-mcp-server, Singapore": Shape("", "3", "15", "/api/sgn-v2"),
    "ncloud-sdk-go": Shape("?pageNo=1&pageSize=2", 3, 15),
    "sorted backwards": Shape("?pageSize=2&pageNo=1", 3, 15),
}


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_all_seven_snapshot_operations(running: ThreadedSandbox, shape: Shape) -> None:
    """On a cluster without a key: what each needs of the one before is refused, and then done."""

    def send(method: str, operation: str, body: object = None, query: str = "") -> dict[str, Any]:
        target = f"{shape.prefix}/snapshot/{operation}/{KEYLESS}{query}"
        status, answer = _curl(running, method, target, *([] if body is None else [json.dumps(body)]))
        assert status in {200, 400}
        return answer

    create = {"snapshotName": "by-others", "bucketName": "bk.ses.snapshot"}
    day_and_time = {"scheduledDay": "Everyday", "scheduledHour": shape.hour, "scheduledMinute": shape.minute}
    schedule = {"snapshotName": "nightly", "bucketName": "bk.ses.snapshot"} | day_and_time
    refused = [
        send("GET", "getBucketList"),
        send("POST", "createSnapshot", create),
        send("POST", "setSnapshotScheduling", schedule),
    ]
    assert {answer["code"] for answer in refused} == {10115}

    assert (
        send("POST", "updateAPIAuthenticationKey", {"accessKeyId": "OTHER", "secretKey": "of others"})["result"] is True
    )
    assert "bk.ses.snapshot" in {bucket["name"] for bucket in send("GET", "getBucketList")["result"]["bucketList"]}
    assert send("POST", "createSnapshot", create)["result"] is True
    history = send("GET", "getSnapshotHistory", query=shape.page)["result"]
    assert [row["snapshotName"] for row in history["snapshotHistoryResponseList"]] == ["by-others"]
    assert send("POST", "setSnapshotScheduling", schedule)["result"] is True
    (row,) = send("GET", "getSnapshotSchedulingHistory", query=shape.page)["result"]["snapshotSchedulingHistoryList"]
    assert (row["snapshotSchedulingSetUpTime"], row["snapshotSchedulingStatus"]) == ("03:15", "ACTIVE")
    assert send("GET", "releaseSnapshotScheduling")["result"] is True
    (row,) = send("GET", "getSnapshotSchedulingHistory", query=shape.page)["result"]["snapshotSchedulingHistoryList"]
    assert row["snapshotSchedulingStatus"] == "RELEASED"
    assert [effect.operation for effect in running.sandbox.ledger.effects] == [
        "updateAPIAuthenticationKey",
        "createSnapshot",
        "setSnapshotScheduling",
        "releaseSnapshotScheduling",
    ]


def test_create_and_history(running: ThreadedSandbox) -> None:
    body = '{"snapshotName":"by-curl","bucketName":"bk.ses.snapshot"}'
    status, created = _curl(running, "POST", f"/api/v2/snapshot/createSnapshot/{READY}", body)
    assert (status, created["result"]) == (200, True)
    status, history = _curl(running, "GET", f"/api/v2/snapshot/getSnapshotHistory/{READY}?pageNo=1&pageSize=1")
    assert history["result"]["snapshotHistoryResponseList"][0]["snapshotName"] == "by-curl"
    assert [effect.name for effect in running.sandbox.ledger.effects] == ["by-curl"]


def test_a_korean_filter(running: ThreadedSandbox) -> None:
    target = "/api/sgn-v2/cluster/getClusterInfoList?inputText=%EA%B2%80%EC%83%89"
    status, found = _curl(running, "GET", target)
    assert (status, found["result"]["totalCount"]) == (200, 1)


def test_a_target_that_was_not_signed(running: ThreadedSandbox) -> None:
    """The path is signed and the query is not: the mistake of one public client."""
    running.url += "/api/v2/cluster/getClusterInfoList?pageNo=1&x="
    status, body = _curl(running, "GET", "/api/v2/cluster/getClusterInfoList")
    assert (status, body["error"]) == (
        401,
        {
            "errorCode": "200",
            "message": "Authentication Failed",
            "details": "Invalid authentication information.",
        },
    )
