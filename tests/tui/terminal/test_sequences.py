"""The title of the window: a terminal without one draws nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ncp_tui.tui.terminal.sequences import GIVE_BACK, KEEP, has_title, title_sequence
from tests.journeys.terminal import Terminal


class TestTitle:
    @pytest.mark.parametrize("term", ["linux", "vt100", "dumb", ""])
    def test_a_terminal_without_one_gets_none(self, term: str) -> None:
        assert not has_title({"TERM": term})

    def test_it_says_where_one_is_and_goes(self, tmp_path: Path) -> None:
        with Terminal(tmp_path, "--demo") as terminal:
            terminal.expect("14 clusters")
            assert terminal.raw.count(KEEP.encode()) == 1
            assert title_sequence("ncp-tui DEMO KR").encode() in terminal.raw
            assert GIVE_BACK.encode() not in terminal.raw
            terminal.press("q")
            assert terminal.expect_end() == 0
        assert terminal.raw.count(GIVE_BACK.encode()) == 1

    @pytest.mark.slow
    def test_no_title_on_the_console(self, tmp_path: Path) -> None:
        with Terminal(tmp_path, "--demo", environ={"TERM": "linux"}) as terminal:
            terminal.expect("14 clusters")
            terminal.press("q")
            assert terminal.expect_end() == 0
        assert b"\x1b]2;" not in terminal.raw
        assert KEEP.encode() not in terminal.raw
