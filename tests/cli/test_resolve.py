"""The journal at the command line: what a lost answer left open, and `snapshot resolve`, which finds it out."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from ncp_tui.cli.output import Output
from ncp_tui.sandbox.fault_lab.catalogue import install
from ncp_tui.sandbox.protocol import GatewayError, gateway_answer
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import Caller, SnapshotRequest, Verdict
from ncp_tui.system.paths import Paths, paths_from
from tests.cli.program import Called, Program, asked
from tests.cli.workspaces import use_memory_keyring

BUCKET = "bk.ses.snapshot"
CREATE = ("snapshot", "create", "search-0001", "--bucket", BUCKET, "--name")
RESOLVE = ("snapshot", "resolve", "--json")
CLUSTER = "search-0001"
BRIEFLY = (*RESOLVE, "--timeout", "0.2")
DOCUMENT_KEYS = {
    "id",
    "at",
    "operation",
    "profile",
    "site",
    "region",
    "cluster",
    "snapshot",
    "bucket",
    "request_id",
    "verdict",
    "evidence",
    "next_step",
}
LIGHTS = ["cluster", "health", "bucket", "name", "snapshots", "storage key", "clock"]
SHORT_SETTLEMENT = "import ncp_tui.cli.create as create; create.RESOLVE_SECONDS = 0.2"
PATIENCE = 20.0


@pytest.fixture
def journal(program: Program) -> Journal:
    """The journal that the program writes."""
    return Journal(paths_from(program.environ))


@pytest.fixture
def lost(call: Called, sandbox: Sandbox) -> Callable[..., None]:
    """Create a snapshot whose answer is lost, of which the history says nothing as long as the fault is there."""

    def lose(name: str = "x-1", *arguments: str) -> None:
        install(sandbox, "history-loses")
        sandbox.faults.add("createSnapshot", "after", "drop")
        assert call(*CREATE, name, *arguments).code == 9

    return lose


def creates(sandbox: Sandbox) -> tuple[int, int]:
    """How many creates arrived, and how many snapshots they started."""
    return asked(sandbox).count("createSnapshot"), len(sandbox.ledger.effects)


def events_of(entry: JournalEntry) -> list[str]:
    return [fact["fact"] for fact in entry.events]


def begin(journal: Journal, served: ThreadedSandbox, *facts: JournalEvent, name: str = "x-1") -> None:
    """What a program left behind that was ended after these facts."""
    request = SnapshotRequest("1037001", "search-0001", name, BUCKET)
    held = journal.begin(request, Caller("environment", "public", "KR", f"{served.url}/api/v2"))
    for fact in facts:
        held.record(fact)
    held.release()


def until(event: threading.Event) -> Callable[[object], Any]:
    """A fault that holds its request back until the test lets it go on."""

    async def hold(_visit: object) -> None:
        await asyncio.to_thread(event.wait, PATIENCE)

    return hold


class TestALostAnswer:
    """The create itself looks first."""

    @pytest.mark.parametrize("looks", [0, 1])
    def test_the_history_names_it(
        self, call: Called, sandbox: Sandbox, journal: Journal, monkeypatch: pytest.MonkeyPatch, looks: int
    ) -> None:
        """Also where the history lags behind by a look."""
        monkeypatch.setattr("ncp_tui.cli.create.RESOLVE_SECONDS", PATIENCE)
        sandbox.faults.add("createSnapshot", "after", "drop")
        if looks:
            install(sandbox, "history-lags", looks + 1)  # the look beforehand is one
        result = call(*CREATE, "x-1", "--json")
        assert result.code == 0
        document = result.json()
        assert (document["outcome"], document["resolved_by"]) == ("accepted", "history")
        assert (document["request_id"], document["attempts"], document["error"]) == (None, 1, None)
        assert "Checking the history for x-1" in result.stderr
        assert asked(sandbox)[3:] == ["createSnapshot", *["getSnapshotHistory"] * (looks + 1)]
        assert creates(sandbox) == (1, 1)
        (entry,) = journal.entries()
        assert events_of(entry) == ["begun", "sent", "answered", "settled", "outcome"]
        assert (entry.verdict, entry.is_open) == (Verdict.STARTED, False)

    def test_said_to_people(self, call: Called, sandbox: Sandbox) -> None:
        sandbox.faults.add("createSnapshot", "after", gateway_answer(GatewayError.ENDPOINT_TIMEOUT))
        said = call(*CREATE, "x-1").stdout
        assert "Started: x-1. No answer confirmed it, but the snapshot is in the history since" in said

    def test_followed_to_its_end(self, call: Called, sandbox: Sandbox, journal: Journal) -> None:
        sandbox.faults.add("createSnapshot", "after", "drop")
        document = call(*CREATE, "x-1", "--wait", "--json").json()
        assert (document["outcome"], document["resolved_by"], document["finished"]) == (
            "accepted",
            "history",
            "success",
        )
        (entry,) = journal.entries()
        assert (entry.state, entry.is_under_way) == ("success", False)

    def test_the_history_does_not_name_it(self, call: Called, sandbox: Sandbox, journal: Journal) -> None:
        sandbox.faults.add("createSnapshot", act="drop")
        result = call(*CREATE, "x-1", "--json")
        assert result.code == 9
        assert (result.json()["outcome"], result.json()["resolved_by"]) == ("unknown", None)
        assert result.json()["error"]["kind"] == "answer_lost"
        assert "Unknown: no answer confirmed the request, and" in result.stderr
        assert "ncp-tui snapshot resolve" in result.stderr
        (entry,) = journal.entries()
        assert (entry.verdict, entry.is_open, entry.in_doubt) == (Verdict.UNKNOWN, True, True)
        assert creates(sandbox) == (1, 0)

    def test_a_row_of_that_name_that_was_there_before_proves_nothing(self, call: Called, sandbox: Sandbox) -> None:
        """Last night's snapshot would be taken for today's, and nobody would take today's."""
        assert call(*CREATE, "x-1").code == 0
        earlier = call(*CREATE, "x-1", "--json").json()["earlier"]
        sandbox.faults.add("createSnapshot", act="drop")
        result = call(*CREATE, "x-1", "--json", "--again", earlier["id"])
        assert (result.code, result.json()["outcome"]) == (9, "unknown")


