"""The commands that only look, and what their failures look like."""

from __future__ import annotations

import dataclasses
import socket
import unicodedata
from collections.abc import Iterator

import pytest

from ncp_tui.cli.options import Settings
from ncp_tui.cli.runner import CommandContext
from ncp_tui.cli.signals import Signals
from ncp_tui.sandbox.protocol import GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import Sandbox
from tests.cli.program import Called, account_variables, asked, replace_environment

ERROR_KEYS = {"kind", "what", "meaning", "next_step", "status", "code", "message", "request_id"}


def test_clusters_for_scripts(call: Called) -> None:
    clusters = call("cluster", "list", "--json").json()
    assert len(clusters) == 14
    first = clusters[0]
    assert first["name"] == "search-0001"
    assert first["number"] == "1037001"
    assert (first["status"], first["health"], first["engine"]) == ("running", "green", "OpenSearch 2.17.1")
    assert (first["site"], first["region"], first["vpc"]) == ("public", "KR", "vpc-prod")
    assert first["nodes"] == {"manager": 2, "data": 4, "master": 3}
    assert first["allowed"] is True
    assert first["raw"]["searchEnginePort"] == "9200"
    hidden = clusters[-1]
    assert (hidden["name"], hidden["allowed"], hidden["engine"]) == ("legal-archive", False, None)


def test_clusters_for_people(call: Called) -> None:
    result = call("cluster", "list")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["CLUSTER", "STATUS", "HEALTH", "ENGINE", "NODES", "NUMBER", "VPC", "ACCESS"]
    assert lines[1].split() == [
        "search-0001",
        "running",
        "green",
        "OpenSearch",
        "2.17.1",
        "9",
        "1037001",
        "vpc-prod",
    ]
    assert "no permission (name only)" in lines[-1]


def test_the_source_of_the_keys_is_always_told(call: Called, sandbox: Sandbox) -> None:
    result = call("cluster", "list")
    assert "environment (NCLOUD_ACCESS_KEY)" in result.stderr
    assert f"SAND…{sandbox.access_key[-4:]}" in result.stderr
    assert sandbox.access_key not in result.stderr


@pytest.mark.parametrize("wanted", ["search-0001", "1037001"])
def test_a_cluster_in_full(call: Called, wanted: str) -> None:
    """Health is in the list only, nodes are in the detail only."""
    cluster = call("cluster", "show", wanted, "--json").json()
    assert (cluster["name"], cluster["health"]) == ("search-0001", "green")
    assert len(cluster["raw"]["clusterNodeList"]) == 9
    text = call("cluster", "show", wanted).stdout
    assert "search-0001" in text
    assert "10.0.1.6" in text


def test_a_cluster_with_a_korean_name(call: Called) -> None:
    """Also as macOS hands it over, in pieces."""
    name = "검색-로그-서울"
    for form in ("NFC", "NFD"):
        assert call("cluster", "show", unicodedata.normalize(form, name), "--json").json()["number"] == "1037003"


@pytest.mark.parametrize(
    "command", [("cluster", "show"), ("bucket", "list"), ("snapshot", "history"), ("snapshot", "create")]
)
def test_an_unknown_cluster(call: Called, sandbox: Sandbox, command: tuple[str, str]) -> None:
    more = ("--bucket", "bk.ses.snapshot", "--name", "abc") if "create" in command else ()
    result = call(*command, "search-00012", *more)
    assert (result.code, result.stdout) == (2, "")
    assert "No cluster has the name 'search-00012'." in result.stderr
    assert "search-0001" in result.stderr
    assert call(*command, "999", *more).code == 2
    assert sandbox.ledger.effects == []


def test_two_clusters_of_one_name(call: Called, sandbox: Sandbox) -> None:
    twin = dataclasses.replace(sandbox.world.named("search-0002"), name="search-0001")
    sandbox.world._clusters[twin.number] = twin
    result = call("snapshot", "history", "search-0001")
    assert result.code == 2
    assert "1037001, 1037002" in result.stderr
    assert call("snapshot", "history", "1037002").code == 0


