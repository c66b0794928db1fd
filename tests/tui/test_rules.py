"""Rules that hold for the whole package, checked where they are written: a failure names every file and line."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from textual.binding import Binding
from textual.dom import DOMNode

import ncp_tui.tui
from ncp_tui.tui.key_bindings import SEND_ID
from ncp_tui.tui.terminal.driver import ReportsWorkerErrors

PACKAGE = Path(ncp_tui.tui.__file__).parent
TAKEN_BY_TERMINALS = {f"ctrl+{letter}" for letter in "abjoqs"}
"""Tmux takes ctrl+b, screen ctrl+a, the terminal s, q, j and o; an input's own start of line is ctrl+a too."""

NAMED_COLOURS = {
    *("red", "green", "blue", "yellow", "cyan", "magenta"),
    *("white", "black", "orange", "purple", "grey", "gray"),
}
STYLES = {"style", "color", "bgcolor"}
READS_MARKUP = {"Label", "Markdown", "from_markup", "notify", "OptionList", "DataTable", "RichLog"}

Rule = Callable[[ast.Module], Iterator[tuple[int, str]]]
"""The lines of a module that break it, and how."""


def broken(rule: Rule, *but: str) -> list[str]:
    """Where the package breaks a rule, the modules named `but` apart."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if path.stem not in but]
    assert len(paths) > 40, "the package was found"
    return [
        f"{path.relative_to(PACKAGE)}:{at}: {why}"
        for path in paths
        for at, why in rule(ast.parse(path.read_text(encoding="utf-8")))
    ]


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Every call with the name of what is called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", ""), node


def bases_around(tree: ast.Module, call: ast.Call) -> set[str]:
    """The names of the bases of the class in which `call` stands."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and call in ast.walk(node):
            return {base.id for base in node.bases if isinstance(base, ast.Name)}
    return set()


def markup(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """What parses markup by default must be given something that is none: a name with `[/x]` in it ends the program."""
    for name, call in calls(tree):
        if name in READS_MARKUP:
            yield call.lineno, f"{name} reads markup"
        if name == "Static" or (name == "__init__" and "Static" in bases_around(tree, call)):
            flags = [keyword.value for keyword in call.keywords if keyword.arg == "markup"]
            if [getattr(flag, "value", None) for flag in flags] != [False]:
                yield call.lineno, "a Static without markup=False"
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            title = node.targets[0].attr in {"border_title", "border_subtitle", "tooltip"}
            if title and not isinstance(node.value, ast.Constant | ast.Subscript | ast.JoinedStr | ast.Call):
                yield node.lineno, f"{node.targets[0].attr} reads markup"


def nameless_workers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Without a description Textual prints every argument of a worker, a secret among them, into logs and reports."""
    for name, call in calls(tree):
        missing = {"description", "exit_on_error", "group"} - {keyword.arg for keyword in call.keywords}
        if name == "work" and missing:
            yield call.lineno, f"a worker without {', '.join(sorted(missing))}"


def styles(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """A style written in Python is no theme's."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant) and node.arg in STYLES:
            yield node.value.lineno, f"{node.arg}={node.value.value!r}"
        if isinstance(node, ast.Constant) and re.search(r"#[0-9a-fA-F]{6}\b", str(node.value)):
            yield node.lineno, f"the colour {node.value!r}"


def own_colours(sheet: str) -> Iterator[tuple[int, str]]:
    """A colour of its own is unreadable in the other theme, or on a terminal of sixteen."""
    for found in re.finditer(r":[^;{}]*?(#[0-9a-fA-F]{3,8})\b", sheet):
        yield sheet.count("\n", 0, found.start()) + 1, found[1]
    for found in re.finditer(r"(?:color|background|border[a-z-]*):\s*([^;]+);", sheet):
        for word in sorted(NAMED_COLOURS & set(re.findall(r"(?<![$\w-])[a-z]+", found[1]))):
            yield sheet.count("\n", 0, found.start()) + 1, word


def test_no_text_is_read_as_markup() -> None:
    assert not broken(markup)


def test_every_worker_says_what_it_does() -> None:
    assert not broken(nameless_workers)


def test_colours_and_styles_are_the_themes() -> None:
    sheets = sorted(PACKAGE.rglob("*.tcss"))
    assert len(sheets) > 5
    own = [
        f"{path.relative_to(PACKAGE)}:{at}: {colour}"
        for path in sheets
        for at, colour in own_colours(path.read_text(encoding="utf-8"))
    ]
    assert not broken(styles, "themes") + own


def test_each_rule_sees_what_it_forbids() -> None:
    """A rule that finds nothing for ever looks like one that holds."""
    for rule, source in (
        (markup, "Label(name)"),
        (markup, "self.app.notify(name)"),
        (markup, "Static(name)"),
        (markup, "Static(name, markup=True)"),
        (markup, "class A(Static):\n    def __init__(self): super().__init__(name)"),
        (markup, "self.border_title = name"),
        (nameless_workers, "@work(group='a', exit_on_error=False)\ndef load(): ..."),
        (styles, "Text(name, style='bold')"),
        (styles, "A = 'x #12ab34'"),
    ):
        assert list(rule(ast.parse(source))), source
    for sheet in ("A { color: #fff; }", "A {\n  background: #112233 50%;\n}", "A { border: round red; }"):
        assert list(own_colours(sheet)), sheet
    assert not list(own_colours("#table { color: $text; }\n#a:focus { border: round $error; }"))


def owners() -> list[type]:
    """Every class of the package that may have bindings."""
    modules = [
        importlib.import_module(each.name) for each in pkgutil.walk_packages(ncp_tui.tui.__path__, "ncp_tui.tui.")
    ]
    found = {each for module in modules for _, each in inspect.getmembers(module, inspect.isclass)}
    ours = [each for each in found if issubclass(each, DOMNode) and each.__module__.startswith("ncp_tui.")]
    assert {"NcpApp", "ClustersScreen", "TypeNameDialog", "RecordTable", "FilterBar"} <= {e.__name__ for e in ours}
    return sorted(ours, key=lambda each: each.__name__)


def place(owner: type) -> str:
    """Where a class is written."""
    return f"{Path(inspect.getfile(owner)).relative_to(PACKAGE)}:{inspect.getsourcelines(owner)[1]}: {owner.__name__}"


def test_every_key_has_an_id_and_is_free() -> None:
    """Without an id a user cannot remap it; ctrl+a is tmux, ctrl+s stops the terminal."""
    wrong, ids = [], []
    for owner in owners():
        for binding in owner.__dict__.get("BINDINGS", ()):
            named = isinstance(binding, Binding) and re.fullmatch(r"[a-z_]+\.[a-z_]+", binding.id or "")
            if not named or not binding.description or TAKEN_BY_TERMINALS & set(binding.key.split(",")):
                wrong.append(f"{place(owner)}: {binding}")
            else:
                ids.append(binding.id)
    assert not wrong
    assert len(ids) > 20
    assert {each for each in ids if ids.count(each) > 1} == {SEND_ID, "input.up", "input.down"}, (
        "one key wherever it is; others are told apart"
    )


def test_no_worker_dies_in_silence() -> None:
    """Textual tells only the worker's own node: a screen that does not listen says `Loading ...` for ever."""
    with_workers = [each for each in owners() if "@work(" in inspect.getsource(each)]
    assert with_workers
    assert not [place(each) for each in with_workers if not issubclass(each, ReportsWorkerErrors)]
