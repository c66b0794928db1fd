"""Setting and releasing the schedule of a cluster: what is sent, what stops it, and the sending.

At most one schedule of a cluster is known to be in force, and nothing documents whether setting replaces it. So a set
is stopped by one that is, or may be, in force, until the user says yes to exactly that; to release first and set then
are two deliberate steps. What has to be confirmed is `schedule_draft`'s.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ncp_tui.gateway.endpoints import may_reach_same_clusters
from ncp_tui.gateway.errors import GatewayError
from ncp_tui.gateway.exchange import RequestRecord
from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.operations import RELEASE_SCHEDULE, SET_SCHEDULE
from ncp_tui.snapshots.earlier_requests import Earlier, EarlierState, SecondRequest
from ncp_tui.snapshots.history_match import RowKeys
from ncp_tui.snapshots.journal import Journal
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.journal_file import Key
from ncp_tui.snapshots.operations import OperationRequest, OperationResult, send_operation
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest
from ncp_tui.snapshots.resolve import SECONDS
from ncp_tui.snapshots.rules import check_bucket
from ncp_tui.snapshots.schedule import InForce, Schedule
from ncp_tui.snapshots.schedule_preflight import ScheduleEvidence
from ncp_tui.snapshots.schedule_rules import (
    InvalidSchedule,
    check_day,
    check_schedule_name,
    check_time,
)
from ncp_tui.snapshots.schedule_witness import CHANGES, not_shown_yet, rows_before_release, rows_before_set
from ncp_tui.text import clean

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine


@dataclass(frozen=True)
class Setting:
    """What is to be set, each as it was typed."""

    name: str
    bucket: str
    day: str
    at: str
    """`HH:MM`."""

    @property
    def spelled(self) -> Setting:
        """The same with its day and time as NCP spells them. Raises InvalidSchedule."""
        hour, minute = check_time(self.at)
        return replace(self, day=check_day(self.day), at=f"{hour:02d}:{minute:02d}")


@dataclass(frozen=True)
class ScheduleChange:
    """A schedule that is to be set, or, without a `setting`, released."""

    cluster_number: str
    cluster_name: str
    setting: Setting | None = None

    @property
    def cluster(self) -> str:
        """What to call the cluster."""
        return self.cluster_name or self.cluster_number

    @property
    def is_set(self) -> bool:
        """Whether it sets one."""
        return self.setting is not None

    @property
    def operation(self) -> str:
        """As the API calls it."""
        return SET_SCHEDULE if self.is_set else RELEASE_SCHEDULE

    @property
    def parameters(self) -> dict[str, str | int]:
        """What is sent beside the cluster's number. Raises InvalidName, InvalidBucket, InvalidSchedule."""
        if self.setting is None:
            return {}
        hour, minute = check_time(self.setting.at)
        return {
            "snapshotName": check_schedule_name(self.setting.name),
            "bucketName": check_bucket(self.setting.bucket),
            "scheduledDay": check_day(self.setting.day),
            "scheduledHour": hour,
            "scheduledMinute": minute,
        }

    @property
    def request(self) -> SnapshotRequest:
        """Its cluster, and the name and bucket of what is set."""
        name, bucket = (self.setting.name, self.setting.bucket) if self.setting is not None else ("", "")
        return SnapshotRequest(self.cluster_number, self.cluster_name, name, bucket)


@dataclass(frozen=True)
class EarlierChange(Earlier):
    """What stops a set or a release: earlier requests of this machine, or what the schedule history says."""

    told: str = ""
    """The newest of them, in the middle of a sentence."""

    @property
    def words(self) -> str:
        """What it is and what is known of it."""
        return self.told


class SecondChange(SecondRequest):
    """An earlier change of the same schedule, or one that is in force, stops this one. Nothing was sent."""

    def __init__(self, earlier: EarlierChange, change: ScheduleChange) -> None:
        again = NextAction("schedule.again", {"id": earlier.id})
        release = NextAction("schedule.release", {"cluster": change.cluster})
        show = NextAction("schedule.show", {"cluster": change.cluster})
        said = f"{change.cluster}: {earlier.told}."
        meaning, actions = "Nothing was sent.", (show, again)
        if earlier.source == "history" and change.is_set:
            meaning = "Nothing was sent: whether setting replaces a schedule is not documented."
            actions = (release, again) if earlier.state is EarlierState.IN_FORCE else (show, again)
        elif earlier.source == "journal" and earlier.state is EarlierState.UNKNOWN:
            actions = (NextAction("snapshot.resolve"), again)
        Problem.__init__(self, said, meaning, "", *actions)
        self.earlier = earlier


