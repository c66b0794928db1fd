"""Finding out what became of a create whose answer was lost: the history is asked, nothing is ever sent again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ncp_tui.gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    Throttled,
)
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.snapshots.earlier_requests import is_of
from ncp_tui.snapshots.history_match import Asked, Match, Whose, best_match
from ncp_tui.snapshots.journal import Journal, on_disk
from ncp_tui.snapshots.journal_entry import JournalEntry, JournalEvent
from ncp_tui.snapshots.outcome import Outcome, SnapshotRequest, Verdict
from ncp_tui.system.backoff import Backoff, chance

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine

SECONDS = 60.0
"""How long the history is looked at. An entry that is missing then may still come: absence proves nothing."""

BACKOFF = Backoff(first=1.0, longest=15.0)
# Room for the last look: begun at the very end, none would ever be answered over a link with 200 ms of latency.
_LAST_LOOK, _LAST_SHARE = 5.0, 0.1


@dataclass(frozen=True)
class Resolution:
    """What the search for an outcome found: a verdict, the evidence for it in a sentence, and what to do next."""

    verdict: Verdict
    evidence: str
    next_step: str = ""
    row: HistoryEntry | None = None
    looks: int = 0
    problem: GatewayError | None = None
    """Why the last look at the history failed, if it did."""

    def journal_details(self) -> dict[str, Any]:
        """What the journal keeps of it."""
        return {"verdict": self.verdict.value, "evidence": self.evidence, "looks": self.looks}

    @property
    def sentence(self) -> str:
        """All of it on one line."""
        return f"{self.verdict.value.capitalize()}: {self.evidence} {self.next_step}".rstrip()


async def search_history(
    engine: SearchEngine,
    entry: JournalEntry,
    *,
    seconds: float = SECONDS,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = chance,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    on_look: Callable[[int], None] = lambda _: None,
) -> Resolution:
    """Look for `entry` in the history of its cluster for at most `seconds`, less and less often.

    Only reads. A row that is ours (see `matching`) is the proof that it was started. There is no proof of the contrary
    in a history that may lag behind or lose a row: where none of the looks shows it, nobody can tell. `on_look` is told
    the number of each look before it.
    """
    ends, looks = monotonic() + seconds, 0
    last_begins, is_last = ends - min(_LAST_LOOK, _LAST_SHARE * seconds), False
    seen, problem = 0, None
    other: Match | None = None
    while True:
        looks += 1
        on_look(looks)
        try:
            async with asyncio.timeout(max(0.05, ends - monotonic())):
                rows = await engine.recent_snapshots(entry.request.cluster_number, tries=1)
        except (AuthenticationFailed, PermissionDenied, NotFound, QuotaExceeded) as error:
            return _cannot_tell(entry, looks, seen, error, other)
        except GatewayError as error:
            problem = error
        except TimeoutError:
            return _cannot_tell(entry, looks, seen, problem, other)
        else:
            seen, problem = seen + 1, None
            offset = engine.clock_offset
            other = best_match(Asked.by(entry).on_clock(offset.seconds if offset else None), rows, now()) or other
            if other is not None and other.whose is Whose.OURS:
                return started_by(other.row, looks)
        left = last_begins - monotonic()
        if is_last or left <= 0:
            return _cannot_tell(entry, looks, seen, problem, other)
        asked = problem.retry_after if isinstance(problem, Throttled) else None
        wait = BACKOFF.pause(looks, asked, jitter)
        is_last = wait >= left
        await sleep(min(left, wait))


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


def started_by(row: HistoryEntry, looks: int) -> Resolution:
    """The verdict that a row of the history proves."""
    at = f" since {row.when}" if row.when else ""
    return Resolution(
        Verdict.STARTED,
        f"the history names it{at} ({row.message or row.state.value}).",
        "Do not send it again.",
        row,
        looks,
    )


def _cannot_tell(
    entry: JournalEntry, looks: int, seen: int, problem: GatewayError | None, other: Match | None = None
) -> Resolution:
    name, cluster = entry.request.name, entry.request.cluster
    if other is not None and other.whose is Whose.MAY_BE:
        evidence = f"the history has a row of {name} that may be this one: {other.why}."
        next_step = "It may be an earlier one as well. Do not send it again before you have looked."
    elif seen:
        its_row = "" if other is None else f" as this one. It has another row of that name: {other.why}"
        evidence = (
            f"the request left, no answer said what became of it, and {_times(seen)} the history did not name "
            f"{name}{its_row}."
        )
        next_step = (
            "That makes it likely that it was not started, but is no proof: the history may lag. Look again in a few "
            "minutes, or take a snapshot of another name."
        )
    else:
        evidence = "the request left, no answer said what became of it, and the history could not be read."
        because = problem.what if problem is not None else "The history did not answer in time."
        next_step = f"{because} Look at the history of {cluster} when that is mended."
    return Resolution(Verdict.CANNOT_TELL, evidence, next_step, None, looks, problem)


def _times(count: int) -> str:
    return "at one look" if count == 1 else f"at {count} looks"
