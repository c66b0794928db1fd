"""`snapshot wait`."""

from __future__ import annotations

import dataclasses

import pytest

from ncp_tui.sandbox.protocol import GatewayError, Refusal, gateway_answer, refusal_answer
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.history_match import RowKeys, rows_named
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_entry import JournalEvent
from ncp_tui.snapshots.outcome import Caller, SnapshotRequest
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, asked, keys_of, passing

WAIT = ("snapshot", "wait", "search-0001")


def begin(served: ThreadedSandbox, name: str) -> None:
    """Start a snapshot without a client."""
    world = served.sandbox.world
    world.start_snapshot(world.named("search-0001"), name, "bk.ses.snapshot")


def test_one_that_is_over(call: Called, served: ThreadedSandbox) -> None:
    begin(served, "x-1")
    result = call(*WAIT, "x-1", "--json")
    assert result.code == 0
    document = result.json()
    assert (document["finished"], document["state"], document["failed"]) == ("success", "success", False)
    assert document["cluster"] == {"name": "search-0001", "number": "1037001"}
    assert document["snapshot"] == document["raw"]["snapshotName"] == "x-1"
    assert document["error"] is None
    assert call(*WAIT, "x-1").stdout == "Snapshot x-1 succeeded in 0 s.\n"


def test_one_that_is_running(call: Called) -> None:
    with ThreadedSandbox(Sandbox(duration=1)) as served:
        begin(served, "x-1")
        result = call(*WAIT, "x-1", **keys_of(served))
    assert (result.code, result.stdout) == (0, "Snapshot x-1 succeeded in 1 s.\n")
    assert "x-1: running" in result.stderr


def test_one_that_failed(call: Called, served: ThreadedSandbox) -> None:
    begin(served, "x-fail")
    result = call(*WAIT, "x-fail", "--json")
    assert result.code == 10
    assert (result.json()["finished"], result.json()["failed"]) == ("failed", True)
    assert result.json()["error"]["kind"] == "snapshot_failed"
    assert "Snapshot x-fail failed: FAILED" in result.stderr


def test_one_that_does_not_end_in_time(call: Called) -> None:
    with ThreadedSandbox(Sandbox(duration=60)) as served:
        begin(served, "x-1")
        result = call(*WAIT, "x-1", "--timeout", "0.3", "--json", **keys_of(served))
    assert result.code == 11
    assert (result.json()["finished"], result.json()["state"]) == (None, "running")
    assert "keeps running" in result.stderr


def test_one_that_nobody_knows(call: Called) -> None:
    result = call(*WAIT, "nobody-1", "--timeout", "0.3", "--json")
    assert result.code == 11
    assert (result.json()["finished"], result.json()["state"], result.json()["snapshot"]) == (None, None, "nobody-1")
    assert "nobody-1 is not in the history yet." in result.stderr


def test_one_on_an_old_page(call: Called, sandbox: Sandbox) -> None:
    """Following reads the newest page only; a snapshot that ended long ago is found all the same."""
    oldest = sandbox.world.state(sandbox.world.named("search-0001")).runs[0]
    assert call(*WAIT, oldest.name).code == 0