class TestResolving:
    """`snapshot resolve` afterwards."""

    def test_it_was_started(self, call: Called, sandbox: Sandbox, journal: Journal, lost: Callable[..., None]) -> None:
        lost()
        sandbox.faults.clear()
        sent = creates(sandbox)
        result = call(*RESOLVE)
        assert result.code == 0
        (document,) = result.json()
        (entry,) = journal.entries()
        assert set(document) == DOCUMENT_KEYS
        assert (document["id"], document["at"]) == (entry.id, entry.at.isoformat())
        assert (document["profile"], document["site"], document["region"]) == ("environment", "public", "KR")
        assert document["cluster"] == {"name": "search-0001", "number": "1037001"}
        assert (document["snapshot"], document["bucket"]) == ("x-1", BUCKET)
        assert document["verdict"] == "started"
        assert "the snapshot is in the history" in document["evidence"]
        assert document["next_step"] == "Do not send a second request."
        assert (entry.verdict, entry.is_open) == (Verdict.STARTED, False)
        assert creates(sandbox) == sent == (1, 1)

    def test_once_resolved_nothing_is_asked_again(
        self, call: Called, sandbox: Sandbox, lost: Callable[..., None]
    ) -> None:
        lost()
        sandbox.faults.clear()
        assert call("snapshot", "resolve").stdout.startswith("x-1 on search-0001 (")
        requests = len(sandbox.ledger.requests)
        assert call(*RESOLVE).json() == []
        assert call("snapshot", "resolve").stdout == "No unresolved requests.\n"
        assert len(sandbox.ledger.requests) == requests

    @pytest.mark.parametrize("fault", ["history-loses", "history-fails:always"])
    def test_nobody_can_tell_yet(
        self, call: Called, sandbox: Sandbox, journal: Journal, lost: Callable[..., None], fault: str
    ) -> None:
        """A history that does not name it proves nothing, and one that cannot be read even less: it stays open."""
        lost()
        if fault != "history-loses":
            sandbox.faults.clear()
            install(sandbox, fault)
        result = call(*BRIEFLY)
        assert (result.code, result.json()[0]["verdict"]) == (9, "unknown")
        assert ("could not be read" in result.json()[0]["evidence"]) is (fault != "history-loses")
        assert journal.entries()[0].in_doubt
        sandbox.faults.clear()
        assert call(*RESOLVE).code == 0

    def test_never_sent(self, call_nobody: Called, served: ThreadedSandbox, journal: Journal) -> None:
        """What the journal proves takes neither keys nor a request."""
        begin(journal, served)
        result = call_nobody(*RESOLVE)
        (document,) = result.json()
        assert (result.code, document["verdict"]) == (0, "not started")
        assert document["evidence"] == "the journal shows that the request never left this machine."
        assert served.sandbox.ledger.requests == []
        assert not journal.open_entries()

    def test_sent_and_killed(self, call: Called, served: ThreadedSandbox, journal: Journal) -> None:
        """A line in the journal is all that a kill leaves; the history says which of the two it was."""
        world = served.sandbox.world
        for name in ("x-1", "x-2"):
            begin(journal, served, JournalEvent.SENT, name=name)
        world.start_snapshot(world.named("search-0001"), "x-1", BUCKET)
        result = call(*BRIEFLY)
        assert [(one["snapshot"], one["verdict"]) for one in result.json()] == [
            ("x-1", "started"),
            ("x-2", "unknown"),
        ]
        assert result.code == 9
        assert [entry.request.name for entry in journal.open_entries()] == ["x-2"]

    def test_interrupted(self, program: Program, call: Called, served: ThreadedSandbox) -> None:
        fault = served.sandbox.faults.add("createSnapshot", when="after", act="hang")
        with program.started(*CREATE, "x-1", "--json") as process:
            assert fault.reached.wait(PATIENCE)
            assert program.interrupted(process).json()["outcome"] == "unknown"
        assert call(*RESOLVE).json()[0]["verdict"] == "started"

    def test_only_of_one_profile(self, call: Called, served: ThreadedSandbox, journal: Journal) -> None:
        begin(journal, served)
        assert call(*RESOLVE, "--profile", "prod").json() == []
        assert len(journal.open_entries()) == 1
        assert len(call(*RESOLVE, "--profile", "environment").json()) == 1

    def test_a_journal_that_cannot_be_read(self, call: Called, journal: Journal) -> None:
        """To say "nothing is open" of a journal that nobody has read would be a lie."""
        journal.path.mkdir(parents=True)
        result = call(*RESOLVE)
        assert (result.code, result.json()["error"]["kind"]) == (12, "journal_unreadable")
        assert str(journal.path) in result.stderr