@pytest.mark.parametrize("command", [("cluster", "show"), ("bucket", "list"), ("snapshot", "history")])
def test_a_cluster_that_is_visible_by_name_only(call: Called, sandbox: Sandbox, command: tuple[str, str]) -> None:
    assert call(*command, "hr-private").code == 5
    assert set(asked(sandbox)) == {"getClusterInfoList"}


def test_buckets_for_scripts(call: Called) -> None:
    buckets = {bucket["name"]: bucket for bucket in call("bucket", "list", "search-0001", "--json").json()}
    good, locked = buckets["bk.ses.snapshot"], buckets["audit-locked"]
    assert (good["usable"], good["reason"]) == (True, None)
    assert (good["bytes"], good["objects"]) == (48_318_382_080, 18_204)
    assert good["created"].endswith("+00:00")
    assert good["raw"]["permission"] == "Allow"
    assert locked["usable"] is False
    assert "locked" in locked["reason"]


def test_buckets_for_people(call: Called) -> None:
    lines = call("bucket", "list", "1037001").stdout.splitlines()
    assert lines[1].split()[:4] == ["bk.ses.snapshot", "45.0", "GiB", "18,204"]
    assert lines[1].split()[-1] == "available"


def test_buckets_without_a_key_on_the_cluster(call: Called) -> None:
    result = call("bucket", "list", "search-0004", "--json")
    assert result.code == 8
    error = result.json()["error"]
    assert (error["kind"], error["status"], error["code"]) == ("refused", 200, "10115")
    assert set(error) == ERROR_KEYS
    assert error["request_id"]


def test_history_for_scripts(call: Called) -> None:
    rows = call("snapshot", "history", "search-0001", "--json").json()
    assert len(rows) == 23
    assert rows == sorted(rows, key=lambda row: str(row["at"]), reverse=True)
    assert all(row["at"].endswith("+09:00") for row in rows)
    assert {"snapshot", "bucket", "at", "kind", "state", "message", "duration", "failed", "read_at", "raw"} == set(
        rows[0]
    )
    assert {row["state"]: row["failed"] for row in rows} == {"success": False, "failed": True}
    two = call("snapshot", "history", "search-0001", "--json", "--limit", "2").json()
    assert [row["raw"] for row in two] == [row["raw"] for row in rows[:2]]


def test_history_for_people(call: Called) -> None:
    lines = call("snapshot", "history", "search-0001", "--limit", "3").stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].split() == ["TIME", "(KST)", "SNAPSHOT", "STATE", "BUCKET", "TYPE", "DURATION", "MESSAGE"]
    empty = call("snapshot", "history", "search-0002")
    assert (empty.code, len(empty.stdout.splitlines())) == (0, 1)
    assert "No snapshot" in empty.stderr
    assert call("snapshot", "history", "search-0002", "--json", "--quiet").json() == []


@pytest.mark.parametrize(
    ("answer", "code", "kind"),
    [
        (gateway_answer(GatewayError.AUTHENTICATION_FAILED), 4, "authentication_failed"),
        (gateway_answer(GatewayError.PERMISSION_DENIED), 5, "permission_denied"),
        (gateway_answer(GatewayError.THROTTLED), 7, "throttled"),
        (gateway_answer(GatewayError.QUOTA_EXCEEDED), 7, "quota_exceeded"),
        (gateway_answer(GatewayError.NOT_FOUND), 8, "not_found"),
        (gateway_answer(GatewayError.UNEXPECTED), 8, "server_error"),
        (gateway_answer(GatewayError.ENDPOINT_TIMEOUT), 6, "endpoint_timeout"),
        ((200, "<html>a portal</html>"), 8, "bad_answer"),
        ("drop", 6, "answer_lost"),
    ],
)
def test_failures_of_a_read(call: Called, sandbox: Sandbox, answer: object, code: int, kind: str) -> None:
    sandbox.faults.add("getClusterInfoList", act=answer, times=None)  # type: ignore[arg-type]
    result = call("cluster", "list", "--json")
    assert result.code == code
    assert set(result.json()) == {"error"}
    assert set(result.json()["error"]) == ERROR_KEYS
    assert result.json()["error"]["kind"] == kind
    assert result.json()["error"]["what"] in result.stderr
    assert "Traceback" not in result.stderr


