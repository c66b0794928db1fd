"""`ncp-tui sandbox` with trouble: what it lists, what it refuses before it listens, and what it then serves."""

from __future__ import annotations

import http.client
import json
import signal
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ncp_tui.sandbox.authentication import Account
from ncp_tui.sandbox.fault_lab.catalogue import FAULTS
from tests.cli.program import Called, Program
from tests.sandbox.signed_client import READY, signed_headers

CREATE = f"/api/v2/snapshot/createSnapshot/{READY}"


def test_the_list(call_nobody: Called) -> None:
    """One line for each fault, which is told apart by its first word."""
    heading, *lines = call_nobody("sandbox", "--list-faults").stdout.splitlines()
    assert heading.split() == ["FAULT", "TIMES", "APPLIES", "TO", "WHAT", "IT", "DOES"]
    assert [line.split()[0] for line in lines] == list(FAULTS)
    for line, fault in zip(lines, FAULTS.values(), strict=True):
        assert line.endswith(f"  {fault.description}")
    rows = {line.split()[0]: line.split()[1:3] for line in lines}
    assert rows["hang-after"] == ["1", "create"]
    assert rows["history-loses"] == ["always", "history"]
    assert rows["clock-slow"] == ["always", "any"]


@pytest.mark.parametrize("arguments", [("sandbox", "--list-faults", "--json"), ("--json", "sandbox", "--list-faults")])
def test_the_list_for_a_script(call_nobody: Called, arguments: tuple[str, ...]) -> None:
    rows = {row["name"]: row for row in call_nobody(*arguments).json()}
    assert list(rows) == list(FAULTS)
    assert rows["endpoint-timeout-after"] == {
        "name": "endpoint-timeout-after",
        "description": FAULTS["endpoint-timeout-after"].description,
        "operation": "createSnapshot",
        "effect": "after",
        "times": 1,
    }
    assert (rows["history-loses"]["effect"], rows["history-loses"]["times"]) == (None, None)


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("hang", "hang-before or hang-after"),
        ("thortled:2", "Did you mean throttled?"),
        ("xyzzy", "--list-faults"),
        ("throttled:0", "write 1 or more, or 'always'"),
        ("throttled:", "write 1 or more, or 'always'"),
        ("throttled@there", "create, history, clusters, cluster, buckets, "),
        ("busy@any", "has a fixed target"),
    ],
)
def test_no_such_fault(call_nobody: Called, tmp_path: Path, fault: str, says: str) -> None:
    """Before anything listens or is written."""
    ledger = tmp_path / "ledger.jsonl"
    result = call_nobody("sandbox", "--ledger", str(ledger), "--fault", "throttled", "--fault", fault)
    assert (result.code, result.stdout) == (2, "")
    assert says in result.stderr
    assert not ledger.exists()


def test_no_such_fault_for_a_script(call_nobody: Called) -> None:
    result = call_nobody("sandbox", "--json", "--fault", "hang")
    assert (result.code, result.json()["error"]["kind"]) == (2, "usage")


@contextmanager
def listening(program: Program, *arguments: str) -> Iterator[tuple[dict[str, Any], subprocess.Popen[bytes]]]:
    """A sandbox that is ready, and its ready line."""
    with program.started("sandbox", "--duration", "0", *arguments) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline()), process
        process.send_signal(signal.SIGTERM)
        result = program.ended(process)
        assert (result.code, result.stdout, result.stderr) == (0, "", "")


def create(ready: dict[str, Any], name: str, tls: ssl.SSLContext | None = None) -> int | None:
    """The status of a create; None when there was no answer."""
    url = urlsplit(ready["url"])
    host, port = url.hostname or "", url.port
    client = (
        http.client.HTTPSConnection(host, port, timeout=10, context=tls)
        if url.scheme == "https"
        else http.client.HTTPConnection(host, port, timeout=10)
    )
    account = Account(ready["access_key"], ready["secret_key"])
    body = json.dumps({"snapshotName": name, "bucketName": "bk.ses.snapshot"})
    try:
        client.request("POST", CREATE, body, signed_headers(account, "POST", CREATE, time.time()))
        return client.getresponse().status
    except http.client.RemoteDisconnected:
        return None
    finally:
        client.close()


def test_a_story_of_faults(nobody: Program, tmp_path: Path) -> None:
    """Throttled twice, then started without an answer, then as usual; the ledger names each of them."""
    ledger = tmp_path / "ledger.jsonl"
    arguments = ("--ledger", str(ledger), "--fault", "throttled:2", "--fault", "drop-after")
    with listening(nobody, *arguments) as (ready, _):
        assert set(ready) == {"url", "access_key", "secret_key", "faults"}
        assert ready["faults"] == ["throttled:2", "drop-after:1"]
        assert [create(ready, f"story-{number}") for number in range(4)] == [429, 429, None, 200]
    lines = [json.loads(line) for line in ledger.read_text(encoding="utf-8").splitlines()]
    faults = [line["fault"] for line in lines if line["type"] == "request"]
    assert faults == ["throttled", "throttled", "drop-after", None]
    assert [line["name"] for line in lines if line["type"] == "effect"] == ["story-2", "story-3"]


def test_tls(nobody: Program, tmp_path: Path) -> None:
    """The ready line names what to trust; with the sandbox that is gone."""
    with listening(nobody, "--fault", "tls") as (ready, _):
        assert ready["url"].startswith("https://127.0.0.1:")
        bundle = Path(ready["ca_bundle"])
        assert bundle.parent.parent == tmp_path
        assert bundle.parent.stat().st_mode & 0o777 == 0o700
        assert create(ready, "first-1", ssl.create_default_context(cafile=bundle)) == 200
    assert not bundle.parent.exists()


def test_tls_of_an_unknown_ca(nobody: Program) -> None:
    with listening(nobody, "--fault", "tls-unknown-ca") as (ready, _):
        for context in (ssl.create_default_context(cafile=ready["ca_bundle"]), ssl.create_default_context()):
            with pytest.raises(ssl.SSLCertVerificationError):
                create(ready, "first-1", context)


def test_nothing_is_left_of_a_sandbox_that_could_not_start(nobody: Program, tmp_path: Path) -> None:
    with listening(nobody) as (ready, _):
        port = str(urlsplit(ready["url"]).port)
        assert nobody.run("sandbox", "--port", port, "--fault", "tls").code == 2
    assert not list(tmp_path.glob("ncp-tui-sandbox-*"))
