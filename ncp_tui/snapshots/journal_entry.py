"""One request with an effect as the journal knows it: what was asked, and every event learned about it since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from ncp_tui.search_engine.operations import CREATE_SNAPSHOT, NUMBER, OPERATIONS, SET_SCHEDULE
from ncp_tui.snapshots.inventory import Inventory
from ncp_tui.snapshots.journal_file import BUCKET, NAME, JournalLine, Key, Reading
from ncp_tui.snapshots.outcome import VERDICT_OF, Caller, Outcome, SnapshotRequest, Verdict
from ncp_tui.text import clean

# What can be added to each other without leaving the calendar, whatever stands in the file.
_YEARS = range(1970, 9000)
_ABSURD_OFFSET = 10 * 366 * 86_400.0


class JournalEvent(StrEnum):
    """What a line of the journal says. A request's lines are in this order; `sent` and `answered` may come again."""

    BEGUN = "begun"
    """It was decided to send it; nothing has left yet."""
    SENT = "sent"
    """The next thing that happens is its first byte leaving. Without this line nothing has left."""
    ANSWERED = "answered"
    """What became of one request: `status`, `code`, `kind`, `outcome`."""
    OUTCOME = "outcome"
    """What is proved of the whole: `outcome`, `settled_by`."""
    RESOLVED = "settled"
    """What a look at the history showed later: `verdict`, `evidence`."""
    FINISHED = "finished"
    """The snapshot ended: `state`, `message`."""
    DISMISSED = "dismissed"
    """The user has looked elsewhere and wants to hear no more of it."""
    CARRIED_OVER = "carried_over"
    """It was open in a journal of the format before this one, which could not prove that nothing is missing."""


@dataclass(frozen=True)
class Doubt:
    """The journal is damaged in a place that may be about an entry: it can prove no more that nothing was started."""

    is_named: bool
    """Whether the damage names the entry; then only a later look at the history proves anything of it."""
    after: int = 0
    """How many of its events stand before the damage."""


