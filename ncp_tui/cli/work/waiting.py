"""Following a snapshot until it ends, the time is up, or the user has seen enough."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.cli.work.finding import find_cluster
from ncp_tui.cli.work.problems import SnapshotFailed, WaitEnded
from ncp_tui.cli.work.session import Session
from ncp_tui.search_engine import Cluster, HistoryEntry, SearchEngine, SnapshotState
from ncp_tui.snapshots import (
    Asked,
    Fact,
    Journal,
    JournalEntry,
    JournalProblem,
    Match,
    Progress,
    Verdict,
    Whose,
    awaited,
    best_match,
    on_disk,
    watch,
)
from ncp_tui.view.format import ZONE, date_time
from ncp_tui.view.history import history_document, history_sentence, state_cell

_SAY_AGAIN = 60.0
"""Seconds after which an unchanged state is told once more, so that a log shows that somebody is still looking."""

_OVER = frozenset({SnapshotState.SUCCESS, SnapshotState.FAILED})


def wait_for_snapshot(session: Session, wanted: str, name: str, seconds: float) -> ExitCode:
    """`snapshot wait`."""
    engine = session.connect(session.identity())
    with session.log.action(f"wait for {name}"):
        cluster = session.wait(find_cluster(engine, wanted))
        request = _request(session, cluster, name)
        asked = Asked.by(request) if request is not None else Asked(cluster.number, name, cluster_name=cluster.name)
        ends = time.monotonic() + seconds
        row = session.wait(_ended_before(engine, asked, seconds, session.home.now))
        other: Match | None = None
        if row is None:
            left = max(0.0, ends - time.monotonic())
            seen = session.wait(follow(engine, asked, seconds=left, note=session.out.note, now=session.home.now))
            row, other = (seen.entry, seen.other) if seen is not None else (None, None)
    document = _document(name, cluster, row)
    session.document_of = lambda problem: document | {"error": {"kind": problem.kind, "message": problem.what}}
    if row is not None and row.state in _OVER and request is not None:
        note_end(session, request, row)
    if row is not None and row.state is SnapshotState.SUCCESS:
        session.out.answer(document, history_sentence(row))
        return ExitCode.DONE
    if row is not None and row.state is SnapshotState.FAILED:
        raise SnapshotFailed(
            f"Snapshot {name} of {cluster.name} failed: {row.message or 'the history gives no reason'}."
        )
    if row is None:
        raise WaitEnded(f"{seconds:g} s are over, and {_not_there(cluster, name, request, other)}")
    raise WaitEnded(f"{seconds:g} s are over.", f"Snapshot {name} goes on ({row.message or state_cell(row).text}).")


async def follow(
    engine: SearchEngine,
    asked: Asked,
    *,
    seconds: float,
    note: Callable[[str], None],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Progress | None:
    """Look until what was `asked` has ended or `seconds` are over; the last look, None when there was none.

    Raises what `watch` raises.
    """
    last: Progress | None = None
    teller = _Teller(asked.name, note)
    try:
        async with asyncio.timeout(seconds):
            async for progress in watch(engine, asked, now=now):
                last = progress
                teller.tell(progress)
    except TimeoutError:
        pass
    return last


def told_of_other(name: str, other: Match) -> str:
    """A row of the name that is not proved to be what was asked for, and why."""
    may_be = "may be this one" if other.whose is Whose.MAY_BE else "is not this one"
    return f"The history has a row of {name} that {may_be}: {other.why}."


def note_end(session: Session, entry: JournalEntry, row: HistoryEntry) -> None:
    """Write down in the journal how a request ended; where that fails, say so."""
    journal = Journal(session.home.paths)
    state, message = row.state.value, row.message
    try:
        session.wait(on_disk(lambda: journal.append(entry.id, Fact.FINISHED, state=state, message=message)))
    except JournalProblem as problem:
        session.out.note(f"The journal does not hold the end. {problem.sentences()}")


class _Teller:
    """Says what a look has shown when it is new, and once a minute when it is not."""

    def __init__(self, name: str, note: Callable[[str], None]) -> None:
        self._name = name
        self._note = note
        self._last = ""
        self._said_at = 0.0

    def tell(self, progress: Progress) -> None:
        text = self._text(progress)
        now = time.monotonic()
        if text != self._last or now - self._said_at >= _SAY_AGAIN:
            self._note(f"{progress.elapsed:5.0f} s  {text}")
            self._last, self._said_at = text, now

    def _text(self, progress: Progress) -> str:
        if progress.problem is not None:
            return f"A look failed, and is repeated. {progress.problem.what}"
        if progress.entry is None and progress.other is not None:
            return told_of_other(self._name, progress.other)
        if progress.entry is None:
            return f"{self._name} is not in the history yet."
        message = progress.entry.message
        return history_sentence(progress.entry) + (f" ({message})" if message else "")


def _request(session: Session, cluster: Cluster, name: str) -> JournalEntry | None:
    """The newest request for the snapshot from this machine, where its end is not known; None where any row will do."""
    journal = Journal(session.home.paths)
    try:
        entries = session.wait(on_disk(journal.entries))
    except JournalProblem as problem:
        session.out.note(f"{problem.sentences()} The newest row of {name} is waited for, whoever asked for it.")
        return None
    newest, is_awaited = awaited(entries, cluster.number, name)
    if newest is not None and not is_awaited and newest.state is None:
        became = "started nothing" if newest.verdict is Verdict.NOT_STARTED else "was dismissed"
        session.out.note(
            f"The newest request for {name} from here, of {date_time(newest.at)} {ZONE}, {became}. "
            "What follows is about an earlier snapshot, or somebody else's."
        )
    return newest if is_awaited else None


async def _ended_before(
    engine: SearchEngine, asked: Asked, seconds: float, now: Callable[[], datetime]
) -> HistoryEntry | None:
    """The row of a snapshot that has ended, also when `watch`, which reads the first page only, would not see it."""
    try:
        async with asyncio.timeout(seconds):
            rows = await engine.snapshot_history(asked.cluster_number)
    except TimeoutError:
        return None
    offset = engine.clock_offset
    found = best_match(asked.on_clock(offset.seconds if offset else None), rows, now())
    if found is None or found.whose is not Whose.OURS:
        return None
    return found.row if found.row.state in _OVER else None


def _not_there(cluster: Cluster, name: str, request: JournalEntry | None, other: Match | None) -> str:
    asked_at = "" if request is None else f" asked for at {date_time(request.at)} {ZONE}"
    said = f"the history of {cluster.name} has no snapshot {name!a}{asked_at}."
    return said if other is None else f"{said} {told_of_other(name, other)}"


def _document(name: str, cluster: Cluster, entry: HistoryEntry | None) -> dict[str, Any]:
    row = history_document(entry or HistoryEntry(name))
    if entry is None:
        row |= {"state": None, "failed": None, "raw": None}
    finished = row["state"] if row["state"] in {"success", "failed"} else None
    return {"finished": finished, **row, "cluster": {"name": cluster.name, "number": cluster.number}, "error": None}
