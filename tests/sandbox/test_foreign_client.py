"""A client that shares no line with us: curl sends, openssl signs, as the documentation's shell sample does."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.sandbox.signed_client import READY

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
  -H "x-ncp-apigw-signature-v2: $signature" -H 'Content-Type: application/json'
[ -z "$body" ] || set -- "$@" --data-binary "$body"
exec curl "$@" "$URL$target"
"""


@pytest.fixture
def running() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox()) as running:
        yield running


def _curl(running: ThreadedSandbox, *arguments: str) -> tuple[int, dict[str, object]]:
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


def test_create_and_history(running: ThreadedSandbox) -> None:
    body = '{"snapshotName":"by-curl","bucketName":"bk.ses.snapshot"}'
    status, created = _curl(running, "POST", f"/api/v2/snapshot/createSnapshot/{READY}", body)
    assert (status, created["result"]) == (200, True)
    status, history = _curl(running, "GET", f"/api/v2/snapshot/getSnapshotHistory/{READY}?pageNo=1&pageSize=1")
    assert isinstance(history["result"], dict)
    assert history["result"]["snapshotHistoryResponseList"][0]["snapshotName"] == "by-curl"
    assert [effect.name for effect in running.sandbox.ledger.effects] == ["by-curl"]


def test_a_korean_filter(running: ThreadedSandbox) -> None:
    target = "/api/sgn-v2/cluster/getClusterInfoList?inputText=%EA%B2%80%EC%83%89"
    status, found = _curl(running, "GET", target)
    assert isinstance(found["result"], dict)
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
