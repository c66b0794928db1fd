"""A lost answer and what becomes of it: searched, resolved, dismissed, followed on by the next run, never repeated."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.sandbox.sandbox import Sandbox
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import Caller, SnapshotRequest
from ncp_tui.system.paths import Paths
from ncp_tui.tui.dialogs.confirm import QuestionDialog, SendQuestionDialog
from ncp_tui.tui.dialogs.text import TextDialog
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.requests import RequestsScreen
from ncp_tui.tui.widgets.text_view import TextView
from tests.snapshots.journals import events_of
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, START, URL, Stage, staged
from tests.tui.wires import Held, Silent, Wire

CREATE, HISTORY = "createSnapshot", "getSnapshotHistory"
NAME = "search-0001-20260102-000000"
WIDE = (120, 40)
GATEWAY = f"{URL}/api/v2"
CALLER = Caller("prod", "public", "KR", GATEWAY)
NO_WORD = (503, {"error": {"errorCode": "500", "message": "x"}})
"""An answer that does not say how far the request got."""


def paths_in(root: Path) -> Paths:
    return Paths(root / "config", root / "state", root / "data")


def earlier_run(
    root: Path,
    *facts: tuple[JournalEvent, dict[str, object]],
    name: str = "before-upgrade",
    caller: Caller = CALLER,
    ago: timedelta = timedelta(minutes=5),
) -> Journal:
    """The journal as a run left it that was killed after `facts`."""
    at = START - ago.total_seconds()
    journal = Journal(paths_in(root), clock=lambda: at)
    held = journal.begin(
        SnapshotRequest("1037001", "search-0001", name, "bk.ses.snapshot"),
        caller,
        clock_offset=0.0,
        seen_before=frozenset(),
    )
    for fact, details in facts:
        held.record(fact, **details)
    held.release()  # as the system does when a process ends
    return journal


SENT: tuple[JournalEvent, dict[str, object]] = (JournalEvent.SENT, {"attempt": 1})
ACCEPTED: tuple[JournalEvent, dict[str, object]] = (JournalEvent.ANSWERED, {"outcome": "accepted", "request_id": "r-1"})
OUTCOME: tuple[JournalEvent, dict[str, object]] = (JournalEvent.OUTCOME, {"outcome": "accepted", "settled_by": None})


def begun_in_the_world(name: str, ago: timedelta) -> Callable[[Sandbox], None]:
    """A world in which a snapshot of search-0001 was started a while ago."""

    def prepare(sandbox: Sandbox) -> None:
        cluster = sandbox.world.clusters[0]
        run = sandbox.world.start_snapshot(cluster, name, "bk.ses.snapshot")
        runs = sandbox.world.state(cluster).runs
        runs[runs.index(run)] = dataclasses.replace(run, started=run.started - ago.total_seconds())

    return prepare


def evidence_in(folder: Path) -> Path:
    """The one file that was written there."""
    (path,) = folder.glob("evidence-*.json")
    return path


def entries(stage: Stage) -> Sequence[JournalEntry]:
    return stage.app.session.journal.entries()


async def lose_an_answer(stage: Stage, *, started: bool) -> None:
    """Create once, with an answer that says nothing."""
    stage.sandbox.faults.add(CREATE, "after" if started else "before", NO_WORD)
    await stage.press("s", "f2")


async def test_what_is_asked_is_on_disk_before_it_leaves_and_its_end_afterwards(quick_looks: None) -> None:  # noqa: ARG001
    async with staged(WIDE) as stage:
        await stage.press("s", "f2")
        await stage.expect(f"{NAME}: running")  # the cluster is "running" as well, before anything has left
        stage.clock.advance(60)
        await stage.expect(" succeeded in ")
        assert events_of(stage.app.session.journal) == ["begun", "sent", "answered", "outcome", "finished"]
        (entry,) = entries(stage)
        assert (entry.state, entry.caller, entry.is_open) == ("success", CALLER, False)


async def test_a_lost_answer_is_looked_for_and_found(quick_looks: None) -> None:  # noqa: ARG001
    wire = Wire(Held, set[str]())
    async with staged((160, 40), wrap=wire, resolve_seconds=60.0) as stage:
        stage.sandbox.faults.add(CREATE, "after", NO_WORD)
        await stage.press("s")
        wire.held.operations = {HISTORY}
        await stage.pilot.press("f2")
        await stage.expect(f"{NAME}: no answer from NCP; checking the history", "No answer from NCP.")
        assert not stage.shows("it keeps running"), "whether it was started is not known"
        wire.held.gate.set()
        await stage.expect("Started: it is in the history, although the response was lost.")
        stage.clock.advance(60)
        await stage.expect(f"Snapshot {NAME} succeeded")
        (entry,) = entries(stage)
        assert entry.state == "success"
        assert stage.asked(CREATE) == 1
        assert not stage.shows("UNRESOLVED")


async def test_a_lost_answer_that_nobody_finds_stays_open_and_is_resolved_later() -> None:
    async with staged((80, 24)) as stage:
        await lose_an_answer(stage, started=False)
        assert stage.shows("Unknown whether", "the history did not have", "1 UNRESOLVED")
        assert "(503/500" in stage.words(), "a gateway that does not say how far the request got"
        await stage.press("f2")
        assert not stage.shows("press u"), "on the form a u would be typed"
        assert "check again." in stage.text(), "the whole of the card is in an 80x24 window"
        await stage.press("escape")
        assert stage.shows(f"Unresolved: {NAME} may or may not have started. Press u.", "1 UNRESOLVED")
        await stage.press("u")
        assert isinstance(stage.app.screen, RequestsScreen)
        assert stage.shows("unknown", "press s", "1 request, 1 unresolved")
        await stage.press("s")
        assert stage.shows(f"Unknown: {NAME}. Still unresolved.", "That proves nothing")
        before = stage.asked(CREATE)
        begun_in_the_world(NAME, timedelta(0))(stage.sandbox)
        await stage.press("s")
        await stage.expect(
            f"Started: {NAME}.", "The snapshot is in the history since 2026-01-02 09:00:00 KST", "  running"
        )
        assert not stage.shows("UNRESOLVED")
        assert stage.asked(CREATE) == before == 1
        assert [each.request.name for each in stage.app.session.open_snapshots] == [NAME], "it is followed on"


async def test_stopping_to_look_leaves_it_open() -> None:
    wire = Wire(Silent, set[str]())
    async with staged(WIDE, wrap=wire, resolve_seconds=0.2) as stage:
        await lose_an_answer(stage, started=False)
        await stage.press("escape", "u")
        stage.app.session.resolve_seconds = 60.0
        wire.held.operations = {HISTORY}
        await stage.pilot.press("s")
        await stage.expect(f"Checking {NAME} ... attempt 1, esc stops.")
        await stage.pilot.press("s")
        await stage.expect(f"Still checking {NAME}.")
        await stage.pilot.press("escape")
        await stage.expect(f"Stopped. {NAME} is still unresolved.", "press s")
        assert isinstance(stage.app.screen, RequestsScreen)
        assert not wire.held.waiting
        assert [entry.id for entry in stage.app.session.journal.abandoned()] == [entries(stage)[0].id]
        await stage.press("escape")
        assert isinstance(stage.app.screen, ClustersScreen)


async def test_leaving_the_program_while_it_looks_asks_first() -> None:
    wire = Wire(Silent, set[str]())
    async with staged(WIDE, wrap=wire, resolve_seconds=60.0) as stage:
        stage.sandbox.faults.add(CREATE, "before", NO_WORD)
        await stage.press("s")
        wire.held.operations = {HISTORY}
        await stage.pilot.press("f2")
        await stage.expect("no answer from NCP")
        await stage.pilot.press("ctrl+c")
        await stage.expect("Still checking what became of a request. Quit?")
        await stage.pilot.press("n")
        await stage.until(lambda: not isinstance(stage.app.screen, QuestionDialog))
        assert stage.app.is_running


async def test_an_entry_of_another_profile_is_resolved_as_that_profile(tmp_path: Path) -> None:
    stage_profile = Profile(name="stage", access_key=ACCESS_KEY, store="session")
    earlier_run(tmp_path, SENT, caller=Caller("stage", "public", "KR", GATEWAY))
    prepare = begun_in_the_world("before-upgrade", timedelta(minutes=5))
    async with staged(WIDE, more=[stage_profile], prepare=prepare, paths=paths_in(tmp_path)) as stage:
        assert stage.shows("prod / KR", "1 UNRESOLVED (u)")
        await stage.press("u", "s")
        assert stage.shows("Started: before-upgrade.", "The snapshot is in the history since 2026-01-02 08:55:00 KST")
        assert stage.app.session.unresolved == []


GONE = Caller("gone", "public", "KR", GATEWAY)
ELSEWHERE = Caller("prod", "public", "KR", "https://elsewhere.example")


async def test_what_needs_no_request_or_has_nobody_to_ask_it(tmp_path: Path) -> None:
    """What left nothing behind is resolved; where no profile leads any more it stays open, and says why."""
    never_sent = earlier_run(tmp_path, name="never-sent", ago=timedelta(minutes=3))
    earlier_run(tmp_path, SENT, name="of-another", caller=ELSEWHERE, ago=timedelta(minutes=4))
    earlier_run(tmp_path, SENT, caller=GONE)
    async with staged(WIDE, paths=paths_in(tmp_path)) as stage:
        asked = len(stage.sandbox.ledger.requests)
        await stage.press("u", "s")
        assert stage.shows("Not started: never-sent.", "the request never left this machine")
        assert events_of(never_sent)[-1] == "settled"
        for caller in (ELSEWHERE, GONE):
            await stage.press("down", "s")
            why = "No profile gone points to" if caller is GONE else "Profile prod points to another gateway"
            assert stage.shows(why, caller.gateway, "stays unresolved.")
        assert len(stage.app.session.unresolved) == 2
        assert len(stage.sandbox.ledger.requests) == asked
        await stage.press("e")
        document = json.loads(evidence_in(stage.workspace.folder).read_text())
        assert document["history"] is None
        assert stage.shows("The history could not be read. No profile gone points to")
        assert document["gaps"]


async def test_dismissing_asks_first(tmp_path: Path) -> None:
    journal = earlier_run(tmp_path, SENT)
    async with staged((80, 24), paths=paths_in(tmp_path)) as stage:
        await stage.press("u", "x")
        assert stage.shows("Mark before-upgrade as resolved?")
        for key in ("y", "n", "escape", "enter"):
            if not isinstance(stage.app.screen, SendQuestionDialog):
                await stage.press("x")
            await stage.press(key)
        assert events_of(journal) == ["begun", "sent"]
        if isinstance(stage.app.screen, SendQuestionDialog):
            await stage.press("escape")
        await stage.press("x", "tab", "f2")
        assert stage.shows("before-upgrade marked as resolved.", "marked resolved")
        assert events_of(journal) == ["begun", "sent", "dismissed"]
        assert not stage.shows("UNRESOLVED")
        await stage.press("escape")
        assert not stage.shows("UNRESOLVED")
        assert not stage.asked(CREATE)


async def test_two_programs_do_not_resolve_the_same_entry(tmp_path: Path) -> None:
    """Two windows of one user: the second leaves alone what the first has in its hands."""
    earlier_run(tmp_path, SENT)
    wire, stores = Wire(Silent, set[str]()), {"session": SessionStore()}
    async with staged(WIDE, paths=paths_in(tmp_path), stores=stores, wrap=wire, resolve_seconds=60.0) as first:
        wire.held.operations = {HISTORY}
        await first.press("u")
        async with staged(WIDE, paths=paths_in(tmp_path), stores=stores, with_profile=False) as second:
            await second.press("u")
            assert second.shows("press s")
            await first.pilot.press("s")
            await first.until(lambda: wire.held.waiting == [HISTORY])
            await second.press("s")
            assert second.shows("before-upgrade is being checked by another ncp-tui", "checking")
            await first.pilot.press("escape")
            await first.until(lambda: not wire.held.waiting)
            await second.press("r")
            assert second.shows("press s")


async def test_what_an_earlier_run_was_refused_an_answer_for_is_told_at_the_start(tmp_path: Path) -> None:
    earlier_run(tmp_path, SENT, name="first-one")
    earlier_run(tmp_path, SENT, name="second-one")
    async with staged((80, 24), paths=paths_in(tmp_path)) as stage:
        assert stage.shows(
            "2 UNRESOLVED", "2 snapshot requests are unresolved: each may or may not have started. Press u."
        )
        await stage.press("u")
        assert stage.shows("2 requests, 2 unresolved")


async def test_an_accepted_snapshot_of_an_earlier_run_is_followed_on(tmp_path: Path, quick_looks: None) -> None:  # noqa: ARG001
    journal = earlier_run(tmp_path, SENT, ACCEPTED, OUTCOME, ago=timedelta(seconds=5))
    prepare = begun_in_the_world("before-upgrade", timedelta(seconds=5))
    async with staged(WIDE, paths=paths_in(tmp_path), prepare=prepare) as stage:
        await stage.expect("Snapshot before-upgrade of search-0001: running, 5 s")
        assert not stage.shows("UNRESOLVED")
        stage.clock.advance(60)
        await stage.expect("Snapshot before-upgrade succeeded")
        await stage.until(lambda: events_of(journal)[-1] == "finished")
        assert not stage.asked(CREATE)


async def test_what_is_long_over_is_not_followed(tmp_path: Path) -> None:
    earlier_run(tmp_path, SENT, ACCEPTED, OUTCOME, ago=timedelta(days=2))
    async with staged(WIDE, paths=paths_in(tmp_path)) as stage:
        assert not stage.app.session.open_snapshots
        await stage.press("u")
        assert stage.shows("started", "unknown", "1 request, all resolved.")


async def test_all_that_was_written_down_can_be_read(tmp_path: Path) -> None:
    earlier_run(
        tmp_path, SENT, (JournalEvent.ANSWERED, {"outcome": "unknown", "kind": "answer_lost", "what": "It broke."})
    )
    async with staged((80, 24), paths=paths_in(tmp_path)) as stage:
        await stage.press("u", "enter")
        assert isinstance(stage.app.screen, TextDialog)
        assert stage.shows("search-0001 (1037001)", "begun", "answered", "kind: answer_lost")


async def test_a_journal_nobody_can_read_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "journal.jsonl").mkdir()
    async with staged((160, 40), paths=paths_in(tmp_path)) as stage:
        assert stage.app.session.journal.path.is_dir()
        assert stage.shows("The journal cannot be read: it is not a file.")
        await stage.press("u")
        assert stage.shows(
            "The journal cannot be read", "Requests that were unresolved when ncp-tui last ended are not known."
        )


async def test_an_empty_journal_says_so() -> None:
    async with staged((80, 24)) as stage:
        await stage.press("u")
        assert stage.shows("No snapshots requested from this machine yet.", "No requests in the journal.")
        await stage.press("s", "x", "e", "enter")
        assert isinstance(stage.app.screen, RequestsScreen)


async def test_evidence_of_a_create() -> None:
    async with staged((80, 24)) as stage:
        await lose_an_answer(stage, started=False)
        await stage.press("escape", "u", "e")
        path = evidence_in(stage.workspace.folder)
        assert isinstance(stage.app.screen, TextDialog)
        shown = stage.app.screen.query_one(TextView).text
        assert str(path) in shown
        assert "Conclusion: unknown." in shown
        text = path.read_text()
        assert SECRET_KEY not in text
        assert ACCESS_KEY not in text
        document = json.loads(text)
        assert (document["snapshot"], document["verdict"]["verdict"]) == (NAME, "unknown")
        assert document["profile"]["name"] == "prod"
        assert CREATE in {each["operation"] for each in document["requests"]}
        assert document["history"] == [], "the history was read, and has no such row"
        await stage.press("escape", "e")
        assert "was not written: it is" in stage.words().replace("█ ", ""), "a file that is there is never touched"
        assert path.read_text() == text


async def test_evidence_of_a_row_of_the_history() -> None:
    async with staged(WIDE) as stage:
        await stage.press("h")
        asked = len(stage.sandbox.ledger.requests)
        await stage.press("e")
        path = evidence_in(stage.workspace.folder)
        document = json.loads(path.read_text())
        newest = stage.sandbox.world.state(stage.sandbox.world.clusters[0]).runs
        assert document["snapshot"] in {run.name for run in newest}
        assert document["history"]
        assert document["verdict"]["why"]
        assert len(stage.sandbox.ledger.requests) == asked, "what is on the screen is not read again"


async def test_a_folder_nobody_may_write_to() -> None:
    async with staged((160, 40)) as stage:
        await stage.press("h")
        stage.workspace.folder.rmdir()
        await stage.press("e")
        assert stage.shows("was not written", "Press e to retry")


def test_the_times_of_the_stage_are_those_of_the_journal() -> None:
    assert datetime.fromtimestamp(START, UTC).isoformat() == "2026-01-02T00:00:00+00:00"


async def test_while_an_answer_is_looked_for_no_screen_says_more_than_is_known() -> None:
    wire = Wire(Held, set[str]())
    async with staged(WIDE, wrap=wire, resolve_seconds=60.0) as stage:
        stage.sandbox.faults.add(CREATE, "before", NO_WORD)
        before = stage.text().count("running")
        await stage.press("s")
        wire.held.operations = {HISTORY}
        await stage.pilot.press("f2")
        await stage.expect("no answer from NCP; checking the history")
        await stage.pilot.press("escape")
        await stage.expect("LAST RUN", "checking")
        assert stage.text().count("running") == before, "only the status of clusters says so"
        await stage.pilot.press("u")
        await stage.expect("1 request, 1 being sent or checked by a running ncp-tui.")
        await stage.pilot.press("s")
        wire.held.gate.set()


async def test_a_dismissal_during_a_look_tells_both(tmp_path: Path) -> None:
    earlier_run(tmp_path, SENT)
    wire = Wire(Held, set[str]())
    there = begun_in_the_world("before-upgrade", timedelta(minutes=5))
    async with staged(WIDE, wrap=wire, prepare=there, resolve_seconds=60.0, paths=paths_in(tmp_path)) as stage:
        wire.held.operations = {HISTORY}
        await stage.press("u")
        await stage.pilot.press("s")
        await stage.expect("Checking before-upgrade")
        await stage.until(lambda: wire.held.arrived)
        await stage.pilot.press("x", "tab", "f2")
        await stage.expect("before-upgrade marked as resolved. The check that runs")
        wire.held.gate.set()
        await stage.expect("before-upgrade was marked resolved during the check, which found: started")


async def test_damage_of_the_journal_is_named_with_its_copy_and_accepted(tmp_path: Path) -> None:
    journal = earlier_run(tmp_path, SENT)
    with journal.path.open("ab") as file:
        file.write(b"\0\0\0\n")
    async with staged((140, 40), paths=paths_in(tmp_path)) as stage:
        await stage.press("u")
        assert "line 3 cannot be read" in stage.words()
        assert "journal.jsonl.damaged-" in stage.words().replace(" ", "")
        await stage.press("a", "escape")
        assert journal.contents().damage is not None
        await stage.press("a", "tab", "f2")
        assert journal.contents().damage is None
        assert "line 3 cannot be read" not in stage.words()
        assert [entry.verdict for entry in journal.entries()] == ["unknown"]
