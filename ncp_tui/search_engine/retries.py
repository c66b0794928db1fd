"""Asking again, for reads only: what changes nothing may be repeated, within a time that a person would wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from ncp_tui.gateway.errors import (
    AnswerLost,
    BadAnswer,
    EndpointError,
    EndpointTimeout,
    GatewayError,
    KeysUnavailable,
    NotReached,
    ProxyRefused,
    ServerError,
    Throttled,
    TlsFailed,
)
from ncp_tui.system.backoff import Backoff, chance

MOST_TRIES = 3
TOTAL_SECONDS = 30.0
"""From the first try to the end of the last, whatever happens in between."""

BACKOFF = Backoff(first=0.5, longest=5.0, least=0.0, most=1.0)

_SHORTEST_TRY = 1.0
_TRANSIENT = (NotReached, AnswerLost, ServerError, EndpointError, EndpointTimeout, Throttled)
_PERMANENT = (KeysUnavailable, ProxyRefused, TlsFailed)

Try = Callable[[int, float], Awaitable[Any]]
"""One try, given its number in the record and the seconds it may take."""


def is_transient(error: GatewayError) -> bool:
    """Whether a retry may succeed. Keys, permissions and certificates do not change by themselves."""
    if isinstance(error, BadAnswer):
        return error.is_incomplete
    return isinstance(error, _TRANSIENT) and not isinstance(error, _PERMANENT)


@dataclass(frozen=True)
class RetryPolicy:
    """When to ask again. `sleep`, `monotonic` and `jitter` are the world's, and other in tests."""

    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    monotonic: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = chance

    async def run(self, ask: Try, tries: int = MOST_TRIES) -> Any:
        """Await `ask` until it answers, at most `tries` times, and never for long.

        Raises the GatewayError of the last try. The number of a try counts the requests before it, of which there may
        have been more than tries.
        """
        ends = self.monotonic() + TOTAL_SECONDS
        number, left = 1, TOTAL_SECONDS
        for tried in range(1, tries + 1):
            try:
                return await ask(number, left)
            except GatewayError as error:
                asked = error.retry_after if isinstance(error, Throttled) else None
                pause = BACKOFF.pause(tried, asked, self.jitter)
                left = ends - self.monotonic() - pause
                if tried == tries or not is_transient(error) or left < _SHORTEST_TRY:
                    raise
                number = (error.exchange.attempt if error.exchange else number) + 1
            await self.sleep(pause)
            left = ends - self.monotonic()
        raise ValueError(f"there is no answer after {tries} tries")
