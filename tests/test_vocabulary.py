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

NOT_YET = 420
"""Retired words that are still said, at most, until every package has been gone through."""

TOO_LONG_YET = 3
"""Sentences too long for the status line, at most, until then."""


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
            yield Text(f"{name}:{node.lineno}", " ".join(node.value.split()), is_help.get(id(node), True))


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
    assert len(wrong) <= NOT_YET, "\n".join(wrong)


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
"""Cells of the status line in a window of 80."""

NAME = "n" * 30
"""As long as the name of a snapshot may be, and twice as long as that of a cluster."""

CUT = frozenset(
    {
        "final_sentence",
        "gap_sentence",
        "how_many",
        "narrowed_sentence",
        "next_words",
        "problem_words",
        "result",
        "tracked_sentence",
        "unresolved_sentence",
        "why_not_resolved",
    }
)
"""What makes a sentence that may be longer, and is written to be cut: what it is about comes first, and no cut turns it
round (`tests/tui/test_sentences.py` holds that)."""


def said_on_the_status_line() -> Iterator[tuple[str, str]]:
    """Every sentence that a screen writes out for its status line, with a long name for what is put into it."""
    for name, tree in trees().items():
        if not name.startswith("tui/screens/"):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say":
                for text in _written_out(node.args[0]) if node.args else ():
                    yield f"{name}:{node.lineno}", text


def _written_out(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from (*_written_out(node.body), *_written_out(node.orelse))
    elif isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr) and not _is_cut(node):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else _filled(part) for part in node.values)


def _is_cut(node: ast.AST) -> bool:
    """Whether a sentence that is written to be cut is a part of it, or a message that comes from elsewhere."""
    called = {ast.unparse(each.func).rpartition(".")[2] for each in ast.walk(node) if isinstance(each, ast.Call)}
    attributes = {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}
    return bool(called & CUT or attributes & {"what", "message", "reason", "sentence"})


def _filled(part: ast.AST) -> str:
    is_name = re.search(r"\.name|snapshot|bucket|chosen|path|said", ast.unparse(part))
    return NAME if is_name else "1,234"


def test_a_status_line_holds_what_a_screen_says() -> None:
    said = list(said_on_the_status_line())
    assert len(said) > 20, "the rule looks in the wrong place"
    too_long = [f"{place}: {len(text)} cells: {text}" for place, text in said if len(text) > ROW]
    assert len(too_long) <= TOO_LONG_YET, "\n".join(too_long)
