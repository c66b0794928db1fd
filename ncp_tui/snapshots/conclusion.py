"""What the evidence about one snapshot name proves, and by what: the journal, an answer, or the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.snapshots.history_match import Asked, Match, Whose, best_match
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import VERDICT_OF, Outcome, Verdict, outcome_of_class
from ncp_tui.system.time_zone import KST


@dataclass(frozen=True)
class Create:
    """One create request that is on record: when it was made, what it proves, and what was said of it."""

    at: datetime | None
    outcome: Outcome
    said: str
    bucket: str = ""


@dataclass(frozen=True)
class Conclusion:
    """What became of the newest create of a name. `outcome` is None where no create is on record here."""

    verdict: Verdict
    outcome: Outcome | None
    resolved_by: str | None
    """`journal`, `answer` or `history`; None where nobody can tell."""
    finished: str | None
    """`success` or `failed`; None where that is not known."""
    why: tuple[str, ...]


def verdict_of(
    asked: Asked,
    entries: Sequence[JournalEntry],
    creates: Sequence[Create],
    history: Sequence[HistoryEntry] | None,
    looked_at: datetime,
) -> Conclusion:
    """Judge the newest create of what was `asked` for by its name and cluster; `history` was read at `looked_at`.

    The newest record is asked first: the journal, since it also knows what was resolved later, unless a request on
    record left after all that the journal tells of; and where that leaves it open, the history. A row that can be this
    create is never explained away: where the record says that nothing was started, nobody can tell.
    """
    later = _left_after(entries, creates)
    if later:
        entries = ()
    outcome, by, why = _on_record(asked.name, entries, creates)
    reasons = [why]
    found = _match(asked, entries, creates, history, looked_at)
    row = found.row if found is not None and found.whose is Whose.OURS else None
    if found is None and history is not None:
        reasons.append("The history has no row of that name. It may lag: that alone proves nothing.")
    elif found is not None:
        reasons.append(_of_row(found))
        refused = outcome in {Outcome.REFUSED, Outcome.NOT_SENT}
        if found.whose is Whose.OURS and outcome in {None, Outcome.UNKNOWN}:
            outcome, by = Outcome.ACCEPTED, "history"
        elif found.whose is not Whose.NOT_OURS and refused:
            reasons.append("It is not known who asked for that row: a request that was not written down may have.")
            outcome, row = Outcome.UNKNOWN, None
    state = entries[-1].state if entries else None
    if row is not None and row.state in {SnapshotState.SUCCESS, SnapshotState.FAILED}:
        state = row.state.value
    verdict = Verdict.CANNOT_TELL if outcome is None else VERDICT_OF[outcome]
    return Conclusion(verdict, outcome, by if verdict is not Verdict.CANNOT_TELL else None, state, tuple(reasons))


def outcome_of_kind(kind: str | None, *, sent: bool) -> Outcome:
    """What the `kind` of a create's error proves; None is a confirmed success. A kind nobody knows proves nothing."""
    if kind is None:
        return Outcome.ACCEPTED
    found = next((error for error in _kinds(GatewayError) if error.kind == kind), None)
    if found is None:
        return Outcome.UNKNOWN if sent else Outcome.NOT_SENT
    return outcome_of_class(found)


def _on_record(
    name: str, entries: Sequence[JournalEntry], creates: Sequence[Create]
) -> tuple[Outcome | None, str | None, str]:
    if entries:
        entry = entries[-1]
        return (
            entry.outcome,
            "journal",
            f"The journal's create of {entry.at.astimezone(KST):%Y-%m-%d %H:%M:%S} KST: {_last_event(entry)}.",
        )
    if creates:
        create = creates[-1]
        at = f" of {create.at.astimezone(KST):%Y-%m-%d %H:%M:%S} KST" if create.at else ""
        return create.outcome, "answer", f"The create request{at}: {create.said}"
    return None, None, f"No create of {name} is on record on this machine."


def _last_event(entry: JournalEntry) -> str:
    """The newest line, its time and id apart."""
    event = entry.events[-1]
    said = ", ".join(f"{key} {value}" for key, value in event.items() if key not in {"id", "fact", "at"} and value)
    return f"{event['fact']}{f' ({said})' if said and event is not entry.events[0] else ''}"


def _left_after(entries: Sequence[JournalEntry], creates: Sequence[Create]) -> bool:
    """Whether the newest request on record left after everything the journal has about requests."""
    if not entries or not creates or creates[-1].at is None:
        return False
    about_requests = {JournalEvent.BEGUN, JournalEvent.SENT, JournalEvent.ANSWERED, JournalEvent.OUTCOME}
    told = [_moment(event.get("at")) for event in entries[-1].events if event.get("fact") in about_requests]
    newest = max((at for at in told if at is not None), default=entries[-1].at)
    return creates[-1].at > newest


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _match(
    asked: Asked,
    entries: Sequence[JournalEntry],
    creates: Sequence[Create],
    history: Sequence[HistoryEntry] | None,
    looked_at: datetime,
) -> Match | None:
    """The row that tells most of the newest create."""
    if entries:
        asked = Asked.by(entries[-1]).on_clock(asked.clock_offset)
    elif creates and creates[-1].at is not None:
        asked = replace(asked, at=creates[-1].at, bucket=creates[-1].bucket)
    return best_match(asked, history or (), looked_at)


def _of_row(found: Match) -> str:
    row = found.row
    at = f" at {row.when}" if row.when else ""
    said = f"The history has a row of that name{at}: {row.message or row.state.value}."
    if found.whose is Whose.OURS:
        return said
    return f"{said} {'It may be this one' if found.whose is Whose.MAY_BE else 'It is not this one'}: {found.why}."


def _kinds(error: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield error
    for below in error.__subclasses__():
        yield from _kinds(below)
