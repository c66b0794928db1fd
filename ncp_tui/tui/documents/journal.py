"""A create of the journal in full, each fact as it was written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ncp_tui.gateway import clean
from ncp_tui.snapshots import JournalEntry
from ncp_tui.tui.cells import Tone
from ncp_tui.tui.documents.lines import BLANK, Line, Span, field, line, wrapped

_FACT_WIDTH = 44


_NOT_SAID = {
    "id",
    "fact",
    "at",
    "profile",
    "zone",
    "region",
    "gateway",
    "cluster",
    "cluster_name",
    "name",
    "bucket",
} | {
    "process",
    "seen_before",
}


def journal_lines(entry: JournalEntry) -> list[Line]:
    """A create of the journal in full, each fact as it was written."""
    request, caller = entry.request, entry.caller
    return [
        field("snapshot", request.name, Tone.STRONG),
        field("cluster", f"{request.cluster_name} ({request.cluster_number})"),
        field("bucket", request.bucket),
        field("profile", f"{caller.profile}   {caller.zone}/{caller.region}"),
        field("gateway", caller.gateway),
        field("begun", f"{entry.at:%Y-%m-%d %H:%M:%S} UTC"),
        field("started?", entry.verdict.value),
        field("end", entry.state or "-"),
        field("request id", entry.request_id or "-"),
        BLANK,
        line("What was written down, in UTC", Tone.STRONG),
        *[each for fact in entry.facts for each in _fact_lines(fact)],
    ]


def _fact_lines(fact: Mapping[str, Any]) -> list[Line]:
    at = clean(str(fact.get("at")))[11:19]
    details = ", ".join(
        f"{name.replace('_', ' ')}: {value}"
        for name, value in fact.items()
        if name not in _NOT_SAID and value not in (None, "")
    )
    first, *more = wrapped(clean(details), _FACT_WIDTH)
    start = (Span(f"{at:<10}", Tone.DIM), Span(f"{clean(str(fact['fact'])):<10}"), Span(first, Tone.DIM))
    return [start, *[line(" " * 20 + text, Tone.DIM) for text in more]]
