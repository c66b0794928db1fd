"""Keys are data: each has an id, none is the terminal's, and help and palette are made from them."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from pathlib import Path
from typing import Any

import pytest
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

import ncp_tui.tui
from ncp_tui.tui.crash import LoudWorkers
from ncp_tui.tui.screens import ClustersScreen, HelpScreen, ProfileFormScreen, WelcomeScreen
from ncp_tui.tui.screens.create_snapshot import CreateSnapshotScreen
from ncp_tui.tui.screens.history import HistoryScreen
from ncp_tui.tui.screens.outcomes import OutcomesScreen
from ncp_tui.tui.screens.profiles import ProfilesScreen
from ncp_tui.tui.widgets import TextView
from tests.tui.stage import ACCESS_KEY, SECRET_KEY, URL, Stage, staged

TAKEN_BY_TERMINALS = {f"ctrl+{letter}" for letter in "absqzjo"}
NAMED_COLOURS = {
    "red",
    "green",
    "blue",
    "yellow",
    "cyan",
    "magenta",
    "white",
    "black",
    "orange",
    "purple",
    "grey",
    "gray",
}
PACKAGE = Path(ncp_tui.tui.__file__).parent
WIDE = (120, 60)


def owners() -> dict[str, type]:
    """Every class of the package that may have bindings."""
    modules = [
        importlib.import_module(each.name) for each in pkgutil.walk_packages(ncp_tui.tui.__path__, "ncp_tui.tui.")
    ]
    classes = [each for module in modules for _, each in inspect.getmembers(module, inspect.isclass)]
    return {
        each.__name__: each for each in classes if issubclass(each, DOMNode) and each.__module__.startswith("ncp_tui.")
    }


BINDINGS = [
    (name, binding) for name, owner in sorted(owners().items()) for binding in owner.__dict__.get("BINDINGS", ())
]


def test_the_package_was_found() -> None:
    assert {"NcpApp", "ClustersScreen", "TypeNameScreen", "RecordTable", "FilterBar"} <= {name for name, _ in BINDINGS}


@pytest.mark.parametrize(("owner", "binding"), BINDINGS, ids=lambda value: getattr(value, "id", value))
def test_every_key_has_an_id_and_is_free(owner: str, binding: object) -> None:
    """Without an id a user cannot remap it; ctrl+a is tmux, ctrl+s stops the terminal."""
    assert isinstance(binding, Binding), f"{owner}: {binding}"
    assert binding.id
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", binding.id)
    assert binding.description
    assert not TAKEN_BY_TERMINALS & set(binding.key.split(","))


def test_ids_are_told_apart() -> None:
    ids = [binding.id for _, binding in BINDINGS if isinstance(binding, Binding)]
    assert len(ids) == len(set(ids))


async def open_screen(stage: Stage, screen: type[Screen[Any]]) -> None:
    keys: dict[type[Screen[Any]], list[str]] = {
        ClustersScreen: [],
        HistoryScreen: ["h"],
        CreateSnapshotScreen: ["s"],
        ProfilesScreen: ["p"],
        ProfileFormScreen: ["p", "a"],
        OutcomesScreen: ["u"],
    }
    await stage.press(*keys[screen])
    assert isinstance(stage.app.screen, screen)


SCREENS = [ClustersScreen, HistoryScreen, CreateSnapshotScreen, ProfilesScreen, ProfileFormScreen, OutcomesScreen]


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.__name__)
async def test_help_has_every_key_of_the_screen(screen: type[Screen[Any]]) -> None:
    """A key that help does not know is found by accident only."""
    async with staged(WIDE) as stage:
        await open_screen(stage, screen)
        bindings = [active.binding for active in stage.app.screen.active_bindings.values()]
        mine = [binding for binding in bindings if binding.id]
        declared = {binding.id for binding in screen.__dict__["BINDINGS"] if binding.id != "create.take"}
        assert declared <= {binding.id for binding in mine}
        await stage.press("f1")
        assert isinstance(stage.app.screen, HelpScreen)
        text = stage.app.screen.query_one(TextView).text
        for binding in mine:
            key = stage.app.get_key_display(binding)
            row = next(line for line in text.splitlines() if f" {key} " in line)
            assert row.strip()
        words = [binding.tooltip or binding.description for binding in mine]
        assert sum(word in text for word in words) >= len({binding.action for binding in mine})


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.__name__)
async def test_the_palette_offers_what_can_be_done_here(screen: type[Screen[Any]]) -> None:
    async with staged(WIDE) as stage:
        await open_screen(stage, screen)
        commands = list(stage.app.get_system_commands(stage.app.screen))
        titles = [command.title for command in commands]
        assert len(titles) == len(set(titles))
        assert "theme: ncp-light" in titles
        assert all(command.help for command in commands)
        assert not [title for title in titles if "screenshot" in title.lower()]


async def test_a_command_of_the_palette_is_the_key() -> None:
    async with staged((120, 40)) as stage:
        await stage.press("colon")
        await stage.type("history")
        await stage.press("down", "enter")
        assert isinstance(stage.app.screen, HistoryScreen)


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.__name__)
async def test_no_single_key_does_harm(screen: type[Screen[Any]]) -> None:
    """Each key of a screen is pressed once; nothing may be created, changed or lost by that."""
    async with staged(WIDE) as stage:
        before = stage.home.paths.profiles_file.read_bytes()
        await open_screen(stage, screen)
        bindings = [active.binding for active in stage.app.screen.active_bindings.values()]
        for binding in bindings:
            if (
                not binding.id
                or binding.action == "leave"
                or binding.id == "create.create"
                or binding.id.startswith(("table.", "text."))
            ):
                continue
            while not isinstance(stage.app.screen, ClustersScreen):
                stage.app.pop_screen()
                await stage.settle()
            await open_screen(stage, screen)
            await stage.press(binding.key)
            assert stage.app.is_running
            assert not stage.effects
            assert stage.home.paths.profiles_file.read_bytes() == before


async def test_welcome_names_its_keys() -> None:
    environ = {"NCLOUD_ACCESS_KEY": ACCESS_KEY, "NCLOUD_SECRET_KEY": SECRET_KEY, "NCLOUD_API_GW": URL}
    async with staged((80, 24), with_profile=False, environ=environ) as stage:
        assert isinstance(stage.app.screen, WelcomeScreen)
        assert stage.shows("enter Use now", "i Save as a profile", "a Type keys", "esc Later")


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_no_text_is_read_as_markup(path: Path) -> None:
    """What parses markup by default must be given something that is none: a name with `[/x]` in it ends the program."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        where = f"{path.name}:{node.lineno}"
        assert name not in {"Label", "Markdown", "from_markup", "notify", "OptionList", "DataTable", "RichLog"}, where
        is_static = name == "Static" or (name == "__init__" and "Static" in bases_around(tree, node))
        if is_static:
            flags = [keyword.value for keyword in node.keywords if keyword.arg == "markup"]
            assert [getattr(flag, "value", None) for flag in flags] == [False], where
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            title = node.targets[0].attr in {"border_title", "border_subtitle", "tooltip"}
            fixed = isinstance(node.value, ast.Constant | ast.Subscript | ast.JoinedStr)
            wrapped = isinstance(node.value, ast.Call)
            assert not title or fixed or wrapped, f"{path.name}:{node.lineno}"


