"""A create of the journal in full, each fact as it was written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ncp_tui.snapshots import JournalEntry
from ncp_tui.text import clean
from ncp_tui.tui.cells import Tone
from ncp_tui.tui.documents.lines import BLANK, Line, Span, field, line, wrapped
from ncp_tui.view.quantities import ZONE, clock_time, date_time

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
        field("begun", f"{date_time(entry.at)} {ZONE}"),
        field("started?", entry.verdict.value),
        field("end", entry.state or "-"),
        field("request id", entry.request_id or "-"),
        BLANK,
        line(f"What was written down, in {ZONE}", Tone.STRONG),
        *[each for fact in entry.facts for each in _fact_lines(fact)],
    ]


def _fact_lines(fact: Mapping[str, Any]) -> list[Line]:
    details = ", ".join(
        f"{name.replace('_', ' ')}: {value}"
        for name, value in fact.items()
        if name not in _NOT_SAID and value not in (None, "")
    )
    first, *more = wrapped(clean(details), _FACT_WIDTH)
    start = (Span(f"{_time_of(fact):<10}", Tone.DIM), Span(f"{clean(str(fact['fact'])):<10}"), Span(first, Tone.DIM))
    return [start, *[line(" " * 20 + text, Tone.DIM) for text in more]]


def _time_of(fact: Mapping[str, Any]) -> str:
    """When it was written down; what is no time as it stands there."""
    text = str(fact.get("at"))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return clean(text)[11:19]
    return clock_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