def test_keys_that_are_refused(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("getSnapshotHistory", act=gateway_answer(GatewayError.AUTHENTICATION_FAILED))
    assert call(*WAIT, "x-1").code == 4


def test_a_history_that_ncp_refuses_ends_it_with_its_own_code(call: Called, sandbox: Sandbox) -> None:
    sandbox.faults.add("getSnapshotHistory", act=refusal_answer(Refusal.CLUSTER_NOT_RUNNING, "rid"), times=None)
    result = call(*WAIT, "x-1", "--timeout", "20", "--json")
    assert (result.code, result.json()["error"]["code"]) == (8, "40050")


def test_a_look_that_fails_is_repeated(call: Called, served: ThreadedSandbox) -> None:
    world = served.sandbox.world
    world.duration = 1
    begin(served, "x-1")
    looked = served.sandbox.faults.add("getSnapshotHistory", act=passing, times=1)
    served.sandbox.faults.add("getSnapshotHistory", act=gateway_answer(GatewayError.THROTTLED))
    result = call(*WAIT, "x-1")
    assert looked.reached.is_set()
    assert result.code == 0
    assert "The history cannot be read now; retrying." in result.stderr
    assert result.stderr.count("cannot be read now") == 1
    assert asked(served.sandbox).count("getSnapshotHistory") >= 3


def test_quiet(call: Called, served: ThreadedSandbox) -> None:
    begin(served, "x-1")
    assert call(*WAIT, "x-1", "--quiet").stderr == ""


REQUEST = SnapshotRequest("1037001", "search-0001", "nightly", "bk.ses.snapshot")
SENT: tuple[JournalEvent, dict[str, str]] = (JournalEvent.SENT, {})
ACCEPTED = [SENT, (JournalEvent.ANSWERED, {"outcome": "accepted"}), (JournalEvent.OUTCOME, {"outcome": "accepted"})]
REFUSED = [SENT, (JournalEvent.ANSWERED, {"outcome": "refused"}), (JournalEvent.OUTCOME, {"outcome": "refused"})]


def written(call: Called, *facts: tuple[JournalEvent, dict[str, str]], seen: RowKeys | None = None) -> Journal:
    """A journal that tells of a request for what another row is already called."""
    journal = Journal(paths_from(call.program.environ))
    held = journal.begin(REQUEST, Caller("prod", "public", "KR", "https://gateway.example"), seen_before=seen)
    for fact, details in facts:
        held.record(fact, **details)
    held.release()
    return journal


def another(served: ThreadedSandbox) -> None:
    """A second row of the same name, as the service gives it to whoever asks again."""
    world = served.sandbox.world
    runs = world.state(world.named("search-0001")).runs
    runs.append(dataclasses.replace(runs[-1], idx=runs[-1].idx + 1, started=world.now, ends=world.now))


@pytest.mark.parametrize("facts", [ACCEPTED, [SENT]], ids=["accepted", "unknown"])
def test_yesterdays_row_of_the_name_is_not_todays_success(
    call: Called, served: ThreadedSandbox, facts: list[tuple[JournalEvent, dict[str, str]]]
) -> None:
    """A script that goes on to delete would do so on the strength of the snapshot before."""
    begin(served, "nightly")
    world = served.sandbox.world
    cluster = world.named("search-0001")
    earlier = HistoryEntry.read(world.state(cluster).runs[-1].row(cluster, world.now))
    journal = written(call, *facts, seen=rows_named([earlier], "nightly"))
    result = call(*WAIT, "nightly", "--timeout", "0.3", "--json")
    assert (result.code, result.json()["finished"], result.json()["state"]) == (11, None, None)
    assert (
        "nightly: the row in the history is not this snapshot: it was there before" in result.json()["error"]["message"]
    )
    another(served)
    assert call(*WAIT, "nightly", "--timeout", "3").code == 0
    assert [entry.state for entry in journal.entries()] == ["success"], "and how it ended is written down"
    assert call(*WAIT, "nightly", "--timeout", "3").code == 0


def test_where_the_newest_request_started_nothing_that_is_said(call: Called, served: ThreadedSandbox) -> None:
    begin(served, "nightly")
    written(call, *REFUSED)
    result = call(*WAIT, "nightly")
    assert result.code == 0
    assert "started nothing. What follows is about another request" in result.stderr
    assert "started nothing" not in call(*WAIT, "nightly", "--quiet").stderr


def test_a_history_that_never_came_is_not_called_empty(call: Called, served: ThreadedSandbox) -> None:
    served.sandbox.faults.add("getSnapshotHistory", act=gateway_answer(GatewayError.THROTTLED), times=None)
    result = call("snapshot", "wait", "search-0001", "never-read", "--timeout", "0.3")
    assert result.code == 11
    assert "the history of search-0001 could not be read" in result.stderr
    assert "has no snapshot" not in result.stderr
