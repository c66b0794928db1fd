"""The sandbox in this process, told apart from a wire by nothing but the missing socket."""

from __future__ import annotations

import httpx


async def about_to_send(request: httpx.Request) -> None:
    """Tell the request's trace that its first byte is about to leave, as a connection does."""
    trace = request.extensions.get("trace")
    if trace is not None:
        await trace("http11.send_request_headers.started", {"request": request})


class InProcess(httpx.ASGITransport):
    """Hands requests to an application in this process, and says when, so that journals are written as for a socket."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await about_to_send(request)
        return await super().handle_async_request(request)
