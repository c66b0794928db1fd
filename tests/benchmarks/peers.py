"""The start of the screen beside that of two well-known Textual programs, each from an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ncp_tui.sandbox.sandbox import Sandbox, ThreadedSandbox
from tests.benchmarks.figures import Figure, median
from tests.benchmarks.terminal_bytes import PROGRAM, Line, environ_of


@dataclass(frozen=True)
class Peer:
    """A program to start: what pip installs, and a text that is there once its screen is."""

    name: str
    packages: tuple[str, ...]
    ready: str


PEERS = (
    # With tree-sitter 0.26.1, which pip would take, its first screen is a segmentation fault.
    Peer("posting", ("posting", "tree-sitter<0.26"), "Collection"),
    Peer("harlequin", ("harlequin",), "Query"),
)
OURS = "[Details]"
"""What stands in the panes, which are the last of the screen."""


def beside_peers(home: Path, environments: Path, rounds: int) -> Iterator[Figure]:
    """Start to the whole screen, in turns with theirs; `environments` has a folder for each, and gets the missing."""
    programs = {peer: _installed(peer, environments) for peer in PEERS}
    ours, theirs = list[float](), {peer: list[float]() for peer in PEERS}
    with ThreadedSandbox(Sandbox()) as gateway:
        environ = environ_of(gateway, home)
        for number in range(rounds + 1):
            took = {peer: _start((str(program),), environ, peer.ready) for peer, program in programs.items()}
            whole = _start(PROGRAM, environ, OURS)
            if number:
                ours.append(whole)
                for peer, time in took.items():
                    theirs[peer].append(time)
    for peer in PEERS:
        yield Figure(f"{peer.name}, start to its screen", median(theirs[peer]), "ms")
        yield Figure(f"... ours with its panes against {peer.name}", median(ours) / median(theirs[peer]), "x", 0.5)


def _start(command: tuple[str, ...], environ: dict[str, str], ready: str) -> float:
    with Line(command, environ) as line:
        return line.expect(ready)


def _installed(peer: Peer, environments: Path) -> Path:
    folder = environments / peer.name
    program = folder / "bin" / peer.name
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "-q", *peer.packages], check=True)
    return program
