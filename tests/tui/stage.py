"""The whole app against the sandbox with everything that varies held still: clock, timings, ids, port, keys.

Requests go to the sandbox in this process, signed and verified as over a socket. The screens look the same at every
run, so they can be compared, and shown in the README.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
import weakref
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

import httpx
from textual._context import visible_screen_stack
from textual.message_pump import MessagePump
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import KeySource, SecretKey
from ncp_tui.gateway.exchange import Exchange, Timings
from ncp_tui.profiles.identity import Identity
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.secret_stores.session_store import SessionStore
from ncp_tui.sandbox.authentication import Account
from ncp_tui.sandbox.ledger import Effect
from ncp_tui.sandbox.sandbox import Sandbox, serve
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.session_log.log import SessionLog
from ncp_tui.system.paths import Paths
from ncp_tui.tui.app import NcpApp
from ncp_tui.workspace import Workspace
from tests.gateway.in_process import InProcess

START = 1_767_312_000.0
"""2026-01-02T00:00:00Z."""

URL = "http://127.0.0.1:8765"
ACCESS_KEY, SECRET_KEY = "SANDBOX0000000000A7K", "sandbox-secret-key-that-opens-nothing-00"
TIMINGS = Timings(dns=0.001, connect=0.001, first_byte=0.018, total=0.021)
PATIENCE = 60.0
"""Seconds before a wait is given up; the machine may be busy, and nothing here measures speed."""


_PAINT = Screen._compositor_refresh
_unpainted: weakref.WeakSet[NcpApp] = weakref.WeakSet()


def _paint_later(screen: Screen[object]) -> None:
    """Have the screen painted once all has arrived: nobody sees the frames in between, a third of a test's time."""
    if isinstance(screen.app, NcpApp) and screen is screen.app.screen:
        _unpainted.add(screen.app)
    else:
        _PAINT(screen)


_SOON = 1.0
"""Seconds: what a screen does that much later is still an answer to the key, and no ticking."""

_MOST_TURNS = 2_000


async def _nothing_to_run(*_: float) -> None:
    """Let every message that is on its way arrive: until nothing in the event loop can run but by time or from outside.

    Textual's own wait ends when the processor is idle: 20 ms at least for each key, a second where a test watches, and
    too early on a busy machine.
    """
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    for _turn in range(_MOST_TURNS):
        await asyncio.sleep(0)
        if not ready:
            return


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
class StillWorkspace(Workspace):
    """A workspace whose clients talk to a sandbox in this process and always take the same time."""

    transport: httpx.AsyncBaseTransport = field(
        default_factory=lambda: httpx.MockTransport(lambda _: httpx.Response(500))
    )

    def client(
        self,
        identity: Identity,
        credentials: KeySource,
        log: SessionLog,
        *,
        at_once: int | None = None,  # noqa: ARG002 - a transport in this process has no connections
    ) -> SearchEngine:
        """A client as the real one, but for its transport and its recorded timings."""

        def record(exchange: Exchange) -> None:
            log.record(replace(exchange, timings=TIMINGS))

        gateway = GatewayClient(
            identity.profile.endpoint(),
            credentials,
            record=record,
            clock=self.clock,
            monotonic=self.monotonic,
            transport=self.transport,
        )
        return SearchEngine(gateway, read_only=self.read_only or identity.profile.read_only)


@dataclass
class Stage:
    """The app, its pilot, its sandbox and its clock."""

    app: NcpApp
    pilot: Pilot[None]
    sandbox: Sandbox
    clock: Clock
    workspace: Workspace

    async def press(self, *keys: str) -> None:
        """Press keys, and wait after each until everything it started has settled."""
        await self.settle()
        for key in keys:
            await self.app._press_keys([key])
            await self.settle()

    async def type(self, text: str) -> None:
        """Type into the focused input."""
        await self.pilot.press(*text)
        await self.settle()

    async def fill(self, name: str, text: str) -> None:
        """Put `text` into the input `name`, in the place of what is there."""
        box = self.app.screen.query_one(f"#{name}", Input)
        box.focus()
        box.value = text
        await self.settle()

    async def settle(self) -> None:
        """Wait until no worker but a watch is at work, every message has arrived, and the screen shows all of it."""
        await self.until(lambda: not (self.working or self.painting or self.answering))
        if self.app in _unpainted:
            _unpainted.remove(self.app)
            _PAINT(self.app.screen)

    @property
    def working(self) -> list[str]:
        """What is being done right now, watching apart; nor does the log come to rest while a watch adds to it.

        What a journal does not take is tried until the process ends: nobody waits for that either.
        """
        at_work = [worker for worker in self.app.workers if not worker.is_finished]
        is_watching = any(worker.group == "snapshots" for worker in at_work)
        apart = {"snapshots", "log"} if is_watching else {"snapshots"}
        busy = [worker for worker in at_work if worker.group not in apart | {"journal of creates"}]
        session = self.app.session
        asked = ["create"] * session.creating + ["change"] * session.changing + ["resolve"] * session.resolving
        return [worker.description for worker in busy] + asked

    @property
    def painting(self) -> bool:
        """Whether the screen is still to be laid out or painted, or something waits for that.

        Textual does both by a timer. Whoever looks between its ticks sees the screen as it was, and nothing at work.
        """
        screen = self.app.screen
        return any((screen._update_timer._active.is_set(), screen._callbacks))

    @property
    def answering(self) -> bool:
        """Whether a widget is in the midst of a message, or waits for a moment to pass.

        Rows that come together wait for one, and a button that was clicked takes no other click for 0.2 s.
        """
        pumps: list[MessagePump] = [self.app, *self.app.screen.walk_children(with_self=True)]
        soon = (each for pump in pumps for each in pump._timers if each._repeat == 0 and each._interval < _SOON)
        if any(each._task is not None and not each._task.done() for each in soon):
            return True
        return any(pump.is_running and not pump._message_queue.ready_event._waiters for pump in pumps)

    async def until(self, holds: Callable[[], object]) -> None:
        """Wait until something holds, and look when nothing is on its way any more."""
        ends = time.monotonic() + PATIENCE
        await self.pause()
        while not holds():
            assert time.monotonic() < ends, f"waited in vain; at work: {self.working}; on the screen:\n{self.text()}"
            await asyncio.sleep(0.002)
            await self.pause()

    async def pause(self) -> None:
        """Let every message arrive, and the screen be laid out and painted at once rather than by Textual's timer."""
        await _nothing_to_run()
        while (screen := self.app.screen)._update_timer._active.is_set():
            screen._on_timer_update()
            await _nothing_to_run()

    async def expect(self, *texts: str) -> None:
        """Wait until all of `texts` are on the screen at once."""
        await self.until(lambda: all(text in self.text() for text in texts))

    def shows(self, *texts: str) -> bool:
        """Whether all of `texts` are on the screen now."""
        seen = self.text()
        return all(text in seen for text in texts)

    @property
    def effects(self) -> list[Effect]:
        """What the sandbox has changed."""
        return self.sandbox.ledger.effects

    def asked(self, operation: str) -> int:
        """How many requests of one operation have arrived."""
        return sum(entry.operation == operation for entry in self.sandbox.ledger.requests)

    def words(self) -> str:
        """What is on the screen in one line, without its boxes: a sentence with a path in it breaks anywhere."""
        return " ".join(self.text().replace("│", " ").replace("█", " ").split())

    def text(self) -> str:
        """What is on the screen, row by row."""
        if not self.app.screen_stack:
            return ""
        visible_screen_stack.set(self.app._background_screens)  # else there is nothing behind a box
        lines = self.app.screen._compositor.render_strips()
        return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in lines)


