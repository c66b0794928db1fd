from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ncp_tui.cli.output import Output
from tests.cli.program import Program


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
