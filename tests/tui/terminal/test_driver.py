"""What is used of Textual's internals: an upgrade may change each without a word, so they stand in one place."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import textual
from textual.app import App

import ncp_tui.tui
from ncp_tui.tui.terminal import driver

INTERNAL = re.compile(r"_[a-z]\w*")


@functools.cache
def all_internals() -> frozenset[str]:
    """Every name that any module of Textual keeps to itself."""
    sources = (path.read_text(encoding="utf-8") for path in Path(textual.__file__).parent.rglob("*.py"))
    return frozenset(name for source in sources for name in re.findall(r"(?:\.|def )(_[a-z]\w*)", source))


def internals_of(cls: type) -> set[str]:
    """What the bases of `cls` that are Textual's keep to themselves, set in a method or defined."""
    names = set[str]()
    for base in cls.__mro__:
        if base.__module__.partition(".")[0] == "textual":
            names |= {name for name in vars(base) if INTERNAL.fullmatch(name)}
            names |= set(re.findall(r"\bself\.(_[a-z]\w*)", inspect.getsource(base)))
    return names


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"self", "cls"}


def used_by(source: str, classes: dict[str, type]) -> Iterator[str]:
    """The internals of Textual that `source` imports, reads, sets or defines anew, knowingly or not."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "textual":
            parts = [*(node.module or "").split("."), *(alias.name for alias in node.names)]
            yield from (part for part in parts if INTERNAL.fullmatch(part))
        elif isinstance(node, ast.Attribute) and not is_self(node.value):
            foreign = not (isinstance(node.value, ast.Name) and node.value.id == "os")
            if foreign and INTERNAL.fullmatch(node.attr) and node.attr in all_internals():
                yield node.attr
        elif isinstance(node, ast.ClassDef) and node.name in classes:
            internals = internals_of(classes[node.name])
            for inner in ast.walk(node):
                if isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef) and inner.name in internals:
                    yield inner.name
                elif isinstance(inner, ast.Attribute) and is_self(inner.value) and inner.attr in internals:
                    yield inner.attr


def used() -> dict[str, set[str]]:
    """Each module of the screens that uses internals of Textual, and which."""
    found = {}
    for each in pkgutil.walk_packages(ncp_tui.tui.__path__, f"{ncp_tui.tui.__name__}."):
        module = importlib.import_module(each.name)
        classes = {name: value for name, value in vars(module).items() if isinstance(value, type)}
        names = set(used_by(inspect.getsource(module), classes))
        if names:
            found[each.name] = names
    return found


def test_internals_of_textual_are_used_by_the_driver_alone_and_listed_there() -> None:
    """A name that Textual may drop without a word, used on some screen, is found by a user after the upgrade."""
    listed = set(re.findall(r"`(_[a-z]\w*)`", driver.__doc__ or ""))
    assert used() == {driver.__name__: listed}


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from textual._context import active_app", "_context"),
        ("from textual.app import _something", "_something"),
        ("class Mine(App):\n    def _fatal_error(self): ...", "_fatal_error"),
        ("class Mine(App):\n    def run(self):\n        self._driver.write('')", "_driver"),
        ("class Mine(App):\n    def run(self):\n        self._exit = True", "_exit"),
        ("def f(screen):\n    screen.app._handle_exception(error)", "_handle_exception"),
    ],
)
def test_each_way_to_an_internal_is_noticed(source: str, name: str) -> None:
    class Mine(App[None]):
        pass

    assert list(used_by(source, {"Mine": Mine})) == [name]
