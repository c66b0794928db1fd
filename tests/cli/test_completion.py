"""Completion in a shell: the words of the command line, saved profiles, and the clusters that were listed last."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from ncp_tui.cli.main import main
from ncp_tui.guide.pages import read_page
from ncp_tui.profiles.cluster_name_cache import ClusterNameCache
from ncp_tui.profiles.credential_sources import available_identities
from ncp_tui.profiles.ncloud_configure import NcloudConfigure
from ncp_tui.profiles.profile import Profile
from ncp_tui.profiles.profile_store import ProfileStore
from ncp_tui.system.paths import paths_from
from tests.cli.program import Called, replace_environment


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    variables = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NCP_TUI_HOME": str(tmp_path / "home")}
    store = ProfileStore(paths_from(variables))
    for name in ("prod", "prod-jpn", "lab"):
        store.add(Profile(name=name, access_key="ABCDEFGHIJ0123456789"))
    return variables


class Shell:
    """Asks the program to complete a line, as a shell does."""

    def __init__(self, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capture, self._monkeypatch = capture, monkeypatch

    def __call__(self, environ: Mapping[str, str], words: str, **more: str) -> str:
        with self._monkeypatch.context() as patch:
            replace_environment(patch, {**environ, **line_of(words), **more})
            assert main([]) == 0
        told = self._capture.readouterr()
        assert not told.err
        return told.out


def line_of(words: str) -> dict[str, str]:
    return {"COMP_WORDS": f"ncp-tui {words}", "COMP_CWORD": str(len(words.split(" ")))}


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(capsys, monkeypatch)


def asked_as_a_process(environ: Mapping[str, str], words: str) -> str:
    command = [sys.executable, "-c", "import sys; sys.argv[0] = 'ncp-tui'\nfrom ncp_tui.__main__ import main\nmain()"]
    variables = {**environ, **line_of(words), "_NCP_TUI_COMPLETE": "bash_complete"}
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
        ("snapshot re", ["resolve"]),
        ("do", ["doctor"]),
        ("--profile nobody", []),
    ],
)
def test_words_and_profiles(asked: Shell, environ: dict[str, str], words: str, names: list[str]) -> None:
    found = asked(environ, words, _NCP_TUI_COMPLETE="bash_complete")
    assert [line.partition(",")[2] for line in found.split()] == names


NAMES = ["search-0001", "search-0002", "shop", "검색-로그", "x; rm -r ~"]


@pytest.fixture
def listed(environ: dict[str, str]) -> dict[str, str]:
    paths = paths_from(environ)
    book = ProfileStore(paths).load()
    for identity in available_identities(environ, book, NcloudConfigure()).identities:
        prefix = "" if identity.name == "prod" else f"{identity.name}-"
        ClusterNameCache(paths).store(identity, [f"{prefix}{name}" for name in NAMES])
    return environ


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("cluster show search-", ["search-0001", "search-0002"]),
        ("bucket list s", ["search-0001", "search-0002", "shop"]),
        ("snapshot create sh", ["shop"]),
        ("snapshot history search-0002", ["search-0002"]),
        ("snapshot wait 검", ["검색-로그"]),
        ("snapshot create shop --confirm s", ["search-0001", "search-0002", "shop"]),
        ("snapshot evidence name --cluster sh", ["shop"]),
        ("--profile lab snapshot create lab-s", ["lab-search-0001", "lab-search-0002", "lab-shop"]),
        ("snapshot --profile lab create lab-sh", ["lab-shop"]),
        ("snapshot create x", []),
        ("--profile nobody snapshot create s", []),
        ("--profile server-role snapshot create s", []),
    ],
)
def test_clusters_of_the_last_listing(asked: Shell, listed: dict[str, str], words: str, names: list[str]) -> None:
    """Of whoever would call, and nobody else; what a shell would run is no name."""
    found = asked(listed, words, _NCP_TUI_COMPLETE="bash_complete")
    assert [line.partition(",")[2] for line in found.split("\n") if line] == names


def test_the_profile_of_the_environment_counts(asked: Shell, listed: dict[str, str]) -> None:
    found = asked(listed, "cluster show lab-sh", _NCP_TUI_COMPLETE="bash_complete", NCP_TUI_PROFILE="lab")
    assert found.strip() == "plain,lab-shop"


def test_nothing_is_completed_before_anything_was_listed(asked: Shell, environ: dict[str, str]) -> None:
    assert asked(environ, "cluster show s", _NCP_TUI_COMPLETE="bash_complete").strip() == ""
    assert not paths_from(environ).state_dir.exists()


def test_a_broken_profiles_file_completes_nothing(asked: Shell, listed: dict[str, str]) -> None:
    """And writes no message into the line that is being typed."""
    environ = listed
    paths_from(environ).profiles_file.write_bytes(b"\x00\xff")
    assert asked(environ, "cluster show s", _NCP_TUI_COMPLETE="bash_complete").strip() == ""
    assert asked(environ, "--profile p", _NCP_TUI_COMPLETE="bash_complete").strip() == ""


SCRIPTS = {"bash": "complete -o", "zsh": "compdef", "fish": "complete ", "powershell": "Register-ArgumentCompleter"}


@pytest.mark.parametrize("shell", SCRIPTS)
def test_each_shell_gets_its_script(asked: Shell, environ: dict[str, str], shell: str) -> None:
    """It has the shell ask the program again, with the line that is being typed."""
    script = asked(environ, "", _NCP_TUI_COMPLETE=f"{shell}_source")
    assert SCRIPTS[shell] in script
    assert f"{shell}_complete" in script
    assert "ncp-tui" in script


@pytest.mark.parametrize(
    ("words", "names"),
    [("--profile pr", ["prod", "prod-jpn"]), ("cluster show sh", ["shop"]), ("snapshot re", ["resolve"])],
)
def test_powershell_gets_three_lines_for_each_word(
    asked: Shell, listed: dict[str, str], words: str, names: list[str]
) -> None:
    """Kind, word and help; a fourth line would be taken for the kind of the next."""
    lines = asked(listed, words, _NCP_TUI_COMPLETE="powershell_complete").removesuffix("\n").split("\n")
    assert len(lines) == 3 * len(names)
    assert lines[0::3] == ["plain"] * len(names)
    assert lines[1::3] == names
    assert all(lines[2::3])


def test_powershell_completes_for_real(listed: dict[str, str], tmp_path: Path) -> None:
    """Where there is one: the script as the guide has it loaded, and a line completed by the shell itself."""
    shell = shutil.which("pwsh")
    if shell is None:
        pytest.skip("needs pwsh")
    program = tmp_path / "bin" / "ncp-tui"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m ncp_tui "$@"\n')
    program.chmod(0o700)
    load = next(line for line in read_page("install").splitlines() if "powershell_source" in line)
    line = "ncp-tui cluster show sh"
    ask = f"(TabExpansion2 '{line}' {len(line)}).CompletionMatches.CompletionText"
    variables = listed | {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    command = [shell, "-NoProfile", "-Command", f"{load}; {ask}"]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.split() == ["shop"]


def test_a_listing_is_there_for_the_next_word(call: Called) -> None:
    assert call("cluster", "list").code == 0
    found = asked_as_a_process(call.program.environ, "snapshot create search-000")
    assert "plain,search-0001" in found.splitlines()


def test_a_listing_that_cannot_be_kept_is_no_failure(call: Called, tmp_path: Path) -> None:
    (tmp_path / "ncp-tui" / "state" / "clusters.json").mkdir(parents=True)
    result = call("cluster", "list")
    assert result.code == 0
    assert "search-0001" in result.stdout
