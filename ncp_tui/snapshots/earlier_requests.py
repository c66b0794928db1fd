"""Whether a create would be the second of its snapshot: what stops it, and what has to be said yes to.

The key is cluster number and snapshot name. Refused, not started and failed, as proved, stop no request. All else does,
until the user says yes to exactly that earlier request, in the state it was in when it was shown.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from ncp_tui.gateway.endpoints import may_reach_same_clusters
from ncp_tui.problem import NextAction, Problem
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.snapshots.history_match import is_of_cluster, row_key
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.journal_file import Key
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest


class EarlierState(StrEnum):
    """What is known of an earlier request for the same snapshot."""

    SUCCEEDED = "succeeded"
    RUNNING = "running"
    ACCEPTED = "accepted"
    """NCP accepted it; how it ended is not known."""
    UNDER_WAY = "under_way"
    """A program is sending it, or finding out about it, at this moment."""
    UNKNOWN = "unknown"
    NOT_STARTED = "not_started"
    """It started nothing, but another program requested it after this one was requested: once is what was wanted."""
    IN_FORCE = "in_force"
    """A schedule that is set. Whether the next setting replaces it is not documented."""
    RELEASED = "released"
    """A schedule that is released already."""


_WORDS = {
    EarlierState.SUCCEEDED: "has succeeded",
    EarlierState.RUNNING: "is running",
    EarlierState.ACCEPTED: "was accepted, and its end is not known",
    EarlierState.UNDER_WAY: "is being sent or resolved at this moment, here or in another ncp-tui",
    EarlierState.UNKNOWN: "may have started",
    EarlierState.NOT_STARTED: "was made by another ncp-tui at the same time, and started nothing",
    EarlierState.IN_FORCE: "is in force",
    EarlierState.RELEASED: "was released",
}


@dataclass(frozen=True)
class Earlier:
    """All earlier requests for one snapshot that stop the next; shown as the newest of them.

    `id` changes with the state of any of them: a yes covers what was known when it was said.
    """

    id: str
    source: str
    """`journal`, or `history` where only a row of that name is known."""
    state: EarlierState
    at: datetime | None

    @property
    def words(self) -> str:
        """When it was requested, and what is known of it."""
        at = f" of {self.at:%Y-%m-%d %H:%M:%S} {self.at.tzname() or ''}".rstrip() if self.at else ""
        return f"request{at} {_WORDS[self.state]}"

    def document(self) -> dict[str, Any]:
        """The same for scripts."""
        at = self.at.isoformat() if self.at else None
        return {"id": self.id, "source": self.source, "state": self.state.value, "at": at}


class SecondRequest(Problem):
    """An earlier create of the same snapshot stops this one. Nothing was sent."""

    kind = "second_request"

    def __init__(self, earlier: Earlier, request: SnapshotRequest) -> None:
        cluster = request.cluster
        follow = NextAction("snapshot.wait", {"cluster": cluster, "name": request.name})
        step, action = {
            EarlierState.SUCCEEDED: ("Use another name.", None),
            EarlierState.NOT_STARTED: ("See what the other ncp-tui said.", None),
            EarlierState.UNKNOWN: ("Use another name.", NextAction("snapshot.resolve")),
        }.get(earlier.state, ("", follow))
        super().__init__(
            f"{request.name} on {cluster} was requested before: the {earlier.words}.",
            "Nothing was sent: it would be a second request for the same snapshot.",
            step,
            *filter(None, [action]),
            NextAction("snapshot.again", {"id": earlier.id}),
        )
        self.earlier = earlier


class Guard(Protocol):
    """A request that somebody wants to send, and what stops it: looked up before, and where it is written down."""

    @property
    def request(self) -> SnapshotRequest:
        """The snapshot, or of another operation the cluster alone."""

    @property
    def keys(self) -> Sequence[Key]:
        """What the earlier requests are about that may stop it."""

    @property
    def lost(self) -> str:
        """What damage of the journal may have held, where that is no create."""

    def check(self, entries: Sequence[JournalEntry], is_held: Callable[[JournalEntry], bool] = ...) -> None:
        """Raise SecondRequest where an earlier request stops it, and the user did not say yes to exactly that."""


@dataclass(frozen=True)
class Intent:
    """A create that somebody wants to send, and what they know of earlier ones."""

    request: SnapshotRequest
    caller: Caller
    history: Sequence[HistoryEntry] | None = None
    """The rows of the cluster; None where they could not be read."""
    again: str | None = None
    """The id of the earlier request that the user has said yes to."""
    asked_at: datetime | None = None
    """When the user requested it; None where that was at no certain moment."""
    lost: str = ""

    @property
    def keys(self) -> Sequence[Key]:
        """Cluster and name."""
        return ((self.request.cluster_number, self.request.name),)

    def check(self, entries: Sequence[JournalEntry], is_held: Callable[[JournalEntry], bool] = lambda _: False) -> None:
        """Raise SecondRequest where an earlier request stops this one, and the user did not say yes to exactly that.

        `entries` and `is_held` are as in `earlier_request`.
        """
        gateway, asked_at = self.caller.gateway, self.asked_at
        found = earlier_request(self.request, gateway, entries, self.history, is_held=is_held, asked_at=asked_at)
        if found is not None and found.id != self.again:
            raise SecondRequest(found, self.request)


def earlier_request(
    request: SnapshotRequest,
    gateway: str,
    entries: Sequence[JournalEntry],
    history: Sequence[HistoryEntry] | None,
    *,
    is_held: Callable[[JournalEntry], bool] = lambda _: False,
    asked_at: datetime | None = None,
) -> Earlier | None:
    """What stops a create of `request` through `gateway`; None where nothing does.

    `entries` is the whole journal and `history` the cluster's, None where it could not be read. `is_held` says whether
    a program holds an unresolved entry. What another program began after `asked_at` stops it too.
    """
    own = [entry for entry in entries if is_of(entry, request, gateway)]
    states = ((entry, _state(entry, is_held) or _at_the_same_time(entry, asked_at)) for entry in own)
    found = [_Found("journal", entry.id, state, entry.at) for entry, state in states if state is not None]
    found += _of_history(history or (), request)
    if not found:
        return None
    newest = max((each for each in found if each.source == found[0].source), key=lambda each: each.order)
    told = ";".join(sorted(f"{each.source} {each.name} {each.state}" for each in found))
    identity = hashlib.sha256(f"{request.cluster_number} {request.name} {told}".encode()).hexdigest()[:12]
    return Earlier(identity, newest.source, newest.state, newest.at)


def is_of(entry: JournalEntry, request: SnapshotRequest, gateway: str) -> bool:
    """Whether `entry` is about the same snapshot, as far as one can tell."""
    key = (request.cluster_number, request.name)
    return entry.key == key and may_reach_same_clusters(entry.caller.gateway, gateway)


def stops(row: HistoryEntry, request: SnapshotRequest) -> bool:
    """Whether a row of the history stops a create of `request`."""
    is_own = row.snapshot == request.name and is_of_cluster(row, request.cluster_number, request.cluster_name)
    return is_own and row.state is not SnapshotState.FAILED


@dataclass(frozen=True)
class _Found:
    source: str
    name: str
    state: EarlierState
    at: datetime | None

    @property
    def order(self) -> float:
        return self.at.timestamp() if self.at else 0.0


def _state(entry: JournalEntry, is_held: Callable[[JournalEntry], bool]) -> EarlierState | None:
    if entry.is_open and is_held(entry):
        return EarlierState.UNDER_WAY
    if entry.outcome is Outcome.UNKNOWN:
        return EarlierState.UNKNOWN
    if entry.outcome is not Outcome.ACCEPTED or entry.state == SnapshotState.FAILED:
        return None
    return EarlierState.SUCCEEDED if entry.state == SnapshotState.SUCCESS else EarlierState.ACCEPTED


def _at_the_same_time(entry: JournalEntry, asked_at: datetime | None) -> EarlierState | None:
    is_other = entry.process != os.getpid()
    return EarlierState.NOT_STARTED if asked_at is not None and is_other and entry.at >= asked_at else None


def _of_history(rows: Sequence[HistoryEntry], request: SnapshotRequest) -> Iterator[_Found]:
    states = {SnapshotState.SUCCESS: EarlierState.SUCCEEDED, SnapshotState.RUNNING: EarlierState.RUNNING}
    for row in rows:
        if stops(row, request):
            state = states.get(row.state, EarlierState.UNKNOWN)
            yield _Found("history", " ".join(map(str, row_key(row))), state, row.at)
