"""What a package names as its own must be there when it is asked for, and nothing of it before."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

import ncp_tui
from tests.tables import each_row

ROOT = Path(ncp_tui.__file__).parent
PACKAGES = sorted(
    ".".join(("ncp_tui", *file.parent.relative_to(ROOT).parts))
    for file in ROOT.rglob("__init__.py")
    if "lazy_exports(" in file.read_text()
)


def declared(package: str) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The names by module that type checkers see, and those that are loaded."""
    path = ROOT.joinpath(*package.split(".")[1:], "__init__.py")
    (branch,) = (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.If))
    seen: dict[str, set[str]] = defaultdict(set)
    for node in branch.body:
        assert isinstance(node, ast.ImportFrom)
        assert node.module is not None
        seen[node.module.removeprefix(f"{package}.")] |= {alias.name for alias in node.names}
    (assigned,) = branch.orelse
    assert isinstance(assigned, ast.Assign)
    assert isinstance(assigned.value, ast.Call)
    table: dict[str, str] = ast.literal_eval(assigned.value.args[1])
    return dict(seen), {home: set(names.split()) for home, names in table.items()}


def test_every_package_of_the_client_is_among_them() -> None:
    assert {f"ncp_tui.{name}" for name in ("gateway", "profiles", "search_engine", "session_log", "snapshots")} <= set(
        PACKAGES
    )


@each_row("package", PACKAGES)
def test_the_three_lists_say_the_same(package: str) -> None:
    """A name that only type checkers see would fail at the user's."""
    seen, loaded = declared(package)
    module = importlib.import_module(package)
    assert seen == loaded
    assert set().union(*loaded.values()) == set(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None


@each_row("package", PACKAGES)
def test_no_name_is_that_of_a_module(package: str) -> None:
    """Whoever imported that module would put it in the name's place."""
    folder = ROOT.joinpath(*package.split(".")[1:])
    modules = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert not modules & set(importlib.import_module(package).__all__)


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        ncp_tui.gateway.Nothing  # type: ignore[attr-defined]  # noqa: B018


def test_asking_for_a_light_name_loads_nothing_heavy() -> None:
    code = "import sys; from ncp_tui.gateway import Problem; print('httpx' in sys.modules, 'ssl' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