class TestOthersAtTheSameTime:
    """Two programs, one journal."""

    def test_two_resolve_at_once(
        self, program: Program, call: Called, sandbox: Sandbox, journal: Journal, lost: Callable[..., None]
    ) -> None:
        lost()
        sandbox.faults.clear()
        go_on = threading.Event()
        look = sandbox.faults.add("getSnapshotHistory", act=until(go_on))
        with program.started(*RESOLVE) as first:
            assert look.reached.wait(PATIENCE)
            looks = asked(sandbox).count("getSnapshotHistory")
            second = call(*RESOLVE)
            text = call("snapshot", "resolve").stdout
            assert asked(sandbox).count("getSnapshotHistory") == looks
            go_on.set()
            result = program.ended(first)
        assert (second.code, second.json()[0]["verdict"], second.json()[0]["snapshot"]) == (0, None, "x-1")
        assert "Another ncp-tui is sending or checking the request." in text
        assert (result.code, result.json()[0]["verdict"]) == (0, "started")
        assert events_of(journal.entries()[0]).count("settled") == 2  # the create's own look was one

    def test_a_create_under_way_is_left_alone(
        self, program: Program, call: Called, sandbox: Sandbox, journal: Journal
    ) -> None:
        """Settled meanwhile, it would have two verdicts; and its name stays taken."""
        go_on = threading.Event()
        create = sandbox.faults.add("createSnapshot", act=until(go_on))
        with program.started(*CREATE, "x-1", "--json") as process:
            assert create.reached.wait(PATIENCE)
            requests = len(sandbox.ledger.requests)
            settled = call(*RESOLVE)
            assert len(sandbox.ledger.requests) == requests
            again = call(*CREATE, "x-1", "--json")
            dismissed = call(*RESOLVE, "--dismiss", CLUSTER, "x-1")
            go_on.set()
            result = program.ended(process)
        assert (settled.code, settled.json()[0]["verdict"]) == (0, None)
        assert (again.code, again.json()["error"]["kind"]) == (12, "second_request")
        assert dismissed.code == 2
        assert "The request for 'x-1' is held by another ncp-tui." in dismissed.stderr
        assert (result.code, result.json()["outcome"]) == (0, "accepted")
        (entry,) = journal.entries()
        assert events_of(entry) == ["begun", "sent", "answered", "outcome"]
        assert creates(sandbox) == (1, 1)


