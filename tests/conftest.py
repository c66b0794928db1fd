from __future__ import annotations

import signal
from collections.abc import AsyncIterator

import pytest

from ncp_tui.sandbox import RunningSandbox, Sandbox, serve

# In the background of a script both are ignored, and every program started here would inherit that: ctrl+c at one of
# its questions would do nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
async def served() -> AsyncIterator[RunningSandbox]:
    """A sandbox on a real loopback port; its state is at `served.sandbox`."""
    async with serve(Sandbox(duration=5)) as running:
        yield running


@pytest.fixture(autouse=True)
def reads_are_repeated_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that fails is asked again after a pause; no test of this process waits for it."""
    monkeypatch.setattr("ncp_tui.search_engine.retries.BASE_PAUSE", 0.0)


@pytest.fixture(autouse=True)
def no_proxy_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy or CA bundle in the developer's own environment must not decide a test."""
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "SSLKEYLOGFILE",
    ):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