@dataclass(frozen=True)
class JournalEntry:
    """One request with an effect. `events` are its lines, oldest first, as they were written."""

    id: str
    at: datetime
    caller: Caller
    request: SnapshotRequest
    """What a create requested; of another operation it has the cluster alone."""
    process: int = 0
    clock_offset: float | None = None
    """Seconds to add to `at` for the gateway's time; None where it was not known."""
    seen_before: frozenset[tuple[int, str]] | None = None
    """The rows of the history that had this name before it was sent; None where the history had not been read."""
    events: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    doubt: Doubt | None = None
    operation: str = CREATE_SNAPSHOT
    """As the API calls it; one that this version does not know is shown as it came."""
    batch: str = ""
    """The id of the batch that it is a part of; empty for a request of its own."""
    inventory: Inventory | None = None
    """What the cluster held just before a create; None where nothing was read, or an older version wrote it."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """The parameters of another operation than a create, without its secrets and the cluster."""

    @property
    def is_create(self) -> bool:
        """Whether it requested a snapshot."""
        return self.operation == CREATE_SNAPSHOT

    @property
    def key(self) -> Key:
        """What it is about: of a create what a second one would repeat."""
        return (self.request.cluster_number, self.request.name if self.is_create else self.operation)

    @property
    def subject(self) -> str:
        """What to call it: the name of the snapshot, or what another operation does."""
        if self.is_create:
            return self.request.name
        known, name = OPERATIONS.get(self.operation), self.details.get(NAME)
        if known is None:
            return clean(self.operation)
        return (
            f"{known.title} {clean(name)}" if self.operation == SET_SCHEDULE and isinstance(name, str) else known.title
        )

    @property
    def parameters(self) -> dict[str, Any]:
        """Its parameters, as the API calls them, without its secrets."""
        return parameters_of(self.request) if self.is_create else {NUMBER: self.request.cluster_number, **self.details}

    @property
    def was_sent(self) -> bool:
        """Whether a byte of it may have left. False proves that nothing was started, even after a kill."""
        return self.doubt is not None or any(
            event["fact"] in {JournalEvent.SENT, JournalEvent.CARRIED_OVER} for event in self.events
        )

    @property
    def outcome(self) -> Outcome:
        """What is proved, by the last event that proves something. An entry in doubt is started, or unknown."""
        found = _proved(self._proofs)
        if self.doubt is not None and found is not Outcome.ACCEPTED:
            return Outcome.UNKNOWN
        return found

    @property
    def verdict(self) -> Verdict:
        """The outcome in the three words for a person."""
        return VERDICT_OF[self.outcome]

    @property
    def is_open(self) -> bool:
        """Whether it is still to be found out if it started, or to be written down that it did not."""
        return not any(self._closes(event) for event in _since_it_was_last_sent(self._proofs))

    @property
    def in_doubt(self) -> bool:
        """Whether it is to be found out if it was started."""
        return self.is_open and self.outcome is Outcome.UNKNOWN

    @property
    def is_under_way(self) -> bool:
        """Whether it started a snapshot whose end is not known. Any other operation has ended with its answer."""
        closed = {JournalEvent.FINISHED, JournalEvent.DISMISSED}
        return (
            self.is_create
            and self.outcome is Outcome.ACCEPTED
            and not any(event["fact"] in closed for event in self._proofs)
        )

    @property
    def request_id(self) -> str | None:
        """NCP's id of the request, as far as one came back."""
        return next((found for event in reversed(self.events) if (found := _text(event.get("request_id")))), None)

    @property
    def state(self) -> str | None:
        """How the snapshot ended, `success` or `failed`; None while that is not known."""
        return next(
            (_text(event.get("state")) for event in reversed(self._proofs) if event["fact"] == JournalEvent.FINISHED),
            None,
        )

    @property
    def _proofs(self) -> Sequence[Mapping[str, Any]]:
        """The events that can be relied on. A dismissal is the user's word, whatever else is damaged."""
        doubt = self.doubt
        if doubt is None or not doubt.is_named:
            return self.events
        looks = {JournalEvent.RESOLVED, JournalEvent.FINISHED, JournalEvent.DISMISSED}
        return [
            event
            for place, event in enumerate(self.events)
            if event["fact"] == JournalEvent.DISMISSED or (place >= doubt.after and event["fact"] in looks)
        ]

    def _closes(self, event: Mapping[str, Any]) -> bool:
        kind = event["fact"]
        if kind == JournalEvent.OUTCOME:
            closing = {Outcome.ACCEPTED} if self.doubt else {Outcome.ACCEPTED, Outcome.REFUSED, Outcome.NOT_SENT}
            return _outcome(event.get("outcome")) in closing
        if kind == JournalEvent.RESOLVED:
            verdict = event.get("verdict")
            return verdict == Verdict.STARTED or (verdict == Verdict.NOT_STARTED and self.doubt is None)
        return kind in {JournalEvent.DISMISSED, JournalEvent.FINISHED}


def _proved(events: Sequence[Mapping[str, Any]]) -> Outcome:
    for event in reversed(events):
        kind = event["fact"]
        if kind == JournalEvent.FINISHED or (kind == JournalEvent.RESOLVED and event.get("verdict") == Verdict.STARTED):
            return Outcome.ACCEPTED
        if kind in {JournalEvent.OUTCOME, JournalEvent.ANSWERED}:
            return _outcome(event.get("outcome"))
        if kind in {JournalEvent.SENT, JournalEvent.CARRIED_OVER}:
            return Outcome.UNKNOWN
    return Outcome.NOT_SENT


