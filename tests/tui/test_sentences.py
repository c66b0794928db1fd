"""A sentence that is cut keeps its meaning: the verdict comes first, and no cut turns it into its opposite."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rich.cells import cell_len

import ncp_tui
from ncp_tui.snapshots.create import CreateResult
from ncp_tui.snapshots.outcome import Outcome, SnapshotRequest
from ncp_tui.tui.widgets.bars import status_rows

PACKAGE = Path(ncp_tui.__file__).parent
WIDTHS = (58, 78)
"""The cells of the status line in a window of 60 and of 80."""

NAME = "n" * 30
"""As long as a name may be; it stands for whatever is put into a sentence."""

VERDICT_CELLS = 50
"""By then it is said what became of a snapshot."""

EFFECT = re.compile(
    r"\b(sent|started|created|saved|kept|removed|written|stored|deleted|changed|finished|accepted|exists|read|known"
    r"|found|works?|copied|dismissed|followed)\b"
)
TURN = re.compile(
    r"\b(not|no|never|nothing|nobody|none|unless|except|without|cannot|again|only|but|until|yet|any more|no longer)\b"
)


def text_of(node: ast.AST) -> str | None:
    """What a literal says, with NAME for what is put into it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else NAME for part in node.values)
    return None


def sentences(folder: str) -> Iterator[tuple[str, str]]:
    """Every sentence a user may read, and where it is written."""
    for path in sorted((PACKAGE / folder).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
        for node in ast.walk(tree):
            text = text_of(node)
            if text and id(node) not in docstrings | parts and re.search(r"[A-Za-z]\w* \w.*[.?:]", text):
                yield f"{path.relative_to(PACKAGE)}:{getattr(node, 'lineno', 0)}", text


def turned(text: str, width: int, rows: int) -> str:
    """What a cut leaves of a clause whose lost end turns it around; empty where none does."""
    whole = " ".join(text.split())
    seen = " ".join(status_rows(text, width, rows))
    if not seen.endswith("…"):
        return ""
    kept = len(seen) - 1
    left, lost = re.split(r"[.;:?!]\s", whole[:kept])[-1], re.split(r"[.;:?!](?:\s|$)", whole[kept:])[0]
    return left if EFFECT.search(left) and TURN.search(lost) else ""


@pytest.mark.parametrize(
    ("text", "is_turned"),
    [
        ("The create has no answer: by now it was not sent by this run again.", True),
        ("The profile's file was read by the program and saved, but without its secret key.", True),
        ("Only one request was sent, whatever the service may have made of it in the meantime.", False),
        ("Short.", False),
    ],
)
def test_the_rule_finds_what_it_is_for(text: str, *, is_turned: bool) -> None:
    assert bool(turned(text, 58, 1)) == is_turned


@pytest.mark.parametrize("folder", ["tui", "snapshots"])
def test_no_cut_turns_a_sentence_around(folder: str) -> None:
    found = list(sentences(folder))
    assert len(found) > 40
    wrong = {
        f"{where}: {left}…"
        for where, text in found
        for width in WIDTHS
        if (left := turned(text, width, rows=2 if "Problem(" in text else 1))
    }
    assert not wrong


@pytest.mark.parametrize("outcome", Outcome)
def test_what_became_of_a_create_is_said_within_the_first_cells(outcome: Outcome) -> None:
    request = SnapshotRequest("1037001", "a-cluster-with-quite-a-long-name", NAME, "bucket")
    sentence = CreateResult(request, outcome, datetime(2026, 1, 1, tzinfo=UTC)).sentence
    said = sentence[:VERDICT_CELLS].lower()
    assert any(word in said for word in ("accepted", "started", "refused", "not", "unknown"))


def test_two_rows_hold_what_matters_and_end_in_an_ellipsis_where_they_do_not() -> None:
    text = "Unknown whether search-0001-20260102-000000 started. Only one request was sent. " + "Look. " * 20
    for width in WIDTHS:
        rows = status_rows(text, width, 2)
        assert len(rows) == 2
        assert all(cell_len(row) <= width for row in rows)
        assert rows[1].endswith("…")
        assert "Only one request was sent." in " ".join(rows)
    assert status_rows("세 글자로 된 긴 문장", 9, 2) == ["세 글자로", "된 긴 문…"]
    assert status_rows("short", 58, 2) == ["short"]
