"""The house itself: no module is behind one that it is in front of, and a package is one sentence."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import ncp_tui

ROOT = Path(ncp_tui.__file__).parent


def module_of(path: Path) -> str:
    parts = (ROOT.name, *path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in sorted(ROOT.rglob("*.py"))}


def imported_by(module: str) -> Iterator[str]:
    """Every module of ours that `module` imports: at its top, in a function, or for the type checker alone."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else node.module


def circles() -> Iterator[frozenset[str]]:
    """Circles of imports, one after the other; an import of each that was found is left out for the next."""
    graph = {module: set(imported_by(module)) & set(MODULES) - {module, "ncp_tui"} for module in MODULES}
    while True:
        try:
            tuple(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle: list[str] = error.args[1]
            yield frozenset(circle)
            graph[circle[1]].discard(circle[0])
        else:
            return


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Of two modules that need each other neither can be read, tested or moved alone."""
    assert [sorted(circle) for circle in circles()] == []


def test_a_package_is_one_sentence() -> None:
    """A list of names in front of a package is a second place to look, and loads what nobody asked for."""
    wrong = []
    for module, path in MODULES.items():
        if path.name == "__init__.py" and module != "ncp_tui":
            body = ast.parse(path.read_text()).body
            text = ast.get_docstring(ast.parse(path.read_text())) or ""
            if len(body) != 1 or not text.endswith(".") or "\n" in text:
                wrong.append(module)
    assert not wrong
