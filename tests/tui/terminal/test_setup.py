"""What other programs were told by the environment does not decide how this one looks."""

from __future__ import annotations

import pytest

from ncp_tui.tui.terminal.setup import forget_foreign_variables

FOREIGN = {
    "COLUMNS": "200",
    "LINES": "60",
    "TEXTUAL": "debug",
    "TEXTUAL_PRESS": "q",
    "TEXTUAL_DRIVER": "somewhere:Driver",
    "TEXTUAL_LOG": "keys.log",
    "TEXTUAL_ANIMATIONS": "full",
    "NO_COLOR": "",
}
OURS = {"TERM": "xterm", "NCP_TUI_MOUSE": "1", "TEXTUALLY": "x", "ESCDELAY": "25"}


def test_what_is_meant_for_others_is_forgotten() -> None:
    environ = FOREIGN | OURS
    forget_foreign_variables(environ)
    assert environ == OURS


def test_a_wish_for_no_colour_stays() -> None:
    environ = {"NO_COLOR": "1"}
    forget_foreign_variables(environ)
    assert environ == {"NO_COLOR": "1"}


@pytest.mark.parametrize("name", ["TEXTUAL", "TEXTUAL_LOG"])
def test_a_developer_keeps_textuals_own(name: str) -> None:
    environ = {name: "x", "NCP_TUI_DEV": "1", "COLUMNS": "200"}
    forget_foreign_variables(environ)
    assert environ == {name: "x", "NCP_TUI_DEV": "1"}
