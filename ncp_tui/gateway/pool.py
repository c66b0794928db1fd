"""The connections of one gateway, through a proxy where there is one.

A request goes straight to httpx's transport: its client would follow redirects unless told otherwise, keep cookies, and
lose an answer whose `Location` it cannot read.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from ncp_tui.gateway._httpx import httpx

FRESH = "fresh"
"""A request's extension: whether it goes out on a connection that nobody has used, which is closed after it."""

_LIMITS = httpx.Limits(max_connections=4, max_keepalive_connections=4, keepalive_expiry=5.0)
_CLOSING_SECONDS = 1.0


class ConnectionPool(httpx.AsyncBaseTransport):
    """Sends one request as it is and hands back what comes. Raises httpx's exceptions.

    httpcore's pool, which is what httpx's transport is made of, keeps a connection for good whose request was cut off
    at the wrong moment: it guards itself against anyio's way of cancelling, not against asyncio's (measured: after 200
    cancelled reads none of four was left, and every request waited in vain). So a pool that had a failure is replaced,
    and closed when its last request has ended.
    """

    def __init__(self, context: ssl.SSLContext | None, proxy: httpx.Proxy | None) -> None:
        """Connect through `proxy` if there is one; `context` is for TLS, and there is none where nothing needs it."""
        # Told to verify, httpx would read the certificates of the system for a gateway without TLS as well.
        context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if proxy is not None and proxy.url.scheme == "https":
            proxy = httpx.Proxy(proxy.url, auth=proxy.auth, ssl_context=context)
        self._new_transport = partial(
            httpx.AsyncHTTPTransport, verify=context, trust_env=False, proxy=proxy, limits=_LIMITS
        )
        self._pool = _Pool(self._new_transport())
        self._closing: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and return its answer, the body still to be read and closed."""
        pool = _Pool(self._new_transport()) if request.extensions.get(FRESH) else self._pool
        pool.requests += 1
        try:
            response = await pool.transport.handle_async_request(request)
        except BaseException:
            self._ended(pool, well=False)
            raise
        response.stream = _Body(cast("httpx.AsyncByteStream", response.stream), partial(self._ended, pool))
        return response

    def _ended(self, pool: _Pool, *, well: bool) -> None:
        pool.requests -= 1
        if not well and pool is self._pool:
            self._pool = _Pool(self._new_transport())
        if pool is not self._pool and not pool.requests:
            task = asyncio.get_running_loop().create_task(_closed(pool))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Close the connections."""
        await asyncio.gather(_closed(self._pool), *self._closing)


@dataclass(eq=False)
class _Pool:
    transport: httpx.AsyncHTTPTransport
    requests: int = 0


async def _closed(pool: _Pool) -> None:
    """Close a pool whose connections may be in any state: one that does not close in time is left to the system."""
    with contextlib.suppress(TimeoutError, RuntimeError, httpx.NetworkError):
        await asyncio.wait_for(pool.transport.aclose(), _CLOSING_SECONDS)


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, ended: Callable[..., None]) -> None:
        self._stream = stream
        self._ended = ended
        self._is_whole = self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            yield piece
        self._is_whole = True

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._stream.aclose()
        finally:
            self._ended(well=self._is_whole)
