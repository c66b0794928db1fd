"""The whole app against the sandbox with everything that varies held still: clock, timings, ids, port, keys.

Requests go to the sandbox in this process, signed and verified as over a socket. The screens look the same at every
run, so they can be compared, and shown in the README.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from textual.pilot import Pilot

from ncp_tui.gateway import Credentials, Exchange, Gateway, SecretKey, Timings
from ncp_tui.home import Home
from ncp_tui.profiles import Identity, Paths, Profile, SessionStore
from ncp_tui.sandbox import Sandbox
from ncp_tui.search_engine import SearchEngine
from ncp_tui.session_log import SessionLog
from ncp_tui.tui.app import NcpApp

START = 1_767_312_000.0
"""2026-01-02T00:00:00Z."""

URL = "http://127.0.0.1:8765"
ACCESS_KEY, SECRET_KEY = "SANDBOX0000000000A7K", "sandbox-secret-key-that-opens-nothing-00"
TIMINGS = Timings(dns=0.001, connect=0.001, first_byte=0.018, total=0.021)


@dataclass
class Clock:
    """A clock that moves when it is told to."""

    seconds: float = START

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.seconds += seconds


@dataclass(frozen=True)
class StillHome(Home):
    """A home whose clients talk to a sandbox in this process and always take the same time."""

    transport: httpx.AsyncBaseTransport = field(
        default_factory=lambda: httpx.MockTransport(lambda _: httpx.Response(500))
    )

    def client(self, identity: Identity, credentials: Credentials, log: SessionLog) -> SearchEngine:
        """A client as the real one, but for its transport and its recorded timings."""

        def record(exchange: Exchange) -> None:
            log.record(replace(exchange, timings=TIMINGS))

        gateway = Gateway(
            identity.profile.endpoint(), credentials, record=record, clock=self.clock, transport=self.transport
        )
        return SearchEngine(gateway, read_only=self.read_only or identity.profile.read_only)


@dataclass
class Stage:
    """The app, its pilot, its sandbox and its clock."""

    app: NcpApp
    pilot: Pilot[None]
    sandbox: Sandbox
    clock: Clock
    home: Home

    async def press(self, *keys: str) -> None:
        """Press keys, and wait until everything they started has settled."""
        await self.pilot.press(*keys)
        await self.settle()

    async def type(self, text: str) -> None:
        """Type into the focused input."""
        await self.press(*text)

    async def settle(self) -> None:
        """Wait until no worker but a watch is at work and the screen is painted."""
        for _ in range(200):
            await self.pilot.pause()
            busy = [worker for worker in self.app.workers if not worker.is_finished and worker.group != "snapshots"]
            if not busy and not self.app.session.creating:
                break
            await asyncio.sleep(0.005)
        await self.pilot.pause()

    def text(self) -> str:
        """What is on the screen, row by row."""
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)


@asynccontextmanager
async def staged(
    size: tuple[int, int] = (80, 24),
    *,
    profile: Profile | None = None,
    with_profile: bool = True,
    environ: Mapping[str, str] | None = None,
    theme: str = "ncp-dark",
    wrap: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] = lambda transport: transport,
    **home_fields: object,
) -> AsyncIterator[Stage]:
    """Run the app against a still sandbox; `profile` replaces the usual one."""
    clock, count = Clock(), iter(range(1, 100_000))
    sandbox = Sandbox(
        duration=20.0,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        clock=clock,
        new_request_id=lambda: f"2757144e-8548-472d-9d65-{next(count):012d}",
    )
    with tempfile.TemporaryDirectory() as folder:
        root, store = Path(folder), SessionStore()
        fields: dict[str, object] = {
            "environ": environ or {},
            "paths": Paths(root / "config", root / "state", root / "data"),
            "stores": {"session": store},
            "demo": False,
            "clock": clock,
            "monotonic": clock,
            "transport": wrap(httpx.ASGITransport(sandbox.app)),
            **home_fields,
        }
        home = StillHome(**fields)  # type: ignore[arg-type]
        if with_profile:
            saved = profile or Profile(
                name="prod", access_key=ACCESS_KEY, gateway_url=URL, store="session", default_bucket="bk.ses.snapshot"
            )
            home.profiles.add(saved)
            await store.save(saved, SecretKey(SECRET_KEY))
        app = NcpApp(home, theme=theme)
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot, sandbox, clock, home)
            await stage.settle()
            yield stage
