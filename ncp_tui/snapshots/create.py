"""Taking one snapshot: checked, written down, sent once, and its outcome classified by what is proved."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ncp_tui.gateway.errors import AuthenticationFailed, GatewayError, ReadOnlyRefused, Throttled
from ncp_tui.problem import Problem
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.snapshots.history_match import Asked, RowKeys, Whose, best_match, rows_named
from ncp_tui.snapshots.history_search import SECONDS, Resolution, learn_ends, search_history, started_by
from ncp_tui.snapshots.journal import Journal, JournalProblem
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest, Verdict, outcome_of, outcome_sentence
from ncp_tui.snapshots.record import Record
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
    """The rows of that name that the history had before; None where nobody had looked."""
    clock_offset: float | None = None
    """Seconds by which the gateway's clock was ahead when it was asked for; None where that was not known."""
    journal_problem: Problem | None = None
    """Why the journal does not hold the outcome. The outcome is true all the same."""
    record: Record | None = None
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
            return f"Started: {name}. Its answer did not say so, but {self.resolution.evidence}"
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
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    resolve_seconds: float = SECONDS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    on_resolving: Callable[[GatewayError], None] = lambda _: None,
) -> CreateResult:
    """Check `request`, write it down, send it, and say what is known. An ambiguous failure is never sent again.

    `history` is what the cluster's history showed just before; its rows of that name are not taken for this snapshot.
    Without a `journal` nothing is written down; where it need not be written, a request is sent although it cannot be,
    and the rest is tried again, see `CreateResult.record`. `again` is the id of the earlier request for the same
    snapshot that the user has said yes to; `asked_at` is when the user asked for this one. After an ambiguous failure
    `on_resolving` is called with it, and the history is searched for `resolve_seconds`. Raises InvalidName,
    InvalidBucket, JournalProblem, DamagedJournal or SecondRequest before anything is sent; any failure after that is an
    outcome, no exception.
    """
    check_name(request.name)
    check_bucket(request.bucket)
    offset = engine.clock_offset
    entry = JournalEntry(
        id="",
        at=now(),
        caller=caller or Caller("", "", "", ""),
        request=request,
        clock_offset=offset.seconds if offset else None,
        seen_before=None if history is None else rows_named(history, request.name),
    )
    attempt = _Attempt(engine, entry, journal, now, must_be_written=must_be_written)
    await attempt.begin(history, again, asked_at, resolve_seconds)
    try:
        taken = await attempt.send(sleep)
        if taken.outcome is Outcome.UNKNOWN and taken.error is not None:
            on_resolving(taken.error)
            found = await search_history(engine, attempt.entry, seconds=resolve_seconds, sleep=sleep, now=now)
            outcome = Outcome.ACCEPTED if found.verdict is Verdict.STARTED else Outcome.UNKNOWN
            taken = replace(taken, outcome=outcome, resolution=found)
        return await attempt.conclude(taken)
    finally:
        await attempt.release()


