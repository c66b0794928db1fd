"""One request with an effect: written down before it leaves, sent once, classified, resolved, its entry closed.

A create has its own way around this (`create`): a name that must not be requested twice, and a throttled request that
is repeated. Any other operation needs its registration and, where NCP can be asked what became of it, its look-up.

An event that the journal does not take is kept, and tried again with each later one and whenever somebody asks, until
the process ends: a request that the user wants sent although it cannot be written down is not to be forgotten for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ncp_tui.gateway.credentials import SecretKey
from ncp_tui.gateway.errors import AuthenticationFailed, GatewayError, ReadOnlyRefused
from ncp_tui.problem import Problem
from ncp_tui.search_engine.operations import CREATE_SNAPSHOT
from ncp_tui.snapshots.earlier_requests import Guard
from ncp_tui.snapshots.history_match import RowKeys
from ncp_tui.snapshots.journal import HeldEntry, Journal, JournalProblem, hold_on_disk, let_go, on_disk
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.journal_file import recorded
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest, Verdict, outcome_of
from ncp_tui.snapshots.resolve import LOOK_UPS, SECONDS, LookUp, Resolution, at_best_unknown

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine


RETRY_SECONDS = 15.0
"""Between two tries to write what the journal did not take."""

T = TypeVar("T")


class EntryWriter:
    """The events of one request on their way to the journal."""

    def __init__(self, journal: Journal, entry: JournalEntry) -> None:
        self.problem: Problem | None = None
        """Why the journal does not hold all of it; None where it does."""
        self._journal = journal
        self._entry = entry
        self._held: HeldEntry | None = None
        self._missing: list[tuple[JournalEvent, dict[str, Any]]] = []
        self._is_untried = self._is_released = False
        self._turn = asyncio.Lock()

    @property
    def entry(self) -> JournalEntry:
        """The entry as far as it is on disk."""
        return self._held.entry if self._held is not None else self._entry

    @property
    def is_on_disk(self) -> bool:
        """Whether the journal has its beginning."""
        return self._held is not None

    async def begin(self, begin: Callable[[], HeldEntry], *, must_be_written: bool) -> None:
        """Have its beginning on disk by `begin`; a journal that cannot be written stops it only where it must be.

        Raises what `begin` raises.
        """
        try:
            self._held = await hold_on_disk(begin)
        except JournalProblem as problem:
            if must_be_written:
                raise
            self.problem = problem

    async def note_sent(self, attempt: int) -> None:
        """On disk before the first byte leaves. Raises JournalProblem, and then nothing may leave.

        Where its beginning is not on disk, this is kept as well: the two are written together, so that no journal ever
        says of a request that has left that it has not.
        """
        held = self._held
        if held is None:
            self._missing.append((JournalEvent.SENT, {"attempt": attempt}))
            self._is_untried = True
            return
        async with self._turn:
            await self._write_missing(held)
            await on_disk(lambda: held.record(JournalEvent.SENT, attempt=attempt))

    async def note(self, event: JournalEvent, **details: Any) -> None:
        """Write an event down, or keep it."""
        self._missing.append((event, details))
        await self.catch_up()

    async def catch_up(self) -> bool:
        """Write what is missing; whether the journal then holds all of it, else `problem` says why not."""
        async with self._turn:
            self._is_untried = False
            try:
                if self._held is None:
                    self._held = await self._begun_late()
                await self._write_missing(self._held)
            except Problem as problem:
                self.problem = problem
                return False
            self.problem = None
            return True

    async def meanwhile(self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns; while it runs, what is missing is tried again and again."""
        trying = asyncio.create_task(self.keep_trying())
        try:
            return await work
        finally:
            trying.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await trying

    async def keep_trying(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Try until the journal holds all of it."""
        while self.problem is not None and not await self.catch_up():
            await sleep(RETRY_SECONDS)

    async def release(self) -> None:
        """Let others resolve the entry, once what was not tried to be written is. A disk that hangs keeps it."""
        if self._is_untried:
            await self.catch_up()
        self._is_released, held = True, self._held
        if held is not None:
            await asyncio.shield(let_go(held))

    async def _begun_late(self) -> HeldEntry:
        entry, events = self._entry, tuple(self._missing)
        held = await hold_on_disk(lambda: self._journal.begin_late(entry, events))
        self._missing = self._missing[len(events) :]
        if self._is_released:
            await on_disk(held.release)
        return held

    async def _write_missing(self, held: HeldEntry) -> None:
        while self._missing:
            event, details = self._missing[0]
            await on_disk(lambda event=event, details=details: held.record(event, **details))  # type: ignore[misc]
            self._missing.pop(0)


@dataclass(frozen=True)
class OperationRequest:
    """A request of another operation than a create. `parameters` are what is sent beside the cluster's number.

    `noted` is not sent, and stands in the journal among them: what is to be known of the request later.
    """

    operation: str
    cluster_number: str
    cluster_name: str
    parameters: Mapping[str, str | int | SecretKey] = field(default_factory=dict, repr=False)
    noted: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Sent:
    """What came of a request that was sent."""

    outcome: Outcome
    request_id: str | None = None
    error: GatewayError | None = None
    """What the last request ended in, also where a look-up later proved that it had its effect."""
    attempts: int = 1
    resolution: Resolution | None = None
    """What a look-up said, where the answer did not say enough."""

    def resolved(self, found: Resolution) -> Sent:
        """The same with what was found out later."""
        outcome = Outcome.ACCEPTED if found.verdict is Verdict.STARTED else Outcome.UNKNOWN
        return replace(self, outcome=outcome, resolution=found)


@dataclass(frozen=True)
class OperationResult:
    """A request of another operation than a create that was tried, and what came of it."""

    request: OperationRequest
    sent: Sent
    at: datetime
    entry: JournalEntry | None = None
    """Its entry in the journal; None without one."""
    journal_problem: Problem | None = None
    """Why the journal does not hold the outcome. The outcome is true all the same."""
    writer: EntryWriter | None = None
    """What the journal holds of it, and what is still to be written; None without a journal."""


async def send_operation(
    engine: SearchEngine,
    request: OperationRequest,
    *,
    caller: Caller,
    journal: Journal | None,
    must_be_written: bool = True,
    guard: Guard | None = None,
    look_up: LookUp | None = None,
    seen_before: RowKeys | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    resolve_seconds: float = SECONDS,
    on_resolving: Callable[[GatewayError], None] = lambda _: None,
) -> OperationResult:
    """Write `request` down, send it once, and say what is known of its effect.

    `guard` says which earlier requests stop it, `look_up` knows more than that of a later run would, and `seen_before`
    is what its look-up is to know of the time before it.
    After an ambiguous failure `on_resolving` is called with it, and its look-up, where it has one, asks for
    `resolve_seconds`. Raises what `guard` does, and JournalProblem, before anything is sent; any failure after that is
    an outcome.
    """
    if request.operation == CREATE_SNAPSHOT:
        raise ValueError("a create is sent by `create_snapshot`")
    entry = replace(_entry_of(engine, request, caller, now()), seen_before=seen_before)
    body = request.parameters or None

    async def ask(**options: Any) -> str:
        return await engine.change(request.operation, request.cluster_number, body, **options)

    attempt = Attempt(entry, ask, None if engine.read_only else journal)
    if journal is not None:
        await attempt.begin(lambda: journal.begin_other(entry, guard), must_be_written=must_be_written)
    try:
        sent, look_up = await attempt.send(), look_up or LOOK_UPS.get(request.operation)
        if sent.outcome is Outcome.UNKNOWN and sent.error is not None and look_up is not None:
            on_resolving(sent.error)
            found = replace(await look_up(engine, attempt.entry, seconds=resolve_seconds), is_create=False)
            sent = sent.resolved(await _unless_another(journal, attempt, found))
        await attempt.conclude(sent)
        return OperationResult(request, sent, entry.at, attempt.entry_on_disk, attempt.journal_problem, attempt.writer)
    finally:
        await attempt.release()


def _entry_of(engine: SearchEngine, request: OperationRequest, caller: Caller, at: datetime) -> JournalEntry:
    """What is written down of `request` before it leaves: nothing of its secrets."""
    offset = engine.clock_offset
    return JournalEntry(
        id="",
        at=at,
        caller=caller,
        request=SnapshotRequest(request.cluster_number, request.cluster_name, "", ""),
        clock_offset=offset.seconds if offset else None,
        operation=request.operation,
        details=recorded(request.operation, {**request.noted, **request.parameters}),
    )


async def _unless_another(journal: Journal | None, attempt: Attempt, found: Resolution) -> Resolution:
    """What a look-up found, lowered where another request of this machine may have left the same trace."""
    entry = attempt.entry_on_disk
    if journal is None or entry is None or found.verdict is not Verdict.STARTED:
        return found
    try:
        return at_best_unknown(entry, found, await on_disk(journal.entries))
    except JournalProblem:
        return found


class Attempt:
    """One request between its first line in the journal and its last."""

    def __init__(self, entry: JournalEntry, ask: Callable[..., Awaitable[str]], journal: Journal | None) -> None:
        """`ask` sends it, with the options `before_send` and `corrects_clock` of `SearchEngine.change`."""
        self.count = 0
        """How often it was sent."""
        self.writer = EntryWriter(journal, entry) if journal is not None else None
        """What the journal holds of it; None without one."""
        self._entry = entry
        self._ask = ask
        self._requests = 0
        self._unwritten: Problem | None = None

    @property
    def entry(self) -> JournalEntry:
        """Its entry, in the journal or not."""
        return self._entry

    @property
    def entry_on_disk(self) -> JournalEntry | None:
        """Its entry as the journal has it; None where it has none."""
        return self.writer.entry if self.writer is not None and self.writer.is_on_disk else None

    @property
    def journal_problem(self) -> Problem | None:
        """Why the journal does not hold all of it."""
        return (self.writer.problem if self.writer is not None else None) or self._unwritten

    async def begin(self, begin: Callable[[], HeldEntry], *, must_be_written: bool) -> None:
        """Have it on disk by `begin`, which is a method of the journal. Raises what that raises."""
        if self.writer is not None:
            await self.writer.begin(begin, must_be_written=must_be_written)

    async def send(self) -> Sent:
        """Send it, once. Raises JournalProblem where that could not be written down: then nothing has left."""
        self.count += 1
        error: GatewayError | None = None
        request_id: str | None = None
        left_before = self._requests
        try:
            request_id = await self._ask(
                before_send=self._note_sent,
                # One repeat for the clock in all, whatever dates the answers have.
                corrects_clock=left_before < self.count,
            )
        except GatewayError as failure:
            error, request_id = failure, failure.request_id
        except JournalProblem as problem:
            self._unwritten = problem
            if self._requests == left_before:
                raise
            # It left, was refused for this machine's clock, and the corrected one could not be written down.
            error = AuthenticationFailed(
                "The gateway refused the signature, because of this machine's clock.",
                "The corrected request was not sent: the journal could not be written.",
                problem.next_step,
                *problem.actions,
            )
        outcome = outcome_of(error) if error else Outcome.ACCEPTED
        await self._note(JournalEvent.ANSWERED, **_answered(error, request_id or None, outcome))
        attempts = 0 if isinstance(error, ReadOnlyRefused) else max(self.count, self._requests)
        return Sent(outcome, request_id or None, error, attempts)

    async def conclude(self, sent: Sent) -> None:
        """Write the outcome down; a disk that fails now changes nothing about it."""
        found = sent.resolution
        if found is not None:
            await self._note(JournalEvent.RESOLVED, **found.journal_details())
        by = found.source if found is not None and found.verdict is Verdict.STARTED else None
        await self._note(JournalEvent.OUTCOME, outcome=sent.outcome.value, settled_by=by)

    async def release(self) -> None:
        """Let others resolve the entry."""
        if self.writer is not None:
            await self.writer.release()

    async def _note_sent(self) -> None:
        """On disk before the first byte leaves. Raises JournalUnwritable, and then nothing leaves."""
        number = self._requests + 1
        if self.writer is not None:
            await self.writer.note_sent(number)
        self._requests = number

    async def _note(self, event: JournalEvent, **details: Any) -> None:
        if self.writer is not None:
            await self.writer.note(event, **details)


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