class TestTheSameNameAgain:
    """While it may have been started, its name sends nothing."""

    @pytest.mark.parametrize("arguments", [(), ("--without-journal",)])
    def test_refused(
        self, call: Called, sandbox: Sandbox, journal: Journal, lost: Callable[..., None], arguments: tuple[str, ...]
    ) -> None:
        lost()
        result = call(*CREATE, "x-1", "--json", *arguments)
        assert (result.code, result.json()["outcome"]) == (12, "not_sent")
        assert result.json()["error"]["kind"] == "second_request"
        assert "ncp-tui snapshot resolve" in result.stderr
        assert creates(sandbox) == (1, 1)
        assert len(journal.entries()) == 1

    def test_another_name_or_another_cluster_is_free(
        self, call: Called, sandbox: Sandbox, lost: Callable[..., None]
    ) -> None:
        lost()
        assert call(*CREATE, "x-2").code == 0
        assert call("snapshot", "create", "search-0002", "--bucket", BUCKET, "--name", "x-1").code == 0
        assert creates(sandbox) == (3, 3)

    def test_what_is_dismissed_is_unknown_and_still_stops(
        self, call: Called, sandbox: Sandbox, journal: Journal, lost: Callable[..., None]
    ) -> None:
        """Nobody looks for it any more; that is no yes to another one."""
        lost()
        result = call(*RESOLVE, "--dismiss", CLUSTER, "x-1")
        assert (result.code, result.json()[0]["snapshot"], result.json()[0]["verdict"]) == (0, "x-1", None)
        assert not journal.open_entries()
        again = call(*CREATE, "x-1", "--json")
        assert (again.code, again.json()["outcome"]) == (12, "not_sent")
        assert call(*CREATE, "x-1", "--json", "--again", again.json()["earlier"]["id"]).json()["outcome"] == "refused"
        assert creates(sandbox) == (2, 1)

    def test_only_what_is_open_can_be_dismissed(self, call: Called, journal: Journal) -> None:
        assert call(*CREATE, "x-1").code == 0
        before = journal.path.read_bytes()
        result = call(*RESOLVE, "--dismiss", CLUSTER, "x-1")
        assert (result.code, result.json()["error"]["kind"]) == (2, "nothing_open")
        assert journal.path.read_bytes() == before


