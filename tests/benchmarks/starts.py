"""What the commands cost from their start to their end, and what they load."""

from __future__ import annotations

import subprocess
import sys
import timeit
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from pathlib import Path
from time import perf_counter

from ncp_tui.gateway.credentials import Credentials, SecretKey
from ncp_tui.gateway.signature import sign, string_to_sign
from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.benchmarks.figures import Figure, median
from tests.benchmarks.terminal_bytes import PROGRAM, environ_of

_CLUSTER, _BUCKET = "1037001", "bk.ses.snapshot"
_COUNT = "import sys; print(len(sys.modules), file=sys.stderr)"
_MAIN = "from ncp_tui.cli.main import main; main()"
_SIGNATURES = 20_000


def loaded(home: Path) -> Iterator[Figure]:
    """How many modules each way of starting loads."""
    with ThreadedSandbox(Sandbox(duration=0)) as gateway:
        environ = environ_of(gateway, home)
        for name, arguments in (("--version", ["--version"]), ("snapshot create", _create("counted"))):
            done = _run([sys.executable, "-c", f"{_MAIN}; {_COUNT}", *arguments], environ)
            yield Figure(f"modules loaded by `{name}`", int(done.stderr.split()[-1]), "")
        done = _run([sys.executable, "-c", f"import ncp_tui.tui.app; {_COUNT}"], environ)
        yield Figure("modules loaded by the full screen", int(done.stderr.split()[-1]), "")


def commands(home: Path, rounds: int) -> Iterator[Figure]:
    """Starts of commands, beside the least that they could be."""
    with ThreadedSandbox(Sandbox(duration=0)) as gateway:
        environ, names = environ_of(gateway, home), count()

        def bare() -> list[str]:
            name = f"bare-{next(names)}"
            return [sys.executable, "-m", "tests.benchmarks.bare_create", gateway.url, _CLUSTER, _BUCKET, name]

        def ours() -> list[str]:
            return [*PROGRAM, *_create(f"ours-{next(names)}")]

        version, click = _in_turns(
            lambda: [*PROGRAM, "--version"], lambda: [sys.executable, "-c", "import click"], environ, rounds
        )
        yield Figure("`--version`, start to exit", version, "ms", 60)
        yield Figure("... against `python -c 'import click'`", version / click, "x", None, f"{click:.0f} ms")
        create, least = _in_turns(ours, bare, environ, rounds)
        before = len(gateway.sandbox.ledger.requests)
        _run(ours(), environ)
        requests = len(gateway.sandbox.ledger.requests) - before
        yield Figure("`snapshot create`, start to exit", create, "ms", None, f"{requests} requests")
        yield Figure("... against httpx, signature and one POST", create / least, "x", 1.25, f"{least:.0f} ms")


def signing() -> Iterator[Figure]:
    """What a signature costs."""
    credentials = Credentials("BENCHMARK00000000000", SecretKey("a-secret-key-that-opens-nothing-at-all00"))

    def once() -> None:
        text = string_to_sign("GET", "/api/v2/cluster/getClusterInfoList?pageNo=1", 1, credentials.access_key)
        sign(credentials.secret_key, text)

    took = min(timeit.repeat(once, number=_SIGNATURES, repeat=3)) / _SIGNATURES
    yield Figure("signing a request", took * 1e6, "µs")


def _create(name: str) -> list[str]:
    return ["snapshot", "create", _CLUSTER, "--bucket", _BUCKET, "--name", name, "--yes", "--quiet"]


def _in_turns(
    first: Callable[[], list[str]], second: Callable[[], list[str]], environ: Mapping[str, str], rounds: int
) -> tuple[float, float]:
    """Medians of both in ms, after one round that only warms the machine's caches."""
    taken: tuple[list[float], list[float]] = ([], [])
    for number in range(rounds + 1):
        for command, times in zip((first, second), taken, strict=True):
            begun = perf_counter()
            _run(command(), environ)
            if number:
                times.append((perf_counter() - begun) * 1000)
    return median(taken[0]), median(taken[1])


def _run(command: list[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, env=dict(environ), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done
