"""`snapshot evidence`, and the log that every command leaves behind."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.sandbox.fault_lab.fault import Visit
from ncp_tui.sandbox.protocol import Answer, GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.session_log.log_file import LogWriter, read_log
from tests.cli.program import Called, Program, asked

NAME = "ticket-1"
CREATE = ("snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot", "--name", NAME, "--yes")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def log_of(program: Program) -> list[dict[str, Any]]:
    return read_log(Path(program.environ["NCP_TUI_HOME"]) / "state" / "session.jsonl")


def test_every_request_is_in_the_log(call: Called, served: ThreadedSandbox) -> None:
    assert call(*CREATE).code == 0
    lines = log_of(call.program)
    requests = [line for line in lines if line["line"] == "request"]
    # Sorted: some reads are made at the same time, and their answers come in any order.
    told = [line["operation"] for line in requests if line["operation"] != "getDashboardInformation"]
    assert sorted(told) == sorted(map(str, asked(served.sandbox)))
    create = next(line for line in requests if line["operation"] == "createSnapshot")
    assert create["asked"] == {"snapshotName": NAME, "bucketName": "bk.ses.snapshot"}
    assert (create["status"], create["code"], create["outcome"]) == (200, "0", "confirmed")
    assert create["host"] == served.url
    assert create["profile"] == "environment"
    assert len({line["run"] for line in lines}) == 1
    assert lines[-1]["line"] == "action"


def test_the_bundle(call: Called, served: ThreadedSandbox, in_a_folder_of_its_own: Path) -> None:
    assert call(*CREATE).code == 0
    result = call("snapshot", "evidence", NAME, "--json")
    assert result.code == 0
    path = Path(result.json()["file"])
    assert path.parent == in_a_folder_of_its_own
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = json.loads(path.read_text())
    assert document["verdict"]["verdict"] == "started"
    assert document["verdict"]["finished"] == "success"
    assert document["cluster"] == {"name": "search-0001", "number": "1037001"}
    assert [row["raw"]["snapshotName"] for row in document["history"]] == [NAME]
    assert "createSnapshot" in [line.get("operation") for line in document["session_log"]]
    assert [request["operation"] for request in document["requests"]] == ["getClusterInfo", "getSnapshotHistory"]
    assert document["profile"]["gateway"] == served.url
    assert document["clock_offset"] is not None
    assert document["gaps"] == []
    assert document["inventory"]["engine"] == "OpenSearch 2.17.1"
    assert document["inventory"]["data_nodes"] == 4
    told = call("snapshot", "evidence", NAME, "--output", "again.json").stdout
    path = in_a_folder_of_its_own / "again.json"
    assert told.startswith(f"Saved (only you can read it):\n{path}\n\nConclusion: started, success.\n")
    words = " ".join(told.split())
    assert "Before the create the cluster was OpenSearch 2.17.1, 9 nodes (2 manager, 4 data, 3 master);" in words
    assert "A row of the history says that the snapshot was taken; NCP may have deleted it since." in words
    assert told.endswith("Contains no keys. Review it before sharing.\n")


def test_nothing_that_was_written_holds_a_key(call: Called, served: ThreadedSandbox, tmp_path: Path) -> None:
    """Over everything a run leaves behind: log, journal, lock files, bundle."""
    assert call(*CREATE).code == 0
    assert call("snapshot", "evidence", NAME, "--output", "bundle.json").code == 0
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"session.jsonl", "bundle.json"} <= {path.name for path in found}
    for path in found:
        for secret in (served.sandbox.secret_key, served.sandbox.access_key):
            assert secret.encode() not in path.read_bytes(), path


def test_offline_nothing_is_sent(call: Called, sandbox: Sandbox) -> None:
    assert call(*CREATE).code == 0
    before = len(asked(sandbox))
    result = call("snapshot", "evidence", NAME, "--offline", "--output", "-")
    assert result.code == 0
    document = result.json()
    assert len(asked(sandbox)) == before
    assert (document["history"], document["requests"]) == (None, [])
    assert document["verdict"]["verdict"] == "started"
    assert document["gaps"] == ["The history was not read: --offline."]
    assert document["profile"]["name"] == "environment"


def test_without_keys_there_is_what_is_on_record(call: Called) -> None:
    """The keys may be gone, or the keyring locked: that is when somebody writes a ticket."""
    assert call(*CREATE).code == 0
    for name in ("NCLOUD_ACCESS_KEY", "NCLOUD_SECRET_KEY"):
        call.program.environ.pop(name, None)
    result = call("snapshot", "evidence", NAME, "--output", "-")
    assert result.code == 0
    assert "The history could not be read." in result.stderr
    document = result.json()
    assert (document["profile"], document["history"]) == (None, None)
    assert document["gaps"][0].startswith("The history could not be read.")
    assert document["session_log"]


def test_a_gateway_that_is_gone_is_a_gap(call: Called, sandbox: Sandbox) -> None:
    assert call(*CREATE).code == 0
    sandbox.faults.add("getClusterInfo", act="drop", times=20)
    document = call("snapshot", "evidence", NAME, "--output", "-").json()
    assert document["gaps"]
    assert document["profile"]["name"] == "environment"
    assert document["session_log"]


def test_a_snapshot_of_another_machine_is_found_in_the_history(call: Called, tmp_path: Path) -> None:
    assert call(*CREATE).code == 0
    elsewhere = {"NCP_TUI_HOME": str(tmp_path / "other")}
    result = call("snapshot", "evidence", NAME, "--cluster", "search-0001", "--output", "-", **elsewhere)
    verdict = result.json()["verdict"]
    assert (verdict["verdict"], verdict["outcome"], verdict["resolved_by"]) == ("started", "accepted", "history")
    assert "no record" in verdict["why"][0]


def test_a_name_nobody_knows(call: Called, in_a_folder_of_its_own: Path) -> None:
    """Most likely a slip of the pen; and asking a second time must not find the first."""
    for _ in range(2):
        result = call("snapshot", "evidence", "nowhere-1", "--json")
        assert (result.code, result.json()["error"]["kind"]) == (2, "nothing_known")
        asked_for = call("snapshot", "evidence", "nowhere-1", "--cluster", "search-0001", "--output", "-")
        assert asked_for.json()["history"] == [], "that it is not in the history is evidence too"
    assert list(in_a_folder_of_its_own.iterdir()) == []


def test_a_file_that_is_there_is_not_touched(call: Called, in_a_folder_of_its_own: Path) -> None:
    assert call(*CREATE).code == 0
    (in_a_folder_of_its_own / "mine").write_text("mine")
    result = call("snapshot", "evidence", NAME, "--offline", "--output", "mine", "--json")
    assert (result.code, result.json()["error"]["kind"]) == (2, "cannot_write_evidence")
    assert (in_a_folder_of_its_own / "mine").read_text() == "mine"


def test_a_log_that_cannot_be_written_is_said_once(call: Called, tmp_path: Path) -> None:
    """The command does what it was asked for all the same."""
    state = tmp_path / "ncp-tui" / "state"
    state.mkdir(parents=True)
    (state / "session.jsonl").symlink_to(tmp_path / "elsewhere")
    result = call("cluster", "list")
    assert result.code == 0
    assert result.stderr.count("The session log cannot be written: it is a symbolic link.") == 1
    assert call("cluster", "list", "--quiet").stderr == ""
    assert not (tmp_path / "elsewhere").exists()


def test_a_bug_in_the_log_is_reported_and_changes_no_outcome(
    call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would turn "accepted" into "a bug", and somebody would take the snapshot again."""

    def fail(*_: object) -> None:
        raise ZeroDivisionError(sandbox.secret_key)

    monkeypatch.setattr(LogWriter, "on_event", fail)
    result = call(*CREATE, "--json")
    assert (result.code, result.json()["outcome"]) == (0, "accepted")
    assert result.stderr.count("Internal error") == 1
    (report,) = (Path(call.program.environ["NCP_TUI_HOME"]) / "state" / "reports").iterdir()
    assert str(report) in result.stderr
    assert "ZeroDivisionError" in report.read_text()
    assert sandbox.secret_key not in report.read_text()


