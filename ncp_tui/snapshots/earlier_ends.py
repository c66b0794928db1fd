"""How earlier creates ended, where a history that is read for something else says so."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ncp_tui.gateway.errors import GatewayError
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.snapshots.earlier_requests import is_of
from ncp_tui.snapshots.history_match import Asked, Whose, best_match
from ncp_tui.snapshots.journal import Journal, on_disk
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import Outcome, SnapshotRequest
from ncp_tui.snapshots.resolve import SECONDS

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine


async def learn_ends(
    engine: SearchEngine,
    journal: Journal,
    request: SnapshotRequest,
    gateway: str,
    history: Sequence[HistoryEntry] | None,
    *,
    seconds: float = SECONDS,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Sequence[HistoryEntry] | None:
    """Write down how earlier creates of the same snapshot ended, where the history says so; returns the history.

    It is read, for at most `seconds`, only where the caller has none and an accepted create's end is not known. Raises
    JournalProblem.
    """
    entries = [
        entry for entry in await on_disk(journal.entries) if is_of(entry, request, gateway) and _lacks_end(entry)
    ]
    if entries and history is None:
        with contextlib.suppress(GatewayError, TimeoutError):  # they stay without an end, and stop the next one
            async with asyncio.timeout(seconds):
                history = await engine.recent_snapshots(request.cluster_number)
    offset = engine.clock_offset
    for entry in entries:
        row = end_of(entry, history or [], now(), offset.seconds if offset else None)
        if row is not None:
            state, message = row.state.value, row.message
            await on_disk(
                lambda key=entry.id, state=state, message=message: journal.append(  # type: ignore[misc]
                    key, JournalEvent.FINISHED, state=state, message=message
                )
            )
    return history


def end_of(
    entry: JournalEntry, rows: Sequence[HistoryEntry], looked_at: datetime, offset: float | None = None
) -> HistoryEntry | None:
    """The row that tells how an accepted create ended; None where that is known already, or still is not."""
    if not _lacks_end(entry):
        return None
    found = best_match(Asked.by(entry).on_clock(offset), rows, looked_at)
    if found is None or found.whose is not Whose.OURS:
        return None
    return found.row if found.row.state in {SnapshotState.SUCCESS, SnapshotState.FAILED} else None


def _lacks_end(entry: JournalEntry) -> bool:
    return entry.outcome is Outcome.ACCEPTED and entry.state is None
