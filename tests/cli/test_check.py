"""`snapshot check` against the sandbox: its answers, and the exit codes that scripts and monitoring rely on."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import signal
import stat
import threading
from pathlib import Path

import pytest

from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.sandbox.fault_lab.fault import Visit
from ncp_tui.sandbox.protocol import Answer, GatewayError, Refusal, gateway_answer, json_answer, refusal_answer
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, Program, asked, keys_of
from tests.cli.test_signals import sent_at
from tests.cli.workspaces import use_memory_keyring

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


def test_every_saved_profile_is_checked_and_a_locked_one_costs_the_others_nothing(
    call: Called, sandbox: Sandbox, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose secret is missing is unknown; the other's verdicts stand."""
    use_memory_keyring(monkeypatch, {"good": (sandbox.access_key, sandbox.secret_key)})
    for name in ("good", "shut"):
        profiles = paths_from(call.program.environ)
        ProfileStore(profiles).add(Profile(name=name, access_key=sandbox.access_key, gateway_url=served.url))
    document = call("snapshot", "check", "--all-profiles", "--match", "search-0001", "--json").json()
    assert [(row["profile"], row["name"]) for row in document["clusters"]] == [("good", "search-0001")]
    assert [each["profile"] for each in document["not_checked"]] == ["shut"]
    assert (document["severity"], document["exit_code"]) == ("unknown", 14)


