"""Keys are data: help and palette are made from them, none is the terminal's, and none does harm by itself."""

from __future__ import annotations

from typing import Any

import pytest
from textual.binding import Binding
from textual.screen import Screen

from ncp_tui.tui.dialogs.text import HelpDialog
from ncp_tui.tui.key_bindings import SEND_ID
from ncp_tui.tui.screens.batch_review import BatchReviewScreen
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from ncp_tui.tui.screens.history import HistoryScreen
from ncp_tui.tui.screens.profile_form import ProfileFormScreen
from ncp_tui.tui.screens.profiles import ProfilesScreen
from ncp_tui.tui.screens.requests import RequestsScreen
from ncp_tui.tui.screens.welcome import WelcomeScreen
from ncp_tui.tui.widgets.text_view import TextView
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, URL, Stage, staged
from tests.tui.test_rules import TAKEN_BY_TERMINALS

WIDE = (120, 60)
SCREENS: dict[type[Screen[Any]], tuple[str, ...]] = {
    ClustersScreen: (),
    HistoryScreen: ("h",),
    CreateSnapshotScreen: ("N", "s"),
    BatchReviewScreen: ("A", "s"),
    ProfilesScreen: ("p",),
    ProfileFormScreen: ("p", "a"),
    RequestsScreen: ("u",),
}
"""The keys that lead from the clusters to each screen."""


async def open_screen(stage: Stage, screen: type[Screen[Any]]) -> None:
    """Go to a screen: back to it where it is below others, or else by way of the clusters."""
    is_below = any(isinstance(each, screen) for each in stage.app.screen_stack)
    to, keys = (screen, ()) if is_below else (ClustersScreen, SCREENS[screen])
    while not isinstance(stage.app.screen, to):
        stage.app.pop_screen()
        await stage.settle()
    await stage.press(*keys)
    assert isinstance(stage.app.screen, screen)


def bindings_of(stage: Stage) -> list[Binding]:
    """The keys that are ours and mean something on this screen."""
    return [active.binding for active in stage.app.screen.active_bindings.values() if active.binding.id]


ELSEWHERE_IN_THE_FORM = {"create.use", "create.history", "create.requests"}
"""Keys of the list of buckets, and letters, which are text where the form opens: in an input."""


async def test_help_and_palette_have_every_key_of_every_screen() -> None:
    """A key that help does not know is found by accident only."""
    async with staged(WIDE) as stage:
        for screen in SCREENS:
            await open_screen(stage, screen)
            look_at_palette(stage)
            mine = bindings_of(stage)
            declared = {binding.id for binding in screen.__dict__["BINDINGS"]} - ELSEWHERE_IN_THE_FORM
            assert declared <= {binding.id for binding in mine}, screen
            await stage.press("f1")
            assert isinstance(stage.app.screen, HelpDialog), screen
            look_at_help(stage, mine, screen.__name__)


def look_at_help(stage: Stage, bindings: list[Binding], screen: str) -> None:
    """Each key and what it does."""
    text = stage.app.screen.query_one(TextView).text
    keys = [stage.app.get_key_display(binding) for binding in bindings]
    assert not [key for key in keys if not any(f" {key} " in line for line in text.splitlines())], screen
    words = [binding.tooltip or binding.description for binding in bindings]
    whole = " ".join(text.split())  # what is long continues in the next row
    said = sum(" ".join(word.split()) in whole for word in words)
    assert said >= len({binding.action for binding in bindings}), screen


def look_at_palette(stage: Stage) -> None:
    """What can be done here, each once and explained; and no picture with a key in it."""
    screen = stage.app.screen
    commands = list(stage.app.get_system_commands(screen))
    titles = [command.title for command in commands]
    assert len(titles) == len(set(titles)), screen
    assert "Theme: ncp-light" in titles, screen
    assert all(command.help for command in commands), screen
    assert not [title for title in titles if "screenshot" in title.lower()], screen


async def test_a_command_of_the_palette_is_the_key() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("colon")
        await stage.type("history")
        await stage.press("down", "enter")
        assert isinstance(stage.app.screen, HistoryScreen)


async def test_no_key_is_taken_by_what_stands_in_between() -> None:
    """Bindings that come from Textual's own widgets too, in a box, a text and an input as on the screens."""
    async with staged() as stage:
        for keys in (*SCREENS.values(), ("y",), ("Y",), ("f1",), ("slash",)):
            await open_screen(stage, ClustersScreen)
            await stage.press(*keys)
            active = stage.app.screen.active_bindings
            assert not [active[key] for key in TAKEN_BY_TERMINALS & set(active) if active[key].binding.id], keys


@pytest.mark.slow
async def test_no_single_key_does_harm() -> None:
    """Each key of a screen is pressed once, and the app's own once; nothing may be created, changed or lost by that."""
    async with staged(WIDE) as stage:
        before = stage.workspace.paths.profiles_file.read_bytes()
        pressed: set[str | None] = set()
        for screen in SCREENS:
            await open_screen(stage, screen)
            keys = {each.id: each.key for each in bindings_of(stage) if not leaves_or_creates(each)}
            new = [key for name, key in keys.items() if name not in pressed]
            assert len(new) > 2, screen
            pressed |= {name for name in keys if name and name.startswith("app.")}
            for key in new:
                await open_screen(stage, screen)
                await stage.press(key)
                assert stage.app.is_running, (screen, key)
                assert not stage.effects, (screen, key)
                assert stage.workspace.paths.profiles_file.read_bytes() == before, (screen, key)


def leaves_or_creates(binding: Binding) -> bool:
    """The keys that are for that; and those that only move."""
    names = (binding.id or "").split(".")
    return binding.action.startswith("leave") or binding.id == SEND_ID or names[0] in {"table", "text"}


async def test_welcome_names_its_keys() -> None:
    environ = {"NCLOUD_ACCESS_KEY": ACCESS_KEY, "NCLOUD_SECRET_KEY": SECRET_KEY, "NCLOUD_API_GW": URL}
    async with staged((80, 24), with_profile=False, environ=environ) as stage:
        assert isinstance(stage.app.screen, WelcomeScreen)
        assert stage.shows("enter Use now", "i Save as a profile", "a Enter keys", "esc Later")
