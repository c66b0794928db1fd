"""How a row of a cluster's snapshot history reads."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.text import plural
from ncp_tui.view.format import ZONE, date_time, lasted
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import BLANK, Cell, Line, Tone, field, line, raw_lines

if TYPE_CHECKING:
    from ncp_tui.snapshots.journal_entry import JournalEntry

_STATE_CELLS = {
    SnapshotState.SUCCESS: Cell("succeeded", Tone.GOOD),
    SnapshotState.FAILED: Cell("failed", Tone.BAD),
    SnapshotState.RUNNING: Cell("running", Tone.WARNING),
    SnapshotState.UNKNOWN: Cell("unknown", Tone.WARNING),
}


_MAY_BE_GONE = " (NCP may have deleted it since)"


def when(entry: HistoryEntry) -> str:
    """Its time in the zone of the column, or its date as it came where it cannot be read."""
    return date_time(entry.at) if entry.at else entry.date or "-"


def state_cell(entry: HistoryEntry) -> Cell:
    """The state of a snapshot by the history, in one word."""
    return _STATE_CELLS[entry.state]


def may_have_failed(entry: HistoryEntry) -> bool:
    """Whether it stays when only failures are wanted: a state of which nothing is known is no success."""
    return entry.state in {SnapshotState.FAILED, SnapshotState.UNKNOWN}


def _message_cell(entry: HistoryEntry) -> Cell:
    return Cell(entry.message or "-", Tone.DIM if entry.state is SnapshotState.SUCCESS else Tone.PLAIN)


HISTORY: Table[HistoryEntry] = Table(
    (
        Column(f"TIME ({ZONE})", lambda entry: Cell(when(entry), sort=entry.sort_key[0]), most=19, least=19),
        Column("SNAPSHOT", lambda entry: Cell(entry.snapshot or "-", Tone.STRONG), most=30, least=16),
        Column("STATE", state_cell, most=9, least=7),
        Column("BUCKET", lambda entry: Cell(entry.bucket or "-"), most=24, least=8, room=88),
        Column("TYPE", lambda entry: Cell((entry.kind or "-").lower()), most=10, room=84),
        Column("DURATION", lambda entry: Cell(lasted(entry.duration)), most=12, least=8),
        Column("MESSAGE", _message_cell, flex=1, least=6, room=104),
    ),
    key=lambda entry: f"{entry.index}/{entry.snapshot}/{when(entry)}",
    empty="No snapshots in the history.",
)


def history_lines(entry: HistoryEntry, create: JournalEntry | None = None) -> list[Line]:
    """A row in full, unknown members included; with what the journal has of the `create` that made it."""
    is_taken = entry.state is SnapshotState.SUCCESS
    return [
        field("snapshot", entry.snapshot, Tone.STRONG),
        field("state", state_cell(entry).text),
        field("bucket", entry.bucket or "-"),
        field("taken" if is_taken else "time", f"{entry.when or '-'}{_MAY_BE_GONE if is_taken else ''}"),
        field("type", entry.kind.lower() or "-"),
        field("duration", lasted(entry.duration)),
        field("message", entry.message or "-"),
        *(_journal_lines(create) if create is not None else []),
        BLANK,
        line("Raw API response", Tone.STRONG),
        *raw_lines(entry.raw),
    ]


def _journal_lines(create: JournalEntry) -> list[Line]:
    from ncp_tui.view.inventory import inventory_lines

    known = inventory_lines(create.inventory) if create.inventory is not None else []
    return [
        field("requested", f"{date_time(create.at)} {ZONE}, here, as {create.caller.profile or 'an unknown profile'}"),
        field("request ID", create.request_id or "-"),
        *([BLANK, *known] if known else []),
    ]


def extent(read: int, total: int | None, *, is_all: bool) -> str:
    """How much of a history has been read: `230 snapshots`, or `100 of 10,000 snapshots read`."""
    if is_all:
        return plural(read, "snapshot")
    return f"{read:,} of {plural(total, 'snapshot')} read" if total else f"{plural(read, 'snapshot')} read, not all"


def history_sentence(entry: HistoryEntry) -> str:
    """A snapshot's state in one line."""
    took = f", {lasted(entry.duration)}" if entry.duration else ""
    return f"{entry.snapshot}: {state_cell(entry).text}{took}"


def history_document(entry: HistoryEntry, read_at: datetime | None = None) -> dict[str, Any]:
    """A row for scripts. `at` carries NCP's zone, +09:00; a date that cannot be read is there as it came.

    `read_at` is when the list was read.
    """
    return {
        "snapshot": entry.snapshot,
        "bucket": entry.bucket or None,
        "at": entry.at.isoformat() if entry.at else entry.date or None,
        "kind": entry.kind or None,
        "state": entry.state.value,
        "message": entry.message,
        "duration": entry.duration or None,
        "failed": entry.state is SnapshotState.FAILED,
        **({"read_at": read_at.isoformat()} if read_at else {}),
        "raw": entry.raw,
    }
