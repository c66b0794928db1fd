from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ncp_tui.cli.output import Output, cell_width, facts, table
from tests.cli.program import Program
from tests.tables import each_row


@each_row(
    ("text", "width"),
    [
        ("", 0),
        ("abc", 3),
        ("검색", 4),
        ("검색-로그", 9),
        ("é", 1),
        ("e\u0301", 1),
        ("\u1100\u1161\u11a8", 2),
        ("ＡＢ", 4),
        ("a\u200bb", 2),
    ],
)
def test_the_cells_of_a_text(text: str, width: int) -> None:
    """`len` would push the columns after a Korean name to the right."""
    assert cell_width(text) == width


def test_columns_stand_under_each_other() -> None:
    lines = table(("NAME", "STATE"), [("검색-로그", "running"), ("a", "x")]).splitlines()
    assert lines == ["NAME       STATE", "검색-로그  running", "a          x"]


def test_facts_leave_out_what_is_not_known() -> None:
    assert facts([("name", "a"), ("health", ""), ("created", "b")]) == "name     a\ncreated  b"


def test_there_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(json=True)
    out.document({"a": "한글"})
    out.document({"b": 2})
    assert capsys.readouterr().out == '{\n  "a": "한글"\n}\n'


def test_quiet_leaves_out_notes_and_no_errors(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(quiet=True)
    out.note("a note")
    out.error("an error")
    assert capsys.readouterr().err == "an error\n"


@pytest.mark.parametrize("arguments", [["cluster", "list"], ["--help"], ["snapshot", "history", "search-0001"]])
def test_a_reader_that_goes_away_gets_no_message(program: Program, arguments: list[str]) -> None:
    """`ncp-tui cluster list | head -0` must not end in a traceback, nor in the code that means a bug."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ncp_tui", *arguments, "--quiet"],
            stdout=writing,
            stderr=subprocess.PIPE,
            env=program.environ,
            timeout=20,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 15


def test_a_terminal_that_knows_ascii_only(program: Program) -> None:
    """A name that cannot be encoded is written as an escape, and JSON stays JSON."""
    result = program.run("cluster", "list", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert result.code == 0
    assert "\\uac80" in result.stdout
    names = [each["name"] for each in program.run("cluster", "list", "--json", PYTHONIOENCODING="ascii").json()]
    assert "검색-로그-서울" in names
