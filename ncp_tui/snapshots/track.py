"""A snapshot from its request to its end: created, followed, its end noted, and picked up where an earlier run left it.

The screens and the commands use the same tracker. The screens have each snapshot run to its end behind them; a command
awaits as much of it as the user wants.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ncp_tui.gateway.errors import (
    GatewayError,
)
from ncp_tui.problem import Problem
from ncp_tui.profiles.identity import Identity
from ncp_tui.search_engine.models import HistoryEntry
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.create import CreateResult, create_snapshot
from ncp_tui.snapshots.earlier_requests import Intent
from ncp_tui.snapshots.history_match import Asked
from ncp_tui.snapshots.inventory import Inventory
from ncp_tui.snapshots.journal import Journal, JournalProblem, on_disk
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest
from ncp_tui.snapshots.resolve import SECONDS
from ncp_tui.snapshots.watch import Progress, watch
from ncp_tui.text import clean

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine
    from ncp_tui.snapshots.operations import EntryWriter


PICKED_UP_FOR = timedelta(hours=24)
"""How old an accepted create may be to be followed by a later run; an older one has ended, or its row never came."""


@dataclass(eq=False)
class TrackedSnapshot:
    """One snapshot on its way, and all that is known of it now."""

    request: SnapshotRequest
    identity: Identity
    engine: SearchEngine
    asked_at: datetime
    asked_monotonic: float
    taken: CreateResult | None = None
    progress: Progress | None = None
    problem: Problem | None = None
    """Why it was never sent, or is not followed any more."""
    history: Sequence[HistoryEntry] | None = None
    """What the history showed before it was sent."""
    with_journal: bool = True
    again: str | None = None
    """The id of the earlier request for the same snapshot that the user said yes to."""
    batch: str = ""
    """The batch that it is a part of; empty for a request of its own."""
    inventory: Inventory | None = None
    """What its cluster held before it was sent, where that was read."""
    resolving: GatewayError | None = None
    """Why no answer said what became of it; from then on the history is asked."""
    journal_problem: Problem | None = None
    """Why the journal does not hold its end."""
    is_earlier: bool = False
    """Whether another run requested it: it is never sent, and its row may be on any page of the history."""
    next_at: float | None = None
    """When the next request about it leaves, in monotonic seconds; None where that is not known, or now."""

    @property
    def asked(self) -> Asked:
        """What its row in the history is known by."""
        return self.taken.asked if self.taken is not None else Asked.of(self.request)

    @property
    def entry(self) -> JournalEntry | None:
        """Its entry in the journal; None without one."""
        return self.taken.entry if self.taken is not None else None

    @property
    def writer(self) -> EntryWriter | None:
        """What the journal holds of it, and what is still to be written; None for one of an earlier run."""
        return self.taken.writer if self.taken is not None else None

    @property
    def is_from_elsewhere(self) -> bool:
        """Whether only its row is known: no request for it is in the journal that is followed here."""
        return self.is_earlier and self.taken is None

    @property
    def is_throttled(self) -> bool:
        """Whether what is waited for is that NCP takes requests again."""
        if self.is_being_sent:
            return self.next_at is not None  # nothing but that has a create repeated
        return self.progress is not None and self.progress.is_throttled

    @property
    def is_resolving(self) -> bool:
        """Whether no answer said what became of it, and the history is being checked."""
        return self.resolving is not None and self.taken is None and self.problem is None

    @property
    def is_being_sent(self) -> bool:
        """Whether its request is on its way right now, its answer neither there nor lost."""
        return self.is_to_be_sent and self.problem is None and self.resolving is None

    @property
    def is_to_be_sent(self) -> bool:
        """Whether this run asks for it, and does not know yet what became of that."""
        return self.taken is None and not self.is_earlier

    @property
    def is_open(self) -> bool:
        """Whether anything is still to come."""
        if self.problem is not None or (self.taken is not None and self.taken.outcome is not Outcome.ACCEPTED):
            return False
        return self.is_to_be_sent or self.progress is None or not self.progress.is_final


@dataclass(frozen=True)
class LeftOpen:
    """What the journal holds of creates that are not over and that no running program handles."""

    unresolved: list[JournalEntry]
    """It is not known whether they were started."""
    under_way: list[JournalEntry]
    """They were started not long ago, and their end is not known."""


Listener = Callable[[TrackedSnapshot], None]


class SnapshotTracker:
    """Creates snapshots and follows them. A listener is called after each change of one."""

    def __init__(
        self,
        journal: Journal,
        log: SessionLog,
        *,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        run_behind: Listener | None = None,
    ) -> None:
        """`run_behind` has one `run` to its end behind whatever else is done; a command awaits it instead."""
        self.snapshots: list[TrackedSnapshot] = []
        self.resolve_seconds = SECONDS
        """How long the history is checked after a lost answer."""
        self._journal = journal
        self._log = log
        self._now = now
        self._monotonic = monotonic
        self._run_behind = run_behind
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` after each change of a snapshot."""
        self._listeners.append(listener)

    @property
    def open(self) -> list[TrackedSnapshot]:
        """The snapshots that are still running."""
        return [each for each in self.snapshots if each.is_open]

    def not_written_down(self) -> Iterator[str]:
        """What the journal does not hold of this run's creates, a line each: it cannot be found out later."""
        for each in self.snapshots:
            if each.taken is not None and each.writer is not None and each.writer.problem is not None:
                yield clean(f"{each.taken.sentence} The journal does not hold it: {each.writer.problem.what}")

    def start(
        self,
        request: SnapshotRequest,
        identity: Identity,
        engine: SearchEngine,
        *,
        history: Sequence[HistoryEntry] | None = None,
        with_journal: bool = True,
        again: str | None = None,
        asked_at: datetime | None = None,
        batch: str = "",
        inventory: Inventory | None = None,
    ) -> TrackedSnapshot:
        """Track a create that is to be sent. Without the journal only where the user said so.

        `history`, `again`, `asked_at`, `batch` and `inventory` are as for `create_snapshot`; the user asks now where
        nothing else is said.
        """
        tracked = TrackedSnapshot(request, identity, engine, asked_at or self._now(), self._monotonic())
        tracked.history, tracked.with_journal, tracked.again, tracked.batch = history, with_journal, again, batch
        tracked.inventory = inventory
        return self._track(tracked)

    def resume(self, entry: JournalEntry, identity: Identity, engine: SearchEngine) -> TrackedSnapshot:
        """Track what an earlier run requested."""
        since = self._monotonic() - max(0.0, (self._now() - entry.at).total_seconds())
        taken = CreateResult(
            entry.request,
            entry.outcome,
            entry.at,
            entry.request_id,
            entry=entry,
            seen_before=entry.seen_before,
            clock_offset=entry.clock_offset,
        )
        return self._track(
            TrackedSnapshot(entry.request, identity, engine, entry.at, since, taken=taken, is_earlier=True)
        )

    def watch_name(
        self, request: SnapshotRequest, identity: Identity, engine: SearchEngine, *, since: datetime | None = None
    ) -> TrackedSnapshot:
        """Track the newest snapshot of that name, whoever requested it: nothing is sent, and nothing written down.

        `since` is when it was started, where its row says so; else its time counts from now.
        """
        now = self._now()
        at = min(since or now, now)
        monotonic = self._monotonic() - (now - at).total_seconds()
        return self._track(TrackedSnapshot(request, identity, engine, at, monotonic, is_earlier=True))

    def is_followed(self, cluster_number: str, name: str) -> bool:
        """Whether a snapshot of that name on that cluster is followed now."""
        return any((each.request.cluster_number, each.request.name) == (cluster_number, name) for each in self.open)

    def has(self, key: str) -> bool:
        """Whether the journal's entry `key` is followed already, or was to its end."""
        return self.of_entry(key) is not None

    def of_entry(self, key: str) -> TrackedSnapshot | None:
        """The snapshot of the journal's entry `key` that is followed already, or was to its end."""
        for each in self.snapshots:
            has_ended = each.progress is not None and each.progress.is_final
            if each.entry is not None and each.entry.id == key and (each.is_open or has_ended):
                return each
        return None

    async def left_open(self) -> LeftOpen:
        """What this and earlier runs left unresolved, and no program handles. Raises JournalProblem."""
        entries = await on_disk(self._journal.entries)
        unresolved = await on_disk(self._journal.abandoned)
        youngest = self._now() - PICKED_UP_FOR
        under_way = [entry for entry in entries if entry.is_under_way and not entry.is_open and entry.at > youngest]
        return LeftOpen(unresolved, under_way)

    async def run(self, tracked: TrackedSnapshot) -> None:
        """Send a create where it is still to be sent, and follow it to its end, which is noted.

        Whatever goes wrong is the snapshot's `problem`. What the journal does not take is tried until it does, or the
        program ends.
        """
        if tracked.is_to_be_sent:
            try:
                await self.create(tracked)
            except Problem as problem:
                tracked.problem = problem
            self._tell(tracked)
        writing = asyncio.create_task(self._write_down(tracked))
        try:
            if tracked.is_open:
                await self.follow(tracked)
            await writing
        finally:
            writing.cancel()
            await asyncio.wait([writing])
        await self._write_down(tracked)  # the end as well

    async def created(self, tracked: TrackedSnapshot) -> None:
        """Send it here, unless that is done behind, until what became of it is known. What stops it is its problem."""
        if self._run_behind is not None:
            await self._until(tracked, lambda: not tracked.is_to_be_sent or tracked.problem is not None)
            return
        try:
            await self.create(tracked)
        except Problem as problem:
            tracked.problem = problem

    async def ended(self, tracked: TrackedSnapshot, seconds: float) -> None:
        """Follow it here, unless that is done behind, until it has ended or `seconds` are over."""
        if self._run_behind is None:
            await self.follow(tracked, seconds=seconds)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._until(tracked, lambda: not tracked.is_open)

    async def _until(self, tracked: TrackedSnapshot, holds: Callable[[], bool]) -> None:
        moved = asyncio.Event()

        def note(each: TrackedSnapshot) -> None:
            if each is tracked:
                moved.set()

        self._listeners.append(note)
        try:
            while not holds():
                moved.clear()
                await moved.wait()
        finally:
            self._listeners.remove(note)

    async def create(self, tracked: TrackedSnapshot) -> CreateResult:
        """Send it once and find out what became of it. Raises what `create_snapshot` raises before anything is sent."""
        request = tracked.request

        def tell_resolving(error: GatewayError) -> None:
            tracked.resolving = error
            self._tell(tracked)

        async def wait(seconds: float) -> None:
            tracked.next_at = self._monotonic() + seconds
            await asyncio.sleep(seconds)
            tracked.next_at = None

        with self._log.action(f"create snapshot {request.name}") as action:
            if not tracked.with_journal:
                await self._check_first(tracked)
            taken = await create_snapshot(
                tracked.engine,
                request,
                caller=Caller.of(tracked.identity),
                journal=self._journal,
                must_be_written=tracked.with_journal,
                history=tracked.history,
                again=tracked.again,
                asked_at=tracked.asked_at,
                batch=tracked.batch,
                inventory=tracked.inventory,
                now=self._now,
                resolve_seconds=self.resolve_seconds,
                on_resolving=tell_resolving,
                sleep=wait,
            )
            tracked.taken = taken
            action.outcome, action.failed = taken.sentence, taken.outcome is not Outcome.ACCEPTED
        return taken

    async def follow(self, tracked: TrackedSnapshot, *, seconds: float | None = None) -> None:
        """Read the history until the snapshot has ended, which is noted, or `seconds` are over.

        A problem that ends it is the snapshot's. To stop never touches the snapshot.
        """
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await self._look(tracked)
        except TimeoutError:
            if not limit.expired():  # not the time that was given, but a fault inside
                raise
            return
        except Problem as problem:
            tracked.problem = problem
        else:
            await self._note_end(tracked)
        self._tell(tracked)

    async def _look(self, tracked: TrackedSnapshot) -> None:
        with self._log.action(f"watch {tracked.request.name}", background=True):
            looks = watch(tracked.engine, tracked.asked, whole_first=tracked.is_earlier, now=self._now)
            async for progress in looks:
                tracked.progress = progress
                tracked.next_at = self._monotonic() + progress.pause if progress.pause else None
                if not progress.is_final:  # of its end is told when it is noted
                    self._tell(tracked)

    async def _note_end(self, tracked: TrackedSnapshot) -> None:
        progress, writer, entry = tracked.progress, tracked.writer, tracked.entry
        if progress is None or progress.entry is None:
            return
        state, message = progress.state.value, progress.entry.message
        if writer is not None:  # with what the journal has not taken yet, in its order
            await writer.note(JournalEvent.FINISHED, state=state, message=message)
            tracked.journal_problem = writer.problem
        elif entry is not None:
            try:
                await on_disk(
                    lambda: self._journal.append(entry.id, JournalEvent.FINISHED, state=state, message=message)
                )
            except JournalProblem as problem:
                tracked.journal_problem = problem

    async def _write_down(self, tracked: TrackedSnapshot) -> None:
        """Try until the journal holds all that is known of a create."""
        writer = tracked.writer
        if writer is None or writer.problem is None or tracked.taken is None:
            return
        await writer.keep_trying()
        tracked.taken, tracked.journal_problem = replace(tracked.taken, entry=writer.entry, journal_problem=None), None
        self._tell(tracked)

    async def _check_first(self, tracked: TrackedSnapshot) -> None:
        """What cannot be written down is not sent a second time either. Raises SecondRequest, DamagedJournal."""
        caller = Caller.of(tracked.identity)
        intent = Intent(tracked.request, caller, tracked.history, tracked.again, tracked.asked_at)
        with contextlib.suppress(JournalProblem):
            await on_disk(lambda: self._journal.check(intent))

    def _track(self, tracked: TrackedSnapshot) -> TrackedSnapshot:
        self.snapshots.append(tracked)
        if self._run_behind is not None:
            self._run_behind(tracked)
        return tracked

    def _tell(self, tracked: TrackedSnapshot) -> None:
        for listener in self._listeners:
            listener(tracked)
