"""Completion in a shell: the words of the command line, and the names of the saved profiles."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ncp_tui.profiles import Profile, ProfileStore, paths_from


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NCP_TUI_HOME": str(tmp_path / "home")}
    store = ProfileStore(paths_from(variables))
    for name in ("prod", "prod-jpn", "lab"):
        store.add(Profile(name=name, access_key="ABCDEFGHIJ0123456789"))
    return variables


def asked(environ: dict[str, str], words: str, **more: str) -> str:
    variables = environ | {"COMP_WORDS": f"ncp-tui {words}", "COMP_CWORD": str(len(words.split(" ")))} | more
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'ncp-tui'\nfrom ncp_tui.__main__ import main\nmain()"]
    result = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert not result.stderr
    return result.stdout


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("--profile pr", ["prod", "prod-jpn"]),
        ("profile show l", ["lab"]),
        ("profile rename p", ["prod", "prod-jpn"]),
        ("profile test prod-", ["prod-jpn"]),
        ("snapshot se", ["settle"]),
        ("do", ["doctor"]),
        ("--profile nobody", []),
    ],
)
def test_words_and_profiles(environ: dict[str, str], words: str, names: list[str]) -> None:
    found = asked(environ, words, _NCP_TUI_COMPLETE="bash_complete")
    assert [line.partition(",")[2] for line in found.split()] == names


def test_a_broken_profiles_file_completes_nothing(environ: dict[str, str]) -> None:
    """And writes no message into the line that is being typed."""
    paths_from(environ).profiles_file.write_bytes(b"\x00\xff")
    assert asked(environ, "--profile p", _NCP_TUI_COMPLETE="bash_complete").strip() == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(environ: dict[str, str], shell: str) -> None:
    assert "_ncp_tui_completion" in asked(environ, "", _NCP_TUI_COMPLETE=f"{shell}_source")
