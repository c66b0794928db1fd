"""The connections of one gateway, through a proxy where there is one.

A request goes straight to httpcore: httpx's own client would look names up where it hangs, follow redirects unless told
otherwise, keep cookies, and lose an answer whose `Location` it cannot read.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

import httpcore

from ncp_tui.gateway.lean_httpx import httpx
from ncp_tui.gateway.name_lookup import AddressBackend, Names

FRESH = "fresh"
"""A request's extension: whether it goes out on a connection that nobody has used, which is closed after it."""

_CONNECTIONS = 4
_KEPT_IDLE_SECONDS = 5.0
_CLOSING_SECONDS = 1.0


class Connections(httpx.AsyncBaseTransport):
    """Sends one request as it is and hands back what comes. Raises httpcore's exceptions.

    httpcore's pool keeps a connection for good whose request was cut off at the wrong moment: it guards itself against
    anyio's way of cancelling, not against asyncio's (measured: after 200 cancelled reads none of four was left, and
    every request waited in vain). So a pool that had a failure is replaced, and closed when its last request has ended.
    """

    def __init__(self, context: ssl.SSLContext | None, proxy: httpx.Proxy | None, names: Names) -> None:
        """Connect to the addresses in `names`, through `proxy` if there is one; `context` is for TLS."""
        self._new_pool = partial(
            httpcore.AsyncConnectionPool,
            ssl_context=context,
            proxy=None if proxy is None else _core_proxy(proxy, context),
            max_connections=_CONNECTIONS,
            max_keepalive_connections=_CONNECTIONS,
            keepalive_expiry=_KEPT_IDLE_SECONDS,
            network_backend=AddressBackend(names),
        )
        self._pool = _Pool(self._new_pool())
        self._closing: set[asyncio.Task[None]] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send `request` and return its answer, the body still to be read and closed."""
        pool = _Pool(self._new_pool()) if request.extensions.get(FRESH) else self._pool
        pool.requests += 1
        try:
            response = await pool.core.handle_async_request(
                httpcore.Request(
                    request.method,
                    _core_url(request.url),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        except BaseException:
            self._ended(pool, well=False)
            raise
        body = _Body(response, partial(self._ended, pool))
        return httpx.Response(response.status, headers=response.headers, stream=body, extensions=response.extensions)

    def _ended(self, pool: _Pool, *, well: bool) -> None:
        pool.requests -= 1
        if not well and pool is self._pool:
            self._pool = _Pool(self._new_pool())
        if pool is not self._pool and not pool.requests:
            task = asyncio.get_running_loop().create_task(_closed(pool))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def aclose(self) -> None:
        """Close the connections."""
        await asyncio.gather(_closed(self._pool), *self._closing)


@dataclass(eq=False)
class _Pool:
    core: httpcore.AsyncConnectionPool
    requests: int = 0


async def _closed(pool: _Pool) -> None:
    """Close a pool whose connections may be in any state: one that does not close in time is left to the system."""
    with contextlib.suppress(TimeoutError, RuntimeError, httpcore.NetworkError):
        await asyncio.wait_for(pool.core.aclose(), _CLOSING_SECONDS)


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response, ended: Callable[..., None]) -> None:
        self._response = response
        self._ended = ended
        self._is_whole = self._is_closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._response.aiter_stream():
            yield piece
        self._is_whole = True

    async def aclose(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            await self._response.aclose()
        finally:
            self._ended(well=self._is_whole)


def _core_proxy(proxy: httpx.Proxy, context: ssl.SSLContext | None) -> httpcore.Proxy:
    tls = context if proxy.url.scheme == "https" else None
    return httpcore.Proxy(_core_url(proxy.url), auth=proxy.raw_auth, ssl_context=tls)


def _core_url(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
