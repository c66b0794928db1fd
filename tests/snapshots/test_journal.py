"""The outcome journal: what it has said is on disk, whatever ends the program, and nobody's lines are lost."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import json
import os
import signal
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from ncp_tui.snapshots import journal as journal_module
from ncp_tui.snapshots.earlier_requests import SecondRequest
from ncp_tui.snapshots.history_match import Asked, best_match
from ncp_tui.snapshots.journal import Journal, JournalProblem, JournalUnwritable, on_disk
from ncp_tui.snapshots.journal_entry import JournalEvent, read_entries
from ncp_tui.snapshots.journal_file import read_line
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest, Verdict
from ncp_tui.system.time_zone import KST
from tests.snapshots.journals import (
    CALLER,
    NOW,
    REQUEST,
    begun,
    children,
    encoded,
    events_of,
    hear,
    journal_in,
    lines_of,
    locks_of,
    named,
    run_child,
    tell,
    write_lines,
)
from tests.tables import each_row


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def journal(home: Path) -> Journal:
    return journal_in(home, clock=lambda: NOW)


def test_no_journal_is_an_empty_one_and_creates_nothing(journal: Journal, home: Path) -> None:
    assert journal.entries() == journal.open_entries() == []
    assert not home.exists()


def test_what_was_begun_is_read_again(journal: Journal) -> None:
    seen = frozenset({(3, "2025-12-01T12:00:00+09:00"), (4, "")})
    with_clock = journal.begin(REQUEST, CALLER, clock_offset=-1.5, seen_before=seen)
    without = journal.begin(named("second"), CALLER, batch="a-batch")
    first, second = journal.entries()
    assert first == with_clock.entry
    assert (first.request, first.caller, first.at.timestamp()) == (REQUEST, CALLER, NOW)
    assert (first.process, first.clock_offset, first.seen_before) == (os.getpid(), -1.5, seen)
    assert (second.clock_offset, second.seen_before) == (None, None)
    assert (first.batch, second.batch) == ("", "a-batch")
    assert second.id == without.entry.id != first.id
    assert [entry.verdict for entry in journal.open_entries()] == [Verdict.NOT_STARTED] * 2


def test_each_fact_is_a_line_of_its_own_in_the_order_it_was_learned(journal: Journal) -> None:
    held = journal.begin(REQUEST, CALLER)
    held.record(JournalEvent.SENT, attempt=1)
    held.record(JournalEvent.ANSWERED, outcome="accepted", request_id="rid", what="한글\n\u2028\x1b")
    held.record(JournalEvent.OUTCOME, outcome="accepted", settled_by=None)
    assert events_of(journal) == ["begun", "sent", "answered", "outcome"]
    assert lines_of(journal)[2]["what"] == "한글\n\u2028\x1b"
    (entry,) = journal.entries()
    assert entry == held.entry
    assert (entry.outcome, entry.request_id, entry.is_open) == (Outcome.ACCEPTED, "rid", False)


def test_it_is_on_disk_when_begin_and_record_return(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line still in the page cache is gone with the power: every line, and the new file's name, is synced."""
    real, synced = os.fsync, []

    def fsync(handle: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(handle).st_mode)
        synced.append("folder" if is_folder else events_of(journal)[-1])
        real(handle)

    monkeypatch.setattr("os.fsync", fsync)
    held = journal.begin(REQUEST, CALLER)
    assert synced == ["begun", "folder"]
    held.record(JournalEvent.SENT)
    assert synced == ["begun", "folder", "sent"]


def test_a_kill_right_after_begin_leaves_the_line(journal: Journal, home: Path) -> None:
    for program, facts in (
        ("journal.begin(REQUEST, CALLER); die()", ["begun"]),
        ("journal.begin(replace(REQUEST, name='second'), CALLER).record(JournalEvent.SENT); die()", ["begun", "sent"]),
    ):
        assert run_child(home, program) == (-signal.SIGKILL, "")
        assert [fact["fact"] for fact in journal.entries()[-1].events] == facts
    assert [entry.in_doubt for entry in journal.entries()] == [False, True]


def test_file_and_folders_are_private(journal: Journal, home: Path) -> None:
    old_mask = os.umask(0)
    try:
        journal.begin(REQUEST, CALLER)
    finally:
        os.umask(old_mask)
    every = [home, *home.rglob("*")]
    assert {stat.S_IMODE(one.stat().st_mode) for one in every if one.is_dir()} == {0o700}
    assert {stat.S_IMODE(one.stat().st_mode) for one in every if one.is_file()} == {0o600}


