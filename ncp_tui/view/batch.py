"""How a batch of creates reads: before it is sent, a row a cluster with its checks; afterwards, what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import SnapshotState
from ncp_tui.snapshots.batch import BatchRow, BrokenOff
from ncp_tui.snapshots.cluster_summary import UsualDuration
from ncp_tui.snapshots.outcome import Outcome
from ncp_tui.text import clean, plural
from ncp_tui.view.format import age, elapsed
from ncp_tui.view.preflight import check_lines, check_word
from ncp_tui.view.progress import Words, estimate, progress_lines
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import BLANK, Cell, Line, Span, Tone, field, line, wrapped

_WIDTH, _LABELLED = 76, 13
"""Cells of a line of details, and how many of them the label takes."""

LEFT_OUT = "Left out by you."
"""Why a row is not sent that the user has taken out of a batch."""

_WORDS = {
    Outcome.ACCEPTED: ("accepted", Tone.GOOD),
    Outcome.REFUSED: ("refused", Tone.BAD),
    Outcome.NOT_SENT: ("not sent", Tone.WARNING),
    Outcome.UNKNOWN: ("unknown", Tone.WARNING),
}
_ENDS = {SnapshotState.SUCCESS: ("succeeded", Tone.GOOD), SnapshotState.FAILED: ("failed", Tone.BAD)}


def _checks_cell(row: BatchRow) -> Cell:
    """The worst word of its checks, and of which; why a row is blocked has a sentence of its own."""
    if row.left_out:
        return _result_cell(row) if row.left_out == LEFT_OUT else Cell(row.left_out, Tone.WARNING)
    if row.problem is not None:
        check = row.draft.preflight.blocked if row.draft is not None else None
        return Cell(f"block: {check.subject if check is not None else row.problem.what}", Tone.BAD)
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
    if row.left_out == LEFT_OUT:
        return Cell("left out", Tone.DIM)
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


@dataclass(frozen=True)
class ShownRow:
    """One cluster of a batch as a screen shows it, while the batch is sent and afterwards."""

    row: BatchRow
    is_over: bool
    """Whether nothing more of the batch is sent."""
    usual: UsualDuration | None
    now: float
    """Monotonic."""


def _state_cell(shown: ShownRow) -> Cell:
    row, tracked = shown.row, shown.row.tracked
    if row.is_to_be_sent and not shown.is_over:
        return Cell("waiting", Tone.DIM)
    if tracked is not None and tracked.is_resolving:
        return Cell("no answer; checking the history", Tone.WARNING)
    if tracked is not None and tracked.is_open and not tracked.is_being_sent:
        return Cell(f"running, {elapsed(max(0.0, shown.now - tracked.asked_monotonic))}", Tone.WARNING)
    return _result_cell(row)


def _left_cell(shown: ShownRow) -> Cell:
    guess = estimate(shown.row.tracked, shown.usual, shown.now) if shown.row.tracked is not None else None
    return Cell(guess.left if guess is not None else "-")


SENDING: Table[ShownRow] = Table(
    (
        Column("CLUSTER", lambda shown: _cluster_cell(shown.row), most=30, least=10),
        Column("SNAPSHOT", lambda shown: Cell(shown.row.request.name), most=30, least=12),
        Column("BUCKET", lambda shown: Cell(shown.row.request.bucket or "-"), most=24, least=8),
        Column("STATE", _state_cell, flex=1, least=12),
        Column("ESTIMATED", _left_cell, most=20, least=8, room=110),
    ),
    key=lambda shown: _key(shown.row),
    empty="No clusters.",
)
"""From the first request on."""


def review_sentence(rows: Sequence[BatchRow]) -> str:
    """How many are to be created, blocked and left out: `12 clusters: 10 to create, 1 blocked, 1 left out`."""
    counts = {
        "to create": sum(row.is_to_be_sent for row in rows),
        "blocked": len(blocked(rows)),
        "left out": sum(bool(row.left_out) for row in rows),
        "sent before": sum(row.entry is not None and not row.left_out for row in rows),
    }
    found = ", ".join(f"{count} {word}" for word, count in counts.items() if count or word == "to create")
    return f"{plural(len(rows), 'cluster')}: {found}."


def blocked(rows: Sequence[BatchRow]) -> list[BatchRow]:
    """The rows that cannot be sent, and that the user has not left out."""
    return [row for row in rows if row.problem is not None and not row.left_out]


def blocked_sentence(rows: Sequence[BatchRow]) -> str:
    """How many rows keep the batch from being sent, and the first of them; its reason is among its details."""
    first, *more = blocked(rows)
    others = f" and {plural(len(more), 'other')}" if more else ""
    return f"{len(more) + 1} of {plural(len(rows), 'row')} blocked: {clean(first.request.cluster)}{others}."


def protected_question(profile: str, rows: Sequence[BatchRow]) -> str:
    """The question where the profile is protected; the words to type stand below it."""
    return f"Profile {clean(profile)} is protected. {batch_question(rows)} Type the words below to confirm:"


def review_lines(row: BatchRow, now: datetime, next_words: Words) -> list[Line]:
    """All that is known of one before it is sent; what blocks it comes first."""
    request = row.request
    lines: list[Line] = [(Span(f"{clean(request.cluster)}: ", Tone.STRONG), Span(request.name))]
    if row.left_out:
        lines.append(line(row.left_out, Tone.WARNING))
    if row.problem is not None:
        lines += _problem_lines("blocked", row.problem, next_words)
    if row.entry is not None:
        lines.append(field("sent before", result_word(row)))
    lines.append(field("bucket", request.bucket or "none chosen, and no good snapshot to take it from"))
    if row.draft is not None:
        lines += [BLANK, *check_lines(row.draft.preflight, now)]
    return lines


def _problem_lines(label: str, problem: Problem, next_words: Words) -> list[Line]:
    """What happened, what it means and what to do, in lines that fit a small window."""
    texts = (problem.what, problem.meaning, next_words(problem))
    found: list[Line] = []
    for place, text in enumerate(filter(None, texts)):
        for part in wrapped(text, _WIDTH - _LABELLED):
            found.append(field("" if found else label, part, Tone.PLAIN if place else Tone.BAD))
    return found


def sending_lines(shown: ShownRow, next_words: Words) -> list[Line]:
    """All that is known of one while the batch is sent, and afterwards."""
    row, tracked = shown.row, shown.row.tracked
    if row.is_to_be_sent and not shown.is_over:
        words = "waits for its turn: a few are sent at a time, and never two at once into one bucket."
        lines = [line(f"{clean(row.request.cluster)}: {row.request.name} {words}")]
    elif tracked is not None and tracked.is_open:
        return progress_lines(tracked, shown.usual, shown.now)
    else:
        lines = [line(text, _state_cell(shown).tone) for text in wrapped(row_sentence(row), _WIDTH)]
        if row.problem is not None:
            lines += _problem_lines("not sent", row.problem, next_words)
    lines.append(field("bucket", row.request.bucket or "-"))
    if tracked is not None and tracked.taken is not None and tracked.taken.request_id:
        lines.append(field("request ID", tracked.taken.request_id))
    return lines


def sending_sentence(id: str, rows: Sequence[BatchRow], stopped: str, *, is_over: bool) -> tuple[str, Tone]:  # noqa: A002
    """How far a batch is, or what became of it: what is bad comes first."""
    waiting = sum(row.is_to_be_sent for row in rows)
    if not is_over:
        done = [row for row in rows if not row.is_to_be_sent]
        sent = f" So far: {counts_sentence(done)}." if done else ""
        return (
            f"Batch {id}: {waiting} of {len(rows)} not sent yet.{sent}{f' {stopped}' if stopped else ''}",
            Tone.WARNING,
        )
    counts = f"Batch {id}: {counts_sentence(rows)}."
    if stopped:
        return f"Stopped: the rest was left out. {counts} {stopped}", Tone.WARNING
    is_good = all(row.outcome is Outcome.ACCEPTED and row.ended is not SnapshotState.FAILED for row in rows)
    return counts, Tone.PLAIN if is_good else Tone.WARNING


STOPPED_BY_USER = "Not sent: you stopped the batch."


def stop_question(rows: Sequence[BatchRow]) -> str:
    """What is asked before the rest of a batch is left out."""
    waiting = sum(row.is_to_be_sent for row in rows)
    return (
        f"Leave out what was not sent yet, {waiting} of {len(rows)}? What was sent continues; the rest can be resumed."
    )


def broken_off_words(found: BrokenOff, now: datetime) -> str:
    """`3 of 12 never left, prod, 2 h ago`."""
    plan = found.plan
    return f"{found.never_left} of {len(plan.requests)} never left, {clean(plan.caller.profile)}, {age(plan.at, now)}"


def left_over_sentence(id: str, waiting: int) -> str:  # noqa: A002
    """What a batch has not sent yet, where the program is about to end."""
    snapshots = f"{plural(waiting, 'snapshot')} of batch {id}"
    return f"Not sent yet: {snapshots}. What certainly never left can be resumed later."


def batch_question(rows: Sequence[BatchRow], *, share_buckets: bool = False) -> str:
    """What is agreed to with one yes; whether two may be written into one bucket at the same time is said."""
    number = sum(row.is_to_be_sent for row in rows)
    left_out = len(rows) - number
    rest = f" {plural(left_out, 'other row')} of the table will not be sent." if left_out else ""
    in_turn = (
        " Those into one bucket are created one after another."
        if number > len(_buckets(rows)) and not share_buckets
        else ""
    )
    return f"Create {plural(number, 'snapshot')}?{in_turn}{rest}"


def _buckets(rows: Sequence[BatchRow]) -> set[str]:
    """Those that are to be written into."""
    return {row.request.bucket for row in rows if row.is_to_be_sent}


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
    if row.ended is SnapshotState.FAILED:
        return f"{cluster}: {name} failed."
    taken = row.tracked.taken if row.tracked is not None else None
    if taken is not None and taken.error is not None and row.ended is None:
        if taken.outcome is Outcome.ACCEPTED:
            return f"{cluster}: {taken.sentence}"
        found = f" {taken.resolution.sentence}" if taken.resolution is not None else ""
        return f"{cluster}: {taken.sentence} {taken.error.what}{found}"
    return f"{cluster}: {result_word(row)}: {name}."


def counts_sentence(rows: Sequence[BatchRow]) -> str:
    """`2 accepted, 1 unknown (3 clusters)`, the worst first."""
    counted = Counter(result_word(row) for row in rows)
    order = ["unknown", "failed", "refused", "not sent", "being sent", "accepted", "succeeded", "left out"]
    counts = [f"{counted[word]} {word}" for word in order if counted[word]]
    return f"{', '.join(counts)} ({plural(len(rows), 'cluster')})"
