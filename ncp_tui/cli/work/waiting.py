"""Following a snapshot until it ends, the time is up, or the user has seen enough."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from ncp_tui.cli.exit_codes import ExitCode
from ncp_tui.cli.work.documents import history_document
from ncp_tui.cli.work.finding import find_cluster
from ncp_tui.cli.work.problems import SnapshotFailed, WaitEnded
from ncp_tui.cli.work.session import Session
from ncp_tui.search_engine import Cluster, HistoryEntry, SearchEngine, SnapshotState
from ncp_tui.snapshots import Asked, Progress, Whose, best_match, watch

_SAY_AGAIN = 60.0
"""Seconds after which an unchanged state is told once more, so that a log shows that somebody is still looking."""


def wait_for_snapshot(session: Session, wanted: str, name: str, seconds: float) -> ExitCode:
    """`snapshot wait`."""
    engine = session.connect(session.identity())
    with session.log.action(f"wait for {name}"):
        cluster = session.wait(find_cluster(engine, wanted))
        asked = Asked(cluster.number, name, cluster_name=cluster.name)
        ends = time.monotonic() + seconds
        entry = session.wait(_ended_before(engine, asked, seconds, session.home.now))
        if entry is None:
            left = max(0.0, ends - time.monotonic())
            entry = session.wait(follow(engine, asked, seconds=left, note=session.out.note, now=session.home.now))
    document = _document(name, cluster, entry)
    session.document_of = lambda problem: document | {"error": {"kind": problem.kind, "message": problem.what}}
    if entry is not None and entry.state is SnapshotState.SUCCESS:
        session.out.answer(document, told(entry))
        return ExitCode.DONE
    if entry is not None and entry.state is SnapshotState.FAILED:
        raise SnapshotFailed(
            f"Snapshot {name} of {cluster.name} failed: {entry.message or 'the history gives no reason'}."
        )
    if entry is None:
        raise WaitEnded(f"{seconds:g} s are over, and the history of {cluster.name} has no snapshot {name!a}.")
    raise WaitEnded(f"{seconds:g} s are over.", f"Snapshot {name} goes on ({entry.message or entry.state}).")


async def follow(
    engine: SearchEngine,
    asked: Asked,
    *,
    seconds: float,
    note: Callable[[str], None],
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> HistoryEntry | None:
    """Look until what was `asked` has ended or `seconds` are over; its row as last seen, None when none is proved.

    Raises what `watch` raises.
    """
    entry: HistoryEntry | None = None
    teller = _Teller(asked.name, note)
    try:
        async with asyncio.timeout(seconds):
            async for progress in watch(engine, asked, now=now):
                entry = progress.entry or entry
                teller.tell(progress)
    except TimeoutError:
        pass
    return entry


def told(entry: HistoryEntry) -> str:
    """A snapshot's state in one line."""
    lasted = f", {entry.duration}" if entry.duration else ""
    return f"{entry.snapshot}: {entry.state.value}{lasted}"


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
            may_be = "may be it" if progress.other.whose is Whose.MAY_BE else "is not it"
            return f"A row of the history is called {self._name} and {may_be}: {progress.other.why}."
        if progress.entry is None:
            return f"{self._name} is not in the history yet."
        message = progress.entry.message
        return told(progress.entry) + (f" ({message})" if message else "")


async def _ended_before(
    engine: SearchEngine, asked: Asked, seconds: float, now: Callable[[], datetime]
) -> HistoryEntry | None:
    """The row of a snapshot that has ended, also when `watch`, which reads the first page only, would not see it."""
    try:
        async with asyncio.timeout(seconds):
            rows = await engine.snapshot_history(asked.cluster_number)
    except TimeoutError:
        return None
    found = best_match(asked, rows, now())
    if found is None or found.whose is not Whose.OURS:
        return None
    return found.row if found.row.state in {SnapshotState.SUCCESS, SnapshotState.FAILED} else None


def _document(name: str, cluster: Cluster, entry: HistoryEntry | None) -> dict[str, Any]:
    row = history_document(entry or HistoryEntry(name))
    if entry is None:
        row |= {"state": None, "failed": None, "raw": None}
    finished = row["state"] if row["state"] in {"success", "failed"} else None
    return {"finished": finished, **row, "cluster": {"name": cluster.name, "number": cluster.number}, "error": None}
