"""Read-only means it: by flag, by variable, by profile, no key, button or command of the palette changes anything."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import pytest
from textual.widgets import Button

from ncp_tui.profiles.profile import Profile
from ncp_tui.search_engine.operations import OPERATIONS, Effect
from ncp_tui.tui.dialogs.text import HelpDialog
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from ncp_tui.tui.screens.history import HistoryScreen
from ncp_tui.tui.widgets.text_view import TextView
from ncp_tui.workspace import open_workspace
from tests.tui.stage import ACCESS_KEY, Stage, staged

READS = {name for name, operation in OPERATIONS.items() if operation.effect is Effect.READ}
PROFILE = Profile(name="prod", access_key=ACCESS_KEY, store="session", default_bucket="bk.ses.snapshot")

BATCH = 50
MANY_SCREENS = 5
WORDS = ("search-0001", "prod", "y", "yes", "bk.ses.snapshot", "create", "snapshot", "add", "remove", "test", "resolve")
SINGLE = (
    *"abcdefghijklmnoprstuvwxyzGNO?:/-0123456789",
    *(f"f{number}" for number in range(1, 13)),
    *("enter", "escape", "tab", "shift+tab", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
    *("space", "backspace", "delete", "ctrl+p"),
)
"""Every key but those that quit."""

HARMFUL = (
    ["s", "f2", "y"],
    ["h", "s", "f2"],
    ["d", "s", "f2", "a", "f2"],
    ["d", "x", "a", "f2"],
    ["f2", "enter", "y"],
    ["u", "s"],
    ["ctrl+p", *"snapshot", "down", "enter"],
)
"""What a writable program would send a create for, so that this test is one that can fail."""

NAMES = {"?": "question_mark", ":": "colon", "/": "slash", "-": "minus"}


WAYS: Mapping[str, Any] = {
    "flag or variable": {"read_only": True},
    "profile": {"profile": dataclasses.replace(PROFILE, read_only=True)},
}


def test_flag_and_variable_are_the_same() -> None:
    assert open_workspace({"NCP_TUI_HOME": "/nowhere"}, read_only=True).read_only is True
    assert open_workspace({"NCP_TUI_HOME": "/nowhere", "NCP_TUI_READ_ONLY": "1"}).read_only is True
    assert open_workspace({"NCP_TUI_HOME": "/nowhere"}).read_only is False


def changed_nothing(stage: Stage) -> bool:
    asked = {entry.operation for entry in stage.sandbox.ledger.requests}
    return not stage.effects and asked <= READS


@pytest.mark.parametrize("way", WAYS)
async def test_nothing_leads_to_an_effect(way: str) -> None:
    async with staged((120, 40), **WAYS[way]) as stage:
        app = stage.app
        assert stage.shows("READ-ONLY")
        for opening in ([], ["h"], ["d"], ["u"], ["p"]):
            await stage.press(*opening)
            titles = [command.title for command in app.get_system_commands(app.screen)]
            assert titles
            assert not [title for title in titles if title.endswith((": snapshot", ": create"))]
            screen = app.screen
            await stage.press("s", "f2")
            if isinstance(screen, ClustersScreen | HistoryScreen):
                await screen.run_action("snapshot")
                await stage.settle()
            assert app.screen is screen, "neither a key nor an action opens the form"
            await stage.press("f1")
            assert isinstance(app.screen, HelpDialog)
            rows = app.screen.query_one(TextView).text.splitlines()
            reasons = [then for row, then in pairwise(rows) if "Create a snapshot" in row]
            assert all("Not now: Read-only mode (" in then for then in reasons), "greyed, with the reason"
            await stage.press("escape")
            await stage.press("escape")
        app.push_screen(CreateSnapshotScreen(app.session, app.session.clusters["1037001"]))
        await stage.settle()
        await stage.press("f2", "y")
        app.screen.query_one("#create", Button).press()
        await stage.settle()
        assert stage.shows("Read-only mode: cannot")
        assert changed_nothing(stage)
        assert not stage.app.session.journal.entries(), "what cannot be sent is not announced"


def steps(chance: random.Random, keys: int) -> Iterator[list[str]]:
    """Keys as a cat, a child or a pasted line would press them."""
    pressed = 0
    while pressed < keys:
        batch = ["escape"] * 5 if chance.random() < 0.3 else []
        while len(batch) < BATCH:
            if chance.random() < 0.05:
                batch += chance.choice(HARMFUL)
            elif chance.random() < 0.1:
                batch += [NAMES.get(letter, letter) for letter in chance.choice(WORDS) if letter != "."]
            else:
                batch.append(NAMES.get(key := chance.choice(SINGLE), key))
        pressed += len(batch)
        yield batch


@pytest.mark.parametrize(("keys", "seed"), [(500, 2), pytest.param(5_000, None, marks=pytest.mark.slow)])
async def test_thousands_of_keys_change_nothing(keys: int, seed: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the combination of screens, questions and palette: the sandbox's ledger holds reads only.

    Of the run, and not of the profile: that one may be edited. The same keys each time; in the slow lane new ones.
    """
    seed = seed or random.SystemRandom().randrange(2**32)
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    trail: list[str] = []
    async with staged((100, 30), read_only=True) as stage:
        await _keep_in_the_program(stage, monkeypatch)
        seen = set()
        for batch in steps(chance, keys):
            trail += batch
            for key in batch:
                await stage.pilot._app._press_keys([key])
                seen.add(type(stage.app.screen).__name__)
            await stage.pilot.pause()
            assert stage.app.is_running, f"seed {seed}: ended after {trail[-BATCH:]}"
            assert changed_nothing(stage), f"seed {seed}: {stage.effects}, after {trail[-BATCH:]}"
        assert len(seen) >= MANY_SCREENS, f"seed {seed} went nowhere: {seen}"
    assert stage.app.crashed is None, f"seed {seed}"


async def _keep_in_the_program(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quitting by the palette would end the run."""
    monkeypatch.setattr(stage.app, "exit", lambda *_, **__: None)
    assert isinstance(stage.app.screen, ClustersScreen)
