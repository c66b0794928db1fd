"""Creates killed at any moment of their lives: none is doubled, and what became of each can be found out."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ncp_tui.sandbox.fault_lab.fault import Fault, Faults
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from ncp_tui.snapshots.journal import Journal
from ncp_tui.system.paths import paths_from
from tests.cli.program import passing

AT_ONCE = 3
SEED = int(os.environ.get("NCP_TUI_SEED") or random.randrange(2**32))  # noqa: S311 - nothing secret


@pytest.fixture
def gateway() -> Iterator[ThreadedSandbox]:
    with ThreadedSandbox(Sandbox(clusters=12, duration=0.01)) as served:
        yield served


@pytest.fixture
def environ(gateway: ThreadedSandbox, tmp_path: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "NCP_TUI_HOME": str(tmp_path / "home"),
        "NCLOUD_ACCESS_KEY": gateway.sandbox.access_key,
        "NCLOUD_SECRET_KEY": gateway.sandbox.secret_key,
        "NCLOUD_API_GW": gateway.url,
        "NCP_TUI_PROFILE": "environment",
    }


def started(environ: Mapping[str, str], name: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "ncp_tui", "snapshot", "create", "search-0001", "--bucket", "bk.ses.snapshot"]
    nowhere = subprocess.DEVNULL
    return subprocess.Popen([*command, "--name", name], env=environ, stdin=nowhere, stdout=nowhere, stderr=nowhere)


def settled(environ: Mapping[str, str]) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "ncp_tui", "snapshot", "resolve", "--json", "--timeout", "0.5"]
    result = subprocess.run(command, env=environ, capture_output=True, timeout=300, check=False)
    assert result.returncode in {0, 9}, result.stderr
    found: list[dict[str, object]] = json.loads(result.stdout)
    return found


def assert_true(gateway: ThreadedSandbox, environ: Mapping[str, str], names: list[str]) -> dict[str, int]:
    """Settle, and hold each verdict against what the sandbox saw; returns how often each was given."""
    effects = [effect.name for effect in gateway.sandbox.ledger.effects]
    assert len(effects) == len(set(effects)), "a snapshot was started twice"
    paths = paths_from(environ)
    settled(environ)
    assert [effect.name for effect in gateway.sandbox.ledger.effects] == effects, "settling started something"
    verdicts: dict[str, int] = {}
    for entry in Journal(paths).entries():
        assert entry.request.name in names
        verdicts[entry.verdict] = verdicts.get(entry.verdict, 0) + 1
        if entry.verdict == "started":
            assert entry.request.name in effects
        elif entry.verdict == "not started":
            assert entry.request.name not in effects
    written = {entry.request.name for entry in Journal(paths).entries()}
    assert set(effects) <= written, "a snapshot was started that nobody wrote down"
    locks = list((paths.state_dir / "journal.locks").glob("*"))
    assert len(locks) <= verdicts.get("unknown", 0) + AT_ONCE
    return verdicts


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=pytest.mark.slow)])
def test_killed_at_any_moment(kills: int, gateway: ThreadedSandbox, environ: dict[str, str]) -> None:
    """Spread over a whole life, from the start of the interpreter to the answer on the screen."""
    print(f"\nNCP_TUI_SEED={SEED}")  # noqa: T201 - to see it again
    chance = random.Random(SEED)  # noqa: S311 - nothing secret
    undisturbed = time.monotonic()
    assert started(environ, "undisturbed").wait(120) == 0
    life = (time.monotonic() - undisturbed) * AT_ONCE
    names = [f"killed-{number}" for number in range(kills)]
    moments = [chance.uniform(0, life) for _ in names]

    def kill(name: str, moment: float) -> None:
        process = started(environ, name)
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(kill, names, moments))
    verdicts = assert_true(gateway, environ, ["undisturbed", *names])
    print(verdicts)  # noqa: T201 - what the kills came to
    assert verdicts["started"] >= 1


@pytest.mark.parametrize(
    ("moment", "verdict"),
    [
        ("before", "unknown"),
        ("after", "started"),
        pytest.param("late", "started", marks=pytest.mark.slow),
        pytest.param("looking", "started", marks=pytest.mark.slow),
    ],
)
def test_killed_while_the_answer_is_awaited(
    moment: str, verdict: str, gateway: ThreadedSandbox, environ: dict[str, str]
) -> None:
    """The moments that matter: the request is at the service, its answer is not here.

    Nothing has come of it, or it comes when nobody is left, or it has come; or its answer was lost, and the history was
    being asked.
    """
    names = [f"awaited-{number}" for number in range(2)]
    for name in names:
        fault = _held(gateway.sandbox.faults, moment)
        process = started(environ, name)
        assert fault.reached.wait(60)
        process.kill()
        process.wait(60)
    expected = 0 if verdict == "unknown" else len(names)
    until = time.monotonic() + 60
    while len(gateway.sandbox.ledger.effects) < expected and time.monotonic() < until:
        time.sleep(0.01)  # what comes late comes when the service has noticed that nobody is left
    assert assert_true(gateway, environ, names) == {verdict: len(names)}
    assert len(gateway.sandbox.ledger.effects) == expected
    requests = len(gateway.sandbox.ledger.requests)
    again = started(environ, names[0]).wait(60)
    creates = [one for one in gateway.sandbox.ledger.requests[requests:] if one.operation == "createSnapshot"]
    # Nothing is sent for a name whose earlier request may have started, or has: not until somebody wants it.
    assert (again, len(creates)) == (12, 0)
    assert started(environ, "one-more").wait(60) == 0, "the dead hold somebody up"


def _held(faults: Faults, moment: str) -> Fault:
    """Have the next create come as far as `moment`, and no further."""
    if moment == "late":
        return faults.add("createSnapshot", "before", "late")
    if moment != "looking":
        return faults.add("createSnapshot", "before" if moment == "before" else "after", "hang")
    faults.add("createSnapshot", "after", "drop")
    faults.add("getSnapshotHistory", act=passing, label="the look beforehand")
    return faults.add("getSnapshotHistory", act="hang")