class TestWithoutAJournal:
    """What cannot be written down is not sent, unless the user says so."""

    @pytest.fixture(params=["the folder is a file", "the journal is a folder", "the lock is a folder"])
    def unwritable(self, program: Program, request: pytest.FixtureRequest) -> str:
        """Ways in which a disk refuses also root, whom modes do not stop."""
        paths = paths_from(program.environ)
        broken = {
            "the folder is a file": paths.state_dir,
            "the journal is a folder": paths.journal_file,
            "the lock is a folder": paths.journal_file.with_name(paths.journal_file.name + ".lock"),
        }[request.param]
        if broken == paths.state_dir:
            broken.parent.mkdir(parents=True)
            broken.touch()
        else:
            broken.mkdir(parents=True)
        return str(request.param)

    def test_not_sent(self, call: Called, sandbox: Sandbox, unwritable: str) -> None:
        result = call(*CREATE, "x-1", "--json")
        assert (result.code, result.json()["outcome"], result.json()["attempts"]) == (12, "not_sent", 0), unwritable
        assert result.json()["error"]["kind"].startswith("journal")
        assert "Not started: x-1. The journal cannot be" in result.stderr
        assert "--without-journal" in result.json()["error"]["hint"]
        assert creates(sandbox) == (0, 0)

    def test_sent_because_the_user_wants_it(self, call: Called, sandbox: Sandbox, unwritable: str) -> None:
        result = call(*CREATE, "x-1", "--without-journal", "--json")
        assert (result.code, result.json()["outcome"]) == (0, "accepted"), unwritable
        assert result.json()["journaled"] is False
        assert "Not recorded in the journal." in result.stderr
        assert creates(sandbox) == (1, 1)

    def test_nothing_of_what_was_not_written_down_can_be_found_later(
        self, call: Called, sandbox: Sandbox, unwritable: str
    ) -> None:
        sandbox.faults.add("createSnapshot", act="drop")
        result = call(*CREATE, "x-1", "--without-journal")
        assert result.code == 9, unwritable
        assert "Check again later" not in result.stderr
        assert "ncp-tui snapshot history search-0001" in result.stderr

    def test_it_is_written_down_where_that_can_be_done(self, call: Called, sandbox: Sandbox, journal: Journal) -> None:
        """An older refusal would be all that the journal knows, and would outrank it."""
        sandbox.faults.add("createSnapshot", act="drop")
        result = call(*CREATE, "x-1", "--without-journal", "--json")
        assert (result.code, result.json().get("journaled")) == (9, None)
        (entry,) = journal.entries()
        assert entry.in_doubt

    def test_it_is_tried_until_the_process_ends(self, call: Called, sandbox: Sandbox, journal: Journal) -> None:
        """All of it at once: of a request that has left no journal may say that it has not."""
        journal.path.parent.mkdir(parents=True)
        journal.path.mkdir()

        async def mend(_visit: object) -> None:
            journal.path.rmdir()

        sandbox.faults.add("createSnapshot", "after", mend)
        result = call(*CREATE, "x-1", "--without-journal", "--json")
        assert (result.code, result.json()["outcome"], result.json().get("journaled")) == (0, "accepted", None)
        (entry,) = journal.entries()
        assert events_of(entry) == ["begun", "sent", "answered", "outcome"]
        assert entry.at < datetime.fromisoformat(entry.events[-1]["at"])
        assert "does not hold" not in result.stderr

    def test_a_journal_that_breaks_meanwhile_changes_nothing_about_the_outcome(
        self, call: Called, sandbox: Sandbox, journal: Journal
    ) -> None:
        async def spoil(_visit: object) -> None:
            journal.path.unlink()
            journal.path.mkdir()

        sandbox.faults.add("createSnapshot", "after", spoil)
        result = call(*CREATE, "x-1", "--json")
        assert (result.code, result.json()["outcome"]) == (0, "accepted")
        assert "Not recorded in the journal." in result.stderr