def wrong_secret(sandbox: Sandbox) -> dict[str, str]:
    return {"NCLOUD_SECRET_KEY": sandbox.secret_key[::-1]}


def no_gateway(_sandbox: Sandbox) -> dict[str, str]:
    return {"NCLOUD_API_GW": "http://127.0.0.1:PORT"}


def plain_gateway(_sandbox: Sandbox) -> dict[str, str]:
    return {"NCLOUD_API_GW": "http://gateway.example.com"}


def half_a_pair(_sandbox: Sandbox) -> dict[str, str]:
    return {"NCLOUD_SECRET_KEY": ""}


def missing_bundle(_sandbox: Sandbox) -> dict[str, str]:
    return {"NCLOUD_API_GW": "https://127.0.0.1:9", "SSL_CERT_FILE": "/nowhere/ca.pem"}


@pytest.fixture
def spoiled(request: pytest.FixtureRequest, sandbox: Sandbox) -> Iterator[dict[str, str]]:
    """Variables; PORT is one where nobody listens, and nobody else will meanwhile."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        yield {name: value.replace("PORT", port) for name, value in request.param(sandbox).items()}


@pytest.mark.parametrize(
    ("spoiled", "code"),
    [(wrong_secret, 4), (no_gateway, 6), (plain_gateway, 3), (half_a_pair, 3), (missing_bundle, 3)],
    indirect=["spoiled"],
)
@pytest.mark.parametrize(
    "arguments",
    [
        ["cluster", "list"],
        ["profile", "test"],
        ["snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot", "--name", "x-1"],
    ],
)
def test_a_user_who_cannot_get_through(
    call: Called, sandbox: Sandbox, spoiled: dict[str, str], code: int, arguments: list[str]
) -> None:
    """One calm paragraph, the right code, and nothing done."""
    call.program.never.extend(value for name, value in spoiled.items() if "SECRET" in name and value)
    result = call(*arguments, "--quiet", **spoiled)
    assert (result.code, result.stdout) == (code, "")
    assert len(result.stderr.splitlines()) <= 2
    assert "Traceback" not in result.stderr
    assert sandbox.ledger.effects == []
    assert "createSnapshot" not in asked(sandbox)
    document = call(*arguments, "--json", **spoiled).json()
    assert document["error"]["kind"]


def test_a_viewer_reads(call: Called, sandbox: Sandbox) -> None:
    viewer = sandbox.viewer
    clusters = call(
        "cluster",
        "list",
        "--json",
        **{
            **call.program.environ,
            **account_variables(call.program.environ["NCLOUD_API_GW"], viewer.access_key, viewer.secret_key),
        },
    ).json()
    assert {cluster["allowed"] for cluster in clusters} == {True, False}


def test_a_gateway_that_is_not_ncps_is_named(call: Called) -> None:
    """Before anything is sent there: whoever has it receives signed requests."""
    for url, foreign in (("https://gw.corp.example", True), ("https://ncloud.apigw.ntruss.com", False)):
        with call.monkeypatch.context() as patch:
            replace_environment(patch, call.program.environ | {"NCLOUD_API_GW": url})
            with CommandContext(Settings(), Signals()) as context:
                context.identity()
        told = call.capture.readouterr().err
        assert ("not a host of NAVER Cloud" in told) is foreign
