"""What the full screen costs: to start, to use, to leave, and on the line."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.benchmarks.figures import Figure, median, percentile
from tests.benchmarks.terminal_bytes import (
    FRAME,
    PROGRAM,
    UP,
    Line,
    costs,
    create_snapshot,
    environ_of,
    of_nobody,
    running,
)
from tests.journeys.dead_gateway import KEYRING, add_profiles, dead_gateway
from tests.journeys.terminal import DOWN, ESCAPE

MANY = 2_000
_BARE = (sys.executable, "-m", "tests.benchmarks.bare_app")
_SHORT = 0.05
"""Seconds without a byte that end the answer to a key: longer than any pause in the middle of one."""
_CLEARED = "\x7f"
_SLOW_MS = 400
"""Milliseconds that an answer takes on the slow link."""


def starting(home: Path, rounds: int) -> Iterator[Figure]:
    """Start to first frame, to the whole screen and to its rows, beside an app with one line of text."""
    first, whole, bare, ready, rows = (list[float]() for _ in range(5))
    memory, bare_memory = list[float](), list[float]()
    with ThreadedSandbox(Sandbox()) as gateway:
        for number in range(rounds + 1):
            with Line(_BARE, environ_of(gateway, home)) as line:
                bare_at = line.expect("bare and ready")
                line.settle()
                bare_memory.append(line.resident_mib())
            with Line(PROGRAM, environ_of(gateway, home)) as line:
                first_at = line.expect("CLUSTER")
                whole_at = line.expect("[Details]")
                ready_at = line.expect("Loading clusters ...")
                rows_at = line.expect("clusters, as of ")
                line.settle()
                memory.append(line.resident_mib())
            if number:
                bare.append(bare_at)
                first.append(first_at)
                whole.append(whole_at)
                ready.append(ready_at)
                rows.append(rows_at - ready_at)
    floor = median(bare)
    yield Figure("bare Textual app, start to first frame", floor, "ms")
    yield Figure("full screen, start to first frame", median(first), "ms")
    yield Figure("... against the bare app", median(first) / floor, "x")
    yield Figure("full screen with its panes", median(whole), "ms")
    yield Figure("... against the bare app", median(whole) / floor, "x", 1.8)
    yield Figure("... keys found, loading", median(ready), "ms", None, f"{median(ready) / floor:.2f} x")
    yield Figure("14 clusters on the screen after that", median(rows), "ms", 250)
    yield Figure("resident memory after the start", median(memory), "MiB", 55)
    yield Figure("... more than the bare app", median(memory) - median(bare_memory), "MiB", 20)


def processor_time(home: Path, rounds: int) -> Iterator[Figure]:
    """What the first frame costs beside that of an app with one line of text, on a machine that does other things."""
    ours, bare = list[float](), list[float]()
    with ThreadedSandbox(Sandbox()) as gateway:
        for number in range(rounds + 1):
            for command, text, taken in ((_BARE, "bare and ready", bare), (PROGRAM, "CLUSTER", ours)):
                with Line(command, environ_of(gateway, home)) as line:
                    line.expect(text)
                    if number:
                        taken.append(line.stopped_at_ms())
    yield Figure("full screen until its first frame, processor time", median(ours), "ms")
    yield Figure("... against the bare app", median(ours) / median(bare), "x", 1.3, f"{median(bare):.0f} ms")


def while_loading(home: Path, rounds: int) -> Iterator[Figure]:
    """Arrow keys while the pages of 2,000 clusters come in over a slow link, a few at a time."""
    keys = list[float]()
    with ThreadedSandbox(Sandbox(clusters=MANY, latency_ms=_SLOW_MS)) as gateway:
        for _ in range(rounds):
            with Line(PROGRAM, environ_of(gateway, home)) as line:
                line.expect("search-0001")
                while b" clusters, as of" not in line.raw:
                    for key in (DOWN, UP):
                        # What else is painted meanwhile is not the answer to the key: the two rows of the cursor are.
                        keys.append(line.press_until(key, "search-0001", "search-0002"))
                        line.read(_SHORT)
    yield Figure(f"arrow key while pages come in ({len(keys)} keys), p95", percentile(keys, 0.95), "ms", 16)


def in_use(home: Path, presses: int) -> Iterator[Figure]:
    """Keys and filter with 2,000 clusters on the screen."""
    with running(home, MANY) as line:
        keys = [line.press(key, _SHORT).last_ms for key in (DOWN, UP) * (presses // 2)]
        yield Figure("arrow key to last byte, 2,000 clusters, p50", percentile(keys, 0.5), "ms")
        yield Figure("... p95", percentile(keys, 0.95), "ms", 16)
        line.press("/")
        answers = []
        for _ in range(max(5, presses // 20)):
            answers += [line.press(key, _SHORT).last_ms for key in (*"search", *_CLEARED * 6)]
        yield Figure("letter in the filter to last byte, p95", percentile(answers, 0.95), "ms", 50)
        line.press(ESCAPE)


def leaving(home: Path) -> Iterator[Figure]:
    """`q` to the end of the process, when nothing hangs and when every request does."""
    with running(home) as line:
        line.press("q", 0.0)
        yield Figure("`q` to the end of the process", line.ends_within_ms(), "ms", 500)
    with dead_gateway() as url:
        add_profiles(home, url, ["dead"])
        code = f"{KEYRING}\nfrom ncp_tui.__main__ import main\nmain()"
        with Line((sys.executable, "-c", code), of_nobody(home)) as line:
            line.expect("Loading clusters ...")
            line.settle()
            line.press("q", 0.0)
            yield Figure("... while the gateway never answers", line.ends_within_ms(), "ms", 500)


def on_the_line(home: Path) -> Iterator[Figure]:
    """Bytes to the terminal at 80x24 in 256 colours."""
    for clusters in (12, MANY):
        for cost in costs(home, clusters):
            frames = "" if cost.frames is None else f"{cost.frames} frame{'s' * (cost.frames != 1)}"
            yield Figure(f"{cost.what}, {clusters:,} clusters", cost.size, "B", cost.budget, frames)
    with running(home) as line:
        create_snapshot(line)
        line.read(2.0)
        second = line.read(4.0)
        yield Figure(
            "a second of a snapshot in progress", second.size / 4, "B", 100, f"{second.data.count(FRAME) / 4:.0f} frame"
        )