@asynccontextmanager
async def staged(
    size: tuple[int, int] = (80, 24),
    *,
    profile: Profile | None = None,
    more: Sequence[Profile] = (),
    with_profile: bool = True,
    wanted: str | None = None,
    environ: Mapping[str, str] | None = None,
    theme: str = "ncp-dark",
    clusters: int = 12,
    account: Callable[[Sandbox], Account] = lambda sandbox: sandbox.account,
    clock_off: float = 0.0,
    listening: bool = False,
    wrap: Callable[[httpx.AsyncBaseTransport], httpx.AsyncBaseTransport] = lambda transport: transport,
    prepare: Callable[[Sandbox], object] = lambda _: None,
    settled: bool = True,
    resolve_seconds: float = 0.2,
    keys: Mapping[str, str] | None = None,
    **workspace_fields: object,
) -> AsyncIterator[Stage]:
    """Run the app against a still sandbox.

    `profile` replaces the usual one and `more` are saved beside it, each with the keys of `account`; `wanted` is the
    profile named on the command line. `clock_off` is how far the app's clock is ahead. With `listening`, requests go
    over a real socket. `wrap` stands between app and sandbox, and `prepare` sets the sandbox up. Unless
    `settled`, the test begins at once, with whatever hangs. After a lost answer the history is looked at for
    `resolve_seconds`: in 0.2 s twice, or once where the machine is busy. `keys` are the user's own.
    """
    clock, count = Clock(), iter(range(1, 100_000))
    sandbox = Sandbox(
        clusters,
        duration=20.0,
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        clock=clock,
        new_request_id=lambda: f"2757144e-8548-472d-9d65-{next(count):012d}",
    )
    prepare(sandbox)
    async with AsyncExitStack() as stack:
        # A daemon thread that the app has left behind may still be writing when the folder goes.
        root = Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        folder = root / "folder"
        folder.mkdir()
        url = (await stack.enter_async_context(serve(sandbox))).url if listening else URL
        transport = httpx.AsyncHTTPTransport() if listening else InProcess(sandbox.app)
        stack.push_async_callback(transport.aclose)
        fields: dict[str, object] = {
            "environ": environ or {},
            "paths": Paths(root / "config", root / "state", root / "data"),
            "stores": {"session": SessionStore()},
            "demo": False,
            "folder": folder,
            "clock": lambda: clock() + clock_off,
            "monotonic": clock,
            "transport": wrap(transport),
            **workspace_fields,
        }
        workspace = StillWorkspace(**fields)  # type: ignore[arg-type]
        caller = account(sandbox)
        usual = Profile(
            name="prod",
            access_key=caller.access_key,
            gateway_url=url,
            store="session",
            default_bucket="bk.ses.snapshot",
        )
        for each in (profile or usual, *more) if with_profile else ():
            saved = replace(each, access_key=caller.access_key, gateway_url=url)
            workspace.profiles.add(saved)
            await workspace.stores[saved.store].save(saved, SecretKey(caller.secret_key))
        for module in ("app", "pilot"):
            stack.enter_context(mock.patch(f"textual.{module}.wait_for_idle", _nothing_to_run))
        stack.enter_context(mock.patch.object(Screen, "_compositor_refresh", _paint_later))
        app = NcpApp(workspace, wanted, theme=theme)
        app.session.resolve_seconds = resolve_seconds
        app.wanted_keys = keys or {}
        async with app.run_test(size=size) as pilot:
            stage = Stage(app, pilot, sandbox, clock, workspace)
            if settled:
                await stage.settle()
            yield stage
