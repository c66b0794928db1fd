"""Creating one snapshot: checked, written down, sent once, and its outcome classified by what is proved."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ncp_tui.gateway.errors import GatewayError, Throttled
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.earlier_ends import learn_ends
from ncp_tui.snapshots.history_match import Asked, RowKeys, Whose, best_match, rows_named
from ncp_tui.snapshots.inventory import Inventory
from ncp_tui.snapshots.journal import HeldEntry, Journal, JournalProblem
from ncp_tui.snapshots.journal_entry import JournalEntry
from ncp_tui.snapshots.operations import Attempt, EntryWriter, Sent
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest, Verdict, outcome_sentence
from ncp_tui.snapshots.resolve import SECONDS, Resolution, search_history, started_by
from ncp_tui.snapshots.rules import check_bucket, check_name
from ncp_tui.system.backoff import Backoff

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

MOST_REPEATS = 2
"""How often a create is repeated that was throttled: refused before it had any effect, so nothing is doubled."""

BACKOFF = Backoff(first=1.0, longest=2.0)


@dataclass(frozen=True)
class CreateResult:
    """A create that was tried, and what came of it."""

    request: SnapshotRequest
    outcome: Outcome
    at: datetime
    request_id: str | None = None
    error: GatewayError | None = None
    """What the last request ended in, also where the history later proved that it was started."""
    attempts: int = 1
    resolution: Resolution | None = None
    """What the history said, where the answer did not say enough."""
    entry: JournalEntry | None = None
    """Its entry in the journal; None without one."""
    seen_before: RowKeys | None = None
    """The rows of that name that the history had before; None where the history was not read."""
    clock_offset: float | None = None
    """Seconds by which the gateway's clock was ahead when it was requested; None where that was not known."""
    journal_problem: Problem | None = None
    """Why the journal does not hold the outcome. The outcome is true all the same."""
    writer: EntryWriter | None = None
    """What the journal holds of it, and what is still to be written; None without a journal."""

    @property
    def asked(self) -> Asked:
        """What its row in the history is known by."""
        return Asked.of(self.request, self.at, self.clock_offset, self.seen_before)

    @property
    def by_history(self) -> bool:
        """Whether the history, and not the answer, proved that it was started."""
        return self.resolution is not None and self.resolution.verdict is Verdict.STARTED

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        name = self.request.name
        if self.outcome is Outcome.ACCEPTED and self.by_history and self.resolution is not None:
            return f"Started: {name}. No answer confirmed it, but {self.resolution.evidence}"
        return outcome_sentence(self.outcome, name)


async def create_snapshot(
    engine: SearchEngine,
    request: SnapshotRequest,
    *,
    caller: Caller | None = None,
    journal: Journal | None = None,
    must_be_written: bool = True,
    history: Sequence[HistoryEntry] | None = None,
    again: str | None = None,
    asked_at: datetime | None = None,
    batch: str = "",
    inventory: Inventory | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    resolve_seconds: float = SECONDS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    on_resolving: Callable[[GatewayError], None] = lambda _: None,
) -> CreateResult:
    """Check `request`, write it down, send it, and say what is known. An ambiguous failure is never sent again.

    `history` is what the cluster's history showed just before; its rows of that name are not taken for this snapshot.
    Without a `journal` nothing is written down; where it need not be written, a request is sent although it cannot be,
    and the rest is tried again, see `CreateResult.writer`. `again` is the id of the earlier request for the same
    snapshot that the user has said yes to; `asked_at` is when the user requested this one, and `batch` what it is a
    part of. After an ambiguous failure `on_resolving` is called with it, and the history is searched for
    `resolve_seconds`. Raises InvalidName, InvalidBucket, JournalProblem, DamagedJournal or SecondRequest before
    anything is sent; any failure after that is an outcome, no exception.
    """
    check_name(request.name)
    check_bucket(request.bucket)
    known = inventory if inventory != Inventory() else None
    entry = replace(_entry_of(engine, request, caller, history, now()), batch=batch, inventory=known)
    ask = partial(engine.create_snapshot, request.cluster_number, request.name, request.bucket)
    attempt = Attempt(entry, ask, None if engine.read_only else journal)
    if attempt.writer is not None and journal is not None:
        rows = await _with_ends(engine, journal, entry, history, seconds=resolve_seconds, now=now)
        begin = partial(_begin, journal, entry, rows, again, asked_at)
        await attempt.begin(begin, must_be_written=must_be_written)
    try:
        sent = await _send(engine, attempt, sleep, now)
        if sent.outcome is Outcome.UNKNOWN and sent.error is not None:
            on_resolving(sent.error)
            sent = sent.resolved(await search_history(engine, entry, seconds=resolve_seconds, sleep=sleep, now=now))
        await attempt.conclude(sent)
        return _result(attempt, entry, sent)
    finally:
        await attempt.release()