def bases_around(tree: ast.Module, call: ast.Call) -> set[str]:
    """The names of the bases of the class in which `call` stands."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and call in ast.walk(node):
            return {base.id for base in node.bases if isinstance(base, ast.Name)}
    return set()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.tcss")), ids=lambda path: path.stem)
def test_style_sheets_use_the_themes_colours(path: Path) -> None:
    """A colour of its own is unreadable in the other theme, or on a terminal of sixteen."""
    text = path.read_text(encoding="utf-8")
    assert not re.search(r":[^;]*#[0-9a-fA-F]{3,8}\b", text)
    values = re.findall(r"(?:color|background|border[a-z-]*):\s*([^;]+);", text)
    words = {word for value in values for word in re.findall(r"(?<![$\w-])[a-z]+", value)}
    assert not words & NAMED_COLOURS


@pytest.mark.parametrize(
    "path", [path for path in sorted(PACKAGE.rglob("*.py")) if path.stem != "themes"], ids=lambda path: path.stem
)
def test_no_style_is_written_in_python(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg in {"style", "color", "bgcolor"}:
            assert not isinstance(node.value, ast.Constant), f"{path.name}:{node.value.lineno}"


@pytest.mark.parametrize("owner", owners().values(), ids=lambda owner: owner.__name__)
def test_no_worker_dies_in_silence(owner: type) -> None:
    """Textual tells only the worker's own node: a screen that does not listen says `Loading ...` for ever."""
    has_workers = "@work(" in inspect.getsource(owner)
    assert not has_workers or issubclass(owner, LoudWorkers)
