"""Where a screen has no room, one sentence says so, and nothing is lost or sent."""

from __future__ import annotations

from pathlib import Path

from textual.widgets import Input

from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from tests.journeys.terminal import Terminal
from tests.tui.stage import staged

SMALL = [(59, 20), (60, 19), (20, 5), (1, 1)]


class TestSmallWindow:
    async def test_one_sentence_and_back(self) -> None:
        """What was there comes back as it was: screen, focus, and what was typed, also while the window was dragged."""
        async with staged() as stage:
            await stage.press("s")
            await stage.fill("name", "typed-by-hand")
            before = stage.text()
            for small in SMALL:
                await stage.pilot.resize_terminal(*small)
                await stage.settle()
                sentence = f"Window too small: 60x20 needed, {small[0]}x{small[1]} now."
                seen = "".join(stage.text().split())
                shown = "".join(sentence.split())[: len(seen) if small != (59, 20) else None]
                assert seen.startswith(shown), small
                assert not stage.shows("Bucket"), small
                await stage.press("f2", "enter")
                assert isinstance(stage.app.screen, CreateSnapshotScreen), small
                await stage.pilot.resize_terminal(80, 24)
                await stage.settle()
                assert stage.text() == before, small
                assert stage.app.screen.query_one("#name", Input).has_focus, small
            await stage.pilot.resize_terminal(30, 8)
            await stage.press(*"hey")
            await stage.pilot.resize_terminal(80, 24)
            await stage.settle()
            assert stage.app.screen.query_one("#name", Input).value == "typed-by-handhey"
        assert not stage.effects, "f2 was pressed by somebody who could not see what it does"

    async def test_a_screen_that_comes_meanwhile_is_covered_too(self) -> None:
        async with staged((58, 15)) as stage:
            assert stage.shows("Window too small", "58x15 now", "press ctrl+c to quit.")
            stage.app.action_help()
            await stage.settle()
            assert stage.shows("58x15 now")
            await stage.pilot.resize_terminal(60, 20)
            await stage.settle()
            assert stage.shows("This screen")
            await stage.press("escape")
            assert stage.shows("search-0001")
            assert not stage.shows("too small")

    async def test_it_can_be_left(self) -> None:
        async with staged((30, 8)) as stage:
            await stage.pilot.press("ctrl+c")
            assert not stage.app.is_running or stage.app._exit

    def test_a_real_window(self, tmp_path: Path) -> None:
        with Terminal(tmp_path, "--demo") as terminal:
            terminal.expect("14 clusters")
            terminal.resize(59, 20)
            terminal.expect("Window too small: 60x20 needed, 59x20 now.")
            terminal.resize(80, 24)
            terminal.expect("14 clusters", "search-0001")
            terminal.press("q")
            assert terminal.expect_end() == 0
