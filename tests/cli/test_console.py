"""`snapshot console`: text for Dev Tools, made of two reads; nothing has an effect."""

from __future__ import annotations

import pytest

from ncp_tui.sandbox.protocol import GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import Sandbox
from tests.cli.program import Called, asked

READS = {"getClusterInfoList", "getClusterInfo", "getSnapshotHistory"}


def newest(sandbox: Sandbox, ending: str) -> str:
    runs = sandbox.world.state(sandbox.world.named("search-0001")).runs
    return next(run.name for run in reversed(runs) if run.ending == ending)


@pytest.mark.parametrize("wanted", ["search-0001", "1037001"])
def test_the_lines_for_a_person(call: Called, sandbox: Sandbox, wanted: str) -> None:
    """A number finds a cluster whose detail has the engine as a bare code: the list names it."""
    name = newest(sandbox, "SUCCESS")
    result = call("snapshot", "console", wanted, name)
    assert result.code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"# Dev Tools lines for {name} on search-0001"
    assert lines[1].startswith(f"# {name}: succeeded, taken ")
    assert "# For OpenSearch 2.17.1, in OpenSearch Dashboards > Dev Tools." in lines
    assert lines.index("GET _snapshot/_all") < lines.index(f"DELETE _snapshot/REPOSITORY/{name}")
    assert set(asked(sandbox)) <= READS
    assert sandbox.ledger.effects == []


def test_the_requests_for_a_script(call: Called, sandbox: Sandbox) -> None:
    name = newest(sandbox, "SUCCESS")
    result = call("snapshot", "console", "search-0001", name, "--json")
    blocks = result.json()
    assert [list(block) for block in blocks] == [["title", "why", "method", "path", "body", "changes"]] * 12
    assert (blocks[0]["method"], blocks[0]["path"], blocks[0]["body"]) == ("GET", "_snapshot/_all", None)
    assert f"{name}: succeeded, taken " in result.stderr
    assert "in place of REPOSITORY" in blocks[0]["why"]


def test_a_failed_one_and_one_that_is_not_there_are_said_first(call: Called, sandbox: Sandbox) -> None:
    runs = sandbox.world.state(sandbox.world.named("search-0001")).runs
    failed = next(run.name for run in runs if run.ending != "SUCCESS")
    assert call("snapshot", "console", "search-0001", failed).stdout.splitlines()[1].startswith(f"# {failed}: FAILED, ")
    result = call("snapshot", "console", "search-0001", "not-there")
    assert result.code == 0
    assert result.stdout.splitlines()[1] == "# not-there: NOT IN THE HISTORY of search-0001. Check the name."


def test_a_hostile_name_is_in_no_request(call: Called) -> None:
    for name in ("*", "a\nDELETE *", "../x", "a\x1b[2J", "a\u202eb"):
        result = call("snapshot", "console", "search-0001", name)
        assert result.code == 0
        requests = [line for line in result.stdout.splitlines() if line and not line.startswith("#")]
        assert requests == [
            "GET _snapshot/_all",
            "POST _snapshot/REPOSITORY/_verify",
            "GET _snapshot/REPOSITORY/_all?verbose=false",
        ]


def test_no_cluster_no_lines(call: Called) -> None:
    result = call("snapshot", "console", "search-9999", "abc")
    assert (result.code, result.stdout) == (2, "")
    assert call("snapshot", "console", "hr-private", "abc").code == 5


def test_it_is_a_read(call: Called, sandbox: Sandbox) -> None:
    name = newest(sandbox, "SUCCESS")
    assert call("--read-only", "snapshot", "console", "search-0001", name).code == 0


def test_a_history_that_cannot_be_read_is_said_and_the_lines_are_there(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("getSnapshotHistory", act=gateway_answer(GatewayError.PERMISSION_DENIED), times=None)
    result = call("snapshot", "console", "search-0001", "before-upgrade")
    assert result.code == 0
    assert result.stdout.splitlines()[1].startswith("# before-upgrade: STATE UNKNOWN, the history of search-0001 ")
    assert "DELETE _snapshot/REPOSITORY/before-upgrade" in result.stdout.splitlines()
