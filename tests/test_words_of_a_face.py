"""No sentence on the screen names a command or an option, and none on the command line a key."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ncp_tui

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


def found(pattern: re.Pattern[str], *folders: str) -> list[str]:
    return [f"{place}: {text!r}" for folder in folders for place, text in sentences(folder) if pattern.search(text)]


BELOW = ("gateway", "search_engine", "profiles", "session_log")


def test_what_is_below_both_faces_speaks_to_both() -> None:
    """Its problems are shown by either: the next step is in words, and the command is `Problem.command`."""
    commands = [each for each in found(COMMANDS, *BELOW) if not each.startswith("profiles/sources.py")]
    assert not commands
    assert found(COMMANDS, "profiles"), "the one command that is handed over by its own"
    assert not found(KEYS, *BELOW)


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