@pytest.mark.parametrize("size", [0, 2 * journal_module.LARGEST], ids=["small", "to be compacted"])
def test_a_symlink_is_refused_and_what_it_leads_to_is_left_alone(journal: Journal, tmp_path: Path, size: int) -> None:
    """Who can put a link there could have any file of the user's appended to, or rewritten."""
    target = tmp_path / "target"
    closed = encoded(begun("a", "2020-01-01T00:00:00+00:00", padding="x" * size), {"id": "a", "fact": "dismissed"})
    target.write_bytes(b"".join(line + b"\n" for line in closed))
    before = target.read_bytes()
    journal.path.parent.mkdir(parents=True)
    journal.path.symlink_to(target)
    with pytest.raises(JournalUnwritable):
        journal.begin(REQUEST, CALLER)
    with pytest.raises(JournalUnwritable):
        journal.append("a", JournalEvent.DISMISSED)
    assert target.read_bytes() == before
    assert journal.path.is_symlink()


def test_the_bytes_of_older_lines_never_change(journal: Journal) -> None:
    before = write_lines(journal, begun("a"), {"id": "a", "fact": "sent"})
    held = journal.begin(named("second"), CALLER)
    for fact in JournalEvent:
        held.record(fact)
        now = journal.path.read_bytes()
        assert now.startswith(before)
        before = now


MISTYPED: list[Any] = [
    None, True, 0, -1, 1.5, 10**400, float("inf"), float("nan"), "", "x", "\ud800", [], {}, [[]], [{}], {"a": []},
    [[1, 2], [3], "x", [True, None], [[], ""], [1, {}]], "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59",
    json.loads("[" * 900 + "]" * 900),
]  # fmt: skip
FIELDS = ["at", "profile", "zone", "gateway", "cluster", "name", "bucket", "process", "clock_offset", "seen_before"]


@each_row("field", FIELDS)
def test_a_field_that_is_missing_or_of_another_type_loses_no_entry(field: str) -> None:
    from ncp_tui.snapshots.resolve import proved_by_the_journal

    lines = [begun(str(number), **{field: value}) for number, value in enumerate(MISTYPED)]
    missing = begun("missing")
    missing.pop(field, None)
    entries = read_entries([*lines, missing])
    assert len(entries) == len(MISTYPED) + 1
    for entry in entries:
        best_match(Asked.by(entry), [], datetime.now(UTC))
        proved_by_the_journal(entry)
        str(entry)
        assert isinstance(entry.request.name, str)
        assert entry.at.astimezone(KST).tzinfo is KST


@each_row("fact", [*JournalEvent, "another", ""])
@each_row("field", ["outcome", "verdict", "request_id", "state", "at"])
def test_a_detail_of_another_type_crashes_nothing(fact: str, field: str) -> None:
    for value in MISTYPED:
        (entry,) = read_entries([begun("a"), {"id": "a", "fact": "sent"}, {"id": "a", "fact": fact, field: value}])
        assert entry.verdict in Verdict
        assert isinstance(entry.request_id or "", str)
        assert isinstance(entry.state or "", str)
        assert isinstance(entry.is_open and entry.in_doubt and entry.is_under_way, bool)


def test_a_full_disk_leaves_the_file_as_it_was(journal: Journal, home: Path) -> None:
    """The kernel takes a part of the line and refuses the rest; that part must not stay."""
    journal.begin(named("first"), CALLER).release()
    before = journal.path.read_bytes()
    program = """
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
for act in (lambda: journal.begin(REQUEST, CALLER), lambda: journal.append('x', JournalEvent.SENT)):
    try: act()
    except JournalProblem as problem: print(problem.kind, problem.what)
"""
    status, said = run_child(home, program, str(len(before) + 40))
    assert status == 0
    assert said == "journal_unwritable The journal cannot be written: File too large.\n" * 2
    assert journal.path.read_bytes() == before
    assert locks_of(journal) == [], "an entry that was not begun leaves no lock"


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of five pages."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=20k,mode=700", "tmpfs", str(disk)]
    if not hasattr(os, "geteuid") or os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("a tmpfs cannot be mounted here")
    yield disk
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=False)
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_file_system_and_a_read_only_one(tiny_disk: Path) -> None:
    journal = journal_in(tiny_disk)
    held = journal.begin(REQUEST, CALLER)
    (tiny_disk / "ballast").write_bytes(b"x" * 12_000)
    before = journal.path.read_bytes()
    with pytest.raises(JournalUnwritable, match="No space left"):
        held.record(JournalEvent.SENT, what="x" * 20_000)
    with pytest.raises(JournalUnwritable, match="No space left"):
        journal.begin(SnapshotRequest("1", "x" * 20_000, "second", "b"), CALLER)
    assert journal.path.read_bytes() == before
    held.release()
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    for act in (lambda: journal.append("a", JournalEvent.SENT), lambda: journal.begin(named("x"), CALLER)):
        with pytest.raises(JournalUnwritable, match="Read-only"):
            act()
    assert [entry.request for entry in journal.entries()] == [REQUEST]


