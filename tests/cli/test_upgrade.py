"""`cluster upgrade-check`: the answer is in the output, an unknown gate is no success, and NCP is asked once."""

from __future__ import annotations

from typing import Any

import pytest

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.snapshots.journal import Journal
from ncp_tui.system.paths import paths_from
from tests.cli.program import PATIENCE, Called, Program, asked
from tests.cli.workspaces import save_profile, use_memory_keyring

CHECK = ("cluster", "upgrade-check", "search-0001")
ASK = (*CHECK, "--ask-ncp", "--target", "1319", "--json")
HOUR = 3_600.0


@pytest.fixture
def recent(sandbox: Sandbox) -> None:
    """A good snapshot of search-0001."""
    sandbox.world.add_past("search-0001", "before", ended=HOUR)


def pre_checks(sandbox: Sandbox) -> int:
    return asked(sandbox).count("rollingUpgradePreCheck")


@pytest.mark.usefixtures("recent")
def test_an_open_gate(call: Called, sandbox: Sandbox) -> None:
    result = call(*CHECK, "--json")
    document = result.json()
    assert (result.code, document["gate"], document["counted_from"]) == (0, "open", "end")
    assert 4.9 * HOUR < document["seconds_left"] <= 5 * HOUR
    assert document["newest_good"]["snapshot"] == "before"
    assert document["cluster"] == {"name": "search-0001", "number": "1037001"}
    assert [each["code"] for each in document["versions"] if each["current"]] == ["2171"]
    shown = call("cluster", "show", "search-0001", "--json").json()["upgrade"]
    assert (shown["gate"], shown["until"]) == ("open", document["until"])
    assert "upgrade      gate open until" in call("cluster", "show", "search-0001").stdout
    text = call(*CHECK).stdout
    assert "open" in text.splitlines()[2]
    assert "The gate is open until" in text
    assert "After the upgrade, create the first snapshot again" in text
    assert pre_checks(sandbox) == 0


def test_a_shut_gate_is_an_answer(call: Called, sandbox: Sandbox) -> None:
    sandbox.world.state(sandbox.world.named("search-0001")).runs.clear()
    result = call(*CHECK, "--json")
    document = result.json()
    assert (result.code, document["gate"], document["until"]) == (0, "shut", None)
    assert document["next_step"].endswith("Create a snapshot: ncp-tui snapshot create search-0001 --wait")


