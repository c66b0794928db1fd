"""A snapshot in the history, and the bucket that it can go to."""

from __future__ import annotations

from ncp_tui.search_engine import Bucket, HistoryEntry, SnapshotState
from ncp_tui.tui.cells import Cell, Row, Tone
from ncp_tui.view.quantities import date_time, size

_STATE_WORDS = {
    SnapshotState.SUCCESS: ("ok", Tone.GOOD),
    SnapshotState.FAILED: ("failed", Tone.BAD),
    SnapshotState.RUNNING: ("running", Tone.WARNING),
    SnapshotState.UNKNOWN: ("unclear", Tone.WARNING),
}


def history_row(entry: HistoryEntry) -> Row:
    """A line of the history screen."""
    when = date_time(entry.at) if entry.at else entry.date or "-"
    cells = (
        Cell(when, sort=entry.sort_key[0]),
        Cell(entry.snapshot or "-", Tone.STRONG),
        state_cell(entry),
        Cell(entry.bucket or "-"),
        Cell((entry.kind or "-").lower()),
        Cell(entry.duration or "-"),
        Cell(entry.message or "-", Tone.DIM if entry.state is SnapshotState.SUCCESS else Tone.PLAIN),
    )
    return Row(f"{entry.index}/{entry.snapshot}/{when}", cells)


def state_cell(entry: HistoryEntry) -> Cell:
    """What the history proves about a snapshot, in one word."""
    word, tone = _STATE_WORDS[entry.state]
    return Cell(word, tone)


def bucket_row(bucket: Bucket) -> Row:
    """A line of the bucket list; why a bucket cannot be used stands beside it."""
    use = Cell("usable", Tone.GOOD) if bucket.usable else Cell(bucket.reason, Tone.BAD)
    cells = (
        Cell(bucket.name, Tone.STRONG if bucket.usable else Tone.DIM),
        Cell(size(bucket.bytes_used), sort=bucket.bytes_used or 0),
        Cell("-" if bucket.objects is None else f"{bucket.objects:,}", sort=bucket.objects or 0),
        use,
    )
    return Row(bucket.name, cells, dim=not bucket.usable)
