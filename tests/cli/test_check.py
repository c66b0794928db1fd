"""`snapshot check` against the sandbox: its answers, and the exit codes that scripts and monitoring rely on."""

from __future__ import annotations

import pytest

from ncp_tui.sandbox.sandbox import Sandbox
from tests.cli.program import Called, asked

READS = {"getClusterInfoList", "getSnapshotHistory", "getSnapshotSchedulingHistory"}


def test_a_check_reads_every_cluster_and_changes_nothing(call: Called, sandbox: Sandbox) -> None:
    """13 over 14: the sandbox has clusters without a snapshot, and some without permission."""
    result = call("snapshot", "check", "--json", "--read-only")
    document = result.json()
    assert result.code == document["exit_code"] == 13
    assert document["severity"] == "critical"
    found = {row["name"]: row for row in document["clusters"]}
    assert len(found) == 14
    assert found["legal-archive"]["severity"] == "unknown"
    assert found["search-0002"]["severity"] == "critical"
    assert found["search-0001"]["last_run"]["state"]
    assert found["search-0001"]["next_run"]
    assert not all(row["counts"] for row in found.values())
    assert set(asked(sandbox)) <= READS


def test_a_check_for_people(call: Called) -> None:
    result = call("snapshot", "check", "--max-age", "90d", "--match", "search-000[12]")
    lines = result.stdout.splitlines()
    assert lines[0].split()[:4] == ["SEVERITY", "PROFILE", "CLUSTER", "LAST"]
    assert [line.split()[0] for line in lines[1:]] == ["CRITICAL", "OK", "CRITICAL:"]
    assert "2 clusters counted" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("search-0001", "--max-age", "90d"), 0),
        (("search-0001", "--max-age", "1m"), 13),
        (("legal-archive",), 14),
        (("search-0001", "no-such", "--max-age", "90d"), 14),
        (("search-0002", "no-such"), 13),
        (("--match", "no-such-*"), 14),
        (("--max-age", "26"), 2),
        (("--warn-age", "1w"), 2),
        (("--max-age", "0h"), 2),
        (("--at-once", "0"), 2),
        (("--deadline", "0"), 2),
        (("search-0001", "--match", "a*"), 2),
        (("--all-profiles", "--profile", "a"), 2),
    ],
)
def test_the_exit_code_is_that_of_the_contract(call: Called, arguments: tuple[str, ...], code: int) -> None:
    assert call("snapshot", "check", *arguments).code == code


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("search-0001", "--max-age", "90d"), 0, "OK"),
        (("search-0001", "--max-age", "90d", "--warn-age", "1m"), 1, "WARNING"),
        (("search-0002", "no-such"), 2, "CRITICAL"),
        (("legal-archive",), 3, "UNKNOWN"),
        (("--max-age", "26"), 3, "UNKNOWN"),
        (("--no-such-option",), 3, "UNKNOWN"),
        (("--json",), 3, "UNKNOWN"),
        (("--profile", "no-such"), 3, "UNKNOWN"),
    ],
)
def test_every_ending_is_a_status_line(call: Called, arguments: tuple[str, ...], code: int, word: str) -> None:
    """A plugin whose exit code or line is another's would be read as an alarm, or as none."""
    result = call("snapshot", "check", "--monitoring", *arguments)
    assert (result.code, result.stdout.count("\n")) == (code, 1)
    head, _, data = result.stdout.partition(" | ")
    assert head.startswith(f"SNAPSHOTS {word} - ")
    assert data.strip()


def test_without_any_profile_it_is_three(call_nobody: Called) -> None:
    assert call_nobody("snapshot", "check").code == 3
    assert call_nobody("snapshot", "check", "--all-profiles").code == 3


def test_keys_that_are_refused_are_not_checked(call: Called) -> None:
    result = call("snapshot", "check", "--json", NCLOUD_SECRET_KEY="wrong" * 8)
    assert (result.code, result.json()["severity"]) == (14, "unknown")
    assert result.json()["not_checked"][0]["profile"] == "environment"


def test_a_deadline_that_is_over_leaves_the_rest_unknown(call: Called) -> None:
    result = call("snapshot", "check", "--json", "--deadline", "0.001")
    assert (result.code, result.json()["severity"]) == (14, "unknown")
