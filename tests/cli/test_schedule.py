"""`ncp-tui schedule`: what is set, set and released, by whoever may, and nothing that was not confirmed."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.sandbox import Sandbox
from tests.cli.program import Called, Program, asked
from tests.snapshots.journals import journal_in
from tests.tables import each_row

CHANGES = {"setSnapshotScheduling", "releaseSnapshotScheduling"}
NIGHTLY = ("--name", "nightly", "--bucket", "bk.ses.snapshot", "--day", "Everyday", "--at", "03:15")


@pytest.fixture(autouse=True)
def nothing_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("ncp_tui.cli.schedule_change"), "RESOLVE_SECONDS", 0.5)


def changes(sandbox: Sandbox) -> list[str | None]:
    return [operation for operation in asked(sandbox) if operation in CHANGES]


def test_what_is_set_and_whether_it_came(call: Called) -> None:
    result = call("schedule", "show", "search-0001")
    assert result.code == 0
    assert "auto: every day at 03:00 into bk.ses.snapshot" in result.stdout
    assert "in force (NCP says 'ACTIVE')" in result.stdout
    assert "zone assumed" in result.stdout
    document = call("schedule", "show", "1037001", "--json").json()
    assert set(document) == {
        *("cluster", "read_at", "known", "schedule", "last_due", "time_zone", "problem", "history_problem")
    }
    assert (document["known"], document["schedule"]["in_force"], document["last_due"]["run"]) == (True, True, "came")
    assert document["schedule"]["next_run"].endswith("T03:00:00+09:00")
    assert document["time_zone"] == {"name": "Asia/Seoul", "documented": False}


def test_a_missed_run_is_told(call: Called, sandbox: Sandbox) -> None:
    install(sandbox, "schedule-missed")
    result = call("schedule", "show", "search-0001")
    due = call("schedule", "show", "search-0001", "--json").json()["last_due"]
    assert (due["run"], due["snapshot"]) in {("missed", None), ("waited_for", None)}  # within half an hour of 03:00
    assert "no row by 03:30, missed" in result.stdout or "no row yet" in result.stdout


def test_none_is_none_and_not_known_is_not_none(call: Called, sandbox: Sandbox) -> None:
    result = call("schedule", "show", "search-0002", "--json")
    assert (result.code, result.json()["known"], result.json()["schedule"]) == (0, True, None)
    sandbox.faults.add("getSnapshotHistory", "before", (500, "no"), times=None)
    partly = call("schedule", "show", "search-0001", "--json")
    assert (partly.code, partly.json()["last_due"]["run"]) == (0, "not_read")
    assert partly.json()["history_problem"]
    sandbox.faults.add("getSnapshotSchedulingHistory", "before", (500, "no"), times=None)
    failed = call("schedule", "show", "search-0001", "--json")
    assert failed.code != 0
    assert failed.json()["error"]["kind"] == "server_error"


def test_the_history_of_a_schedule(call: Called) -> None:
    result = call("schedule", "history", "search-0001")
    assert [line.split()[2] for line in result.stdout.splitlines()] == ["NAME", "auto", "nightly"]
    rows = call("schedule", "history", "search-0001", "--limit", "1", "--json").json()
    assert [row["name"] for row in rows] == ["auto"]
    assert set(rows[0]) == {"name", "bucket", "day", "time", "status", "set_at", "raw"}
    empty = call("schedule", "history", "search-0002", "--json")
    assert (empty.code, empty.json()) == (0, [])


def test_set_release_and_set_again(call: Called, sandbox: Sandbox) -> None:
    done = call("schedule", "set", "search-0002", *NIGHTLY, "--json")
    assert done.code == 0
    document = done.json()
    assert set(document) == {
        *("operation", "outcome", "resolved_by", "cluster", "schedule", "request_id", "attempts", "now", "error")
    }
    assert (document["operation"], document["outcome"], document["now"]["status"]) == ("set", "accepted", "ACTIVE")
    assert document["schedule"] == {"name": "nightly", "bucket": "bk.ses.snapshot", "day": "Everyday", "at": "03:15"}
    refused = call("schedule", "set", "search-0002", *NIGHTLY, "--yes", "--json")
    assert (refused.code, refused.json()["error"]["kind"]) == (12, "second_request")
    assert set(refused.json()["earlier"]) == {"id", "source", "state", "at"}
    assert "ncp-tui schedule release search-0002" in refused.stderr
    released = call("schedule", "release", "search-0002", "--json").json()
    assert (released["outcome"], released["schedule"], released["now"]["status"]) == ("accepted", None, "RELEASED")
    assert call("schedule", "release", "search-0002").code == 12
    assert call("schedule", "set", "search-0002", *NIGHTLY).code == 0
    assert changes(sandbox) == ["setSnapshotScheduling", "releaseSnapshotScheduling", "setSnapshotScheduling"]


def test_again_covers_exactly_the_schedule_that_was_shown(call: Called, sandbox: Sandbox) -> None:
    earlier = call("schedule", "set", "search-0001", *NIGHTLY, "--json").json()["earlier"]
    assert (earlier["source"], earlier["state"]) == ("history", "in_force")
    assert call("schedule", "set", "search-0001", *NIGHTLY, "--again", "0" * 12).code == 12
    assert call("schedule", "set", "search-0001", *NIGHTLY, "--again", earlier["id"]).code == 0
    assert call("schedule", "set", "search-0001", *NIGHTLY, "--again", earlier["id"]).code == 12
    assert len(changes(sandbox)) == 1


@each_row(
    "option, value, kind",
    [
        ("--name", "ab", "invalid_name"),
        ("--name", "Nightly", "invalid_name"),
        ("--name", "a" * 16, "invalid_name"),
        ("--name", "a--b", "invalid_name"),
        ("--name", "\x1b[2J", "invalid_name"),
        ("--bucket", "Not A Bucket", "invalid_bucket"),
        ("--bucket", "", "invalid_bucket"),
        ("--day", "Daily", "invalid_schedule"),
        ("--day", "\u202eyaduS", "invalid_schedule"),
        ("--at", "03:10", "invalid_schedule"),
        ("--at", "25:00", "invalid_schedule"),
        ("--at", "three", "invalid_schedule"),
    ],
)
def test_bad_input_sends_nothing(call: Called, sandbox: Sandbox, option: str, value: str, kind: str) -> None:
    result = call("schedule", "set", "search-0002", *NIGHTLY, option, value, "--json")
    assert (result.code, result.json()["error"]["kind"], result.json()["outcome"]) == (2, kind, "not_sent")
    assert "\x1b" not in result.stderr
    assert "\u202e" not in result.stderr
    assert asked(sandbox) == []


def test_day_and_time_are_told_as_they_are_sent(call: Called) -> None:
    result = call("schedule", "set", "search-0002", *NIGHTLY, "--day", "sunday", "--at", "3:15", "--json")
    assert (result.json()["schedule"]["day"], result.json()["schedule"]["at"]) == ("Sunday", "03:15")


def test_a_bucket_that_cannot_be_used_is_refused_here(call: Called, sandbox: Sandbox) -> None:
    for bucket in ("audit-locked", "finance-private", "not-there"):
        result = call("schedule", "set", "search-0002", *NIGHTLY, "--bucket", bucket, "--json")
        assert (result.code, result.json()["error"]["kind"]) == (2, "invalid_bucket")
    assert changes(sandbox) == []


@pytest.mark.parametrize(
    "words", [("set", "search-0002", *NIGHTLY), ("release", "search-0001")], ids=["set", "release"]
)
def test_read_only_refuses_and_a_dry_run_shows(call: Called, sandbox: Sandbox, words: tuple[str, ...]) -> None:
    refused = call("schedule", *words, "--read-only", "--json")
    assert (refused.code, refused.json()["error"]["kind"]) == (12, "read_only")
    assert asked(sandbox) == []
    shown = call("schedule", *words, "--read-only", "--dry-run", "--json")
    document = shown.json()
    assert (shown.code, document["dry_run"], document["outcome"]) == (0, True, "not_sent")
    assert document["request"]["method"] == ("POST" if words[0] == "set" else "GET")
    assert {check["subject"] for check in document["preflight"]} >= {"cluster", "schedule", "clock"}
    assert changes(sandbox) == []
    assert not journal_in(Path(call.program.environ["NCP_TUI_HOME"])).path.exists()
    assert call("schedule", *words, "--dry-run").code == 0


def test_a_dry_run_shows_what_is_sent(call: Called, sandbox: Sandbox) -> None:
    shown = call("schedule", "set", "search-0002", *NIGHTLY, "--dry-run", "--json").json()["request"]
    assert call("schedule", "set", "search-0002", *NIGHTLY).code == 0
    (sent,) = [entry for entry in sandbox.ledger.requests if entry.operation == "setSnapshotScheduling"]
    assert shown["url"].endswith(sent.target)
    assert json.loads(shown["body"]) == {
        "snapshotName": "nightly",
        "bucketName": "bk.ses.snapshot",
        "scheduledDay": "Everyday",
        "scheduledHour": 3,
        "scheduledMinute": 15,
    }


@pytest.fixture
def protected(call: Called, served: Any) -> Called:
    """The same with a protected profile, and no keys in the environment."""
    keys = served.sandbox
    words = ("--access-key", keys.access_key, "--store", "file", "--gateway-url", served.url, "--protected")
    environ = {name: value for name, value in call.program.environ.items() if not name.startswith("NCLOUD_")}
    phrase = Path(environ["HOME"]) / "phrase"
    phrase.write_text("long enough a phrase")
    phrase.chmod(0o600)
    called = Called(
        Program(environ | {"NCP_TUI_PASSPHRASE_FILE": str(phrase)}, call.program.never), call.capture, call.monkeypatch
    )
    added = called("profile", "add", "prod", *words, "--secret-stdin", stdin=f"{keys.secret_key}\n")
    assert added.code == 0, added.stderr
    return called


@pytest.mark.parametrize(
    "words", [("set", "search-0002", *NIGHTLY), ("release", "search-0001")], ids=["set", "release"]
)
def test_a_protected_profile_asks_by_name(protected: Called, sandbox: Sandbox, words: tuple[str, ...]) -> None:
    for options in ((), ("--yes",), ("--confirm", "search-0003")):
        result = protected("schedule", *words, *options, "--json")
        assert (result.code, result.json()["error"]["kind"]) == (12, "not_confirmed")
    assert asked(sandbox) == []
    assert protected("schedule", *words, "--confirm", words[1]).code == 0
    assert len(changes(sandbox)) == 1


def test_resolve_reads_the_schedule_history(call: Called, sandbox: Sandbox) -> None:
    """What was lost with its effect while the history failed is found out later; without, it stays unknown."""
    install(sandbox, "drop-after@set-schedule")
    install(sandbox, "history-lags")
    sandbox.faults.add("getSnapshotSchedulingHistory", "before", (500, "no"), times=None)
    earlier = call("schedule", "set", "search-0002", *NIGHTLY, "--json").json()["earlier"]["id"]
    lost = call("schedule", "set", "search-0002", *NIGHTLY, "--again", earlier, "--json")
    assert lost.json()["outcome"] == "unknown"
    sandbox.faults.clear()
    result = call("snapshot", "resolve", "--json", "--timeout", "1")
    (document,) = result.json()
    assert document["operation"] == "setSnapshotScheduling"
    assert document["verdict"] == "started"
    assert result.code == 0
    assert call("snapshot", "resolve").stdout == "No unresolved requests.\n"
    assert len(changes(sandbox)) == 1


def test_an_unresolved_change_is_named_and_can_be_dismissed(call: Called, sandbox: Sandbox) -> None:
    install(sandbox, "drop-before@set-schedule")
    assert call("schedule", "set", "search-0002", *NIGHTLY).code == 9
    result = call("snapshot", "resolve", "--timeout", "0.2")
    assert result.code == 9
    assert "set schedule nightly on search-0002" in result.stdout
    dismissed = call("snapshot", "resolve", "--dismiss", "search-0002", "set schedule nightly")
    assert dismissed.code == 0
    assert call("schedule", "set", "search-0002", *NIGHTLY).code == 0
    assert len(sandbox.ledger.effects) == 1


def test_ctrl_c_while_it_is_on_its_way_says_that_it_is_unknown(program: Program, sandbox: Sandbox) -> None:
    hanging = sandbox.faults.add("setSnapshotScheduling", "before", "hang")
    with program.started("schedule", "set", "search-0002", *NIGHTLY, "--json") as process:
        assert hanging.reached.wait(20)
        result = program.interrupted(process)
    assert (result.code, result.json()["outcome"], result.json()["error"]["kind"]) == (130, "unknown", "interrupted")
    (entry,) = journal_in(Path(program.environ["NCP_TUI_HOME"])).entries()
    assert entry.in_doubt
    assert sandbox.ledger.effects == []


def test_a_dead_network_sends_nothing(call_nobody: Called) -> None:
    keys = {"NCLOUD_ACCESS_KEY": "AK0123456789", "NCLOUD_SECRET_KEY": "x" * 40, "NCLOUD_API_GW": "http://127.0.0.1:9"}
    for words in (("show", "search-0001"), ("set", "search-0002", *NIGHTLY), ("release", "search-0001")):
        result = call_nobody("schedule", *words, "--json", **keys)
        assert (result.code, result.json()["error"]["kind"]) == (6, "not_reached")
        assert "Traceback" not in result.stderr


def test_a_journal_that_cannot_be_written_stops_it(call: Called, sandbox: Sandbox) -> None:
    home = Path(call.program.environ["NCP_TUI_HOME"])
    path = journal_in(home).path
    path.parent.parent.mkdir(parents=True, exist_ok=True)
    path.parent.write_text("")
    refused = call("schedule", "set", "search-0002", *NIGHTLY, "--json")
    assert refused.code == 12
    assert changes(sandbox) == []
    sent = call("schedule", "set", "search-0002", *NIGHTLY, "--without-journal", "--json")
    assert (sent.code, sent.json()["journaled"]) == (0, False)
    assert len(changes(sandbox)) == 1
