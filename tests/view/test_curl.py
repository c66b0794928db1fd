"""The snippet is run as a user would run it: by bash, with python3 and curl, against a judge."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.gateway.request import ApiCall
from ncp_tui.sandbox.sandbox import RunningSandbox
from ncp_tui.view.curl import NotForCurl, as_curl
from tests.gateway.wire import ACCESS_KEY, CANARY, CREATE, LIST, Client, RawServer, answering, http, signature_of
from tests.tables import each_row

pytestmark = pytest.mark.skipif(
    not all(map(shutil.which, ("bash", "python3", "curl"))), reason="needs bash, python3 and curl"
)


async def run(snippet: str, shell: str = "bash", **environ: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        shell,
        "-c",
        snippet,
        env={"PATH": os.environ["PATH"], **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode is not None
    return process.returncode, out.decode()


KEYS = {"NCLOUD_ACCESS_KEY": ACCESS_KEY, "NCLOUD_SECRET_KEY": CANARY}


class StandIn:
    """A curl that writes down what it was started with and what it was told, one option of its configuration a line."""

    def __init__(self, folder: Path) -> None:
        self.path = f"{folder}{os.pathsep}{os.environ['PATH']}"
        self._arguments, self._config = folder / "arguments", folder / "config"
        curl = folder / "curl"
        curl.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >{self._arguments}\ncat >{self._config}\n', encoding="utf-8")
        curl.chmod(0o755)

    @property
    def was_started(self) -> bool:
        return self._arguments.exists()

    @property
    def arguments(self) -> list[str]:
        return self._arguments.read_text(encoding="utf-8").splitlines()

    @property
    def options(self) -> list[tuple[str, str | None]]:
        """Names and values, read as curl's `parseconfig` reads them."""
        return [_option(line) for line in self._config.read_text(encoding="utf-8").split("\n") if line]


def _option(line: str) -> tuple[str, str | None]:
    name, separator, value = line.partition(" = ")
    if not separator:
        return name, None
    assert value[0] == value[-1] == '"', value
    quoted, read = iter(value[1:-1]), []
    for character in quoted:
        assert character >= " ", value
        assert character != '"', "here the value would end, and what follows would be lost or an option of its own"
        escape = next(quoted) if character == "\\" else None
        read.append({"n": "\n", "r": "\r", "t": "\t"}.get(escape, escape) if escape else character)
    return name, "".join(read)


HOSTILE = [
    '"',
    "\\",
    '\\"',
    "\n",
    '"\nurl = "http://evil.example',
    "\r\noutput = /tmp/x",
    "\t",
    "$(id)",
    "`id`",
    "'",
    "검색",
    "!x",
    "%s",
    "--upload-file x",
]


@pytest.mark.parametrize("shell", ["bash", "sh"])
async def test_nothing_but_the_configuration_reaches_curl(tmp_path: Path, shell: str) -> None:
    """On a shared bastion everybody reads the arguments of every process: a signature there is a request of theirs."""
    stand_in = StandIn(tmp_path)
    body = json.dumps({"snapshotName": "".join(HOSTILE)}, ensure_ascii=False) + "".join(HOSTILE)
    headers = (("accept", "application/json"), *((f"x-{number}", text) for number, text in enumerate(HOSTILE)))
    record = RequestRecord("POST", "http://127.0.0.1:1", "/a?b=%22" + '"\\', headers, body, "")
    code, _ = await run(as_curl(record), shell, **KEYS | {"PATH": stand_in.path})
    assert code == 0
    assert stand_in.arguments == ["-q", "-K", "-"]
    options = stand_in.options
    assert ("url", record.url) in options
    assert ("data-binary", body) in options
    sent = [value.partition(": ") for name, value in options if name == "header" and value]
    assert {name: value for name, _, value in sent} == dict(headers) | {
        name: value for name, _, value in sent if name.startswith("x-ncp")
    }
    assert {name for name, _ in options} == {
        "silent", "show-error", "globoff", "request", "url", "header", "data-binary",
    }  # fmt: skip
    assert sum(name == "url" for name, _ in options) == 1


@pytest.mark.parametrize("missing", list(KEYS))
async def test_without_a_key_curl_is_not_started(tmp_path: Path, missing: str) -> None:
    """Unsigned, a create would only be refused; signed with half a pair as well, and that may lock an account."""
    stand_in = StandIn(tmp_path)
    record = RequestRecord("POST", "http://127.0.0.1:1", "/a", (), "{}", "")
    keys = {name: value for name, value in KEYS.items() if name != missing}
    code, _ = await run(as_curl(record), **keys, PATH=stand_in.path)
    assert code != 0
    assert not stand_in.was_started


def test_what_changes_things_says_so_first() -> None:
    """Pasted, it is a second snapshot that no journal knows of."""
    record = RequestRecord("GET", "http://127.0.0.1:1", "/snapshot/releaseSnapshotScheduling/1", (), "", "")
    assert "changes things" in as_curl(record).splitlines()[0]
    assert "not written to the journal" in as_curl(record).splitlines()[0]
    assert "changes things" not in as_curl(replace(record, has_effect=False))


@each_row("part", ["url", "header", "body"])
@each_row("character", ["\x00", "\x1b", "\x0b", "\x0c", "\x7f"])
def test_what_no_configuration_can_say_is_refused(part: str, character: str) -> None:
    text = f"x{character}x"
    header = text if part == "header" else "x"
    record = RequestRecord(
        "POST", "http://h", text if part == "url" else "/", (("x", header),), text if part == "body" else "{}", ""
    )
    with pytest.raises(NotForCurl):
        as_curl(record)


def test_a_body_that_curl_would_take_for_a_file_is_refused() -> None:
    with pytest.raises(NotForCurl):
        as_curl(RequestRecord("POST", "http://h", "/", (), "@/etc/passwd", ""))


@pytest.mark.parametrize("call", [CREATE, LIST], ids=["create", "list"])
async def test_the_sandbox_accepts_it(served: RunningSandbox, call: ApiCall) -> None:
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
    call = ApiCall("createSnapshot", "POST", "/snapshot/createSnapshot/it's", query=(("a", "검 색'&$x"),), body=body)
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
    plain = {"accessKeyId": "STORAGEaccess0123456", "secretKey": "STORAGEsecret0123456789"}
    body: dict[str, str | int | SecretKey] = {name: SecretKey(value) for name, value in plain.items()}
    call = ApiCall("updateAPIAuthenticationKey", "POST", "/snapshot/updateAPIAuthenticationKey/1", body=body)
    variables = {f"NCP_TUI_BODY_{name.upper()}": value for name, value in plain.items()}
    async with RawServer(answering(http())) as server, Client(server.url) as client:
        snippet = as_curl(client.gateway.preview(call))
        for missing in variables:
            assert missing in snippet, "it says what it reads"
            code, _ = await run(snippet, **KEYS, **{name: "x" for name in variables if name != missing})
            assert code != 0
        assert server.requests == []
        await run(snippet, **KEYS, **variables)
    assert json.loads(server.requests[0].body) == plain
    assert "STORAGE" not in snippet
