"""How fast the program follows the keys while its gateway never answers.

    python -m tests.benchmarks.dead_gateway [--seconds 30]

One key at a time is pressed in a real terminal, and the time until the first byte of the answering frame is taken.
Every few seconds the profile is switched, which leaves a hanging request behind. At the end `q` is pressed.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.journeys.dead_gateway import KEYRING, add_profiles, dead_gateway
from tests.journeys.terminal import DOWN, ENTER, ESCAPE, Terminal

UP, HOME = "\x1b[A", "\x1b[H"
BACKSPACE = "\x7f"
NAMES = [f"profile-{number}" for number in range(1, 9)]
ROUND = {"arrow": [DOWN, DOWN, UP, UP] * 4, "filter": ["/", *"profile", *[BACKSPACE] * 7]}
_NOTHING_COMES = 5.0
_QUIET = 0.05


def main() -> None:
    """Run, and print milliseconds."""
    parser = argparse.ArgumentParser(description="Key to paint with a dead gateway, in ms.")
    parser.add_argument("--seconds", type=float, default=30.0)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder, dead_gateway() as url:
        add_profiles(Path(folder), url, NAMES)
        with Terminal(Path(folder), first=KEYRING) as terminal:
            terminal.process.delaybeforesend = None  # pexpect waits 50 ms before each key otherwise
            measure(terminal, seconds)


def measure(terminal: Terminal, seconds: float) -> None:
    """Press keys for `seconds`, quit, and print what that took."""
    taken: dict[str, list[float]] = defaultdict(list)
    lost: dict[str, int] = defaultdict(int)
    terminal.expect(f"{NAMES[0]} / KR / Clusters", "Loading clusters ...")
    ends, switched = time.monotonic() + seconds, []
    for row in itertools.cycle(range(1, len(NAMES))):
        if time.monotonic() >= ends:
            break
        press(terminal, "profiles", "p", taken, lost)
        terminal.expect("KEY STORE")
        for what, keys in ROUND.items():
            for key in keys:
                press(terminal, what, key, taken, lost)
        terminal.press(ESCAPE)
        terminal.expect_gone("Clear filter")
        terminal.press(HOME, *[DOWN] * row)
        terminal.read(_QUIET)
        started = time.monotonic()
        terminal.press(ENTER)
        terminal.expect(f"{NAMES[row]} / KR / Clusters")
        switched.append(time.monotonic() - started)
        terminal.read(_QUIET)
    started = time.monotonic()
    terminal.press("q")
    code = terminal.ends_within(_NOTHING_COMES)
    quit_after = time.monotonic() - started
    for what, times in taken.items():
        print(f"{what:9} {line(times)}  without a frame {lost[what]}")  # noqa: T201
    print(f"{'all':9} {line([each for times in taken.values() for each in times])}")  # noqa: T201
    print(f"{'switch':9} {line(switched)}")  # noqa: T201
    print(f"quit after {quit_after * 1000:.0f} ms, exit code {code}")  # noqa: T201


def press(terminal: Terminal, what: str, key: str, taken: dict[str, list[float]], lost: dict[str, int]) -> None:
    """Press one key, and take the time until something is drawn."""
    terminal.read(_QUIET)
    before = len(terminal.raw)
    started = time.monotonic()
    terminal.press(key)
    while len(terminal.raw) == before:
        terminal._read(_QUIET)
        if time.monotonic() - started > _NOTHING_COMES:
            lost[what] += 1
            return
    taken[what].append(time.monotonic() - started)


def line(times: list[float]) -> str:
    """Median, 99th percentile and worst, in milliseconds."""
    if len(times) < 2:
        return f"n {len(times)}"
    ordered = statistics.quantiles(times, n=100, method="inclusive")
    p50, p99, worst = (1000 * each for each in (ordered[49], ordered[98], max(times)))
    return f"n {len(times):4}  p50 {p50:6.1f}  p99 {p99:6.1f}  max {worst:6.1f}"


if __name__ == "__main__":
    main()
