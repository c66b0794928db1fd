"""No sentence on the screen names a command or an option, and none on the command line a key."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from textual.binding import Binding

import ncp_tui
from ncp_tui.cli.errors import COMMANDS as COMMANDS_OF
from ncp_tui.cli.errors import next_words as of_commands
from ncp_tui.problem import NextAction, Problem
from ncp_tui.tui.key_bindings import KEYS as KEYS_OF
from ncp_tui.tui.key_bindings import next_words as of_screens
from ncp_tui.tui.screens.clusters import ClustersScreen
from ncp_tui.tui.screens.profiles import ProfilesScreen
from ncp_tui.tui.screens.requests import RequestsScreen
from ncp_tui.tui.screens.schedule import ScheduleScreen
from ncp_tui.view.actions import PURPOSES

PACKAGE = Path(ncp_tui.__file__).parent
COMMANDS = re.compile(
    r"(?<![\w-])--(?!demo\b)[a-z]{2,}|ncp-tui (profile|cluster|snapshot|bucket|doctor|paths)\b|\((store|option): "
)
KEYS = re.compile(r"\bf\d\b|\b[Pp]ress [a-z]\b|\b(esc|enter|tab) (leaves|saves|uses|goes)\b")


def sentences(folder: str) -> Iterator[tuple[str, str]]:
    """Every text in the code of a package that is not a docstring, with its place."""
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        documents = {
            id(node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documents:
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", node.value


def actions_in(folder: str) -> Iterator[tuple[str, str]]:
    """The id of every action that is handed over in a package."""
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "NextAction":
                names = [each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)]
                yield from ((str(path), str(name)) for name in names)


def found(pattern: re.Pattern[str], *folders: str) -> list[str]:
    return [f"{place}: {text!r}" for folder in folders for place, text in sentences(folder) if pattern.search(text)]


BELOW = ("system", "gateway", "search_engine", "profiles", "session_log", "snapshots", "view")


def test_what_is_below_both_faces_speaks_to_both() -> None:
    """Its problems are shown by either: the next step is in words, or an action that each face has its means for."""
    assert not found(COMMANDS, *BELOW)
    assert not found(KEYS, *BELOW)


def test_every_action_has_a_purpose_and_a_means_in_each_face() -> None:
    """One that is missing would be a KeyError in the middle of telling what went wrong."""
    used = {name for folder in (*BELOW, "cli", "tui") for _, name in actions_in(folder)}
    assert used <= set(PURPOSES), used - set(PURPOSES)
    assert set(PURPOSES) == set(COMMANDS_OF) == set(KEYS_OF)


def test_the_keys_of_actions_are_those_of_the_screens() -> None:
    bindings = {
        binding.id: binding.key
        for screen in (ClustersScreen, RequestsScreen, ProfilesScreen, ScheduleScreen)
        for binding in screen.BINDINGS
        if isinstance(binding, Binding)
    }
    for path in filter(None, KEYS_OF.values()):
        for name, key in path.bindings:
            assert bindings[name] == key, name


def test_a_next_step_in_each_face() -> None:
    follow = NextAction("snapshot.wait", {"cluster": "a b", "name": "x"})
    problem = Problem("It broke.", "", "Use another name.", follow)
    assert of_commands(problem) == "Use another name. Follow it: ncp-tui snapshot wait 'a b' x"
    assert of_screens(problem) == "Use another name. Follow it: h on the clusters"
    problem.actions = (NextAction("snapshot.again", {"id": "0a1b"}), NextAction("profile.add"))
    assert of_commands(problem).endswith("repeat the command with --again 0a1b. Add a profile: ncp-tui profile add")
    assert of_screens(problem) == "Use another name. Add a profile: p on the clusters, then a"


def test_the_screen_names_no_option() -> None:
    assert not found(COMMANDS, "tui")


def test_the_command_line_names_no_key() -> None:
    assert not found(KEYS, "cli")


def test_each_pattern_sees_what_it_forbids() -> None:
    for text in ("use --store file", "Add it with: ncp-tui profile add", "in the file (store: file)"):
        assert COMMANDS.search(text), text
    for text in ("f2 saves", "Press r.", "esc leaves it"):
        assert KEYS.search(text), text
    assert not COMMANDS.search("To try it, start: ncp-tui --demo")
