"""`snapshot wait`: a snapshot followed until it ends or the time is up."""

from __future__ import annotations

from typing import Any

from ncp_tui.cli.cluster_lookup import find_cluster
from ncp_tui.cli.create_report import follow
from ncp_tui.cli.errors import ExitCode, SnapshotFailed, WaitEnded, problem_words
from ncp_tui.cli.runner import CommandContext
from ncp_tui.search_engine.models import Cluster, HistoryEntry, SnapshotState
from ncp_tui.snapshots.history_match import Match, awaited
from ncp_tui.snapshots.journal import JournalProblem, on_disk
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.outcome import SnapshotRequest, Verdict
from ncp_tui.view.format import ZONE, date_time
from ncp_tui.view.history import history_document
from ncp_tui.view.progress import end_sentence, other_sentence, unended_words


def wait_for_snapshot(context: CommandContext, wanted: str, name: str, seconds: float) -> ExitCode:
    """`snapshot wait`."""
    identity = context.identity()
    engine = context.connect(identity)
    with context.log.action(f"find {wanted}"):
        cluster = context.wait(find_cluster(engine, wanted))
    request = _request(context, cluster, name)
    if request is not None:
        tracked = context.tracker.resume(request, identity, engine)
    else:
        tracked = context.tracker.watch_name(SnapshotRequest(cluster.number, cluster.name, name, ""), identity, engine)
    follow(context, tracked, seconds)
    if tracked.problem is not None:
        raise tracked.problem
    row, other = (tracked.progress.entry, tracked.progress.other) if tracked.progress is not None else (None, None)
    document = _document(name, cluster, row)
    context.document_of = lambda problem: document | {"error": {"kind": problem.kind, "message": problem.what}}
    if row is not None and row.state is SnapshotState.SUCCESS:
        context.out.answer(document, end_sentence(row)[0])
        return ExitCode.DONE
    if row is not None and row.state is SnapshotState.FAILED:
        raise SnapshotFailed(end_sentence(row)[0])
    failed = tracked.progress.problem if tracked.progress is not None else None
    if row is None and (tracked.progress is None or failed is not None):
        why = f": {failed.what}" if failed is not None else "."
        raise WaitEnded(f"Timed out after {seconds:g} s: the history of {cluster.name} could not be read{why}")
    if row is None:
        raise WaitEnded(f"Timed out after {seconds:g} s: {_not_there(cluster, name, request, other)}")
    raise WaitEnded(f"Timed out after {seconds:g} s; {unended_words(name, row)}.")


def _request(context: CommandContext, cluster: Cluster, name: str) -> JournalEntry | None:
    """The newest request for the snapshot from this machine, where its end is not known; None where any row will do."""
    try:
        entries = context.wait(on_disk(context.journal.entries))
    except JournalProblem as problem:
        context.out.note(f"{problem_words(problem)} Waiting for the newest row of {name}, whoever requested it.")
        return None
    newest, is_awaited = awaited(entries, cluster.number, name)
    if newest is not None and not is_awaited and newest.state is None:
        became = "started nothing" if newest.verdict is Verdict.NOT_STARTED else "was marked as resolved"
        context.out.note(
            f"{name}: the newest request of this machine, at {date_time(newest.at)} {ZONE}, {became}. "
            "What follows is about another request for the same name."
        )
    return newest if is_awaited else None


def _not_there(cluster: Cluster, name: str, request: JournalEntry | None, other: Match | None) -> str:
    asked_at = "" if request is None else f" requested at {date_time(request.at)} {ZONE}"
    said = f"the history of {cluster.name} has no snapshot {name!a}{asked_at}."
    return said if other is None else f"{said} {other_sentence(name, other)}"


def _document(name: str, cluster: Cluster, entry: HistoryEntry | None) -> dict[str, Any]:
    row = history_document(entry or HistoryEntry(name))
    if entry is None:
        row |= {"state": None, "failed": None, "raw": None}
    finished = row["state"] if row["state"] in {"success", "failed"} else None
    return {"finished": finished, **row, "cluster": {"name": cluster.name, "number": cluster.number}, "error": None}