@dataclass(frozen=True)
class ChangeIntent:
    """A change that somebody wants to send, and what they know of what is set: the guard of its entry."""

    change: ScheduleChange
    caller: Caller
    evidence: ScheduleEvidence | None = None
    """None where nothing was read."""
    again: str | None = None
    """The id of what the user has said yes to."""
    asked_at: datetime | None = None
    """When the user requested it; None where that was at no certain moment."""

    @property
    def request(self) -> SnapshotRequest:
        """The cluster."""
        return self.change.request

    @property
    def keys(self) -> Sequence[Key]:
        """Every change of the schedule of the cluster."""
        return tuple((self.change.cluster_number, operation) for operation in sorted(CHANGES))

    @property
    def lost(self) -> str:
        """What damage may have held."""
        return f"a change of the schedule of {self.change.cluster}"

    def check(self, entries: Sequence[JournalEntry], is_held: Callable[[JournalEntry], bool] = lambda _: False) -> None:
        """Raise SecondChange where something stops it, and the user did not say yes to exactly that."""
        found = earlier_change(self, entries, is_held)
        if found is not None and found.id != self.again:
            raise SecondChange(found, self.change)


def earlier_change(
    intent: ChangeIntent, entries: Sequence[JournalEntry], is_held: Callable[[JournalEntry], bool] = lambda _: False
) -> EarlierChange | None:
    """What stops a change; None where nothing does.

    That is a set or a release of this cluster that is unresolved, or sent at this moment, or was begun by another
    program after the user requested this one; one of its kind that NCP accepted and the schedule history does not show
    yet; for a set a schedule that is or may be in force, and for a release one that is released already. `entries` is
    the whole journal, and `is_held` whether a program holds an unresolved entry.
    """
    own = [each for each in entries if _is_own(intent, each)]
    unshown = _unshown(intent, own)
    found = [*_of_journal(intent, own, unshown, is_held), *_of_settings(intent, unshown)]
    if not found:
        return None
    newest = max((each for each in found if each.source == found[0].source), key=lambda each: each.order)
    told = ";".join(sorted(f"{each.source} {each.name} {each.state}" for each in found))
    identity = hashlib.sha256(f"{intent.change.cluster_number} {intent.change.operation} {told}".encode()).hexdigest()
    return EarlierChange(identity[:12], newest.source, newest.state, newest.at, newest.words)


def change_of(entry: JournalEntry) -> str:
    """What an entry of the journal changed: `set nightly (Everyday 03:00, bucket b)`, `release`."""
    if entry.operation != SET_SCHEDULE:
        return "release"
    details = entry.details
    hour, minute = details.get("scheduledHour"), details.get("scheduledMinute")
    at = f"{hour:02d}:{minute:02d}" if isinstance(hour, int) and isinstance(minute, int) else "at an unknown time"
    name, day, bucket = (clean(str(details.get(each))) for each in ("snapshotName", "scheduledDay", "bucketName"))
    return f"set {name} ({day} {at}, bucket {bucket})"


def preview_change(engine: SearchEngine, change: ScheduleChange) -> RequestRecord:
    """The request that would be sent; nothing is."""
    return engine.preview_change(change.operation, change.cluster_number, change.parameters or None)


async def change_schedule(
    engine: SearchEngine,
    intent: ChangeIntent,
    *,
    journal: Journal | None,
    must_be_written: bool = True,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    resolve_seconds: float = SECONDS,
    on_resolving: Callable[[GatewayError], None] = lambda _: None,
) -> OperationResult:
    """Check what is set or released, write it down, send it once, and say what is known.

    After an ambiguous failure `on_resolving` is called with it, and the schedule history is read for `resolve_seconds`.
    Raises InvalidName, InvalidBucket, InvalidSchedule, JournalProblem, DamagedJournal or SecondChange before anything
    is sent; any failure after that is an outcome, no exception.
    """
    change = intent.change
    parameters: dict[str, Any] = change.parameters
    request = OperationRequest(change.operation, change.cluster_number, change.cluster_name, parameters)
    return await send_operation(
        engine,
        request,
        caller=intent.caller,
        journal=journal,
        must_be_written=must_be_written,
        guard=intent,
        seen_before=_seen_before(intent),
        now=now,
        resolve_seconds=resolve_seconds,
        on_resolving=on_resolving,
    )


def _seen_before(intent: ChangeIntent) -> RowKeys | None:
    evidence, setting = intent.evidence, intent.change.setting
    if evidence is None or evidence.settings is None or not evidence.is_settings_whole:
        return None
    return (
        rows_before_release(evidence.settings) if setting is None else rows_before_set(evidence.settings, setting.name)
    )


