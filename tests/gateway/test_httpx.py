"""What the gateway loads, in an interpreter of its own: each command that calls it pays for it."""

from __future__ import annotations

import subprocess
import sys

from tests.tables import each_row


def said_by(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    return done.stdout.strip()


@each_row("layer", ["ncp_tui.gateway.client", "ncp_tui.search_engine.client"])
def test_no_drawing_and_no_command_line_is_loaded(layer: str) -> None:
    """For a command line of its own httpx brings rich, pygments and click: 40 ms of 100."""
    program = f"""
import sys, {layer}
print([name for name in ("rich", "pygments", "click", "httpx._main") if name in sys.modules])
"""
    assert said_by(program) == "[]"


@each_row("first", ["httpx", "ncp_tui.gateway.client"])
def test_httpx_is_left_as_it_is_otherwise(first: str) -> None:
    """Whoever imported it before has its command line, and whoever wants it later gets it."""
    program = f"""
import {first}
import ncp_tui.gateway.client, httpx, httpx._main
print(type(httpx._main.main).__name__, callable(httpx.main))
"""
    assert said_by(program) == "Command True"
