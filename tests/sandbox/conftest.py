from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from ncp_tui.sandbox.sandbox import Sandbox, serve
from tests.sandbox.signed_client import Caller, Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sandbox(clock: Clock) -> Sandbox:
    return Sandbox(clock=clock)


@pytest.fixture
async def caller(sandbox: Sandbox, clock: Clock) -> AsyncIterator[Caller]:
    """In process: no socket, so only the application is under test."""
    transport = httpx.ASGITransport(sandbox.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as http:
        yield Caller(http, sandbox, clock)


@pytest.fixture
async def wire(sandbox: Sandbox, clock: Clock) -> AsyncIterator[Caller]:
    """Over a real socket on loopback."""
    async with (
        serve(sandbox) as running,
        httpx.AsyncClient(base_url=running.url, trust_env=False, timeout=5) as http,
    ):
        yield Caller(http, sandbox, clock)
