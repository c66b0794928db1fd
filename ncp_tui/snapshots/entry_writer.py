"""What the journal is to hold of one request, and what of it is not there yet.

An event that cannot be written is kept, and tried again with each later one and whenever somebody asks, until the
process ends: a request that the user wants sent although the journal cannot be written is not to be forgotten for it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from ncp_tui.problem import Problem
from ncp_tui.snapshots.journal import HeldEntry, Journal, JournalProblem, hold_on_disk, let_go, on_disk
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent

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
