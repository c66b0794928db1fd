"""The gateway takes every request and never answers: the program goes on being used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.journeys.dead_gateway import KEYRING, add_profiles, dead_gateway
from tests.journeys.terminal import DOWN, ENTER, ESCAPE, Terminal

SOON = 5.0


@pytest.mark.slow
def test_the_program_is_used_while_its_gateway_is_dead(tmp_path: Path) -> None:
    """Moving, switching to another profile and quitting wait for nobody; each switch leaves a request behind."""
    names = ["first", "second", "third"]
    with dead_gateway() as url:
        add_profiles(tmp_path, url, names)
        with Terminal(tmp_path, first=KEYRING) as terminal:
            terminal.expect("first / KR / Clusters", "Loading clusters ...")
            for row in (1, 2):
                terminal.press("p")
                terminal.expect("KEY STORE", "third")
                terminal.press(*[DOWN] * row, ENTER)
                terminal.expect(f"{names[row]} / KR / Clusters", "Loading clusters ...")
            terminal.press("/", "se")
            terminal.expect("Clear filter")
            terminal.press(ESCAPE)
            terminal.expect("s Create")
            terminal.press("q")
            assert terminal.ends_within(SOON) == 0