def test_a_refusal_that_proves_nothing_is_none_in_the_evidence(call: Called, sandbox: Sandbox, tmp_path: Path) -> None:
    """A 404 in HTML is some machine's in between: without the journal the log on disk must say as little as it."""

    async def bare(_visit: Visit) -> Answer:
        return Answer(404, b"<html>not found</html>", {"content-type": "text/html"})

    sandbox.faults.add("createSnapshot", "after", bare)
    sandbox.faults.add("getSnapshotHistory", act=gateway_answer(GatewayError.NOT_FOUND), times=None)
    assert call(*CREATE, "--without-journal", "--json").json()["outcome"] == "unknown"
    assert call("snapshot", "evidence", NAME, "--offline", "--output", str(tmp_path / "e.json")).code == 0
    verdict = json.loads((tmp_path / "e.json").read_text())["verdict"]
    assert (verdict["verdict"], verdict["outcome"]) == ("unknown", "unknown")
    assert len(sandbox.ledger.effects) == 1


def test_a_refusal_that_proves_it_does_so_in_the_evidence(call: Called, sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.faults.add("createSnapshot", act=gateway_answer(GatewayError.PERMISSION_DENIED))
    assert call(*CREATE, "--without-journal", "--json").json()["outcome"] == "refused"
    assert call("snapshot", "evidence", NAME, "--offline", "--output", str(tmp_path / "e.json")).code == 0
    assert json.loads((tmp_path / "e.json").read_text())["verdict"]["verdict"] == "not started"