def test_bars_and_exemptions_are_those_of_the_profile(
    call: Called, sandbox: Sandbox, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_memory_keyring(monkeypatch, {"good": (sandbox.access_key, sandbox.secret_key)})
    profile = Profile(name="good", access_key=sandbox.access_key, gateway_url=served.url, max_age="90d", warn_age="1m")
    profile = dataclasses.replace(profile, check_exempt=("search-000[2-9]", "search-001*", "[!s]*"))
    ProfileStore(paths_from(call.program.environ)).add(profile)
    document = call("--profile", "good", "snapshot", "check", "--json").json()
    assert {row["name"]: row["severity"] for row in document["clusters"] if row["counts"]} == {"search-0001": "warning"}
    assert document["exit_code"] == 0
    assert call("--profile", "good", "snapshot", "check", "--max-age", "1m", "search-0001").code == 13


def test_metrics_are_written_for_everyone_whatever_the_umask(call: Called, tmp_path: Path) -> None:
    file = tmp_path / "ncp.prom"
    before = os.umask(0o077)
    try:
        result = call("snapshot", "check", "search-0001", "--max-age", "90d", "--prometheus", str(file))
    finally:
        os.umask(before)
    assert result.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert "latest_success_timestamp_seconds{" in file.read_text()
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


def test_metrics_are_written_also_where_nothing_could_be_checked(call: Called, tmp_path: Path) -> None:
    """An old file would say that all was well."""
    file = tmp_path / "ncp.prom"
    file.write_text("old")
    command = ("snapshot", "check", "--prometheus", str(file))
    assert call(*command, NCLOUD_SECRET_KEY="wrong" * 8).code == 14
    assert "could_not_look{" in file.read_text()
    assert "latest_success" not in file.read_text()
    assert call(*command, "--profile", "no-such").code == 3
    assert 'profile="no-such"' in file.read_text()


def test_a_file_that_is_not_ours_to_write_is_refused_before_any_request(
    call: Called, sandbox: Sandbox, tmp_path: Path
) -> None:
    """A link would have the content of another file replaced; a pipe waits for a reader."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    for name in ("pipe", "link", "."):
        result = call("snapshot", "check", "--json", "--prometheus", str(tmp_path / name))
        assert (result.code, result.json()["error"]["kind"]) == (2, "unusable_file")
    assert call("snapshot", "check", "--monitoring", "--prometheus", str(tmp_path)).code == 3
    assert asked(sandbox) == []


def test_a_file_that_cannot_be_written_is_told_beside_the_answer(call: Called, tmp_path: Path) -> None:
    wanted = ("snapshot", "check", "search-0001", "--max-age", "90d", "--prometheus", str(tmp_path / "no" / "file"))
    result = call(*wanted, "--json")
    assert (result.code, result.json()["clusters"][0]["severity"]) == (14, "ok")
    assert result.json()["not_checked"][0]["file"]
    assert call(*wanted, "--monitoring").code == 3


def test_a_signal_ends_in_a_status_line_too(call: Called, sandbox: Sandbox, tmp_path: Path) -> None:
    """With the code of a signal a plugin's end is nothing that a monitoring system knows."""
    file = tmp_path / "ncp.prom"
    with sent_at(sandbox.faults.add("getClusterInfoList", act="hang"), signal.SIGTERM):
        result = call("snapshot", "check", "--monitoring", "--prometheus", str(file))
    assert (result.code, result.stdout.partition(" - ")[0], result.stdout.count("\n")) == (3, "SNAPSHOTS UNKNOWN", 1)
    assert "could_not_look{" in file.read_text()


def test_a_cluster_that_hangs_is_unknown_and_the_others_are_read(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("getSnapshotHistory", act="hang", times=1)
    document = call("snapshot", "check", "--match", "search-000[189]", "--deadline", "1.5", "--json").json()
    severities = [row["severity"] for row in document["clusters"]]
    assert severities.count("unknown") == 1
    assert [row["reason"] for row in document["clusters"] if row["severity"] == "unknown"] == [
        "Not read within the deadline of 1.5 s."
    ]


@pytest.mark.parametrize("at_once", [1, 3, 9])
def test_as_many_requests_as_wanted_are_on_their_way(call: Called, sandbox: Sandbox, at_once: int) -> None:
    """Fewer would take longer than was asked for, and more could be throttled."""
    running, most, full = 0, 0, threading.Event()

    async def wait_for_the_others(_visit: Visit) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        if running == at_once:
            full.set()
        for _ in range(500):
            await asyncio.sleep(0.001)  # the sandbox's loop has to take in what comes meanwhile
            if full.is_set():
                break
        running -= 1

    sandbox.faults.add("getSnapshotHistory", act=wait_for_the_others, times=None)
    assert call("snapshot", "check", "--at-once", str(at_once), "--max-age", "90d").code in {13, 14}
    assert (full.is_set(), most) == (True, at_once)


def test_a_list_that_is_cut_is_never_green(call: Called, sandbox: Sandbox) -> None:
    """The clusters that were listed are judged; others may be missing."""

    async def counts_more(visit: Visit) -> Answer:
        body = json.loads(visit.coming.body)
        body["result"]["totalCount"] += 1
        return json_answer(200, body)

    sandbox.faults.add("getClusterInfoList", when="after", act=counts_more, times=None)
    result = call("snapshot", "check", "--json", "--match", "search-0001", "--max-age", "90d")
    document = result.json()
    assert (result.code, document["severity"]) == (14, "unknown")
    assert [row["severity"] for row in document["clusters"]] == ["ok"]
    assert "NCP counts" in document["not_checked"][0]["reason"]


def test_a_list_that_breaks_off_leaves_what_was_listed_judged(
    call_nobody: Called, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The histories of the first page are read while the next one is on its way, and are an answer of their own."""

    async def refuse_the_second(visit: Visit) -> Answer | None:
        return gateway_answer(GatewayError.PERMISSION_DENIED) if "pageNo=2" in visit.target else None

    with ThreadedSandbox(Sandbox(clusters=101, duration=0)) as served:
        served.sandbox.faults.add("getClusterInfoList", act=refuse_the_second, times=None)
        program = Program(call_nobody.program.environ | keys_of(served), [served.sandbox.secret_key])
        result = Called(program, capsys, monkeypatch)("snapshot", "check", "--json", "--match", "search-00[19]*")
    document = result.json()
    assert (len(document["clusters"]), result.code) == (20, 13)
    assert all(row["look"] == "found" for row in document["clusters"] if row["counts"])
    assert [each["profile"] for each in document["not_checked"]] == ["environment"]


def test_a_history_that_cannot_be_read_is_unknown(call: Called, sandbox: Sandbox) -> None:
    for operation in ("getSnapshotHistory", "getSnapshotSchedulingHistory"):
        sandbox.faults.add(operation, act=refusal_answer(Refusal.CLUSTER_NOT_RUNNING, "rid"))
        result = call("snapshot", "check", "search-0001", "--json")
        assert (result.code, result.json()["clusters"][0]["severity"]) == (14, "unknown")


def test_a_good_snapshot_behind_a_page_of_failures_is_found(call: Called, sandbox: Sandbox) -> None:
    """A newest page without a good one says nothing of the next, and nothing more is read than that."""
    cluster = sandbox.world.clusters[0]
    for number in range(120):
        sandbox.world.start_snapshot(cluster, f"x-fail-{number}", "bk.ses.snapshot")
    result = call("snapshot", "check", cluster.name, "--json", "--max-age", "90d")
    (found,) = result.json()["clusters"]
    assert (found["severity"], found["last_run"]["state"]) == ("warning", "failed")
    assert found["last_good"]["snapshot"].startswith("auto-")
    assert asked(sandbox).count("getSnapshotHistory") == 3


def test_on_a_terminal_one_line_tells_how_far_it_is(program: Program) -> None:
    with program.at_terminal("snapshot", "check", "search-0001", "--max-age", "90d") as terminal:
        result = terminal.end()
    assert result.code == 0
    assert "\r1 of 1 clusters read" in result.stderr
    assert result.stdout.startswith("SEVERITY")
