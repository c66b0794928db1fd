"""How a batch of creates reads: before it is sent, a row a cluster with its checks; afterwards, what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ncp_tui.search_engine.models import SnapshotState
from ncp_tui.snapshots.batch import BatchRow
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.text import clean, plural
from ncp_tui.view.preflight import check_word
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import Cell, Tone

_WORDS = {
    Outcome.ACCEPTED: ("accepted", Tone.GOOD),
    Outcome.REFUSED: ("refused", Tone.BAD),
    Outcome.NOT_SENT: ("not sent", Tone.WARNING),
    Outcome.UNKNOWN: ("unknown", Tone.WARNING),
}
_ENDS = {SnapshotState.SUCCESS: ("succeeded", Tone.GOOD), SnapshotState.FAILED: ("failed", Tone.BAD)}


def _checks_cell(row: BatchRow) -> Cell:
    """The worst word of its checks, and of which; why a row is blocked has a sentence of its own."""
    if row.problem is not None:
        return Cell("block", Tone.BAD)
    if row.left_out:
        return Cell(row.left_out, Tone.WARNING)
    if row.entry is not None:
        return Cell(f"sent before: {result_word(row)}", Tone.DIM)
    doubts = row.draft.preflight.doubts if row.draft is not None else ()
    if not doubts:
        return Cell("ok", Tone.GOOD)
    return Cell(f"{check_word(doubts[0])}: {', '.join(check.subject for check in doubts)}", Tone.WARNING)


def result_word(row: BatchRow) -> str:
    """What became of it, in a word or two."""
    return _result_cell(row).text


def _result_cell(row: BatchRow) -> Cell:
    if row.tracked is not None and row.tracked.is_being_sent and row.problem is None:
        return Cell("being sent", Tone.DIM)
    ended = _ENDS.get(row.ended) if row.ended is not None else None
    return Cell(*(ended or _WORDS[row.outcome]))


def _cluster_cell(row: BatchRow) -> Cell:
    return Cell(row.request.cluster)


def _key(row: BatchRow) -> str:
    return f"{row.request.cluster_number} {row.request.name}"


_SNAPSHOT: Column[BatchRow] = Column("SNAPSHOT", lambda row: Cell(row.request.name), most=30, least=12)
_BUCKET: Column[BatchRow] = Column("BUCKET", lambda row: Cell(row.request.bucket or "-"), most=24, least=8)

REVIEW: Table[BatchRow] = Table(
    (Column("CLUSTER", _cluster_cell, most=30, least=10), _SNAPSHOT, _BUCKET, Column("CHECKS", _checks_cell)),
    key=_key,
    empty="No clusters.",
)
"""Before anything is sent."""

RESULTS: Table[BatchRow] = Table(
    (Column("CLUSTER", _cluster_cell, most=30, least=10), _SNAPSHOT, _BUCKET, Column("RESULT", _result_cell)),
    key=_key,
    empty="No clusters.",
)


def batch_question(rows: Sequence[BatchRow]) -> str:
    """What is agreed to with one yes."""
    number = sum(row.is_to_be_sent for row in rows)
    left_out = len(rows) - number
    rest = f" {plural(left_out, 'other row')} of the table will not be sent." if left_out else ""
    return f"Create {plural(number, 'snapshot')}?{rest}"


def consent(number: int) -> str:
    """What is typed, or given with --confirm, where a profile is protected."""
    return f"create {number}"


def row_sentence(row: BatchRow) -> str:
    """What became of one, the cluster first; empty where the word says all."""
    cluster, name = clean(row.request.cluster), row.request.name
    if row.left_out:
        return f"{cluster}: {row.left_out}"
    if row.problem is not None:
        return f"{cluster}: {name} was not sent. {row.problem.what}"
    taken = row.tracked.taken if row.tracked is not None else None
    if taken is not None and taken.error is not None:
        found = f" {taken.resolution.sentence}" if taken.resolution is not None else ""
        return f"{cluster}: {taken.sentence} {taken.error.what}{found}"
    if row.ended is SnapshotState.FAILED:
        return f"{cluster}: {name} failed."
    return f"{cluster}: {result_word(row)}: {name}."


def counts_sentence(rows: Sequence[BatchRow]) -> str:
    """`2 accepted, 1 unknown (3 clusters)`, the worst first."""
    counted = Counter(result_word(row) for row in rows)
    order = ["unknown", "failed", "refused", "not sent", "accepted", "succeeded"]
    counts = [f"{counted[word]} {word}" for word in order if counted[word]]
    return f"{', '.join(counts)} ({plural(len(rows), 'cluster')})"
