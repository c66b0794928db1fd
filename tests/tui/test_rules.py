"""Rules that hold for the whole package, checked where they are written."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding
from textual.color import Color

import ncp_tui.tui
from ncp_tui.tui import screens
from ncp_tui.tui.app import NcpApp
from ncp_tui.tui.screens.working import WorkingScreen
from ncp_tui.tui.themes import CONTRAST, DARK, LIGHT, TERMINAL, theme_for
from ncp_tui.tui.widgets import RecordTable, TextView

PACKAGE = Path(ncp_tui.tui.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
TAKEN_BY_TERMINALS = {f"ctrl+{letter}" for letter in "absqzjo"}


def calls(path: Path, name: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def keywords(call: ast.Call) -> set[str | None]:
    return {keyword.arg for keyword in call.keywords}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_workers_say_what_they_do(path: Path) -> None:
    """Without a description Textual prints every argument of a worker, a secret among them, into logs and reports."""
    for call in calls(path, "work"):
        assert {"description", "exit_on_error", "group"} <= keywords(call), f"{path.name}:{call.lineno}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_text_is_markup(path: Path) -> None:
    for call in calls(path, "Static"):
        assert "markup" in keywords(call), f"{path.name}:{call.lineno}"


@pytest.mark.parametrize("path", [path for path in SOURCES if path.stem != "themes"], ids=lambda path: path.stem)
def test_colours_are_the_themes(path: Path) -> None:
    assert not re.search(r"#[0-9a-fA-F]{6}\b", path.read_text(encoding="utf-8"))


def all_bindings() -> list[Binding]:
    owners: list[type] = [NcpApp, WorkingScreen, RecordTable, TextView]
    owners += [getattr(screens, name) for name in screens.__all__]
    found = [binding for owner in owners for binding in owner.__dict__.get("BINDINGS", ())]
    return [binding for binding in found if isinstance(binding, Binding)]


def test_every_key_can_be_remapped_and_none_is_taken() -> None:
    bindings = all_bindings()
    assert len(bindings) > 20
    for binding in bindings:
        assert binding.id, binding
        assert not TAKEN_BY_TERMINALS & set(binding.key.split(",")), binding


@pytest.mark.parametrize("theme", [DARK, LIGHT, CONTRAST], ids=lambda theme: theme.name)
def test_text_can_be_read(theme: object) -> None:
    """4.5:1, the least that WCAG asks of text."""
    assert isinstance(theme, type(DARK))
    background = Color.parse(theme.background or "")
    texts = [theme.foreground, theme.primary, theme.success, theme.warning, theme.error, theme.variables["dim"]]
    for text in texts:
        assert contrast(Color.parse(text or ""), background) >= 4.5, text
    cursor = contrast(Color.parse(theme.variables["cursor-text"]), Color.parse(theme.variables["cursor-background"]))
    assert cursor >= 4.5


def contrast(one: Color, other: Color) -> float:
    """The ratio of relative luminances, as WCAG 2 defines it."""

    def luminance(color: Color) -> float:
        parts = [part / 255 for part in color.rgb]
        linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("environ", "theme"),
    [
        ({"TERM": "xterm-256color"}, DARK.name),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, DARK.name),
        ({"TERM": "linux"}, TERMINAL.name),
        ({"TERM": "xterm-256color", "NO_COLOR": "1"}, TERMINAL.name),
    ],
)
def test_the_first_theme_fits_the_terminal(environ: dict[str, str], theme: str) -> None:
    assert theme_for(environ) == theme


CRASH = """
from ncp_tui.tui.crash import QuietCrash

class Crashing(QuietCrash):
    def on_mount(self):
        secret = "CANARYs3cr3tKEY0123456789abcdefABCDEFxyz"
        raise RuntimeError("broken")

app = Crashing()
app.run(headless=True)
print(type(app.crashed).__name__)
"""


def test_a_crash_prints_no_local_variable() -> None:
    """Textual's own report shows the locals of every frame, in the scrollback of a terminal that others may read."""
    done = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip().endswith("RuntimeError")
    assert "CANARY" not in done.stdout + done.stderr