@dataclass(frozen=True)
class _Found:
    source: str
    name: str
    state: EarlierState
    at: datetime | None
    words: str

    @property
    def order(self) -> float:
        return self.at.timestamp() if self.at else 0.0


_STATES = {
    EarlierState.UNKNOWN: "may have taken effect",
    EarlierState.UNDER_WAY: "is being sent or resolved at this moment, here or in another ncp-tui",
    EarlierState.ACCEPTED: "was made by another ncp-tui at the same time, and NCP accepted it",
    EarlierState.NOT_STARTED: "was made by another ncp-tui at the same time, and had no effect",
}


def _is_own(intent: ChangeIntent, entry: JournalEntry) -> bool:
    is_of_cluster = entry.operation in CHANGES and entry.request.cluster_number == intent.change.cluster_number
    return is_of_cluster and may_reach_same_clusters(entry.caller.gateway, intent.caller.gateway)


def _unshown(intent: ChangeIntent, own: Sequence[JournalEntry]) -> JournalEntry | None:
    evidence = intent.evidence
    if evidence is None or evidence.settings is None or not evidence.is_settings_whole:
        return None
    return not_shown_yet(own, evidence.settings, evidence.read_at)


def _of_journal(
    intent: ChangeIntent,
    own: Sequence[JournalEntry],
    unshown: JournalEntry | None,
    is_held: Callable[[JournalEntry], bool],
) -> Iterator[_Found]:
    for entry in own:
        state = _state(entry, is_held, intent.asked_at)
        said = _STATES[state] if state is not None else ""
        if state is None and entry is unshown and entry.operation == intent.change.operation:
            state, said = EarlierState.ACCEPTED, "was accepted, and the schedule history does not show it yet"
        if state is not None:
            at = f" of {entry.at:%Y-%m-%d %H:%M:%S} {entry.at.tzname() or ''}".rstrip()
            yield _Found("journal", entry.id, state, entry.at, f"the request{at} ({change_of(entry)}) {said}")


def _state(
    entry: JournalEntry, is_held: Callable[[JournalEntry], bool], asked_at: datetime | None
) -> EarlierState | None:
    if entry.is_open and is_held(entry):
        return EarlierState.UNDER_WAY
    if entry.in_doubt:
        return EarlierState.UNKNOWN
    if asked_at is None or entry.process == os.getpid() or entry.at < asked_at:
        return None
    return EarlierState.ACCEPTED if entry.outcome is Outcome.ACCEPTED else EarlierState.NOT_STARTED


def _of_settings(intent: ChangeIntent, unshown: JournalEntry | None) -> Iterator[_Found]:
    evidence = intent.evidence
    if evidence is None:
        return
    if not evidence.is_settings_whole:
        if intent.change.is_set:
            words = "it is unknown whether a schedule is in force: the schedule history could not be read"
            yield _Found("history", "unread", EarlierState.UNKNOWN, None, words)
        return
    schedule = evidence.schedule
    if schedule is None:
        return
    row = schedule.entry
    key = f"{row.snapshot} {row.bucket} {row.day} {row.time} {row.set_up} {row.status}"
    said = f"{row.snapshot} ({f'{row.day} {row.time}'.strip()}, bucket {row.bucket or '-'})"
    if schedule.in_force is InForce.NO:
        is_set_since = unshown is not None and unshown.operation == SET_SCHEDULE
        if not intent.change.is_set and not is_set_since:
            words = f"the schedule {said} is released already"
            yield _Found("history", key, EarlierState.RELEASED, row.set_at, words)
    elif intent.change.is_set:
        if schedule.in_force is InForce.YES:
            same = "exactly this schedule" if is_same(intent.change, schedule) else "the schedule"
            is_released = unshown is not None and unshown.operation == RELEASE_SCHEDULE
            lags = ", says its history, which does not show yet that it was released" if is_released else ""
            yield _Found("history", key, EarlierState.IN_FORCE, row.set_at, f"{same}, {said}, is in force{lags}")
        else:
            words = f"the schedule {said} may be in force: NCP says {row.status!r}"
            yield _Found("history", key, EarlierState.UNKNOWN, row.set_at, words)


def is_same(change: ScheduleChange, schedule: Schedule) -> bool:
    """Whether it is what is to be set; False also for what is not whole yet, as in a form."""
    row, wanted = schedule.entry, change.setting
    if wanted is None or (wanted.name, wanted.bucket) != (row.snapshot, row.bucket):
        return False
    try:
        return (check_day(wanted.day), check_time(wanted.at)) == (schedule.day, schedule.at)
    except InvalidSchedule:
        return False
