"""One word for one thing: what is retired is said nowhere, and a status line holds its sentence.

The vocabulary is that of the field. A word that needs a riddle solved, or a second name for what has one, costs whoever
reads it at three in the morning a minute.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from types import MappingProxyType

import ncp_tui
from tests.tables import each_row

PACKAGE = Path(ncp_tui.__file__).parent
README = PACKAGE.parent / "README.md"

RETIRED: Mapping[str, str] = MappingProxyType(
    {
        r"\blights\b": "preflight checks",
        r"\boutcomes\b": "requests",
        r"\b(un)?settl(e|es|ed|ing|ement)\b": "resolve, unresolved",
        r"\bcannot (tell|be told)\b": "unknown",
        r"\blooked at\b": "checked, read",
        r"\bin (its|his|her|their|our|your) hands\b": "held, locked, handled by",
        r"\b(go|goes) on\b": "continue, keep running",
        r"\bmend(s|ed|ing)?\b": "fix",
        r"\bsees? to\b": "fix, handle",
        r"\bstrikes?\b": "apply to",
        r"\bnobody\b": "no one, or what is missing",
        r"\bin the making\b": "checking, running",
        r"\bunder way\b": "running",
        r"\bmade-up\b": "test",
        r"\bbug of its own\b": "internal error",
        r"\b(il)?legal (name|bucket)|\b(name|bucket)s? (is|are) (il)?legal\b": "valid, invalid",
        r"\basked for\b": "requested",
        r"\bpoor terminals?\b": "limited terminals",
        r"\bleads? to\b": "points to, ends in",
        r"\bnoughts?\b": "zero",
        r"\b(take|takes|taking|taken|took) (a|an|the|one|another|no|its) snapshots?\b": "create",
    }
)
"""What is said nowhere, docstrings included, each with what is said in its place."""

RETIRED_FOR_USERS: Mapping[str, str] = MappingProxyType(
    {
        r"(?<!time )(?<!time-)(?<![\"_])\bzones?\b": "site",
        r"\bthe service\b(?! to (the|a) )": "NCP",
        r"(?<!-)(?<!-o )\bledger\b(?!\.jsonl)": "request log",
        r"\blegal;": "valid",
    }
)
"""What is not said to a user: the code knows a service and a ledger of the sandbox."""

_ANY = re.compile("|".join((*RETIRED, *RETIRED_FOR_USERS)), re.IGNORECASE)
"""Whether it is worth looking for which."""


@dataclass(frozen=True)
class Text:
    """A text of the product, and where it stands."""

    place: str
    text: str
    is_for_users: bool

    def retired(self) -> list[str]:
        """What in it is retired, with what is said instead."""
        if not _ANY.search(self.text):
            return []
        patterns = {**RETIRED, **RETIRED_FOR_USERS} if self.is_for_users else RETIRED
        return [
            f"{self.place}: {found[0]!r} ({instead}) in {self.text[:90]!r}"
            for pattern, instead in patterns.items()
            if (found := re.search(pattern, self.text, re.IGNORECASE))
        ]


@cache
def trees() -> Mapping[str, ast.Module]:
    """Every module, read once."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def texts_in(name: str, tree: ast.Module) -> Iterator[Text]:
    """Every sentence and label of a module; names, keys of documents and of files are one word in lower case."""
    nodes = list(ast.walk(tree))
    is_help = {id(document): is_help for node in nodes for document, is_help in _documents(node)}
    for node in nodes:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if " " in node.value.strip() or node.value[:1].isupper():
            words = " ".join(
                re.sub(r"\{\w*[^}]*\}", "{}", node.value).split()
            )  # what a value is called is no word of it
            yield Text(f"{name}:{node.lineno}", words, is_help.get(id(node), True))


def _documents(node: ast.AST) -> Iterator[tuple[ast.Constant, bool]]:
    """The docstrings in a body, and whether they are the help of a command. The text under a name counts as one."""
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        decorators = " ".join(map(ast.unparse, getattr(node, "decorator_list", ())))
        for statement in node.body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                yield statement.value, re.search(r"\b(command|group)\(", decorators) is not None


def documents() -> Iterator[Text]:
    """README and manual, paragraph by paragraph; the page of commands says what help says."""
    pages = [path for path in sorted((PACKAGE / "guide").glob("*.md")) if path.stem != "commands"]
    for path in (README, *pages):
        name = path.name if path == README else f"guide/{path.name}"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            yield Text(f"{name}:{number}", line, is_for_users=True)


def test_no_retired_word_is_said() -> None:
    texts = [text for name, tree in trees().items() for text in texts_in(name, tree)]
    wrong = [said for text in (*texts, *documents()) for said in text.retired()]
    assert not wrong, "\n".join(wrong)


