"""Whose the mouse is: over SSH the terminal's, so that text can be selected and copied as anywhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.terminal import Terminal

REPORTS_ON = b"\x1b[?1000h"
OVER_SSH = {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("environ", "is_ours"),
    [
        ({}, True),
        (OVER_SSH, False),
        ({"SSH_TTY": "/dev/pts/0"}, False),
        (OVER_SSH | {"NCP_TUI_MOUSE": "1"}, True),
        ({"NCP_TUI_MOUSE": "0"}, False),
    ],
)
def test_whose_the_mouse_is(environ: dict[str, str], is_ours: bool, tmp_path: Path) -> None:
    with Terminal(tmp_path, "--demo", environ=environ) as terminal:
        terminal.expect("14 clusters")
        terminal.press("q")
        assert terminal.expect_end() == 0
        assert (REPORTS_ON in terminal.raw) == is_ours
