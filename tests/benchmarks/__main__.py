"""Everything that has a budget of speed, memory or bytes, measured in one run and printed as one table.

    python -m tests.benchmarks [--quick] [--peers FOLDER]

Times are medians. What is compared is measured in turns, so that a busy moment of the machine meets both.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.benchmarks.board import filling
from tests.benchmarks.figures import Figure
from tests.benchmarks.peers import beside_peers
from tests.benchmarks.refreshes import growing
from tests.benchmarks.screens import in_use, leaving, on_the_line, processor_time, starting, while_loading
from tests.benchmarks.starts import commands, loaded, signing


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description="Measure every budget; takes about fifteen minutes.")
    parser.add_argument("--quick", action="store_true", help="fewer repetitions: about a minute, and rougher")
    parser.add_argument(
        "--peers", type=Path, metavar="FOLDER", help="start posting and harlequin too, installed in FOLDER when missing"
    )
    options = parser.parse_args()
    print(f"{machine()}; load {os.getloadavg()[0]:.1f}\n")  # noqa: T201
    print("| what | measured | budget | |\n|---|---|---|---|")  # noqa: T201
    missed = 0
    with tempfile.TemporaryDirectory() as folder:
        for figure in figures(Path(folder), quick=options.quick, peers=options.peers):
            print(figure.row(), flush=True)  # noqa: T201
            missed += figure.is_met is False
    print(f"\n{missed} missed." if missed else "\nEvery budget is met.")  # noqa: T201


def figures(home: Path, *, quick: bool, peers: Path | None) -> Iterator[Figure]:
    """Every figure, as it is measured; each group has a home of its own."""
    groups: tuple[Iterable[Figure], ...] = (
        loaded(home / "loaded"),
        commands(home / "commands", rounds=5 if quick else 9),
        signing(),
        starting(home / "starting", rounds=3 if quick else 9),
        processor_time(home / "processor", rounds=3 if quick else 9),
        in_use(home / "in-use", presses=60 if quick else 200),
        while_loading(home / "loading", rounds=2 if quick else 8),
        filling(home / "board", *((5, 10, 10) if quick else (50, 40, 100))),
        growing(home / "growing", 300 if quick else 10_000),
        leaving(home / "leaving"),
        on_the_line(home / "line"),
        *((beside_peers(home / "peers", peers.absolute(), rounds=3 if quick else 7),) if peers else ()),
    )
    for group in groups:
        yield from group


def machine() -> str:
    """The processor, its cores, the system and the Python."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
