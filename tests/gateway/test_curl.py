"""The snippet is run as a user would run it: by bash, with python3 and curl, against a judge."""

from __future__ import annotations

import asyncio
import json
import os
import shutil

import pytest

from ncp_tui.gateway import Call, SecretKey, as_curl
from ncp_tui.sandbox import RunningSandbox
from tests.gateway.wire import ACCESS_KEY, CANARY, CREATE, LIST, Client, RawServer, answering, http, signature_of

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "python3", "curl"))), reason="needs bash, python3 and curl"
)


async def run(snippet: str, **keys: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        snippet,
        env={"PATH": os.environ["PATH"], **keys},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return process.returncode, out.decode()


@pytest.mark.parametrize("call", [CREATE, LIST], ids=["create", "list"])
async def test_the_sandbox_accepts_it(served: RunningSandbox, call: Call) -> None:
    sandbox = served.sandbox
    async with Client(served.url, sandbox.secret_key, sandbox.access_key) as client:
        snippet = as_curl(client.gateway.preview(call))
    assert sandbox.secret_key not in snippet
    assert sandbox.access_key not in snippet
    code, out = await run(snippet, NCLOUD_ACCESS_KEY=sandbox.access_key, NCLOUD_SECRET_KEY=sandbox.secret_key)
    assert code == 0
    assert json.loads(out)["message"] == "SUCCESS"
    assert [(entry.operation, entry.authenticated) for entry in sandbox.ledger.requests] == [(call.operation, True)]


async def test_quotes_and_korean_survive_the_shell() -> None:
    body = {"snapshotName": 'it\'s $(id) `id` "검색" \\ ****'[:-5], "bucketName": "b"}
    call = Call("createSnapshot", "POST", "/snapshot/createSnapshot/it's", query=(("a", "검 색'&$x"),), body=body)
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        record = client.gateway.preview(call)
        code, _ = await run(as_curl(record), NCLOUD_ACCESS_KEY=ACCESS_KEY, NCLOUD_SECRET_KEY=CANARY)
        received = server.requests[0]
    assert code == 0
    assert received.target.decode() == record.target
    assert received.headers["x-ncp-apigw-signature-v2"] == signature_of(received)
    assert json.loads(received.body) == body


async def test_what_was_sent_can_be_copied_too() -> None:
    """The session log's copy holds a mask and a used signature: neither may end up in the snippet."""
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        await client.gateway.send(CREATE)
        snippet = as_curl(client.exchange.request)
        assert snippet == as_curl(client.gateway.preview(CREATE))
        assert signature_of(server.requests[0]) not in snippet
    assert "****" not in snippet
    assert "AKID" not in snippet


async def test_a_secret_in_the_body_is_never_sent_as_its_mask() -> None:
    """Pasted as recorded, it would set the cluster's storage key to four asterisks and break every snapshot."""
    body: dict[str, str | int | SecretKey] = {"accessKeyId": "AK", "secretKey": SecretKey("STORAGEsecret0123456789")}
    call = Call("updateAPIAuthenticationKey", "POST", "/snapshot/updateAPIAuthenticationKey/1", body=body)
    keys = {"NCLOUD_ACCESS_KEY": ACCESS_KEY, "NCLOUD_SECRET_KEY": CANARY}
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        snippet = as_curl(client.gateway.preview(call))
        code, _ = await run(snippet, **keys)
        assert code != 0
        assert server.requests == []
        await run(snippet, **keys, NCP_TUI_BODY_SECRET="STORAGEsecret0123456789")
    assert json.loads(server.requests[0].body) == {"accessKeyId": "AK", "secretKey": "STORAGEsecret0123456789"}
    assert "STORAGE" not in snippet