class _Attempt:
    """One create between its first line in the journal and its last."""

    def __init__(
        self,
        engine: SearchEngine,
        entry: JournalEntry,
        journal: Journal | None,
        now: Callable[[], datetime],
        *,
        must_be_written: bool,
    ) -> None:
        self.entry = entry
        self._now = now
        self._engine = engine
        self._journal = journal
        self._must_be_written = must_be_written
        self._record: Record | None = None
        self._attempts = 0
        self._requests = 0
        self._journal_problem: Problem | None = None

    async def begin(
        self, history: Sequence[HistoryEntry] | None, again: str | None, asked_at: datetime | None, seconds: float
    ) -> None:
        """Have it on disk, once the ends of earlier requests were looked up. Raises what `Journal.begin` raises."""
        journal, entry = self._journal, self.entry
        if journal is None or self._engine.read_only:
            return
        rows = history
        with contextlib.suppress(JournalProblem):  # what it means for this request is for the writing to say
            rows = await learn_ends(
                self._engine, journal, entry.request, entry.caller.gateway, history, seconds=seconds, now=self._now
            )
        record = Record(journal, entry)
        await record.begin(
            lambda: journal.begin(
                entry.request,
                entry.caller,
                clock_offset=entry.clock_offset,
                seen_before=entry.seen_before,
                history=rows,
                again=again,
                asked_at=asked_at,
            ),
            must_be_written=self._must_be_written,
        )
        self._record = record

    async def send(self, sleep: Callable[[float], Awaitable[None]]) -> CreateResult:
        """Send it; again, at most twice, where it was throttled and the history does not name it."""
        taken = await self._send_once()
        while (throttled := _throttled_without_effect(taken)) is not None and self._attempts <= MOST_REPEATS:
            await sleep(_wait_after(throttled, self._attempts))
            try:
                rows = await self._engine.recent_snapshots(self.entry.request.cluster_number, tries=1)
                offset = self._engine.clock_offset
                asked = Asked.by(self.entry).on_clock(offset.seconds if offset else None)
                found = best_match(asked, rows, self._now())
                if found is not None and found.whose is Whose.OURS:
                    return replace(taken, outcome=Outcome.ACCEPTED, resolution=started_by(found.row, 1))
                if found is not None and found.whose is Whose.MAY_BE:
                    return replace(taken, outcome=Outcome.UNKNOWN)
                taken = await self._send_once()
            except GatewayError:
                return taken  # refused, as it said; to send again without a look is not worth the risk
            except JournalProblem as problem:
                self._journal_problem = problem
                return taken
        return taken

    async def _send_once(self) -> CreateResult:
        self._attempts += 1
        error: GatewayError | None = None
        request_id: str | None = None
        request, left_before = self.entry.request, self._requests
        try:
            request_id = await self._engine.create_snapshot(
                request.cluster_number,
                request.name,
                request.bucket,
                before_send=self._note_sent,
                # One repeat for the clock in all, whatever dates the answers have.
                corrects_clock=left_before < self._attempts,
            )
        except GatewayError as failure:
            error, request_id = failure, failure.request_id
        except JournalProblem as problem:
            if self._requests == left_before:
                raise
            # It left, was refused for this machine's clock, and the corrected one could not be written down.
            self._journal_problem = problem
            error = AuthenticationFailed(
                "The gateway refused the signature, because of this machine's clock.",
                "The corrected request was not sent: the journal could not be written.",
                problem.next_step,
                *problem.actions,
            )
        outcome = outcome_of(error) if error else Outcome.ACCEPTED
        await self._note(JournalEvent.ANSWERED, **_answered(error, request_id or None, outcome))
        attempts = 0 if isinstance(error, ReadOnlyRefused) else max(self._attempts, self._requests)
        return CreateResult(request, outcome, self.entry.at, request_id or None, error, attempts)

    async def conclude(self, taken: CreateResult) -> CreateResult:
        """Write the outcome down; a disk that fails now changes nothing about it."""
        found = taken.resolution
        if found is not None:
            await self._note(JournalEvent.RESOLVED, **found.journal_details())
        by = "history" if taken.by_history else None
        await self._note(JournalEvent.OUTCOME, outcome=taken.outcome.value, settled_by=by)
        record = self._record
        return replace(
            taken,
            entry=record.entry if record is not None and record.is_on_disk else None,
            journal_problem=(record.problem if record is not None else None) or self._journal_problem,
            record=record,
            seen_before=self.entry.seen_before,
            clock_offset=self.entry.clock_offset,
        )

    async def release(self) -> None:
        """Let others see to the entry."""
        if self._record is not None:
            await self._record.release()

    async def _note_sent(self) -> None:
        """On disk before the first byte leaves. Raises JournalUnwritable, and then nothing leaves."""
        attempt = self._requests + 1
        if self._record is not None:
            await self._record.note_sent(attempt)
        self._requests = attempt

    async def _note(self, event: JournalEvent, **details: Any) -> None:
        if self._record is not None:
            await self._record.note(event, **details)


def _answered(error: GatewayError | None, request_id: str | None, outcome: Outcome) -> dict[str, Any]:
    if error is None:
        return {"outcome": outcome.value, "request_id": request_id}
    return {
        "outcome": outcome.value,
        "request_id": request_id,
        "kind": error.kind,
        "status": error.status,
        "code": error.code,
        "what": error.what,
    }


def _throttled_without_effect(taken: CreateResult) -> Throttled | None:
    """The gateway's own 429, which is certain to have come before any effect; None for whatever only looks like it."""
    error = taken.error
    return error if isinstance(error, Throttled) and taken.outcome is Outcome.REFUSED else None


def _wait_after(error: Throttled, attempts: int) -> float:
    """Seconds: what the gateway asks for, be it nothing; else one, then two."""
    return BACKOFF.pause(attempts) if error.retry_after is None else error.retry_after
