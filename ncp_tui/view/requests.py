"""How a snapshot request of this machine's journal reads: what is proved of it, and whether it is unresolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ncp_tui.problem import Problem
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import HELD_ELSEWHERE, Verdict, verdict_word
from ncp_tui.text import clean, plural
from ncp_tui.view.format import ZONE, clock_time, date_time
from ncp_tui.view.inventory import inventory_lines
from ncp_tui.view.table import Column, Table
from ncp_tui.view.text import BLANK, Cell, Line, Span, Tone, field, line, wrapped

if TYPE_CHECKING:
    from ncp_tui.snapshots.resolve import Resolution

UNRESOLVED = "{count}, {unresolved:,} unresolved."
RESOLVED = "{name} is already resolved."
ACCEPTED_DAMAGE = "Requests that the damage hides stay unknown, and their snapshots can be requested again."
"""What accepting damage of the journal means."""

_EVENT_WIDTH = 44
_VERDICT_TONES = {Verdict.STARTED: Tone.GOOD, Verdict.NOT_STARTED: Tone.PLAIN, Verdict.UNKNOWN: Tone.WARNING}
_STATE_CELLS = {"success": Cell("succeeded", Tone.GOOD), "failed": Cell("failed", Tone.BAD)}
"""By the word of the journal."""

_DETAILS = {"maskedAccessKey": "access key", "keyBefore": "key before"}
"""What the journal notes of a request besides the parameters of the API, in words."""

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
        "inventory",
    }
)


@dataclass(frozen=True)
class ListedRequest:
    """A request in a list. `tracked`: this run waits for its end."""

    entry: JournalEntry
    unresolved: str = ""
    """How the face says that it is unresolved; empty where it is not, or another program checks it."""
    tracked: bool = False


def _state_cell(listed: ListedRequest) -> Cell:
    entry = listed.entry
    if listed.unresolved:
        return Cell(listed.unresolved, Tone.WARNING)
    if entry.is_open:
        return Cell("checking", Tone.WARNING)
    if entry.state is None and any(event["fact"] == JournalEvent.DISMISSED for event in entry.events):
        return Cell("marked resolved", Tone.DIM)
    if entry.is_under_way:
        return Cell("running", Tone.WARNING) if listed.tracked else Cell("unknown", Tone.DIM)
    return _STATE_CELLS.get(entry.state or "", Cell(entry.state or "-", Tone.DIM))


def _verdict_cell(listed: ListedRequest) -> Cell:
    verdict = listed.entry.verdict
    return Cell(verdict_word(verdict, is_create=listed.entry.is_create), _VERDICT_TONES[verdict])


REQUESTS: Table[ListedRequest] = Table(
    (
        Column(
            f"REQUESTED ({ZONE})",
            lambda listed: Cell(date_time(listed.entry.at), sort=listed.entry.at.timestamp()),
            most=19,
            least=19,
        ),
        Column(
            "SUBJECT",
            lambda listed: Cell(clean(listed.entry.subject), Tone.STRONG),
            most=30,
            least=14,
            aliases=("snapshot",),
        ),
        Column("REQUEST", _verdict_cell, most=11, least=11),
        Column("SNAPSHOT STATE", _state_cell, most=15, least=9),
        Column("CLUSTER", lambda listed: Cell(clean(listed.entry.request.cluster_name)), most=24, least=8, room=84),
        Column("PROFILE", lambda listed: Cell(clean(listed.entry.caller.profile)), flex=1, least=6, room=104),
    ),
    key=lambda listed: listed.entry.id,
)


def request_entry_lines(entry: JournalEntry) -> list[Line]:
    """A request in full, each event as it was written."""
    request, caller = entry.request, entry.caller
    return [
        field("snapshot" if entry.is_create else "operation", entry.subject, Tone.STRONG),
        field("cluster", f"{request.cluster_name} ({request.cluster_number})"),
        *([field("bucket", request.bucket)] if entry.is_create else []),
        *[field(_DETAILS.get(name, name), str(value)) for name, value in entry.details.items()],
        field("profile", f"{caller.profile}   {caller.site}/{caller.region}"),
        field("gateway", caller.gateway),
        field("requested", f"{date_time(entry.at)} {ZONE}"),
        field("request", verdict_word(entry.verdict, is_create=entry.is_create)),
        field("state", _STATE_CELLS.get(entry.state or "", Cell(entry.state or "-")).text),
        field("request ID", entry.request_id or "-"),
        BLANK,
        line(f"Journal ({ZONE})", Tone.STRONG),
        *[each for event in entry.events for each in _event_lines(event)],
        *([] if entry.inventory is None else [BLANK, *inventory_lines(entry.inventory)]),
    ]


def how_many(
    entries: Sequence[JournalEntry], unresolved: Sequence[JournalEntry], sentence: str = UNRESOLVED
) -> tuple[str, Tone]:
    """How many requests there are and how many are unresolved, and the tone of that.

    `sentence` says that some are, as a face has it: with what resolves them.
    """
    count = plural(len(entries), "request")
    if not entries:
        return "No requests in the journal.", Tone.PLAIN
    if unresolved:
        return sentence.format(count=count, unresolved=len(unresolved)), Tone.WARNING
    held = [entry for entry in entries if entry.is_open]
    if held:
        return f"{count}, {len(held):,} being sent or checked by a running ncp-tui.", Tone.WARNING
    unproved = sum(entry.verdict is Verdict.UNKNOWN for entry in entries)
    if unproved:
        return f"{count}, all resolved, {unproved:,} of them marked resolved without proof.", Tone.PLAIN
    return f"{count}, all resolved.", Tone.PLAIN


def why_not_resolved(entry: JournalEntry | None, resolved: str = RESOLVED) -> tuple[str, Tone]:
    """Why a request is neither checked nor marked resolved now, and the tone.

    `resolved` says that it is, as a face has it: with what shows it.
    """
    if entry is None:
        return "No request selected.", Tone.PLAIN
    if entry.is_open:
        return f"{entry.subject} is being checked right now.", Tone.WARNING
    return resolved.format(name=entry.subject), Tone.PLAIN


def found_out(name: str, found: Resolution | None, problem: Problem | None, *, is_dismissed: bool) -> tuple[str, Tone]:
    """The result of a check, and its tone; the evidence stands in `verdict_card`."""
    if is_dismissed:
        if found is None:
            return f"{name} was marked resolved during the check, which found nothing.", Tone.WARNING
        said = f"{name} was marked resolved during the check, which found: {found.word}, {found.evidence}"
        return said, Tone.WARNING
    if problem is not None:
        return f"{name} was not checked and stays unresolved.", Tone.WARNING
    if found is None:
        return f"{name} is being checked by another ncp-tui, or was just resolved there.", Tone.WARNING
    if found.verdict is Verdict.UNKNOWN:
        return f"{_verdict_of(name, found)} Still unresolved.", Tone.WARNING
    return _verdict_of(name, found), Tone.GOOD


def verdict_card(name: str, found: Resolution) -> Problem:
    """The verdict with its evidence, and what to do next."""
    return Problem(_verdict_of(name, found), found.evidence[:1].upper() + found.evidence[1:], found.next_step)


def _verdict_of(name: str, found: Resolution) -> str:
    return f"{found.word.capitalize()}: {name}."


def checking_sentence(name: str) -> str:
    """That the history is being checked for a request."""
    return f"Checking {name} ..."


def marked_sentence(name: str, *, being_checked: bool = False) -> str:
    """That a request was marked resolved, also while a check of it is not over."""
    if being_checked:
        return f"{name} marked as resolved. The check that runs will still report its result."
    return f"{name} marked as resolved. ncp-tui no longer checks it."


def marking_question(entry: JournalEntry) -> str:
    """What it means to mark a request resolved."""
    name = entry.subject
    if not entry.is_create:
        return (
            f"Mark {name} of {entry.request.cluster} as resolved? Do this only after you have checked it in the NCP "
            "console: ncp-tui stops checking it."
        )
    return (
        f"Mark {name} as resolved? Do this only after you have checked the snapshot in the NCP console: "
        "ncp-tui stops checking it. A second request for this name still needs your yes."
    )


def unresolved_sentence(entries: Sequence[JournalEntry]) -> str:
    """Which requests are unresolved, which are one or more."""
    if len(entries) == 1:
        happened = "started" if entries[0].is_create else "taken effect"
        return f"Unresolved: {entries[0].subject} may or may not have {happened}."
    if all(entry.is_create for entry in entries):
        return f"{len(entries):,} snapshot requests are unresolved: each may or may not have started."
    return f"{len(entries):,} requests are unresolved: each may or may not have taken effect."


def resolved_text(entry: JournalEntry, resolution: Resolution | None) -> str:
    """A request and what a check has found, in two lines; without a resolution another program checks it."""
    request = entry.request
    asked = ", ".join(part for part in (f"{date_time(entry.at)} {ZONE}", entry.caller.profile) if part)
    said = resolution.sentence if resolution else HELD_ELSEWHERE
    return f"{entry.subject} on {request.cluster} ({asked})\n  {said}"


def request_entry_document(entry: JournalEntry, resolution: Resolution | None) -> dict[str, Any]:
    """A request and what a check has found, for scripts; `verdict` is null while another program checks it."""
    request, caller = entry.request, entry.caller
    return {
        "id": entry.id,
        "at": entry.at.isoformat(),
        "profile": caller.profile,
        "site": caller.site,
        "region": caller.region,
        "cluster": {"name": request.cluster_name, "number": request.cluster_number},
        "operation": entry.operation,
        "snapshot": request.name or None,
        "bucket": request.bucket or None,
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
    """When it was recorded; a text that is not a time stays as it is."""
    text = str(event.get("at"))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return clean(text)[11:19]
    return clock_time(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
