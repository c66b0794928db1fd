"""A sandbox's history of many pages, in which the oldest row of all has a name."""

from __future__ import annotations

from dataclasses import replace

from ncp_tui.sandbox.sandbox import Sandbox


def make_long(sandbox: Sandbox, name: str, rows: int = 250) -> None:
    """Have search-0001 had `rows` snapshots, an hour apart before those it has, the first of them `name`."""
    state = sandbox.world.state(sandbox.world.named("search-0001"))
    old = state.runs[0]
    names = [name, *(f"old-{number}" for number in range(1, rows - len(state.runs)))]
    state.runs[:0] = [
        replace(old, idx=number, name=each, started=old.started - 3600.0 * (rows - number), ends=old.started - 1)
        for number, each in enumerate(names)
    ]