def test_a_history_that_cannot_be_read_is_no_answer(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("getSnapshotHistory", act=(503, {"error": {"errorCode": "500", "message": "no"}}), times=None)
    result = call(*CHECK, "--json")
    assert (result.code, result.json()["gate"], result.json()["error"]["kind"]) == (6, "unknown", "endpoint_error")
    sandbox.faults.clear()
    half = {"snapshotHistoryResponseList": [{"snapshotName": "a"}], "totalCount": 9, "totalPage": 1, "isLast": True}
    answer = {"code": 0, "message": "SUCCESS", "result": half, "requestId": "rid"}
    sandbox.faults.add("getSnapshotHistory", act=(200, answer), times=None)
    result = call(*CHECK, "--json")
    assert (result.code, result.json()["gate"]) == (8, "unknown")


@pytest.mark.usefixtures("recent")
def test_versions_that_cannot_be_read_take_nothing_from_the_gate(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("getSearchEngineVersionList", act=(400, {"error": {"errorCode": "100"}}), times=None)
    result = call(*CHECK, "--json")
    document = result.json()
    assert (result.code, document["gate"], document["versions"]) == (0, "open", None)
    assert document["versions_problem"]
    assert "The versions on offer are not known." in result.stderr


@pytest.mark.usefixtures("recent")
def test_ncp_is_asked_once_and_its_yes_is_told(call: Called, sandbox: Sandbox, program: Program) -> None:
    result = call(*ASK, "--region-no", "1")
    ncp = result.json()["ncp"]
    assert (result.code, ncp["outcome"], ncp["message"], ncp["error"]) == (0, "accepted", "SUCCESS", None)
    assert pre_checks(sandbox) == 1
    (entry,) = Journal(paths_from(program.environ)).entries()
    assert (entry.operation, entry.details["regionNo"]) == ("rollingUpgradePreCheck", "1")


def test_its_no_is_told_with_the_reason(call: Called, sandbox: Sandbox) -> None:
    sandbox.world.state(sandbox.world.named("search-0001")).runs.clear()
    result = call(*ASK)
    ncp = result.json()["ncp"]
    assert (result.code, ncp["outcome"], ncp["error"]["code"]) == (8, "refused", "10154")
    assert ncp["message"] == "최근 스냅샷이 없습니다. (a recent snapshot is required)"
    assert "Create a snapshot of the cluster" in result.stderr


@pytest.mark.usefixtures("recent")
def test_a_lost_answer_is_unknown_and_not_repeated(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("rollingUpgradePreCheck", "after", "drop", times=None)
    result = call(*ASK)
    assert (result.code, result.json()["ncp"]["outcome"], pre_checks(sandbox)) == (9, "unknown", 1)
    assert "no read tells its result" in result.stderr
    assert "history before you retry" not in result.stderr
    stopped = call(*ASK)
    document = stopped.json()
    assert (stopped.code, document["error"]["kind"], document["earlier"]["state"]) == (12, "second_request", "unknown")
    assert f"--again {document['earlier']['id']}" in stopped.stderr
    dry = call(*ASK, "--dry-run")
    assert (dry.code, dry.json()["earlier"]) == (12, document["earlier"])
    assert pre_checks(sandbox) == 1
    assert call("snapshot", "resolve").code == 9
    sandbox.faults.clear()
    assert call(*ASK, "--again", document["earlier"]["id"]).code == 0
    assert pre_checks(sandbox) == 2


@pytest.mark.usefixtures("recent")
def test_an_interruption_says_that_the_answer_is_unknown(program: Program, sandbox: Sandbox) -> None:
    fault = sandbox.faults.add("rollingUpgradePreCheck", "after", "hang")
    with program.started(*ASK) as process:
        assert fault.reached.wait(PATIENCE)
        result = program.interrupted(process)
    assert (result.code, result.json()["ncp"]["outcome"], pre_checks(sandbox)) == (130, "unknown", 1)
    assert "Unknown what NCP says of an upgrade to 1319: it was asked." in result.stderr


@pytest.mark.usefixtures("recent")
def test_a_dry_run_asks_nothing(call: Called, sandbox: Sandbox) -> None:
    result = call(*ASK, "--dry-run")
    document = result.json()
    assert (result.code, document["dry_run"]) == (0, True)
    assert '"targetVersionCode":"1319"' in document["request"]["body"]
    assert call(*ASK, "--dry-run", "--read-only").code == 0
    assert pre_checks(sandbox) == 0


@pytest.mark.usefixtures("recent")
def test_read_only_refuses_to_ask_and_nothing_else(call: Called, sandbox: Sandbox) -> None:
    refused = call(*ASK, "--read-only")
    assert (refused.code, refused.json()["error"]["kind"]) == (12, "read_only")
    assert refused.json()["ncp"] == {"target": "1319", "outcome": "not_sent"}
    assert asked(sandbox) == []
    assert call(*CHECK, "--read-only").code == 0
    assert pre_checks(sandbox) == 0


@pytest.mark.usefixtures("recent")
def test_a_protected_profile_wants_the_name(
    call: Called, sandbox: Sandbox, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_profile(call, served, "protected = true")
    use_memory_keyring(monkeypatch, {"prod": (sandbox.access_key, sandbox.secret_key)})
    for arguments in ((), ("--yes",), ("--confirm", "search-0002"), ("--yes", "--confirm", "search-0001")):
        refused = call(*ASK, "--profile", "prod", *arguments)
        assert (refused.code, refused.json()["error"]["kind"]) == (12, "not_confirmed")
    assert asked(sandbox) == []
    assert call(*CHECK, "--profile", "prod").code == 0
    by_number = ("cluster", "upgrade-check", "1037001", *ASK[3:], "--profile", "prod", "--confirm")
    assert call(*by_number, "1037001").code == 12
    assert pre_checks(sandbox) == 0
    assert call(*by_number, "search-0001").code == 0
    assert pre_checks(sandbox) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("--ask-ncp",),
        ("--target", "1319"),
        ("--dry-run",),
        ("--region-no", "1"),
        ("--ask-ncp", "--target", "2 180"),
        ("--ask-ncp", "--target", ""),
        ("--ask-ncp", "--target", "1319", "--region-no", "KR/1"),
    ],
)
def test_wrong_usage_sends_nothing(call: Called, sandbox: Sandbox, arguments: tuple[str, ...]) -> None:
    result = call(*CHECK, *arguments)
    assert result.code == 2
    assert asked(sandbox) == []


@pytest.mark.usefixtures("recent")
def test_a_version_that_is_not_on_offer_is_named(call: Called) -> None:
    result = call(*CHECK, "--ask-ncp", "--target", "2180", "--json")
    assert "2180 is not the code of a version on offer" in result.stderr
    document: dict[str, Any] = result.json()["ncp"]
    assert (result.code, document["outcome"]) == (8, "refused")
    assert document["message"] == "지원하지 않는 버전입니다. (Version 2180 is not supported.)"