def test_a_sync_that_fails_takes_its_line_back(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent then: a line saying SENT would put a create in doubt that never left."""
    held = journal.begin(REQUEST, CALLER)
    before = journal.path.read_bytes()

    def broken(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("os.fsync", broken)
    with pytest.raises(JournalUnwritable, match="Input/output error") as caught:
        held.record(JournalEvent.SENT)
    assert caught.value.meaning
    assert caught.value.next_step
    assert journal.path.read_bytes() == before
    assert not held.entry.was_sent


def test_a_home_that_is_a_file(tmp_path: Path) -> None:
    """Root may write below any folder, but not below a file."""
    (tmp_path / "file").write_text("")
    journal = journal_in(tmp_path / "file" / "home")
    for act in (
        lambda: journal.begin(REQUEST, CALLER),
        lambda: journal.hold("a"),
        lambda: journal.append("a", JournalEvent.SENT),
    ):
        with pytest.raises(JournalProblem):
            act()


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo], ids=["folder", "pipe"])
def test_something_else_in_the_place_of_the_file(journal: Journal, make: Callable[[Path], None]) -> None:
    """A pipe would be waited for, for ever."""
    journal.path.parent.mkdir(parents=True)
    make(journal.path)
    for act in (
        journal.entries,
        lambda: journal.begin(REQUEST, CALLER),
        lambda: journal.append("a", JournalEvent.SENT),
    ):
        with pytest.raises(JournalProblem) as caught:
            act()
        assert caught.value.next_step
    assert locks_of(journal) == []


def test_a_journal_that_another_program_writes_for_too_long(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "_LOCK_SECONDS", 0.05)
    journal.path.parent.mkdir(parents=True)
    with (
        FileLock(journal.path.with_name("journal.jsonl.lock"), is_singleton=False),
        pytest.raises(JournalUnwritable, match="another program holds it"),
    ):
        journal.begin(REQUEST, CALLER)
    assert not journal.path.exists()


@pytest.mark.slow
def test_twenty_processes_lose_no_line(journal: Journal, home: Path) -> None:
    program = """
held = journal.begin(replace(REQUEST, name=sys.argv[2]), CALLER)
held.record(JournalEvent.SENT); held.record(JournalEvent.ANSWERED, outcome="accepted", what="x" * 5000)
held.record(JournalEvent.OUTCOME, outcome="accepted"); held.release()
"""
    names = [f"name-{number}" for number in range(20)]
    with children(home, program, *names) as running:
        assert [one.wait(120) for one in running] == [0] * 20
    entries = journal.entries()
    assert sorted(entry.request.name for entry in entries) == sorted(names)
    assert {(len(entry.events), entry.outcome) for entry in entries} == {(4, Outcome.ACCEPTED)}
    assert len(lines_of(journal)) == 80
    assert locks_of(journal) == []


def test_a_name_in_doubt_is_not_begun_again(journal: Journal, home: Path) -> None:
    journal.begin(REQUEST, CALLER).record(JournalEvent.SENT)
    before = journal.path.read_bytes()
    program = """
try: journal.begin(REQUEST, CALLER)
except SecondRequest as problem: print(problem.kind)
"""
    with children(home, program, "1", "2") as running:
        assert [hear(one) for one in running] == ["second_request"] * 2
    assert journal.path.read_bytes() == before


@pytest.mark.parametrize(
    ("request_", "caller"),
    [
        (named("another"), CALLER),
        (SnapshotRequest("1037002", REQUEST.cluster_name, REQUEST.name, REQUEST.bucket), CALLER),
        (REQUEST, Caller("prod", "public", "SGN", "https://gateway.example/api/sgn-v2")),
    ],
)
def test_another_name_cluster_or_gateway_is_not_in_doubt(
    journal: Journal, request_: SnapshotRequest, caller: Caller
) -> None:
    journal.begin(REQUEST, CALLER).record(JournalEvent.SENT)
    assert journal.begin(request_, caller).entry.request is request_


def test_another_profile_or_bucket_is_the_same_snapshot(journal: Journal) -> None:
    """The service knows a snapshot by its name on the cluster; who asked does not matter."""
    journal.begin(REQUEST, CALLER).record(JournalEvent.SENT)
    other = SnapshotRequest(REQUEST.cluster_number, "renamed", REQUEST.name, "another-bucket")
    with pytest.raises(SecondRequest):
        journal.begin(other, Caller("second", "public", "KR", CALLER.gateway))


@pytest.mark.parametrize(
    "after",
    [
        [(JournalEvent.ANSWERED, {"outcome": "refused"})],
        [(JournalEvent.ANSWERED, {"outcome": "accepted"}), (JournalEvent.FINISHED, {"state": "failed"})],
    ],
)
def test_a_name_is_free_again_once_it_is_proved_to_have_started_nothing_or_failed(
    journal: Journal, after: list[tuple[JournalEvent, dict[str, str]]]
) -> None:
    held = journal.begin(REQUEST, CALLER)
    held.record(JournalEvent.SENT)
    for fact, details in after:
        held.record(fact, **details)
    held.release()
    journal.begin(REQUEST, CALLER)


def test_a_name_that_is_being_created_is_not_begun_a_second_time(journal: Journal, home: Path) -> None:
    """Nothing of it has left, so it is not in doubt; but it will leave in a moment, and then there would be two."""
    first = journal.begin(REQUEST, CALLER)
    with pytest.raises(SecondRequest, match="at this moment"):
        journal.begin(REQUEST, CALLER)
    first.record(JournalEvent.SENT)
    first.record(JournalEvent.ANSWERED, outcome="refused", kind="throttled")
    program = "\ntry: journal.begin(REQUEST, CALLER)\nexcept SecondRequest as problem: print(problem.what)"
    assert "at this moment" in run_child(home, program)[1], "throttled, it may be sent again at any time"
    first.release()
    assert locks_of(journal) == []
    journal.begin(REQUEST, CALLER)


@pytest.mark.parametrize("count", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_of_several_processes_with_the_same_name_one_may_send(journal: Journal, home: Path, count: int) -> None:
    program = """
sys.stdin.readline()
try: held = journal.begin(REQUEST, CALLER)
except SecondRequest: print("no", flush=True)
else: print("yes", flush=True); sys.stdin.readline(); held.record(JournalEvent.SENT); die()
"""
    with children(home, program, *"12345678"[:count]) as running:
        said = [hear(one) for one in running]
        assert sorted(said) == ["no"] * (count - 1) + ["yes"]
        sender = running[said.index("yes")]
        tell(sender)
        assert sender.wait(60) == -signal.SIGKILL
    assert events_of(journal) == ["begun", "sent"]
    assert locks_of(journal) == [f"{journal.entries()[0].id}.lock"], "the killed one's, until it is settled"


def test_an_entry_is_held_by_one_process_until_that_ends(journal: Journal, home: Path) -> None:
    """Whoever resolves what another program still waits for would tell two stories about one snapshot."""
    program = "held = journal.begin(REQUEST, CALLER); print(held.entry.id, flush=True); threading.Event().wait()"
    with children(home, program, "") as (holder,):
        key = hear(holder)
        assert journal.hold(key) is None
        assert [entry.id for entry in journal.open_entries()] == [key]
        holder.kill()
        holder.wait(60)
    held = journal.hold(key)
    assert held is not None
    assert held.entry == journal.entries()[0]
    assert run_child(home, "print(journal.hold(sys.argv[2]))", key) == (0, "None\n")
    held.release()
    held.release()
    assert locks_of(journal) == []
    again = journal.hold(key)
    assert again is not None
    held.release()
    assert run_child(home, "print(journal.hold(sys.argv[2]))", key) == (0, "None\n"), (
        "an old release frees nobody else's"
    )


def test_what_nobody_has_in_its_hands_is_abandoned(journal: Journal, home: Path) -> None:
    assert journal.abandoned() == []
    assert not home.exists(), "where nothing is open, nothing is locked"
    mine, left = journal.begin(REQUEST, CALLER), journal.begin(named("second"), CALLER)
    left.release()
    closed = journal.begin(named("third"), CALLER)
    closed.record(JournalEvent.DISMISSED)
    closed.release()
    assert [entry.id for entry in journal.abandoned()] == [left.entry.id]
    assert run_child(home, "print(len(journal.abandoned()))") == (0, "1\n")
    assert locks_of(journal) == [f"{mine.entry.id}.lock"]


def test_looking_for_what_is_abandoned_gets_in_nobodys_way(journal: Journal, home: Path) -> None:
    """Else resolving would now and then say that another program has the entry in its hands, when none has."""
    held = journal.begin(REQUEST, CALLER)
    held.release()
    program = """
print("looking", flush=True)
while True: assert len(journal.abandoned()) <= 1
"""
    with children(home, program, *"12") as running:
        assert [hear(one) for one in running] == ["looking"] * 2
        for _ in range(100):
            again = journal.hold(held.entry.id)
            assert again is not None
            again.release()
        assert [one.poll() for one in running] == [None, None]


def test_what_is_held_is_as_it_is_now(journal: Journal) -> None:
    first = journal.begin(REQUEST, CALLER)
    first.record(JournalEvent.SENT)
    first.release()
    journal.append(first.entry.id, JournalEvent.DISMISSED)
    held = journal.hold(first.entry.id)
    assert held is not None
    assert [fact["fact"] for fact in held.entry.events] == ["begun", "sent", "dismissed"]


def test_nobody_holds_an_unknown_entry_and_no_lock_is_left(journal: Journal) -> None:
    journal.begin(REQUEST, CALLER).release()
    assert journal.hold("unknown") is None
    assert locks_of(journal) == []


def test_it_may_be_released_on_another_thread(journal: Journal) -> None:
    """It is begun on a thread of its own, and released by whoever waited."""
    held = []
    thread = threading.Thread(target=lambda: held.append(journal.begin(REQUEST, CALLER)))
    thread.start()
    thread.join()
    assert journal.hold(held[0].entry.id) is None
    held[0].release()
    assert journal.hold(held[0].entry.id) is not None


OLD, YOUNG = "2025-11-01T00:00:00+00:00", "2025-12-20T00:00:00+00:00"
CLOSED = {"fact": "outcome", "outcome": "accepted"}
PADDING = "x" * 4096


def grown(journal: Journal) -> list[dict[str, Any]]:
    """A journal past its size: what must stay, among old closed entries."""
    stays: list[dict[str, Any]] = [
        begun("old-open", OLD, "old-open"),
        {"id": "old-open", "fact": "sent"},
        begun("old-unsettled", OLD, "old-unsettled"),
        {"id": "old-unsettled", "fact": "outcome", "outcome": "unknown"},
        begun("young", YOUNG, "young"),
        {"id": "young", **CLOSED},
    ]
    goes: list[dict[str, Any]] = []
    for number in range(300):
        goes += [begun(f"gone-{number}", OLD, padding=PADDING), {"id": f"gone-{number}", **CLOSED}]
    write_lines(journal, *stays[:4], *goes, *stays[4:])
    assert journal.path.stat().st_size > journal_module.LARGEST
    return stays


def kept_of(journal: Journal) -> list[tuple[str, str]]:
    """The id and event of each line, that of the file itself left out."""
    return [(line["id"], line["fact"]) for line in lines_of(journal) if line["id"]]


def test_compaction_drops_old_closed_entries_and_nothing_else(journal: Journal) -> None:
    """An entry in doubt that is dropped frees its name for a second snapshot."""
    stays = grown(journal)
    held = journal.begin(named("new"), CALLER)
    assert kept_of(journal) == [*((line["id"], line["fact"]) for line in stays), (held.entry.id, "begun")]
    assert events_of(journal)[0] == "compacted"
    contents = journal.contents()
    assert contents.damage is None, "a compacted journal has no gap"
    assert [line.seq for line in contents.reading.lines] == list(range(607, 607 + len(stays) + 2))
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    with pytest.raises(SecondRequest):
        journal.begin(named("old-open"), CALLER)
    held.record(JournalEvent.SENT)
    assert len(journal.path.read_bytes().splitlines()) == len(stays) + 3


def test_compaction_keeps_what_a_later_version_wrote(journal: Journal) -> None:
    grown(journal)
    raws = journal.path.read_bytes().splitlines()
    line = read_line(raws[0])
    assert line
    raws[0] = dataclasses.replace(line, batch="b1", others={"of_later": [1]}).encoded()
    journal.path.write_bytes(b"\n".join(raws) + b"\n")
    journal.begin(named("new"), CALLER)
    kept = read_line(journal.path.read_bytes().splitlines()[1])
    assert kept
    assert (kept.batch, kept.others) == ("b1", {"of_later": [1]})


def test_a_journal_within_its_size_is_not_touched(journal: Journal) -> None:
    before = write_lines(journal, begun("a", OLD), {"id": "a", **CLOSED})
    journal.begin(named("second"), CALLER)
    assert journal.path.read_bytes().startswith(before)


def test_a_compaction_that_fails_keeps_everything_and_stops_nobody(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a disk too full for a copy there may be room for one line."""
    grown(journal)
    before = journal.path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    journal.begin(named("new"), CALLER)
    assert journal.path.read_bytes().startswith(before)
    assert journal.entries()[-1].request.name == "new"
    assert list(journal.path.parent.glob(".*.tmp")) == []


STEPS = [(name, moment) for name in ("fchmod", "fdopen", "replace") for moment in ("before", "after")]


@pytest.mark.parametrize(
    "steps", [[STEPS[0], *STEPS[-2:]], pytest.param(STEPS, marks=pytest.mark.slow)], ids=["some", "all"]
)
def test_a_compaction_that_is_killed_loses_nothing(journal: Journal, home: Path, steps: list[tuple[str, str]]) -> None:
    """Killed before and after each step, by the kernel's own hand: the old file or the new one, never half of one."""
    program = """
name, moment = sys.argv[2:]
real = getattr(os, name)
def act(*args, **kwargs):
    if moment == 'after': real(*args, **kwargs)
    die()
setattr(os, name, act)
journal.begin(replace(REQUEST, name='new'), CALLER)
"""
    sizes = set()
    for name, moment in steps:
        stays = grown(journal)
        before = journal.path.read_bytes()
        assert run_child(home, program, name, moment)[0] == -signal.SIGKILL
        now = journal.path.read_bytes()
        assert journal.contents().damage is None
        assert now == before or len(now.splitlines()) == len(stays) + 1
        sizes.add(now == before)
    assert sizes == {True, False}, "the test reached both sides of the replacement"
    journal.begin(named("new"), CALLER)
    grown(journal)
    journal.begin(named("newer"), CALLER)
    assert list(journal.path.parent.glob(".*.tmp")) == []


@pytest.mark.parametrize("count", [2, pytest.param(6, marks=pytest.mark.slow)])
def test_processes_that_compact_and_append_at_once_lose_nothing(journal: Journal, home: Path, count: int) -> None:
    """A line appended to the file that is just being replaced would be gone."""
    stays = grown(journal)
    program = """
module.LARGEST = 1
sys.stdin.readline()
for number in range(10):
    held = journal.begin(replace(REQUEST, name=f"{sys.argv[2]}-{number}"), CALLER)
    held.record(JournalEvent.SENT)
    held.release()
"""
    with children(home, program, *(f"process-{number}" for number in range(count))) as running:
        assert [one.wait(120) for one in running] == [0] * count
    assert kept_of(journal)[: len(stays)] == [(line["id"], line["fact"]) for line in stays]
    assert journal.contents().damage is None
    names = {entry.request.name for entry in journal.entries() if entry.in_doubt}
    assert {f"process-{process}-{number}" for process in range(count) for number in range(10)} < names
    assert not [name for name in names if name.startswith("gone")]


async def test_a_disk_that_does_not_answer_is_a_problem_in_time(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what it does when it wakes up holds no lock that nobody would ever release."""
    monkeypatch.setattr(journal_module, "DISK_SECONDS", 0.05)
    asleep, woken = threading.Event(), threading.Event()
    real = os.fsync

    def slow(handle: int) -> None:
        asleep.wait(60)
        real(handle)

    def act() -> object:
        try:
            return journal.begin(REQUEST, CALLER)
        finally:
            woken.set()

    monkeypatch.setattr("os.fsync", slow)
    with pytest.raises(JournalUnwritable, match="no answer within"):
        await on_disk(act)
    asleep.set()
    await asyncio.to_thread(woken.wait, 60)
    (entry,) = journal.entries()
    async with asyncio.timeout(60):
        while (held := journal.hold(entry.id)) is None:  # noqa: ASYNC110 - a thread that nobody waits for tells nobody
            await asyncio.sleep(0)
    held.release()
    assert not entry.was_sent
