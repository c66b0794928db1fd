"""Following one snapshot in the history of its cluster, look by look, to its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ncp_tui.gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    RefusedByGateway,
    RefusedByService,
    Throttled,
)
from ncp_tui.search_engine.models import HistoryEntry, SnapshotState
from ncp_tui.snapshots.history_match import Asked, Match, Whose, best_match
from ncp_tui.system.backoff import Backoff, chance

if TYPE_CHECKING:
    from ncp_tui.search_engine.client import SearchEngine


BACKOFF = Backoff(first=2.0, longest=15.0, growth=1.5)
"""Between two looks: short at first, since small snapshots end in seconds; at most four a minute later."""

_FINAL = frozenset({SnapshotState.SUCCESS, SnapshotState.FAILED})


@dataclass(frozen=True)
class Progress:
    """One look at the history. `entry` is None while no row is proved to be it; `problem` is a look that failed."""

    state: SnapshotState
    elapsed: float
    looks: int
    entry: HistoryEntry | None = None
    problem: GatewayError | None = None
    other: Match | None = None
    """The row of the name that may be it, or is not, where none is proved to be."""
    pause: float = 0.0
    """Seconds from then to the next look; 0 where there is none."""

    @property
    def is_throttled(self) -> bool:
        """Whether the look was refused for being one too many just now."""
        return isinstance(self.problem, Throttled)

    @property
    def is_final(self) -> bool:
        """Whether the snapshot has ended."""
        return self.state in _FINAL


async def watch(
    engine: SearchEngine,
    asked: Asked,
    *,
    whole_first: bool = False,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
    jitter: Callable[[], float] = chance,
) -> AsyncIterator[Progress]:
    """Yield a Progress after each look for what was `asked` at the history of its cluster, the last one final.

    With `whole_first` the first look goes through all pages, until it succeeds; the others see the newest rows only, or
    all while its row is not among those. A row that only may be it never ends the watch. A look that fails is reported
    and tried again after the next pause, a longer one where the gateway asks for it; refused keys, a missing
    permission, an unknown address or a used-up quota end the watch by raising, and so does any certain refusal of that
    whole first look. It has no limit of its own: cancel it, or stop iterating, at any time.
    """
    started, looks = monotonic(), 0
    last: HistoryEntry | None = None
    other: Match | None = None
    is_whole = whole_first
    while True:
        looks += 1
        problem: GatewayError | None = None
        try:
            other = await _look(engine, asked, now, is_whole=is_whole)
            is_there = other is not None and other.whose is Whose.OURS
            last = other.row if other is not None and is_there else last
            # A row that newer ones have pushed to an older page would else stay as it was seen last, for ever.
            is_whole = last is not None and not is_there
            whole_first = False
        except (AuthenticationFailed, PermissionDenied, NotFound, QuotaExceeded):
            raise
        except (RefusedByService, RefusedByGateway) as error:
            if whole_first:
                raise
            problem = error
        except GatewayError as error:
            problem = error
        state = last.state if last else SnapshotState.UNKNOWN
        progress = Progress(state, monotonic() - started, looks, last, problem, None if last else other)
        if progress.is_final:
            yield progress
            return
        wait = problem.retry_after if isinstance(problem, Throttled) else None
        pause = BACKOFF.pause(looks, wait, jitter)
        yield replace(progress, pause=pause)
        await sleep(pause)


async def _look(engine: SearchEngine, asked: Asked, now: Callable[[], datetime], *, is_whole: bool) -> Match | None:
    """The row of the history that is what was `asked`, or may be."""
    if is_whole:
        rows = await engine.snapshot_history(asked.cluster_number)
    else:
        rows = await engine.recent_snapshots(asked.cluster_number, tries=1)
    measured = engine.clock_offset
    return best_match(asked.on_clock(measured.seconds if measured else None), rows, now())
