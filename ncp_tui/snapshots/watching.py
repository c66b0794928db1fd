"""Following one snapshot in the history until it ends. Stopping to watch never touches the snapshot."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ncp_tui.gateway import AuthenticationFailed, GatewayError, NotFound, PermissionDenied, QuotaExceeded, Throttled
from ncp_tui.search_engine import HistoryEntry, SnapshotState
from ncp_tui.snapshots.matching import KNOWN_CLOCK, SAME_MOMENT, UNKNOWN_CLOCK, RowKeys, find_snapshot

if TYPE_CHECKING:
    from ncp_tui.search_engine import SearchEngine

FIRST_PAUSE, LONGEST_PAUSE = 2.0, 15.0
"""Seconds between two looks: short at first, since small snapshots end in seconds; at most four a minute later."""

_GROWTH = 1.5
_JITTER = 0.2
_FINAL = frozenset({SnapshotState.SUCCESS, SnapshotState.FAILED})


@dataclass(frozen=True)
class Progress:
    """One look at the history. `entry` is None while the snapshot is not in it; `problem` is a look that failed."""

    state: SnapshotState
    elapsed: float
    looks: int
    entry: HistoryEntry | None = None
    problem: GatewayError | None = None

    @property
    def is_final(self) -> bool:
        """Whether the snapshot has ended."""
        return self.state in _FINAL


async def watch(
    engine: SearchEngine,
    number: str,
    name: str,
    *,
    since: datetime | None = None,
    seen_before: RowKeys | None = None,
    clock_offset: float | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = random.random,
) -> AsyncIterator[Progress]:
    """Yield a Progress after each look at cluster `number`'s history, the last one final.

    Rows older than `since`, or there before, belong to an earlier attempt of the same name and are not looked at.
    `since` is on this machine's clock, and `clock_offset` what that lacked then; without it the engine's is taken. A
    look that fails is reported and tried again after the next pause, a longer one where the gateway asks for it;
    refused keys, a missing permission, an unknown address or a used-up quota end the watch by raising. It has no limit
    of its own: cancel it, or stop iterating, at any time.
    """
    started, pause, looks = monotonic(), FIRST_PAUSE, 0
    last: HistoryEntry | None = None
    while True:
        looks += 1
        problem: GatewayError | None = None
        try:
            rows = await engine.recent_snapshots(number, tries=1)
            last = _row(rows, name, since, seen_before, _offset(engine, clock_offset)) or last
        except (AuthenticationFailed, PermissionDenied, NotFound, QuotaExceeded):
            raise
        except GatewayError as error:
            problem = error
        state = last.state if last else SnapshotState.UNKNOWN
        progress = Progress(state, monotonic() - started, looks, last, problem)
        yield progress
        if progress.is_final:
            return
        asked = problem.retry_after if isinstance(problem, Throttled) else None
        await sleep(max(asked or 0.0, pause * (1 - _JITTER + 2 * _JITTER * jitter())))
        pause = min(pause * _GROWTH, LONGEST_PAUSE)


def _offset(engine: SearchEngine, known: float | None) -> float | None:
    measured = engine.clock_offset
    return known if known is not None else measured.seconds if measured else None


def _row(
    rows: list[HistoryEntry], name: str, since: datetime | None, seen_before: RowKeys | None, offset: float | None
) -> HistoryEntry | None:
    """The row of what was asked for at `since`. One without a date is good enough: that it was accepted is known."""
    tolerance = UNKNOWN_CLOCK
    if offset is not None:
        tolerance = SAME_MOMENT if seen_before is None else KNOWN_CLOCK
    left = None if since is None else since + timedelta(seconds=offset or 0)
    return find_snapshot(rows, name, left, seen_before=seen_before or frozenset(), tolerance=tolerance)
