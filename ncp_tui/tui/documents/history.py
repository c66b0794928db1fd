"""A row of the history in full, members that nobody knows included."""

from __future__ import annotations

from ncp_tui.search_engine import HistoryEntry
from ncp_tui.tui.cells import Tone
from ncp_tui.tui.documents.bodies import raw_lines
from ncp_tui.tui.documents.lines import BLANK, Line, field, line


def history_lines(entry: HistoryEntry) -> list[Line]:
    """A row of the history in full, members that nobody knows included."""
    return [
        field("snapshot", entry.snapshot, Tone.STRONG),
        field("state", entry.state),
        field("bucket", entry.bucket or "-"),
        field("at", entry.when or "-"),
        field("kind", entry.kind or "-"),
        field("duration", entry.duration or "-"),
        field("message", entry.message or "-"),
        BLANK,
        line("As the service gave it", Tone.STRONG),
        *raw_lines(entry.raw),
    ]