def _entry_of(
    engine: SearchEngine,
    request: SnapshotRequest,
    caller: Caller | None,
    history: Sequence[HistoryEntry] | None,
    at: datetime,
) -> JournalEntry:
    """What is to be written down of `request` before it leaves."""
    offset = engine.clock_offset
    return JournalEntry(
        id="",
        at=at,
        caller=caller or Caller("", "", "", ""),
        request=request,
        clock_offset=offset.seconds if offset else None,
        seen_before=None if history is None else rows_named(history, request.name),
    )


def _begin(
    journal: Journal,
    entry: JournalEntry,
    rows: Sequence[HistoryEntry] | None,
    again: str | None,
    asked_at: datetime | None,
) -> HeldEntry:
    return journal.begin(
        entry.request,
        entry.caller,
        clock_offset=entry.clock_offset,
        seen_before=entry.seen_before,
        history=rows,
        again=again,
        asked_at=asked_at,
        batch=entry.batch,
        inventory=entry.inventory,
    )


def _result(attempt: Attempt, entry: JournalEntry, sent: Sent) -> CreateResult:
    return CreateResult(
        entry.request,
        sent.outcome,
        entry.at,
        sent.request_id,
        sent.error,
        sent.attempts,
        sent.resolution,
        attempt.entry_on_disk,
        entry.seen_before,
        entry.clock_offset,
        attempt.journal_problem,
        attempt.writer,
    )


async def _with_ends(
    engine: SearchEngine,
    journal: Journal,
    entry: JournalEntry,
    history: Sequence[HistoryEntry] | None,
    *,
    seconds: float,
    now: Callable[[], datetime],
) -> Sequence[HistoryEntry] | None:
    """The history, once the ends of earlier requests that it tells of are written down."""
    gateway = entry.caller.gateway
    try:
        return await learn_ends(engine, journal, entry.request, gateway, history, seconds=seconds, now=now)
    except JournalProblem:  # what it means for this request is for the writing to say
        return history


async def _send(
    engine: SearchEngine,
    attempt: Attempt,
    sleep: Callable[[float], Awaitable[None]],
    now: Callable[[], datetime],
) -> Sent:
    """Send it; again, at most twice, where it was throttled and the history does not name it."""
    sent, entry = await attempt.send(), attempt.entry
    while (throttled := _throttled_without_effect(sent)) is not None and attempt.count <= MOST_REPEATS:
        await sleep(_wait_after(throttled, attempt.count))
        try:
            rows = await engine.recent_snapshots(entry.request.cluster_number, tries=1)
            offset = engine.clock_offset
            asked = Asked.by(entry).on_clock(offset.seconds if offset else None)
            found = best_match(asked, rows, now())
            if found is not None and found.whose is Whose.OURS:
                return sent.resolved(started_by(found.row, 1))
            if found is not None and found.whose is Whose.MAY_BE:
                return replace(sent, outcome=Outcome.UNKNOWN)
            sent = await attempt.send()
        except (GatewayError, JournalProblem):
            return sent  # refused, as it said; to send again without a look, or unwritten, is not worth the risk
    return sent


def _throttled_without_effect(sent: Sent) -> Throttled | None:
    """The gateway's own 429, which is certain to have come before any effect; None for whatever only looks like it."""
    error = sent.error
    return error if isinstance(error, Throttled) and sent.outcome is Outcome.REFUSED else None


def _wait_after(error: Throttled, attempts: int) -> float:
    """Seconds: what the gateway asks for, be it nothing; else one, then two."""
    return BACKOFF.pause(attempts) if error.retry_after is None else error.retry_after