@each_row(
    ("text", "is_retired"),
    [
        ("Lights were old: looked at again.", True),
        ("It goes on without you", True),
        ("3 creates are unsettled", True),
        ("Another program has it in its hands", True),
        ("Nobody answers", True),
        ("a highlighted row that is stuck on the screen", False),
        ("Running: the snapshot continues on NCP", False),
        ("Time zone: UTC; the site is gov", False),
        ("The zone is gov", True),
        ("ncp-tui sandbox --ledger FILE keeps a request log", False),
        ("Write the ledger", True),
    ],
)
def test_the_rule_finds_what_it_is_for(text: str, *, is_retired: bool) -> None:
    assert bool(Text("x", text, is_for_users=True).retired()) is is_retired


def test_names_and_keys_of_files_are_no_sentences() -> None:
    source = 'KIND = "settled"\nx = {"lights": 1}\nLABEL = "Lights"\ndef f():\n    """Settle it."""\n'
    assert [text.text for text in texts_in("x.py", ast.parse(source))] == ["Lights", "Settle it."]


ROW = 78
"""Cells of the status line in a window of 80. A warning, or what failed, may take two rows."""

CELLS: Mapping[str, int] = MappingProxyType(
    {"name": 30, "snapshot": 30, "cluster": 15, "bucket": 30, "old": 20, "new": 20}
)
"""What a value takes at most, by its name: a snapshot's name is the longest. Others are numbers, times and keys."""

NUMBER = 8

SENTENCES = frozenset(
    {"checking", "extent", "matches", "meaning", "reason", "requests", "said", "summary", "touched", "why"}
)
"""Values that are sentences themselves. What they stand in is written to be cut: what it is about comes first, and no
cut turns it round (`tests/tui/test_sentences.py` holds that), as for every sentence that a function makes."""


def constants_of(tree: ast.Module) -> Mapping[str, str]:
    """The sentences at the top of a module, by name; of those that it imports, too."""
    found: dict[str, str] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("ncp_tui."):
            path = f"{node.module.removeprefix('ncp_tui.').replace('.', '/')}.py"
            theirs = _own_constants(trees()[path]) if path in trees() else {}
            found |= {alias.asname or alias.name: theirs[alias.name] for alias in node.names if alias.name in theirs}
    return found | _own_constants(tree)


def _own_constants(tree: ast.Module) -> dict[str, str]:
    return {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def said_on_the_status_line() -> Iterator[tuple[str, str, int]]:
    """Every sentence that a screen has for its status line, where it is said, and how many cells it takes at most."""
    for name, tree in trees().items():
        if not name.startswith("tui/screens/"):
            continue
        constants = constants_of(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say":
                tone = ast.unparse(node.args[1]) if len(node.args) > 1 else ""
                rows = 2 if re.search("bad|warning", tone) else 1
                for text in _templates(node.args[0], constants) if node.args else ():
                    if (cells := cells_of(text)) is not None:
                        yield f"{name}:{node.lineno}", text, cells - (rows - 1) * ROW


def _templates(node: ast.AST, constants: Mapping[str, str]) -> Iterator[str]:
    """The sentences that an argument may be, as templates of `str.format`; none where a function makes it."""
    if isinstance(node, ast.IfExp):
        yield from (*_templates(node.body, constants), *_templates(node.orelse, constants))
    elif isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.Name) and node.id in constants:
        yield constants[node.id]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        yield from _templates(node.func.value, constants)
    elif isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.Constant) else _field(part) for part in node.values)
        yield "".join(map(str, parts))


def _field(part: ast.AST) -> str:
    words = re.findall(r"\w+", ast.unparse(part))
    return f"{{{next((word for word in words if word in CELLS or word in SENTENCES), 'number')}}}"


def cells_of(template: str) -> int | None:
    """The cells of a sentence with its values; None where one of these is a sentence."""
    parts = list(Formatter().parse(template))
    if any(field in SENTENCES for _, field, _, _ in parts):
        return None
    return sum(len(text) + (CELLS.get(field, NUMBER) if field is not None else 0) for text, field, _, _ in parts)


def test_a_status_line_holds_what_a_screen_says() -> None:
    said = list(said_on_the_status_line())
    assert len(said) > 20, "the rule looks in the wrong place"
    assert not [f"{place}: {cells} cells: {text}" for place, text, cells in said if cells > ROW]


@each_row(
    ("template", "cells"),
    [("{name} saved.", 37), ("{count:,} of them", 16), ("{why} Press i.", None), ("No profile selected.", 20)],
)
def test_a_sentence_is_measured_with_the_longest_values(template: str, cells: int | None) -> None:
    assert cells_of(template) == cells
