"""Asking the same thing again and again, less and less often: how a history is searched for what it may show late."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ncp_tui.gateway.errors import (
    AuthenticationFailed,
    GatewayError,
    NotFound,
    PermissionDenied,
    QuotaExceeded,
    Throttled,
)
from ncp_tui.system.backoff import Backoff, chance

# Room for the last look: begun at the very end, none would ever be answered over a link with 200 ms of latency.
_LAST_LOOK, _LAST_SHARE = 5.0, 0.1

B = TypeVar("B")


@dataclass(frozen=True)
class Pace:
    """How often and how long a history is asked."""

    seconds: float
    backoff: Backoff
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = chance
    on_look: Callable[[int], None] = lambda _: None


@dataclass
class Looked(Generic[B]):
    """The best that some looks have shown, how many there were and how many came, and why the last did not."""

    best: B | None = None
    looks: int = 0
    seen: int = 0
    problem: GatewayError | None = None


async def look_until(look: Callable[[], Awaitable[B | None]], is_enough: Callable[[B], bool], pace: Pace) -> Looked[B]:
    """Look, less and less often, until it is enough, time is over, or looking again is no use."""
    found = Looked[B]()
    ends, monotonic = pace.monotonic() + pace.seconds, pace.monotonic
    last_begins, is_last = ends - min(_LAST_LOOK, _LAST_SHARE * pace.seconds), False
    while True:
        found.looks += 1
        pace.on_look(found.looks)
        try:
            async with asyncio.timeout(max(0.05, ends - monotonic())):
                seen = await look()
        except (AuthenticationFailed, PermissionDenied, NotFound, QuotaExceeded) as error:
            found.problem = error
            return found
        except GatewayError as error:
            found.problem = error
        except TimeoutError:
            return found
        else:
            found.seen, found.problem, found.best = found.seen + 1, None, seen or found.best
            if found.best is not None and is_enough(found.best):
                return found
        left = last_begins - monotonic()
        if is_last or left <= 0:
            return found
        asked = found.problem.retry_after if isinstance(found.problem, Throttled) else None
        wait = pace.backoff.pause(found.looks, asked, pace.jitter)
        is_last = wait >= left
        await pace.sleep(min(left, wait))