def _since_it_was_last_sent(events: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    """What was learned about the last request: nothing that was known before can close it."""
    sent = [
        place for place, event in enumerate(events) if event["fact"] in {JournalEvent.SENT, JournalEvent.CARRIED_OVER}
    ]
    return events[sent[-1] + 1 :] if sent else events


def begun_context(entry: JournalEntry) -> dict[str, Any]:
    """What the first line says of who asks, and of what was seen before."""
    caller = entry.caller
    return {
        "profile": caller.profile,
        "zone": caller.site,
        "region": caller.region,
        "gateway": caller.gateway,
        "cluster_name": entry.request.cluster_name,
        "process": entry.process,
        "clock_offset": entry.clock_offset,
        "seen_before": None if entry.seen_before is None else [list(row) for row in sorted(entry.seen_before)],
        **({"batch": entry.batch} if entry.batch else {}),
        **({"inventory": entry.inventory.document()} if entry.inventory is not None else {}),
    }


def parameters_of(request: SnapshotRequest) -> dict[str, Any]:
    """The parameters of a create, as the API calls them."""
    return {NUMBER: request.cluster_number, NAME: request.name, BUCKET: request.bucket}


_PARAMETERS: Final = {NUMBER: "cluster", NAME: "name", BUCKET: "bucket"}


def parameters_and_context(event: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters that a first event holds, and all else in it."""
    parameters = {name: event[ours] for name, ours in _PARAMETERS.items() if ours in event}
    ours = {"id", "fact", "at", *_PARAMETERS.values()}
    return parameters, {name: value for name, value in event.items() if name not in ours}


def event_of(line: JournalLine) -> dict[str, Any]:
    """A line as one mapping: its id, event and time, and whatever else it says."""
    known = {"id": line.entry, "fact": line.event, "at": line.at}
    told = _told(line) if line.event == JournalEvent.BEGUN else {}
    return {**line.context, **told, **known}


def _told(line: JournalLine) -> dict[str, Any]:
    """What the parameters say in the words of a first event; those of another operation only of the cluster."""
    names = _PARAMETERS if line.operation == CREATE_SNAPSHOT else {NUMBER: _PARAMETERS[NUMBER]}
    return {names[name]: value for name, value in line.parameters.items() if name in names}


def entries_of(reading: Reading) -> list[JournalEntry]:
    """The requests of a journal, oldest first, each with the doubt that damage casts on it.

    One whose first line is lost is there as well, as far as its other lines say what was requested.
    """
    places: dict[str, list[int]] = {}
    for place, line in enumerate(reading.lines):
        if line.entry and line.operation:
            places.setdefault(line.entry, []).append(place)
    found = []
    for key, at in places.items():
        events, first = [event_of(reading.lines[place]) for place in at], reading.lines[at[0]]
        if first.event != JournalEvent.BEGUN:
            if first.key is None:
                continue  # it says nothing at all; the damage touches everything then
            events[0] = {**_told(first), **events[0]}
        entry = replace(_entry(key, events), doubt=_doubt(reading, key, at), operation=first.operation)
        if not entry.is_create:
            details = {name: value for name, value in first.parameters.items() if name != NUMBER}
            cluster = replace(entry.request, name="", bucket="")
            entry = replace(entry, request=cluster, details=details)
        found.append(entry)
    return found


def _doubt(reading: Reading, key: str, places: Sequence[int]) -> Doubt | None:
    keys = {line.key for place in places if (line := reading.lines[place]).key}
    named = [
        damage
        for damage in reading.damages
        if key in damage.entries or (not damage.entries and not keys.isdisjoint(damage.keys))
    ]
    if named:
        last = max(damage.place for damage in named)
        return Doubt(is_named=True, after=sum(place < last for place in places))
    begun_before = [damage for damage in reading.damages if damage.touches_all and places[0] < damage.place]
    return Doubt(is_named=False) if begun_before else None


def read_entries(events: Sequence[Mapping[str, Any]]) -> list[JournalEntry]:
    """The creates that `events` tell of, oldest first. Those of a create whose beginning is lost are left out."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for event in events:
        if isinstance(event.get("id"), str) and isinstance(event.get("fact"), str):
            found.setdefault(event["id"], []).append(event)
    return [_entry(key, own) for key, own in found.items() if own[0]["fact"] == JournalEvent.BEGUN]


def _entry(key: str, events: Sequence[Mapping[str, Any]]) -> JournalEntry:
    begun = events[0]

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
        inventory=Inventory.read(begun.get("inventory")),
        batch=text("batch"),
        events=tuple(events),
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
    return clean(str(value)) if isinstance(value, str | int) else ""


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
