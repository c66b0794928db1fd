"""What the evidence about one snapshot name proves, and by what: the journal, an answer, or the history."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from ncp_tui.gateway import GatewayError
from ncp_tui.search_engine import HistoryEntry, SnapshotState
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.matching import find_snapshot
from ncp_tui.snapshots.outcome import VERDICT_OF, Outcome, Verdict, outcome_of
from ncp_tui.snapshots.settling import find_row


@dataclass(frozen=True)
class Create:
    """One create request that is on record: when it was made, what it proves, and what was said of it."""

    at: datetime | None
    outcome: Outcome
    said: str


@dataclass(frozen=True)
class Judgement:
    """What became of the newest create of a name. `outcome` is None where no create is on record here."""

    verdict: Verdict
    outcome: Outcome | None
    settled_by: str | None
    """`journal`, `answer` or `history`; None where nobody can tell."""
    finished: str | None
    """`success` or `failed`; None where that is not known."""
    why: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """All of it on one line."""
        return " ".join((f"{self.verdict.value.capitalize()}.", *self.why))


def verdict_of(
    name: str, entries: Sequence[JournalEntry], creates: Sequence[Create], history: Sequence[HistoryEntry] | None
) -> Judgement:
    """Judge the newest create of `name`.

    The journal is asked first, since it also knows what was settled later; then the requests on record; and where those
    leave it open, the history.
    """
    outcome, by, why = _on_record(name, entries, creates)
    row = _row(name, entries, creates, history)
    reasons = [why]
    if row is not None:
        at = f" at {row.at:%Y-%m-%d %H:%M:%S} KST" if row.at else ""
        reasons.append(f"The history has a row of that name{at}: {row.message or row.state.value}.")
        if outcome in {None, Outcome.UNKNOWN}:
            outcome, by = Outcome.ACCEPTED, "history"
        elif outcome is not Outcome.ACCEPTED:
            reasons.append("That row belongs to another request.")
            row = None
    elif history is not None:
        reasons.append("The history has no row that can be it. It may lag: that alone proves nothing.")
    state = entries[-1].state if entries else None
    if row is not None and row.state in {SnapshotState.SUCCESS, SnapshotState.FAILED}:
        state = row.state.value
    verdict = Verdict.CANNOT_TELL if outcome is None else VERDICT_OF[outcome]
    return Judgement(verdict, outcome, by if verdict is not Verdict.CANNOT_TELL else None, state, tuple(reasons))


def outcome_of_kind(kind: str | None, *, sent: bool) -> Outcome:
    """What the `kind` of a create's error proves; None is a confirmed success. A kind nobody knows proves nothing."""
    if kind is None:
        return Outcome.ACCEPTED
    found = next((error for error in _kinds(GatewayError) if error.kind == kind), None)
    if found is None:
        return Outcome.UNKNOWN if sent else Outcome.NOT_SENT
    return outcome_of(found(""))


def _on_record(
    name: str, entries: Sequence[JournalEntry], creates: Sequence[Create]
) -> tuple[Outcome | None, str | None, str]:
    if entries:
        entry = entries[-1]
        return (
            entry.outcome,
            "journal",
            f"The journal's create of {entry.at:%Y-%m-%d %H:%M:%S} UTC: {_last_fact(entry)}.",
        )
    if creates:
        create = creates[-1]
        at = f" of {create.at:%Y-%m-%d %H:%M:%S} UTC" if create.at else ""
        return create.outcome, "answer", f"The create request{at}: {create.said}"
    return None, None, f"No create of {name} is on record on this machine."


def _last_fact(entry: JournalEntry) -> str:
    """The newest line, its time and id apart."""
    fact = entry.facts[-1]
    said = ", ".join(f"{key} {value}" for key, value in fact.items() if key not in {"id", "fact", "at"} and value)
    return f"{fact['fact']}{f' ({said})' if said and fact is not entry.facts[0] else ''}"


def _row(
    name: str, entries: Sequence[JournalEntry], creates: Sequence[Create], history: Sequence[HistoryEntry] | None
) -> HistoryEntry | None:
    """The row that can be the newest create."""
    rows = list(history or ())
    if entries:
        return find_row(entries[-1], rows)
    return find_snapshot(rows, name, creates[-1].at if creates else None)


def _kinds(error: type[GatewayError]) -> Iterator[type[GatewayError]]:
    yield error
    for below in error.__subclasses__():
        yield from _kinds(below)