class TestRetryIfNotStarted:
    """`--retry-if-not-started`: a second entry of its own, and still one snapshot at most."""

    RETRY = (*CREATE, "x-1", "--retry-if-not-started", "--json")

    def test_after_a_refused_connection(
        self,
        call: Called,
        served: ThreadedSandbox,
        journal: Journal,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Gone when the create is about to leave, and back when the user hears that it did not."""
        begin_, note = Journal.begin, Output.note

        def begin_and_stop(self: Journal, *arguments: Any, **options: Any) -> Any:
            if not journal.entries():
                served.stop()
            return begin_(self, *arguments, **options)

        def note_and_start(self: Output, text: str) -> None:
            note(self, text)
            if "Retrying once" in text:
                served.start()

        monkeypatch.setattr(Journal, "begin", begin_and_stop)
        monkeypatch.setattr(Output, "note", note_and_start)
        result = call(*self.RETRY)
        assert (result.code, result.json()["outcome"], result.json()["attempts"]) == (0, "accepted", 1)
        assert "Not started: x-1." in result.stderr
        assert "Retrying once (--retry-if-not-started)." in result.stderr
        assert [(entry.verdict, entry.is_open) for entry in journal.entries()] == [
            (Verdict.NOT_STARTED, False),
            (Verdict.STARTED, False),
        ]
        assert creates(served.sandbox) == (1, 1)

    def test_after_being_throttled(self, call: Called, sandbox: Sandbox, journal: Journal) -> None:
        sandbox.faults.add("createSnapshot", act=gateway_answer(GatewayError.THROTTLED), times=3)
        result = call(*self.RETRY)
        assert (result.code, result.json()["outcome"]) == (0, "accepted")
        assert [entry.verdict for entry in journal.entries()] == [Verdict.NOT_STARTED, Verdict.STARTED]
        assert creates(sandbox) == (4, 1)

    def test_not_after_a_throttled_one_that_the_history_names(
        self, call: Called, sandbox: Sandbox, journal: Journal
    ) -> None:
        """It says that it had no effect, and it had: what is started is never asked for again."""
        sandbox.faults.add("createSnapshot", "after", gateway_answer(GatewayError.THROTTLED, {"retry-after": "0"}))
        result = call(*self.RETRY)
        assert (result.code, result.json()["outcome"], result.json()["resolved_by"]) == (0, "accepted", "history")
        assert "Retrying once" not in result.stderr
        assert [entry.verdict for entry in journal.entries()] == [Verdict.STARTED]
        assert creates(sandbox) == (1, 1)

    @pytest.mark.parametrize(
        ("act", "code"),
        [
            ("drop", 9),
            (gateway_answer(GatewayError.ENDPOINT_ERROR), 9),
            (gateway_answer(GatewayError.QUOTA_EXCEEDED), 7),
            (gateway_answer(GatewayError.PERMISSION_DENIED), 5),
        ],
    )
    def test_not_after_anything_else(
        self, call: Called, sandbox: Sandbox, journal: Journal, act: Any, code: int
    ) -> None:
        sandbox.faults.add("createSnapshot", act=act)
        assert call(*self.RETRY).code == code
        assert len(journal.entries()) == 1
        assert creates(sandbox) == (1, 0)

    def test_interrupted_in_the_second(self, program: Program, sandbox: Sandbox) -> None:
        """What the first proved says nothing of the second, which may have been started."""
        sandbox.faults.add("createSnapshot", act=gateway_answer(GatewayError.THROTTLED, {"retry-after": "0"}), times=3)
        held = sandbox.faults.add("createSnapshot", "after", "hang")
        with program.started(*self.RETRY) as process:
            assert held.reached.wait(PATIENCE)
            result = program.interrupted(process)
        assert (result.code, result.json()["outcome"]) == (130, "unknown")
        assert "Unknown whether x-1 started." in result.stderr
        assert len(sandbox.ledger.effects) == 1


def write_profiles(paths: Paths, served: ThreadedSandbox, **changes: str) -> None:
    profile = {
        "access_key": served.sandbox.access_key,
        "gateway_url": served.url,
        "site": "public",
        "region": "KR",
        "store": "keyring",
    } | changes
    paths.config_dir.mkdir(parents=True, exist_ok=True)
    lines = [f"{name} = {json.dumps(value)}" for name, value in profile.items()]
    paths.profiles_file.write_text("\n".join(["version = 1", "[profiles.prod]", *lines]))


class TestTheProfile:
    """Whoever asked is who looks: keys of another account would see another history."""

    @pytest.fixture
    def paths(self, call: Called, served: ThreadedSandbox, monkeypatch: pytest.MonkeyPatch) -> Paths:
        """A profile, and no keys in the environment."""
        for name in ("NCLOUD_ACCESS_KEY", "NCLOUD_SECRET_KEY", "NCLOUD_API_GW"):
            call.program.environ.pop(name, None)
        use_memory_keyring(monkeypatch, {"prod": (served.sandbox.access_key, served.sandbox.secret_key)})
        paths = paths_from(call.program.environ)
        write_profiles(paths, served)
        return paths

    def test_it_looks_itself(
        self, call: Called, sandbox: Sandbox, paths: Paths, journal: Journal, lost: Callable[..., None]
    ) -> None:
        lost("x-1", "--profile", "prod")
        sandbox.faults.clear()
        assert paths.profiles_file.exists()
        assert journal.entries()[0].caller.profile == "prod"
        assert call(*RESOLVE).json()[0]["verdict"] == "started"

    @pytest.mark.parametrize("change", ["gone", "another gateway"])
    def test_changed_since(  # noqa: PLR0917 - fixtures
        self,
        call: Called,
        served: ThreadedSandbox,
        paths: Paths,
        journal: Journal,
        lost: Callable[..., None],
        change: str,
    ) -> None:
        lost("x-1", "--profile", "prod")
        served.sandbox.faults.clear()
        requests = len(served.sandbox.ledger.requests)
        if change == "gone":
            paths.profiles_file.unlink()
        else:
            write_profiles(paths, served, gateway_url="http://127.0.0.1:1")
        result = call(*RESOLVE)
        (document,) = result.json()
        assert (result.code, document["verdict"]) == (9, "unknown")
        assert ("another gateway" in document["evidence"]) is (change == "another gateway")
        assert document["evidence"]
        assert document["next_step"]
        assert len(served.sandbox.ledger.requests) == requests
        assert journal.entries()[0].in_doubt
        write_profiles(paths, served)
        assert call(*RESOLVE).json()[0]["verdict"] == "started"

    def test_read_only_resolves_all_the_same(self, call: Called, sandbox: Sandbox, lost: Callable[..., None]) -> None:
        """Resolving only reads."""
        lost()
        sandbox.faults.clear()
        assert call("--read-only", *RESOLVE).json()[0]["verdict"] == "started"


class TestNothingIsWrittenDown:
    """What is refused before it could be sent leaves no entry behind that somebody would have to settle."""

    @pytest.mark.parametrize("arguments", [("--read-only",), ("--dry-run",), ("--confirm", "search-0002")])
    def test_refused(self, call: Called, journal: Journal, arguments: tuple[str, ...]) -> None:
        call(*CREATE, "x-1", *arguments)
        assert not journal.path.exists()

    def test_a_protected_profile(
        self, call: Called, served: ThreadedSandbox, journal: Journal, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        use_memory_keyring(monkeypatch, {"prod": (served.sandbox.access_key, served.sandbox.secret_key)})
        paths = paths_from(call.program.environ)
        write_profiles(paths, served)
        paths.profiles_file.write_text(f"{paths.profiles_file.read_text()}\nprotected = true\n")
        for arguments in ((), ("--yes",), ("--yes", "--confirm", "search-0001"), ("--confirm", "search-0002")):
            assert call(*CREATE, "x-1", "--profile", "prod", *arguments).code == 12
        assert not journal.path.exists()
        assert call(*CREATE, "x-1", "--profile", "prod", "--confirm", "search-0001").code == 0
        assert len(journal.entries()) == 1


class TestADryRun:
    """The lights before a create."""

    def test_all_of_them(self, call: Called) -> None:
        document = call(*CREATE, "x-1", "--dry-run", "--json").json()
        lights = document["preflight"]
        assert [light["subject"] for light in lights] == LIGHTS
        assert {light["light"] for light in lights} == {"ok"}
        assert all(light["evidence"] and light["read_at"] for light in lights)
        assert not any(light["blocks"] for light in lights)
        text = call(*CREATE, "x-1", "--dry-run").stdout
        lines = text.partition("Preflight checks   checked just now\n")[2].splitlines()
        words = [line for line in lines if not line.startswith(" ")]  # what goes on below is indented
        assert [line.startswith(f"ok      {subject}") for line, subject in zip(words, LIGHTS, strict=True)] == [
            True
        ] * 7

    def test_of_what_would_not_be_sent(self, call: Called, sandbox: Sandbox, lost: Callable[..., None]) -> None:
        lost()
        result = call(*CREATE, "x-1", "--dry-run", "--json")
        assert (result.code, result.json()["earlier"]["state"]) == (12, "unknown")
        (name,) = [light for light in result.json()["preflight"] if light["subject"] == "name"]
        assert name["light"] == "bad"
        assert (
            "This request would not be sent. x-1 on search-0001 was requested before: the request of " in result.stderr
        )
        assert creates(sandbox) == (1, 1)

    def test_doubts_are_told_before_a_create(self, call: Called) -> None:
        result = call("snapshot", "create", "search-0002", "--bucket", BUCKET, "--name", "x-1")
        assert result.code == 0
        assert "health: yellow" in result.stderr

    def test_a_name_that_the_history_has(self, call: Called) -> None:
        assert call(*CREATE, "x-1").code == 0
        lights = call(*CREATE, "x-1", "--dry-run", "--json").json()["preflight"]
        (name,) = [light for light in lights if light["subject"] == "name"]
        assert (name["light"], name["blocks"]) == ("bad", False)
        assert "x-1 was requested before" in name["evidence"]


def test_as_a_process(program: Program, sandbox: Sandbox, tmp_path: Path) -> None:
    """The whole way, with nothing replaced but the patience: lost, refused, resolved, free of doubt."""
    install(sandbox, "history-loses")
    sandbox.faults.add("createSnapshot", "after", "reset")
    with program.started(*CREATE, "x-1", "--json", code=SHORT_SETTLEMENT) as process:
        assert program.ended(process).code == 9
    assert program.run(*CREATE, "x-1").code == 12
    sandbox.faults.clear()
    result = program.run("snapshot", "resolve")
    assert result.code == 0
    assert "Started: the snapshot is in the history" in result.stdout
    assert creates(sandbox) == (1, 1)
    assert list((tmp_path / "ncp-tui" / "state" / "journal.locks").iterdir()) == []
