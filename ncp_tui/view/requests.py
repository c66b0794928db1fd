"""How a snapshot request reads that the journal of this machine holds: what is proved of it, and what is left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ncp_tui.problem import Problem
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import HELD_ELSEWHERE, Verdict
from ncp_tui.text import clean, plural
from ncp_tui.view.format import ZONE, clock_time, date_time
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import BLANK, Cell, Line, Span, Tone, field, line, wrapped

if TYPE_CHECKING:
    from ncp_tui.snapshots.history_search import Resolution

_EVENT_WIDTH = 44
_VERDICT_TONES = {Verdict.STARTED: Tone.GOOD, Verdict.NOT_STARTED: Tone.PLAIN, Verdict.CANNOT_TELL: Tone.WARNING}
_END_TONES = {"success": Tone.GOOD, "failed": Tone.BAD}
_NOT_SAID = frozenset(
    {
        "id",
        "fact",
        "at",
        "profile",
        "zone",  # as the journal's file calls the site
        "region",
        "gateway",
        "cluster",
        "cluster_name",
        "name",
        "bucket",
        "process",
        "seen_before",
    }
)


@dataclass(frozen=True)
class ListedRequest:
    """A request in a list. `followed`: this run waits for its end."""

    entry: JournalEntry
    unresolved: str = ""
    """How the face says that it is left to find out about; empty where it is not, or others do."""
    followed: bool = False


def _end_cell(listed: ListedRequest) -> Cell:
    entry = listed.entry
    if listed.unresolved:
        return Cell(listed.unresolved, Tone.WARNING)
    if entry.is_open:
        return Cell("in the making", Tone.WARNING)
    if entry.state is None and any(event["fact"] == JournalEvent.DISMISSED for event in entry.events):
        return Cell("dismissed", Tone.DIM)
    if entry.is_under_way:
        return Cell("running", Tone.WARNING) if listed.followed else Cell("not known", Tone.DIM)
    return Cell(entry.state or "-", _END_TONES.get(entry.state or "", Tone.DIM))


def _verdict_cell(listed: ListedRequest) -> Cell:
    return Cell(listed.entry.verdict.value, _VERDICT_TONES[listed.entry.verdict])


REQUESTS: Table[ListedRequest] = Table(
    (
        Column(
            f"ASKED AT ({ZONE})",
            lambda listed: Cell(date_time(listed.entry.at), sort=listed.entry.at.timestamp()),
            most=19,
            least=19,
        ),
        Column("SNAPSHOT", lambda listed: Cell(clean(listed.entry.request.name), Tone.STRONG), most=30, least=16),
        Column("STARTED?", _verdict_cell, most=11, least=11),
        Column("END", _end_cell, most=13, least=9),
        Column("CLUSTER", lambda listed: Cell(clean(listed.entry.request.cluster_name)), most=24, least=8, room=84),
        Column("PROFILE", lambda listed: Cell(clean(listed.entry.caller.profile)), flex=1, least=6, room=104),
    ),
    key=lambda listed: listed.entry.id,
)


def request_entry_lines(entry: JournalEntry) -> list[Line]:
    """A request in full, each event as it was written."""
    request, caller = entry.request, entry.caller
    return [
        field("snapshot", request.name, Tone.STRONG),
        field("cluster", f"{request.cluster_name} ({request.cluster_number})"),
        field("bucket", request.bucket),
        field("profile", f"{caller.profile}   {caller.site}/{caller.region}"),
        field("gateway", caller.gateway),
        field("begun", f"{date_time(entry.at)} {ZONE}"),
        field("started?", entry.verdict.value),
        field("end", entry.state or "-"),
        field("request id", entry.request_id or "-"),
        BLANK,
        line(f"What was written down, in {ZONE}", Tone.STRONG),
        *[each for event in entry.events for each in _event_lines(event)],
    ]


def how_many(entries: Sequence[JournalEntry], unresolved: Sequence[JournalEntry], means: str = "") -> tuple[str, Tone]:
    """How many requests there are and how many of them are open, and the tone of that; `means` closes those."""
    count = plural(len(entries), "create")
    if not entries:
        return "The journal is empty.", Tone.PLAIN
    if unresolved:
        return f"{count}, {len(unresolved)} open{means and f': {means}'}.", Tone.WARNING
    held = [entry for entry in entries if entry.is_open]
    if held:
        words = f"{count}, {len(held)} not known yet: a program that runs now sends it, or looks for it."
        return words, Tone.WARNING
    unproved = sum(entry.verdict is Verdict.CANNOT_TELL for entry in entries)
    return f"{count}, none open{f'; {unproved} dismissed without a proof' * bool(unproved)}.", Tone.PLAIN


def why_not_resolved(entry: JournalEntry | None, means: str = "") -> tuple[str, Tone]:
    """Why a request is neither looked for nor dismissed now, and the tone of that; `means` shows one that is over."""
    if entry is None:
        return "There is no request under the cursor.", Tone.PLAIN
    if entry.is_open:
        return f"Looked for right now, so not known yet: {entry.request.name}.", Tone.WARNING
    return f"Not open any more: {entry.request.name}.{means and f' {means}.'}", Tone.PLAIN


def found_out(name: str, found: Resolution | None, problem: Problem | None, *, is_dismissed: bool) -> tuple[str, Tone]:
    """What a look came to, and its tone; the evidence stands in `verdict_card`."""
    if is_dismissed:
        what = "nothing more" if found is None else f"{found.verdict.value}: {found.evidence}"
        return f"Dismissed while it was looked for: {name}. The look found {what}.", Tone.WARNING
    if problem is not None:
        return f"Not looked for: {name}. It stays open.", Tone.WARNING
    if found is None:
        return f"Another program has {name} in its hands, or has resolved it just now.", Tone.WARNING
    if found.verdict is Verdict.CANNOT_TELL:
        return f"{_verdict_of(name, found)} It stays open.", Tone.WARNING
    return _verdict_of(name, found), Tone.GOOD


def verdict_card(name: str, found: Resolution) -> Problem:
    """The verdict with its evidence, and what to do next."""
    return Problem(_verdict_of(name, found), found.evidence[:1].upper() + found.evidence[1:], found.next_step)


def _verdict_of(name: str, found: Resolution) -> str:
    return f"{found.verdict.value.capitalize()}: {name}."


def dismissal_question(name: str) -> str:
    """What a dismissal means."""
    return (
        f"Have you seen for yourself what became of {name}? If you say yes, it counts as done with: "
        "nobody looks for it any more. Another create of that name still asks."
    )


def unresolved_words(entries: Sequence[JournalEntry]) -> str:
    """Which requests are open, as the part of a sentence that names the way to them."""
    if len(entries) == 1:
        return f"it is not known whether {entries[0].request.name} was started"
    return f"of {len(entries):,} creates it is not known whether they were started"


def resolved_text(entry: JournalEntry, resolution: Resolution | None) -> str:
    """A request and what was found out about it, in two lines; without a settlement another program has it."""
    request = entry.request
    asked = ", ".join(part for part in (f"{date_time(entry.at)} {ZONE}", entry.caller.profile) if part)
    said = resolution.sentence if resolution else HELD_ELSEWHERE
    return f"{request.name} of {request.cluster} ({asked})\n  {said}"


def request_entry_document(entry: JournalEntry, resolution: Resolution | None) -> dict[str, Any]:
    """A request and what was found out about it, for scripts; `verdict` is null while another program has it."""
    request, caller = entry.request, entry.caller
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "profile": caller.profile,
        "site": caller.site,
        "region": caller.region,
        "cluster": {"name": request.cluster_name, "number": request.cluster_number},
        "snapshot": request.name,
        "bucket": request.bucket,
        "request_id": entry.request_id,
        "verdict": resolution.verdict.value if resolution else None,
        "evidence": resolution.evidence if resolution else None,
        "next_step": (resolution.next_step or None) if resolution else None,
    }


def _event_lines(event: Mapping[str, Any]) -> list[Line]:
    details = ", ".join(
        f"{name.replace('_', ' ')}: {value}"
        for name, value in event.items()
        if name not in _NOT_SAID and value not in (None, "")
    )
    first, *more = wrapped(clean(details), _EVENT_WIDTH)
    start = (Span(f"{_time_of(event):<10}", Tone.DIM), Span(f"{clean(str(event['fact'])):<10}"), Span(first, Tone.DIM))
    return [start, *[line(" " * 20 + text, Tone.DIM) for text in more]]


def _time_of(event: Mapping[str, Any]) -> str:
    """When it was written down; what is no time as it stands there."""
    text = str(event.get("at"))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return clean(text)[11:19]
    return clock_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
