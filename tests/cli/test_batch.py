"""`snapshot create` of several clusters: what is refused before anything is sent, agreed to, and what came of each."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.cli.errors import ExitCode, worst_of
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.cli.program import Called, Program, Result, asked
from tests.cli.workspaces import save_profile, use_memory_keyring
from tests.snapshots.journals import journal_in
from tests.tables import each_row

SEVERAL = ("snapshot", "create", "search-0001", "search-0008", "--bucket", "bk.ses.snapshot")
MATCHED = ("snapshot", "create", "--match", "search-0001", "--bucket", "bk.ses.snapshot")


@pytest.fixture(autouse=True)
def snapshots_end_at_once(sandbox: Sandbox) -> None:
    sandbox.world.duration = 0.0


def creates(sandbox: Sandbox) -> int:
    return asked(sandbox).count("createSnapshot")


def rows(result: Result) -> dict[str, Any]:
    """The one document, by the name of the cluster."""
    return {row["cluster"]["name"]: row for row in result.json()}


@each_row(
    "words",
    [
        (),
        ("a", "--all"),
        ("a", "b", "--match", "x"),
        ("--all", "--match", "x"),
        ("--all", "--resume", "x"),
        ("a", "--skip-blocked"),
        ("a", "--at-once", "2"),
        ("a", "--share-buckets"),
        ("a", "b", "--name", "x-1"),
        ("a", "b", "--again", "0" * 12),
        ("a", "b", "--without-journal"),
        ("a", "b", "--retry-if-not-started"),
        ("a", "b", "--at-once", "0"),
        ("a", "b", "--stagger", "-1"),
        ("a", "b", "--stop-on", "always"),
        ("a", ""),
        ("--match", ""),
        ("--resume", "x", "--bucket", "b"),
        ("--resume", "x", "--dry-run"),
    ],
)
def test_what_does_not_go_together_is_wrong_usage(call: Called, sandbox: Sandbox, words: Sequence[str]) -> None:
    assert call("snapshot", "create", *words, "--yes").code == 2
    assert asked(sandbox) == []


@each_row(
    "words, code, said",
    [
        (SEVERAL, 12, "Add --yes"),
        ((*SEVERAL, "--confirm", "create 3"), 12, "'create 3' is not 'create 2'"),
        ((*SEVERAL, "--confirm", "search-0001"), 12, "is not 'create 2'"),
        (("snapshot", "create", "search-0001", "search-0001", "--yes"), 2, "named twice"),
        (("snapshot", "create", "search-0001", "1037001", "--yes"), 2, "named twice"),
        (("snapshot", "create", "search-0001", "search-9999", "--yes"), 2, "search-9999"),
        (("snapshot", "create", "--match", "x-*", "--yes"), 2, "No cluster matches 'x-*'"),
        (("snapshot", "create", "--resume", "../journal", "--yes"), 2, "There is no batch"),
        (("snapshot", "create", "search-0001", "search-0002", "--yes"), 12, "search-0002: "),
        (("snapshot", "create", "--match", "hr-*", "--yes", "--skip-blocked"), 12, "No snapshot can be created"),
        ((*SEVERAL, "--yes", "--read-only"), 12, "Read-only"),
    ],
)
def test_what_is_refused_is_refused_before_anything_is_sent(
    call: Called, sandbox: Sandbox, words: Sequence[str], code: int, said: str
) -> None:
    result = call(*words)
    assert (result.code, creates(sandbox)) == (code, 0)
    assert said in result.stderr


def test_a_batch_is_an_array_even_of_one(call: Called, sandbox: Sandbox) -> None:
    result = call(*MATCHED, "--yes", "--json", "--wait")
    (row,) = result.json()
    assert (result.code, row["outcome"], row["finished"], row["error"]) == (0, "accepted", "success", None)
    assert row["cluster"] == {"name": "search-0001", "number": "1037001"}
    assert row["batch"] in result.stderr
    assert creates(sandbox) == 1


def test_what_is_blocked_is_named_and_left_out_only_by_the_user(call: Called, sandbox: Sandbox) -> None:
    words = ("snapshot", "create", "search-0001", "hr-private", "--bucket", "bk.ses.snapshot", "--yes", "--json")
    stopped = call(*words)
    assert stopped.code == 12
    assert {row["outcome"] for row in stopped.json()} == {"not_sent"}
    assert "hr-private" in stopped.stderr
    assert creates(sandbox) == 0
    skipped = call(*words, "--skip-blocked")
    found = rows(skipped)
    assert (skipped.code, creates(sandbox)) == (0, 1), "what was left out does not count"
    assert (found["search-0001"]["outcome"], found["hr-private"]["outcome"]) == ("accepted", "not_sent")
    assert found["hr-private"]["error"]["kind"] == "permission_denied"


def test_a_dry_run_sends_nothing(call: Called, sandbox: Sandbox) -> None:
    result = call(*SEVERAL, "--dry-run", "--json")
    assert (result.code, creates(sandbox)) == (0, 0)
    assert [(row["dry_run"], row["outcome"]) for row in result.json()] == [(True, "not_sent")] * 2


def test_the_number_is_typed_on_a_protected_profile(
    call: Called, served: ThreadedSandbox, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_profile(call, served, "protected = true", 'default_bucket = "bk.ses.snapshot"')
    use_memory_keyring(monkeypatch, {"prod": (served.sandbox.access_key, served.sandbox.secret_key)})
    words = ("snapshot", "create", "search-0001", "search-0002", "--profile", "prod", "--json", "--share-buckets")
    for wrong in ((), ("--yes",), ("--confirm", "create 1"), ("--yes", "--confirm", "search-0001")):
        assert call(*words, *wrong).code == 12
    assert creates(sandbox) == 0
    confirmed = call(*words, "--confirm", "create 2")
    assert (confirmed.code, creates(sandbox)) == (0, 2)
    assert {row["bucket"] for row in confirmed.json()} == {"bk.ses.snapshot"}, "of the one without a snapshot too"


def test_one_that_is_unknown_stops_the_rest_and_resume_sends_only_that(
    call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ncp_tui.cli.batch.RESOLVE_SECONDS", 0.2)
    sandbox.faults.add("createSnapshot", "before", "drop")
    broken = call(*SEVERAL, "--yes", "--json", "--at-once", "1", "--share-buckets")
    found = rows(broken)
    assert broken.code == 9
    assert [found[name]["outcome"] for name in ("search-0001", "search-0008")] == ["unknown", "not_sent"]
    assert "whether search-0001 started is unknown" in broken.stderr
    batch = found["search-0001"]["batch"]
    resumed = call("snapshot", "create", "--resume", batch, "--json", "--share-buckets", "--confirm", "create 1")
    found = rows(resumed)
    assert resumed.code == 9, "the first is unknown still"
    assert [found[name]["outcome"] for name in ("search-0001", "search-0008")] == ["unknown", "accepted"]
    assert (creates(sandbox), len(sandbox.ledger.effects)) == (2, 1)
    again = call("snapshot", "create", "--resume", batch, "--json")
    assert (again.code, creates(sandbox)) == (12, 2), "without a terminal it has to be agreed to"
    again = call("snapshot", "create", "--resume", batch, "--json", "--yes", "--wait")
    assert (rows(again)["search-0008"]["finished"], creates(sandbox)) == ("success", 2)


def test_one_that_another_program_has_is_unknown_whatever_becomes_of_the_rest(
    call: Called, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ncp_tui.cli.batch.RESOLVE_SECONDS", 0.2)
    sandbox.faults.add("createSnapshot", "before", "drop")
    (row,) = call(*MATCHED, "--yes", "--json").json()
    journal = journal_in(Path(call.program.environ["NCP_TUI_HOME"]))
    held = journal.hold(journal.entries()[0].id)
    assert held is not None
    result = call("snapshot", "create", "--resume", row["batch"], "--json", "--yes")
    held.release()
    (row,) = result.json()
    assert (row["outcome"], result.code, creates(sandbox)) == ("unknown", 9, 1)


def test_one_whose_answer_was_lost_and_that_is_in_the_history_has_no_error(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("createSnapshot", "after", "drop")
    (row,) = call(*MATCHED, "--yes", "--json").json()
    assert (row["outcome"], row["resolved_by"], row["error"]) == ("accepted", "history", None)


def test_a_snapshot_that_fails_is_the_error_of_its_row(call: Called) -> None:
    (row,) = call(*MATCHED, "--template", "x-fail", "--yes", "--json", "--wait").json()
    assert (row["outcome"], row["finished"], row["error"]["kind"]) == ("accepted", "failed", "snapshot_failed")


def test_one_document_also_after_ctrl_c(program: Program, sandbox: Sandbox) -> None:
    hang = sandbox.faults.add("createSnapshot", "after", "hang", times=None)
    with program.started(*SEVERAL, "--yes", "--json", "--share-buckets") as process:
        assert hang.reached.wait(20)
        process.send_signal(signal.SIGINT)
        result = program.ended(process)
    found = rows(result)
    assert result.code == 130
    assert "unknown" in {row["outcome"] for row in found.values()}
    assert all(row["error"]["kind"] for row in found.values())
    assert set(found) == {"search-0001", "search-0008"}


@each_row(
    "codes, worst",
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 15], 15),
        ([12, 11, 15], 11),
        ([8, 7, 6], 6),
        ([1, 2, 10], 10),
        ([10, 9], 9),
        ([3, 4, 5], 3),
    ],
)
def test_the_exit_code_of_several_is_that_of_the_worst(codes: Sequence[int], worst: int) -> None:
    assert worst_of([ExitCode(code) for code in codes]) == worst
