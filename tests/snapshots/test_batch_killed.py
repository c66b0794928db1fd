"""A batch that is killed again and again, at any moment, and resumed: nothing twice, nothing lost, no false claim.

`NCP_TUI_SEED` draws the same moments again, `NCP_TUI_KILLS` as many of them; a failure names the seed.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from ncp_tui.gateway.client import GatewayClient
from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.endpoints import Endpoint
from ncp_tui.profiles.identity import Identity, SourceKind
from ncp_tui.profiles.profile import Profile
from ncp_tui.sandbox.fault_lab.fault import Visit
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.search_engine.client import SearchEngine
from ncp_tui.session_log.log import SessionLog
from ncp_tui.snapshots.batch import BatchRow, BatchRun, Look, Plan, Plans, Rules, StopOn, rows_of
from ncp_tui.snapshots.journal_file import JournalFile
from ncp_tui.snapshots.outcome import Caller, Outcome, SnapshotRequest
from ncp_tui.snapshots.track import SnapshotTracker
from ncp_tui.system.backoff import Backoff
from tests.snapshots.journals import journal_in, paths_in

SEED = os.environ.get("NCP_TUI_SEED", "3")
KILLS = int(os.environ.get("NCP_TUI_KILLS", "20"))
CLUSTERS, BUCKET = 20, "bk.ses.snapshot"
RESOLVE_SECONDS = 1.0
RULES = Rules(at_once=3, stop_on=StopOn.NEVER, share_buckets=True)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class User:
    """Who runs the batch, and where: all that a process of its own needs."""

    url: str
    access_key: str
    secret_key: str
    home: str

    @property
    def identity(self) -> Identity:
        return Identity(
            "prod", "", SourceKind.PROFILE, Profile(name="prod", access_key=self.access_key, gateway_url=self.url)
        )

    def engine(self) -> SearchEngine:
        credentials = Credentials(self.access_key, SecretKey(self.secret_key))
        return SearchEngine(GatewayClient(Endpoint("public", "KR", self.url, "/api/v2"), credentials, environ={}))


def run_batch(user: User, batch: str, lines: int) -> None:
    """Resume `batch`, and be killed when the journal has that many more lines, if any."""
    left, append = [lines], JournalFile.append

    def counted(self: JournalFile, data: bytes, seq: int) -> None:
        append(self, data, seq)
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    JournalFile.append = counted  # type: ignore[method-assign, assignment]
    vars(importlib.import_module("ncp_tui.snapshots.watch"))["BACKOFF"] = Backoff(0.01, 0.02)
    asyncio.run(resume(user, batch))


async def resume(user: User, batch: str) -> list[BatchRow]:
    def now() -> datetime:
        return datetime.now(UTC)

    home, identity = Path(user.home), user.identity
    journal = journal_in(home)
    async with contextlib.aclosing(user.engine()) as engine:
        look = Look(engine, journal, identity, now)
        plan = Plans(paths_in(home)).read(batch, now())
        rows = await rows_of(plan, journal, engine, look, seconds=RESOLVE_SECONDS)
        tracker = SnapshotTracker(journal, SessionLog(), now=now, monotonic=time.monotonic)
        tracker.resolve_seconds = RESOLVE_SECONDS
        await BatchRun(plan, rows, RULES, tracker=tracker, identity=identity, engine=engine, look=look).run()
        return rows


def kill_at(draw: random.Random, sandbox: Sandbox, process: Callable[[], ForkServerProcess]) -> None:
    """Have the process killed at one request, before its effect or after it, drawn at random."""
    operation = draw.choice(["createSnapshot", "createSnapshot", "*"])
    left = [draw.randint(1, 12 if operation == "*" else 4)]

    async def kill(_: Visit) -> None:
        left[0] -= 1
        if left[0] == 0:
            process().kill()

    sandbox.faults.add(operation, draw.choice(["before", "after", "answer"]), kill, times=None)


def test_nothing_is_sent_twice_or_lost_whenever_it_is_killed(tmp_path: Path) -> None:
    draw, killed = random.Random(SEED), 0  # noqa: S311 - moments, no secrets
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.snapshots.test_batch_killed"])
    for number in range(KILLS):
        if killed >= KILLS:
            break
        sandbox = Sandbox(clusters=CLUSTERS, duration=0)
        with ThreadedSandbox(sandbox) as served:
            user = User(served.url, sandbox.access_key, sandbox.secret_key, str(tmp_path / str(number)))
            plan = plan_of(user, sandbox)
            while killed < KILLS:
                sandbox.faults.waiting.clear()
                lines = draw.choice([0, draw.randint(1, 30)])
                process = context.Process(target=run_batch, args=(user, plan.id, lines))
                if not lines:
                    kill_at(draw, sandbox, lambda process=process: process)  # type: ignore[misc]
                process.start()
                process.join(60)
                killed += process.exitcode == -signal.SIGKILL
                assert process.exitcode in {0, -signal.SIGKILL}, f"seed {SEED}"
                if process.exitcode == 0:
                    break
            sandbox.faults.waiting.clear()
            judge(asyncio.run(resume(user, plan.id)), plan, sandbox)
    assert killed >= KILLS // 2, "else nothing was tried"


def plan_of(user: User, sandbox: Sandbox) -> Plan:
    """A batch of every running cluster, written down."""
    clusters = [each for each in sandbox.world.clusters if each.is_running and each.kind.key_set]
    requests = [
        SnapshotRequest(str(each.number), each.name, f"batch-{each.number}", BUCKET)
        for each in clusters
        if each.name.isascii() and "-" in each.name and not each.name.startswith(("hr-", "legal-"))
    ]
    plan = Plan.of(Caller.of(user.identity), requests, datetime.now(UTC))
    Plans(paths_in(Path(user.home))).write(plan)
    return plan


def judge(rows: list[BatchRow], plan: Plan, sandbox: Sandbox) -> None:
    """No effect twice, every row there, and no verdict against what the sandbox saw."""
    effects = Counter(str(effect.name) for effect in sandbox.ledger.effects)
    assert set(effects.values()) <= {1}, f"seed {SEED}: {effects}"
    assert [row.request for row in rows] == list(plan.requests)
    for row in rows:
        happened = effects[row.request.name] == 1
        allowed = {Outcome.ACCEPTED, Outcome.UNKNOWN} if happened else {Outcome.UNKNOWN}
        assert row.outcome in allowed, f"seed {SEED}: {row.request.name} is {row.outcome}, happened: {happened}"
    found = sum(row.outcome is Outcome.ACCEPTED for row in rows)
    assert found >= len(rows) - KILLS, "only what was on its way when it was killed may be unknown"
