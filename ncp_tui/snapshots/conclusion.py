"""What is proved of the newest create of a snapshot name, by everything that is on record of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ncp_tui.gateway.classify import classify_answer, payload_of
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import Exchange
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.search_engine.operations import OPERATIONS, Effect
from ncp_tui.snapshots.history_match import Asked, Match, Whose, best_match
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import VERDICT_OF, Outcome, Verdict, outcome_of, outcome_of_class
from ncp_tui.system.time_zone import KST

TAKEN = "That a snapshot was taken does not prove that it is still there: NCP deletes old ones by an unpublished rule."
"""What goes with each success: the history is a log of attempts."""


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
    """`journal`, `answer` or `history`; None where it is unknown."""
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
    """Judge the newest create of `asked`, by its name and cluster; `history` was read at `looked_at`.

    The newest record is asked first: the journal, since it also knows what was resolved later, unless a request on
    record left after all that the journal tells of; and where that leaves it open, the history. A row that can be this
    create is never explained away: where the record says that nothing was started, it is unknown.
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
            reasons.append("Who requested that row is unknown: a request that is not in the journal may have.")
            outcome, row = Outcome.UNKNOWN, None
    state = entries[-1].state if entries else None
    if row is not None and row.state in {SnapshotState.SUCCESS, SnapshotState.FAILED}:
        state = row.state.value
    if state == SnapshotState.SUCCESS.value:
        reasons.append(TAKEN)
    verdict = Verdict.UNKNOWN if outcome is None else VERDICT_OF[outcome]
    return Conclusion(verdict, outcome, by if verdict is not Verdict.UNKNOWN else None, state, tuple(reasons))


def outcome_of_kind(kind: str | None, *, sent: bool) -> Outcome:
    """What the `kind` of a create's error proves; None is a confirmed success. An unknown kind proves nothing."""
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
    return None, None, f"This machine has no record of a request for {name}."


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
    told = [moment(event.get("at")) for event in entries[-1].events if event.get("fact") in about_requests]
    newest = max((at for at in told if at is not None), default=entries[-1].at)
    return creates[-1].at > newest


def moment(value: object) -> datetime | None:
    """A time as a record has it; None where it is none."""
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


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
    return (
        f"{said} {'It may be this snapshot' if found.whose is Whose.MAY_BE else 'It is another snapshot'}: {found.why}."
    )


def _kinds(error: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield error
    for below in error.__subclasses__():
        yield from _kinds(below)


def judged(exchange: Exchange) -> dict[str, Any]:
    """What the answer, or its absence, amounts to: the error's class and kind, and whether it may have had an effect.

    `outcome` is a write's; a read has none.
    """
    operation = OPERATIONS.get(exchange.operation)
    is_write = operation is None or operation.effect is not Effect.READ
    error: GatewayError | None = None
    if exchange.answer is not None and exchange.answer.forgotten:
        outcome = Outcome.ACCEPTED  # only what was a confirmed success is forgotten
    elif exchange.answer is not None:
        boolean = operation is not None and operation.boolean
        refuses = operation is not None and operation.null_refuses
        error = classify_answer(exchange.answer, payload_of(exchange.answer), boolean=boolean, null_refuses=refuses)
        outcome = Outcome.ACCEPTED if error is None else outcome_of(error)
    else:
        outcome = outcome_of_kind(exchange.error, sent=exchange.sent)
    return {
        "class": type(error).__name__ if error else None,
        "kind": error.kind if error else exchange.error,
        "code": error.code if error else None,
        "message": error.message if error else None,
        "may_have_acted": is_write and outcome in {Outcome.ACCEPTED, Outcome.UNKNOWN},
        "outcome": outcome.value if is_write else None,
    }
