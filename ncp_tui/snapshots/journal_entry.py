"""One create as the journal knows it: what was asked, and every fact that was learned about it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from ncp_tui.snapshots.outcome import VERDICT_OF, Caller, Outcome, SnapshotRequest, Verdict

# What can be added to each other without leaving the calendar, whatever stands in the file.
_YEARS = range(1970, 9000)
_ABSURD_OFFSET = 10 * 366 * 86_400.0


class Fact(StrEnum):
    """What a line of the journal says. A create's lines are in this order; `sent` and `answered` may come again."""

    BEGUN = "begun"
    """It was decided to send it; nothing has left yet."""
    SENT = "sent"
    """The next thing that happens is its first byte leaving. Without this line nothing has left."""
    ANSWERED = "answered"
    """What became of one request: `status`, `code`, `kind`, `outcome`."""
    OUTCOME = "outcome"
    """What is proved of the whole: `outcome`, `settled_by`."""
    SETTLED = "settled"
    """What a look at the history showed later: `verdict`, `evidence`."""
    FINISHED = "finished"
    """The snapshot ended: `state`, `message`."""
    DISMISSED = "dismissed"
    """The user has looked elsewhere and wants to hear no more of it."""


@dataclass(frozen=True)
class JournalEntry:
    """One create. `facts` are its lines, oldest first, as they were written."""

    id: str
    at: datetime
    caller: Caller
    request: SnapshotRequest
    process: int = 0
    clock_offset: float | None = None
    """Seconds to add to `at` for the gateway's time; None where it was not known."""
    seen_before: frozenset[tuple[int, str]] | None = None
    """The rows of the history that had this name before it was sent; None where the history had not been read."""
    facts: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)

    @property
    def was_sent(self) -> bool:
        """Whether a byte of it may have left. False proves that nothing was started, even after a kill."""
        return any(fact["fact"] == Fact.SENT for fact in self.facts)

    @property
    def outcome(self) -> Outcome:
        """What is proved, by the last fact that proves something."""
        for fact in reversed(self.facts):
            if fact["fact"] == Fact.SETTLED and fact.get("verdict") == Verdict.STARTED:
                return Outcome.ACCEPTED
            if fact["fact"] in {Fact.OUTCOME, Fact.ANSWERED}:
                return _outcome(fact.get("outcome"))
            if fact["fact"] == Fact.SENT:
                return Outcome.UNKNOWN
        return Outcome.NOT_SENT

    @property
    def verdict(self) -> Verdict:
        """The outcome in the three words for a person."""
        return VERDICT_OF[self.outcome]

    @property
    def is_open(self) -> bool:
        """Whether it is still to be found out if it started, or to be written down that it did not."""
        return not any(self._closes(fact) for fact in self._since_it_was_last_sent())

    @property
    def in_doubt(self) -> bool:
        """Whether sending the same name again could start a second snapshot."""
        return self.is_open and self.outcome is Outcome.UNKNOWN

    @property
    def is_under_way(self) -> bool:
        """Whether it was started and its end is not known."""
        closed = {Fact.FINISHED, Fact.DISMISSED}
        return self.outcome is Outcome.ACCEPTED and not any(fact["fact"] in closed for fact in self.facts)

    @property
    def request_id(self) -> str | None:
        """The service's id of the request, as far as one came back."""
        return next((found for fact in reversed(self.facts) if (found := _text(fact.get("request_id")))), None)

    @property
    def state(self) -> str | None:
        """How the snapshot ended, `success` or `failed`; None while that is not known."""
        return next((_text(fact.get("state")) for fact in reversed(self.facts) if fact["fact"] == Fact.FINISHED), None)

    def _since_it_was_last_sent(self) -> Sequence[Mapping[str, Any]]:
        """What was learned about the last request: nothing that was known before can close it."""
        sent = [place for place, fact in enumerate(self.facts) if fact["fact"] == Fact.SENT]
        return self.facts[sent[-1] + 1 :] if sent else self.facts

    @staticmethod
    def _closes(fact: Mapping[str, Any]) -> bool:
        kind = fact["fact"]
        if kind == Fact.OUTCOME:
            return _outcome(fact.get("outcome")) is not Outcome.UNKNOWN
        if kind == Fact.SETTLED:
            # Not in a set: what stands in the file may be a list, which no set can be asked for.
            return fact.get("verdict") in (Verdict.STARTED, Verdict.NOT_STARTED)
        return kind in {Fact.DISMISSED, Fact.FINISHED}


def first_line(entry: JournalEntry) -> dict[str, Any]:
    """What `begun` says besides the time."""
    caller, request = entry.caller, entry.request
    return {
        "profile": caller.profile,
        "zone": caller.zone,
        "region": caller.region,
        "gateway": caller.gateway,
        "cluster": request.cluster_number,
        "cluster_name": request.cluster_name,
        "name": request.name,
        "bucket": request.bucket,
        "process": entry.process,
        "clock_offset": entry.clock_offset,
        "seen_before": None if entry.seen_before is None else [list(row) for row in sorted(entry.seen_before)],
    }


def read_entries(lines: Sequence[Mapping[str, Any]]) -> list[JournalEntry]:
    """The creates that `lines` tell of, oldest first. Lines of a create whose beginning is lost are left out."""
    facts: dict[str, list[Mapping[str, Any]]] = {}
    for line in lines:
        if isinstance(line.get("id"), str) and isinstance(line.get("fact"), str):
            facts.setdefault(line["id"], []).append(line)
    return [_entry(key, found) for key, found in facts.items() if found[0]["fact"] == Fact.BEGUN]


def _entry(key: str, facts: list[Mapping[str, Any]]) -> JournalEntry:
    begun = facts[0]

    def text(name: str) -> str:
        return _text(begun.get(name))

    return JournalEntry(
        id=key,
        at=_moment(begun.get("at")),
        caller=Caller(text("profile"), text("zone"), text("region"), text("gateway")),
        request=SnapshotRequest(text("cluster"), text("cluster_name"), text("name"), text("bucket")),
        process=begun["process"] if isinstance(begun.get("process"), int) else 0,
        clock_offset=_number(begun.get("clock_offset")),
        seen_before=_rows(begun.get("seen_before")),
        facts=tuple(facts),
    )


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return datetime.fromtimestamp(0, UTC)
    if moment.year not in _YEARS:
        return datetime.fromtimestamp(0, UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _number(value: Any) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < _ABSURD_OFFSET else None


def _text(value: Any) -> str:
    return str(value) if isinstance(value, str | int) else ""


def _rows(value: Any) -> frozenset[tuple[int, str]] | None:
    if not isinstance(value, list):
        return None
    pairs = [row for row in value if isinstance(row, list) and len(row) == len(("index", "at"))]
    return frozenset((int(index), str(at)) for index, at in pairs if isinstance(index, int))


def _outcome(value: Any) -> Outcome:
    try:
        return Outcome(value)
    except ValueError:
        return Outcome.UNKNOWN
